"""Functions of one number: exact where additions and comparisons say them, tables otherwise.

A table without a format of its own gets one when the network is calibrated: 10 bits for its entries, over
twice the range seen, and an address of 10 bits (`eqhls.quantize.assign`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import e, floor, log2

import numpy as np
from numpy.typing import ArrayLike

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.scalars.build.arithmetic import (
    added,
    affine,
    clipped,
    magnitude,
    multiplied,
    negated,
    rectified,
    scaled,
    signed,
    squared,
    subtracted,
)
from eqhls.frontends.scalars.site import Site, Value
from eqhls.ir.op import Tensor
from eqhls.ops.clamp import Clamp
from eqhls.ops.log2 import Log2
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import IDENTITY, Activation, Table

CODES, CODE_BITS = 1024, 5
"""Codes of the logarithm of a size, and fraction bits of one: 32 an octave over 32 octaves."""


def tabled(
    site: Site,
    x: Value,
    activation: Activation,
    slope: float = 1.0,
    shift: float = 0.0,
    power: float | None = None,
    out: Fixed | None = None,
) -> Value:
    """Return activation(slope x + shift) by a table; `power` is the exponent of Activation.POWER."""
    parameters = None if power is None else Tensor([[power]])
    line = Tensor([[shift, shift + slope]])
    op = Table(IDENTITY, line, activation, out=out, parameters=parameters)
    return Value(site.add(op, x.name, part=activation.value), x.shape, x.axes)


def piecewise(site: Site, x: Value, knots: ArrayLike, values: ArrayLike) -> Value:
    """Return a piecewise linear function, straight outside its knots, by a table."""
    op = Table(Tensor(knots), Tensor(np.atleast_2d(np.asarray(values))))
    return Value(site.add(op, x.name, part="piecewise"), x.shape, x.axes)


def leaky(site: Site, x: Value, slope: ArrayLike) -> Value:
    """Return x if it is positive, else slope x; the slopes broadcast."""
    below = affine(site, rectified(site, negated(site, x)), slope, None)
    return subtracted(site, rectified(site, x), below)


def bounded_relu(
    site: Site, x: Value, most: float | None, slope: float = 0.0, threshold: float = 0.0
) -> Value:
    """Return x from 0 up to `most`, and slope x below 0. Raises CompileError for a threshold other than 0."""
    if threshold:
        raise site.refuse(
            f"is a ReLU that jumps from 0 to {threshold:g}", "set threshold to 0: shift the bias instead"
        )
    y = leaky(site, x, slope) if slope else rectified(site, x)
    return y if most is None else clipped(site, y, None, most)


def exponential_linear(site: Site, x: Value, alpha: float, scale: float = 1.0, width: float = 1.0) -> Value:
    """Return scale (x if it is positive, else alpha (exp(x / width) - 1))."""
    below = tabled(site, negated(site, rectified(site, negated(site, x))), Activation.ELU, 1.0 / width)
    y = added(site, rectified(site, x), scaled(site, below, alpha))
    return scaled(site, y, scale)


def bounded_line(site: Site, x: Value, slope: float, shift: float) -> Value:
    """Return slope x + shift between 0 and 1: hard sigmoids. Exact but for its weights."""
    return clipped(site, affine(site, x, slope, shift), 0.0, 1.0)


def hard_tanh(site: Site, x: Value) -> Value:
    return Value(site.add(Clamp(1.0), x.name, part="bounded"), x.shape, x.axes)


def exponential(site: Site, x: Value) -> Value:
    return tabled(site, x, Activation.EXP2, log2(e))


def logarithm(site: Site, x: Value, shift: float = 0.0) -> Value:
    """Return log(x + shift) of a positive number."""
    return tabled(site, x, Activation.LOG, 1.0, shift)


def coded_power(site: Site, x: Value, power: float, shift: float, least: float) -> Value:
    """Return (x + shift)**power of a size, x >= 0, over 32 octaves from `least`: the table reads a code of
    the logarithm of x, so that small and large x are equally precise."""
    unit = 2.0 ** floor(log2(least))
    code = site.add(Log2(unit, CODE_BITS, CODES, 8, 3, odd=True), x.name, part="code")
    op = Table(
        IDENTITY, Tensor([[shift, 1.0 + shift]]), Activation.POWER, parameters=Tensor([[power]]), floor=unit
    )
    return Value(site.add(op, code, part="power"), x.shape, x.axes)


def reciprocal(site: Site, x: Value) -> Value:
    """Return 1 / x of a number of either sign; 0 at x = 0."""
    size = coded_power(site, magnitude(site, x), -1.0, 0.0, 2.0**-10)
    return signed(site, size, x)


def divided(site: Site, a: Value | ArrayLike, b: Value | ArrayLike) -> Value:
    """Return a / b."""
    if not isinstance(b, Value):
        assert isinstance(a, Value)
        return affine(site, a, 1.0 / np.asarray(b, dtype=np.float64), None)
    inverse = reciprocal(site, b)
    if not isinstance(a, Value) and (np.asarray(a) == 1.0).all() and np.ndim(a) == 0:
        return inverse
    return multiplied(site, a, inverse)


def power(site: Site, x: Value, exponent: float) -> Value:
    """Return x**exponent; a power that is not whole is that of a positive number."""
    if exponent in (1.0, 2.0):
        return x if exponent == 1.0 else squared(site, x)
    y = tabled(site, x, Activation.POWER, power=exponent)
    return signed(site, y, x) if exponent % 2 == 1.0 else y


def ranged(site: Site, x: Value, form: Fixed) -> Value:
    """Round a value to a given format, because its range is known whatever the events."""
    return Value(site.add(Requantize((form,)), x.name, part="ranged"), x.shape, x.axes)


def share(bits: int, integer: int) -> Fixed:
    """Return a format without sign that rounds and saturates."""
    return Fixed(bits, integer, False, Rounding.RND, Overflow.SAT)


def plain(kind: Activation) -> Callable[[Site, Value], Value]:
    """Return a function that is a table of its argument as it is."""
    return lambda site, x: tabled(site, x, kind)


NAMED: dict[str, Callable[[Site, Value], Value]] = {
    "relu": rectified,
    "relu6": lambda site, x: bounded_relu(site, x, 6.0),
    "leaky_relu": lambda site, x: leaky(site, x, 0.2),
    "elu": plain(Activation.ELU),
    "celu": plain(Activation.ELU),
    "selu": plain(Activation.SELU),
    "softplus": plain(Activation.SOFTPLUS),
    "softsign": plain(Activation.SOFTSIGN),
    "silu": plain(Activation.SILU),
    "gelu": plain(Activation.GELU),
    "tanh": plain(Activation.TANH),
    "sigmoid": plain(Activation.SIGMOID),
    "log_sigmoid": plain(Activation.LOG_SIGMOID),
    "mish": plain(Activation.MISH),
    "exponential": exponential,
    "hard_sigmoid": lambda site, x: bounded_line(site, x, 1.0 / 6.0, 0.5),
    "sparse_sigmoid": lambda site, x: bounded_line(site, x, 0.5, 0.5),
    "hard_silu": lambda site, x: multiplied(site, x, bounded_line(site, x, 1.0 / 6.0, 0.5)),
    "hard_tanh": hard_tanh,
    "tanh_shrink": lambda site, x: subtracted(site, x, tabled(site, x, Activation.TANH)),
    "soft_shrink": lambda site, x: subtracted(site, x, clipped(site, x, -0.5, 0.5)),
    "linear": lambda site, x: x,
}
"""What Keras's names of activations mean, with their default arguments."""
