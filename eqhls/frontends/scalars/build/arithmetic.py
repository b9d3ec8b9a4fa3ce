"""Sums, products and choices of values, which broadcast as in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from eqhls.frontends.scalars.build.tensors import aligned, constant, joined, opened, reshaped
from eqhls.frontends.scalars.site import Site, Value
from eqhls.groups.coupling import Path
from eqhls.groups.rep import S
from eqhls.ir.op import Tensor
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.particle_max import ParticleMax
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.ops.sign_select import SignSelect

TIMES = Path(S, S, S)


def operand(site: Site, x: Value | ArrayLike) -> Value:
    """Return a value as it is, and anything else as a constant."""
    return x if isinstance(x, Value) else constant(site, x)


def added(site: Site, *terms: Value | ArrayLike, minus: tuple[int, ...] = ()) -> Value:
    """Return the sum of the terms, of which those in `minus` are subtracted."""
    values, shape, names = aligned(site, *(operand(site, t) for t in terms))
    return Value(site.add(Add(minus), *(v.name for v in values), part="sum"), shape, names)


def subtracted(site: Site, a: Value | ArrayLike, b: Value | ArrayLike) -> Value:
    return added(site, a, b, minus=(1,))


def negated(site: Site, x: Value) -> Value:
    return added(site, x, minus=(0,))


def multiplied(site: Site, a: Value | ArrayLike, b: Value | ArrayLike) -> Value:
    """Return the product, element by element."""
    if a is b and isinstance(a, Value):
        return squared(site, a)
    (x, y), shape, names = aligned(site, operand(site, a), operand(site, b))
    return Value(site.add(CgProduct(TIMES), x.name, y.name, part="product"), shape, names)


def squared(site: Site, x: Value) -> Value:
    x = opened(site, x)
    return Value(site.add(CgSquare(TIMES), x.name, part="square"), x.shape, x.axes)


def scaled(site: Site, x: Value, by: float) -> Value:
    """Return a value times a number, whose weights carry the number to 8 bits; 1 and -1 cost nothing."""
    if by in (1.0, -1.0):
        return x if by == 1.0 else negated(site, x)
    return affine(site, x, np.array(by), None)


def affine(site: Site, x: Value, factor: ArrayLike, shift: ArrayLike | None) -> Value:
    """Return factor x + shift. Both broadcast; what varies along one axis of x alone, or not at all, is one
    diagonal matrix, which functions in front of it take up."""
    x = opened(site, x)
    assert x.axes is not None
    rank = len(x.shape)
    numbers = [np.asarray(v, dtype=np.float64) for v in (factor, 0.0 if shift is None else shift)]
    whole = [v.reshape((1,) * (rank - v.ndim) + v.shape) for v in numbers if v.ndim <= rank]
    varying = {k for v in whole for k, s in enumerate(v.shape) if s > 1}
    named = [k for k, a in enumerate(x.axes) if a]
    if len(whole) == 2 and len(varying) <= 1 and named and varying <= set(named):
        k = next(iter(varying), named[-1])
        slope, offset = (np.broadcast_to(v.ravel(), x.shape[k]) for v in whole)
        bias = None if shift is None else Tensor(offset)
        op = ChannelMix(Tensor(np.diag(slope)), bias, axis=x.axes[k])
        return Value(site.add(op, x.name, part="scaled"), x.shape, x.axes)
    if (numbers[0] != 1.0).any():
        x = multiplied(site, x, numbers[0])
    return x if shift is None else added(site, x, numbers[1])


def rectified(site: Site, x: Value) -> Value:
    """Return max(x, 0), exact whatever the format of x."""
    return Value(site.add(Relu(), x.name, part="relu"), x.shape, x.axes)


def magnitude(site: Site, x: Value) -> Value:
    return Value(site.add(Magnitude(), x.name, part="size"), x.shape, x.axes)


def signed(site: Site, size: Value, sign: Value) -> Value:
    """Return `size` if `sign` is 0 or more, and -size if it is negative."""
    (a, x), shape, names = aligned(site, size, sign)
    return Value(site.add(SignSelect(), a.name, x.name, part="signed"), shape, names)


def maximum(site: Site, *terms: Value | ArrayLike) -> Value:
    """Return the largest of the terms, element by element."""
    values = [operand(site, t) for t in terms]
    if len(values) == 2 and not isinstance(terms[1], Value):
        return added(site, rectified(site, subtracted(site, values[0], values[1])), values[1])
    shape = np.broadcast_shapes(*(v.shape for v in values))
    if len({v.shape for v in values}) > 1:
        zero = constant(site, np.zeros(shape))
        values = [v if v.shape == shape else added(site, zero, v) for v in values]
    rows = [reshaped(site, v, (*shape, 1)) for v in values]
    return largest(site, joined(site, rows, len(shape)), (len(shape),))


def minimum(site: Site, *terms: Value | ArrayLike) -> Value:
    minus = [negated(site, t) if isinstance(t, Value) else -np.asarray(t) for t in terms]
    return negated(site, maximum(site, *minus))


def clipped(site: Site, x: Value, low: float | None, high: float | None) -> Value:
    """Return x within bounds, by exact comparisons."""
    if low is not None:
        x = _above(site, x, low)
    return x if high is None else negated(site, _above(site, negated(site, x), -high))


def _above(site: Site, x: Value, low: float) -> Value:
    if low == 0.0:
        return rectified(site, x)
    return added(site, rectified(site, added(site, x, -low)), low)


def summed(site: Site, x: Value, places: Sequence[int], keep: bool = False) -> Value:
    """Return the sum over some places of the shape, which stay with size 1 if `keep`."""
    return _reduced(site, x, places, keep, ParticleSum)


def largest(site: Site, x: Value, places: Sequence[int], keep: bool = False) -> Value:
    return _reduced(site, x, places, keep, ParticleMax)


def smallest(site: Site, x: Value, places: Sequence[int], keep: bool = False) -> Value:
    return negated(site, largest(site, negated(site, x), places, keep))


def averaged(site: Site, x: Value, places: Sequence[int], keep: bool = False) -> Value:
    """Return the mean over some places of the shape."""
    size = int(np.prod([x.shape[p] for p in places]))
    return scaled(site, summed(site, x, places, keep), 1.0 / size)


def _reduced(
    site: Site, x: Value, places: Sequence[int], keep: bool, op: type[ParticleSum] | type[ParticleMax]
) -> Value:
    x = opened(site, x)
    assert x.axes is not None
    name = x.name
    for axis in (x.axes[p] for p in places):
        if axis:
            name = site.add(op(axis), name, part=f"over_{axis}")
    left = [k for k in range(len(x.shape)) if keep or k not in places]
    shape = tuple(1 if k in places else x.shape[k] for k in left)
    return Value(name, shape, tuple("" if k in places else x.axes[k] for k in left))
