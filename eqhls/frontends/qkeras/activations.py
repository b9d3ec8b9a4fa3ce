"""Activations of QKeras as ops: roundings to formats of ap_fixed, bounds, signs, tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import frexp, log2

import numpy as np

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.qkeras.specs import Spec
from eqhls.frontends.scalars.build.functions import NAMED
from eqhls.frontends.scalars.build.softmax import softmax
from eqhls.frontends.scalars.site import Site, Value
from eqhls.groups.rep import S
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.clamp import Clamp
from eqhls.ops.relu import Relu
from eqhls.ops.requantize import Requantize
from eqhls.ops.sign_select import SignSelect
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table


def activated(site: Site, x: Value, spec: Spec | None) -> Value:
    """Append what an activation computes at inference. Raises CompileError for what cannot be exact."""
    if spec is None or spec.kind == "linear":
        return x
    if spec.kind == "softmax":
        return softmax(site, x, (len(x.shape) - 1,))
    if spec.kind in ACTIVATIONS:
        return Value(ACTIVATIONS[spec.kind](site, x.name, spec), x.shape, x.axes)
    if spec.kind in FUNCTIONS:
        return FUNCTIONS[spec.kind](site, x)
    known = ", ".join(sorted({*ACTIVATIONS, *FUNCTIONS, "softmax"}))
    problem = "which is random" if spec.kind == "bernoulli" else "which is not supported"
    raise site.refuse(f"has the activation {spec}, {problem}", f"use one of {known}")


def rounded_to(spec: Spec | None) -> Fixed | None:
    """Return the format that an activation rounds to, if rounding and saturation are all that it does, so
    that a port may have it."""
    if spec is None or spec.kind not in ("quantized_bits", "quantized_relu"):
        return None
    if spec.kind == "quantized_relu":
        plain = not (spec.use_sigmoid or spec.negative_slope)
        return _form(spec.bits, spec.integer, False, False) if plain else None
    signed = bool(spec.keep_negative)
    if isinstance(spec.alpha, str) or (spec.bits == 1 and signed) or spec.alpha not in (None, 1, 1.0):
        return None
    return _form(spec.bits, spec.integer + signed, signed, bool(spec.symmetric) and signed)


TWOFOLD = ("relu", "leaky_relu", "hard_sigmoid", "hard_tanh")
"""Functions of Keras 3 whose names are QKeras's, or those of other functions of Keras 2."""
FUNCTIONS = {k: f for k, f in NAMED.items() if k not in TWOFOLD} | {"swish": NAMED["silu"]}
"""Functions of Keras 2: exact if comparisons say them, tables otherwise."""


def _form(bits: int, integer: int, signed: bool, symmetric: bool) -> Fixed:
    """Return the format of a quantizer of QKeras: rounded half to even, and saturated."""
    overflow = Overflow.SAT_SYM if symmetric else Overflow.SAT
    return Fixed(int(bits), int(integer), signed, Rounding.RND_CONV, overflow)


def scaled(site: Site, x: str, factor: float, shift: float = 0.0, part: str = "scaled") -> str:
    """Append factor * x + shift of every element."""
    last = site.builder.type(x).axes[-1]
    bias = Tensor(np.full(last.size, shift)) if shift else None
    return site.add(ChannelMix(Tensor(factor * np.eye(last.size)), bias, axis=last.name), x, part=part)


def _bits(site: Site, x: str, spec: Spec) -> str:
    if isinstance(spec.alpha, str):
        raise site.refuse(
            f"has the activation {spec}, whose scale depends on the other events of a batch", "give alpha=1"
        )
    if spec.bits == 1 and spec.keep_negative:
        return _alpha(site, _sign(site, x), spec)
    form = rounded_to(replace(spec, given={**spec.given, "alpha": None}))
    assert form is not None
    return _alpha(site, site.add(Requantize((form,)), x), spec)


def _alpha(site: Site, x: str, spec: Spec) -> str:
    if spec.alpha is None or spec.alpha == 1:
        return x
    if not isinstance(spec.alpha, int | float) or frexp(float(spec.alpha))[0] != 0.5:
        raise site.refuse(f"has the activation {spec}, whose scale is not a power of two", "give alpha=1")
    return scaled(site, x, float(spec.alpha), part="alpha")


def _sign(site: Site, x: str) -> str:
    """Append 1 where x is not negative, else -1."""
    one = site.add(Spurion(Type(S, ()), Tensor(np.ones(1))), part="one")
    return site.add(SignSelect(), one, x, part="sign")


def _relu(site: Site, x: str, spec: Spec) -> str:
    if spec.use_sigmoid:
        raise site.refuse(f"has the activation {spec}", "train with use_sigmoid=0")
    bits = spec.bits - bool(spec.negative_slope)
    y = site.add(Requantize((_form(bits, spec.integer, False, False),)), x)
    if spec.negative_slope:
        y = site.add(Add(), y, _below(site, x, spec, bits), part="both")
    bound = None if spec.is_quantized_clip else spec.relu_upper_bound
    return y if bound is None else site.add(Clamp(float(np.float32(bound))), y, part="bound")


def _below(site: Site, x: str, spec: Spec, bits: int) -> str:
    """Append what a leaky rectifier makes of negative values."""
    slope = float(spec.negative_slope)
    size = scaled(site, x, -slope, part="below")
    more = max(int(log2(slope)), 0) + 1
    form = _form(bits + more, spec.integer + more, False, False)
    y = site.add(Requantize((form,)), size, part="rounded")
    return scaled(site, site.add(Clamp(2.0**spec.integer * slope), y, part="lowest"), -1.0, part="negative")


def _tanh(site: Site, x: str, spec: Spec) -> str:
    form = _form(spec.bits, 1, True, bool(spec.symmetric))
    if spec.use_real_tanh:
        return site.add(Table(activation=Activation.TANH, out=form), x)
    return site.add(Requantize((form,)), site.add(Clamp(1.0), x, part="hard"))


def _sigmoid(site: Site, x: str, spec: Spec) -> str:
    if spec.use_real_sigmoid:
        if spec.symmetric:
            raise site.refuse(f"has the activation {spec}", "train with symmetric=False")
        return site.add(Table(activation=Activation.SIGMOID, out=_form(spec.bits, 0, False, False)), x)
    if spec.bits < 2:
        raise site.refuse(f"has the activation {spec}", "give it two bits or more")
    form = _form(spec.bits, 1, True, bool(spec.symmetric))
    y = site.add(Requantize((form,)), site.add(Clamp(1.0), x, part="hard"), part="rounded")
    return scaled(site, y, 0.5, 0.5, part="half")


def _binary(site: Site, x: str, spec: Spec) -> str:
    _check_scale(site, spec)
    y = _sign(site, x)
    return _alpha(site, scaled(site, y, 0.5, 0.5, part="half") if spec.given.get("use_01") else y, spec)


def _ternary(site: Site, x: str, spec: Spec) -> str:
    """Append the sum of two signs: that of x - t, and minus that of -x - t."""
    _check_scale(site, spec)
    t = 0.33 if spec.threshold is None else float(spec.threshold)
    if not (t * 2.0**16).is_integer():
        raise site.refuse(
            f"has the activation {spec}, whose threshold {t:g} is not a multiple of 2**-16",
            "give a threshold that is one, as 0.328125",
        )
    above = _sign(site.at("above"), scaled(site, x, 1.0, -t, part="less"))
    below = _sign(site.at("below"), scaled(site, x, -1.0, -t, part="more"))
    both = site.add(Add((1,)), above, below, part="both")
    return _alpha(site, scaled(site, both, 0.5, part="half"), spec)


def _check_scale(site: Site, spec: Spec) -> None:
    if isinstance(spec.alpha, str):
        raise site.refuse(
            f"has the activation {spec}, whose scale depends on the other events of a batch", "give alpha=1"
        )


def _hard(site: Site, x: str, spec: Spec) -> str:
    """Append one of QKeras's functions of straight lines, with values from 0 or from -1 to 1."""
    steep = 1.0 if spec.kind.startswith("hard") else 0.375
    y = site.add(Clamp(1.0), x if steep == 1.0 else scaled(site, x, steep, part="slope"), part="hard")
    return y if spec.kind.endswith("tanh") else scaled(site, y, 0.5, 0.5, part="half")


def _plain_relu(site: Site, x: str, spec: Spec) -> str:
    return site.add(Relu(), x)


ACTIVATIONS: dict[str, Callable[[Site, str, Spec], str]] = {
    "relu": _plain_relu,
    "quantized_bits": _bits,
    "quantized_relu": _relu,
    "quantized_tanh": _tanh,
    "quantized_sigmoid": _sigmoid,
    "binary": _binary,
    "stochastic_binary": _binary,
    "ternary": _ternary,
    "stochastic_ternary": _ternary,
    **dict.fromkeys(("hard_tanh", "smooth_tanh", "smooth_sigmoid"), _hard),
}
"""What appends each activation of QKeras, and the rectifier."""
