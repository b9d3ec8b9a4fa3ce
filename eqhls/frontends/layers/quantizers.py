"""Quantizers of HGQ2 and of the QKeras API as formats of ap_fixed.

Rounding and overflow carry over mode by mode: the stateless quantizer below both libraries rounds
ties as ap_fixed does (RND up, RND_CONV to even) and wraps or saturates after it. A width counts the
sign in ap_fixed and not in HGQ2.
"""

from __future__ import annotations

import ast
from math import frexp
from typing import Any

import keras
import numpy as np
from hgq.config import QuantizerConfig
from hgq.quantizer import Quantizer
from hgq.quantizer.internal import FixedPointQuantizerBase
from numpy.typing import NDArray
from qkeras.quantizers import quantized_bits, quantized_relu

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding

Forms = NDArray[Any]
"""A format for each element, or None if no bit is left and the element is always zero."""
WRAPPING = (Overflow.WRAP, Overflow.WRAP_SM)


def as_format(spec: Any) -> Fixed:
    """Return the one format of `fix<...>`, `ap_fixed<...>`, `quantized_bits(...)`,
    `quantized_relu(...)` or of a QuantizerConfig without trained widths.

    Raises CompileError for any other text, and if widths are trained or differ by element.
    """
    if isinstance(spec, Fixed):
        return spec
    if isinstance(spec, str) and spec.startswith("quantized_"):
        spec = _from_string(spec)
    if not isinstance(spec, QuantizerConfig):
        return Fixed.parse(str(spec))
    if getattr(spec, "trainable", False):
        raise CompileError("quantizer", f"found {spec}, whose scale is trained", "give alpha=1")
    quantizer = Quantizer(spec)
    quantizer.build((None, 1))
    forms = element_formats(quantizer, (1,))
    if forms is None or forms[0] is None:
        raise CompileError(
            "quantizer", f"found {spec}, expected at least one bit", "give a positive number of bits"
        )
    return forms[0]


def element_formats(quantizer: Any, shape: tuple[int, ...]) -> Forms | None:
    """Return the format of every element of a tensor (events, *shape), or None for no rounding.

    Raises CompileError for floating-point quantizers, and for scales that are not powers of two.
    """
    inner = quantizer.quantizer
    if getattr(inner, "__dummy__", False):
        return None
    if not isinstance(inner, FixedPointQuantizerBase) or quantizer.affine is not None:
        raise CompileError(
            "quantizer", f"found {quantizer!r}, expected fixed point", "use 'kbi', 'kif' or quantized_bits"
        )
    mode = inner.round_mode.removeprefix("S_")
    if mode not in Rounding.__members__ or inner.overflow_mode not in ("WRAP", "SAT", "SAT_SYM"):
        raise CompileError(
            "quantizer",
            f"found {inner.round_mode} with {inner.overflow_mode}",
            "overflow is one of WRAP, SAT, SAT_SYM",
        )
    if inner.overflow_mode == "WRAP" and inner.trainable and quantizer.config.get("is_weight", False):
        raise CompileError(
            "quantizer",
            "found is_weight=True with WRAP on data, where HGQ2 rounds and never wraps",
            "give is_weight=False, or overflow_mode='SAT'",
        )
    shift = _shift(quantizer.scaler)
    k, i, f = (_spread(inner, v, shape) for v in inner.kif)
    forms = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        forms[index] = _format(int(k[index]), int(i[index]), int(f[index]), shift, inner)
    return forms


def _format(k: int, i: int, f: int, shift: int, inner: Any) -> Fixed | None:
    if k + i + f <= 0:
        return None
    integer = k + max(i, -f)
    rounding, overflow = Rounding[inner.round_mode.removeprefix("S_")], Overflow[inner.overflow_mode]
    return Fixed(integer + f, integer + shift, bool(k), rounding, overflow)


def _spread(inner: Any, bits: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
    full = keras.ops.convert_to_numpy(inner.bw_mapper.bw_to_x(bits, (1, *shape)))
    return np.asarray(full)[0].astype(np.int64)


def _shift(scaler: Any) -> int:
    """Return the logarithm of a scale: y = round(x / s) * s is the format, moved."""
    mantissa, exponent = frexp(1.0 if scaler is None else float(scaler))
    if mantissa != 0.5:
        raise CompileError("quantizer", f"found alpha = {scaler}, expected a power of two", "give alpha=1")
    return exponent - 1


def _from_string(text: str) -> Any:
    known = {"quantized_bits": quantized_bits, "quantized_relu": quantized_relu}
    try:
        call: Any = ast.parse(text, mode="eval").body
        named = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
        return known[call.func.id](*map(ast.literal_eval, call.args), **named)
    except (ValueError, TypeError, AssertionError, SyntaxError, KeyError, AttributeError) as error:
        raise CompileError(
            "quantizer", f"found {text!r} ({error})", "write e.g. quantized_bits(6, 1, alpha=1)"
        ) from None
