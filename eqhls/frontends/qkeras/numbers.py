"""Weights as QKeras's quantizers leave them, in the numbers that it defines: float32 where it rounds, so that
every tie and every scale comes out as it does there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.qkeras.specs import Spec

Floats = NDArray[Any]
EPSILON = np.float32(1e-7)
"""Keras's epsilon."""
FINEST = 16
"""Fraction bits of the finest weight that stays as it is when a network is quantized."""
UNROLLS = 5
"""How often quantized_bits improves the scale of a channel."""


def quantized_weights(spec: Spec | None, values: Floats, multipliers: bool = True) -> Floats:
    """Return what a quantizer makes of a tensor of weights (.., channels), in float64; without one, the
    weights themselves.

    Raises CompileError for quantizers that draw random numbers, for scales that are not powers of two, and,
    if they are `multipliers`, for weights that are not multiples of 2**-16 then.
    """
    if spec is None or spec.kind == "linear":
        return values.astype(np.float64)
    if spec.kind not in QUANTIZERS:
        raise CompileError(
            "quantizer", f"found {spec} on weights, {_why(spec)}", f"use {', '.join(QUANTIZERS)} for weights"
        )
    if spec.given.get("alpha") == "auto":
        raise CompileError(
            "quantizer",
            f"found {spec}, whose scales are not powers of two, so that no fixed-point number is a weight",
            "train with alpha='auto_po2' or alpha=1",
        )
    made = np.asarray(QUANTIZERS[spec.kind](spec, values.astype(np.float32)), dtype=np.float64)
    fine = made * 2.0**FINEST
    if multipliers and (fine != np.rint(fine)).any():
        lost = made.ravel()[np.argmax(np.ravel(fine != np.rint(fine)))]
        raise CompileError(
            "quantizer",
            f"{spec} makes the weight {lost:.6g}, which is not a multiple of 2**-{FINEST}",
            "use fewer fraction bits, or alpha=1",
        )
    return made


def _why(spec: Spec) -> str:
    return "which are drawn anew in every call" if spec.kind == "bernoulli" else "which is not supported"


def _bits(spec: Spec, x: Floats) -> Floats:
    if isinstance(spec.alpha, str):
        return _scaled_bits(spec, x)
    unsigned = spec.bits - int(bool(spec.keep_negative))
    if unsigned <= 0:
        return _times(spec.alpha, _sign(x) if spec.keep_negative else (_sign(x) + 1) / 2)
    m, m_i = np.float32(2.0**unsigned), np.float32(2.0**spec.integer)
    low = int(bool(spec.keep_negative)) * (-m + int(bool(spec.symmetric)))
    return _times(spec.alpha, m_i * np.clip(np.rint(x * m / m_i), low, m - 1) / m)


def _scaled_bits(spec: Spec, x: Floats) -> Floats:
    """Integers times a power of two for each channel, found by least squares from the largest weight on."""
    one, half = np.float32(1), np.float32(0.5)
    m = np.float32(2.0 ** (spec.bits - int(bool(spec.keep_negative))))
    m_i, levels = np.float32(2.0**spec.integer), np.float32((2 ** (spec.bits - 1) - 1) * 2)
    if not levels:
        raise CompileError("quantizer", f"found {spec}, which has no level but 0", "use binary, or more bits")
    x = x / m_i
    axes = tuple(range(x.ndim - 1)) if x.ndim > 1 else (0,)
    scale = _power_of_two(np.abs(x).max(axis=axes, keepdims=True) * np.float32(2) / levels)
    z = x
    for _ in range(UNROLLS):
        v = np.floor(np.abs(x) / scale + half)
        z = np.sign(x) * np.where(v < levels / 2, v, one * levels / 2)
        scale = _least_squares(x, z)
    return m_i * z / m * (scale * m)


def _least_squares(x: Floats, q: Floats) -> Floats:
    """Return the power of two nearest to the best scale of integers q for weights x, for each channel."""
    axes = tuple(range(x.ndim - 1)) if x.ndim > 1 else ()
    qx = np.mean(x * q, axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
    qq = np.mean(q * q, axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
    return _power_of_two(qx / (qq + EPSILON))


def _power_of_two(scale: Any) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.rint(np.log(scale + EPSILON) / np.float32(np.log(2.0)))
    return np.exp2(exponent).astype(np.float32)


def _times(alpha: Any, values: Floats) -> Floats:
    return values if alpha is None else np.asarray(alpha, dtype=np.float32) * values


def _sign(x: Floats) -> Floats:
    return np.where(x < 0, np.float32(-1), np.float32(1))


def _binary(spec: Spec, x: Floats) -> Floats:
    sign = (_sign(x) + 1) / 2 if spec.given.get("use_01") else _sign(x)
    return _least_squares(x, sign) * sign if spec.alpha == "auto_po2" else _times(spec.alpha, sign)


def _ternary(spec: Spec, x: Floats) -> Floats:
    if spec.alpha != "auto_po2":
        threshold = np.float32(0.33 if spec.threshold is None else spec.threshold)
        return _times(spec.alpha, np.where(np.abs(x) >= threshold, np.sign(x), np.float32(0)))
    axes = tuple(range(x.ndim - 1)) if x.ndim > 1 else None
    scale = _power_of_two(np.float32(2) * np.abs(x).max(axis=axes, keepdims=True) / np.float32(3))
    q = x
    for _ in range(spec.number_of_unrolls):
        v = scale * np.rint(x / scale)
        q = np.where(np.abs(v) >= scale / 2, np.sign(x), np.float32(0))
        scale = _least_squares(x, q)
    return scale * q


def _exponents(spec: Spec, signed: bool) -> tuple[int, int]:
    """Return the least and the greatest exponent of a power-of-two quantizer."""
    sign_bit = int(spec.max_value is None or spec.max_value > 1)
    bits = spec.bits - int(signed) - sign_bit
    top = 2.0**bits - 1
    return int(-(2.0**bits)), int(2 * (top // 2) if spec.quadratic_approximation else top)


def _exponent(spec: Spec, size: Floats, signed: bool) -> Floats:
    """Return the exponent that sizes (not negative) are rounded to."""
    low, high = _exponents(spec, signed)
    filtered = np.where(size < EPSILON, EPSILON, size)
    if spec.max_value is not None:
        filtered = np.minimum(filtered, np.float32(spec.max_value))
    factor = 2 if spec.quadratic_approximation else 1
    log = np.log(np.sqrt(filtered) if factor == 2 else filtered) / np.float32(np.log(2.0))
    rounded = np.floor(log) if spec.log2_rounding == "floor" else np.rint(log)
    return np.where(size < EPSILON, low, factor * np.clip(rounded, low, high))


def _po2(spec: Spec, x: Floats) -> Floats:
    return _sign(x) * np.exp2(_exponent(spec, np.abs(x), signed=True))


def _relu_po2(spec: Spec, x: Floats) -> Floats:
    up = np.exp2(_exponent(spec, np.maximum(x, 0), signed=False))
    if not spec.negative_slope:
        return up
    down = np.exp2(_exponent(spec, np.maximum(-x, 0) * np.float32(spec.negative_slope), signed=False))
    return np.where(x >= 0, up, -down)


def _relu(spec: Spec, x: Floats) -> Floats:
    if spec.use_sigmoid or spec.negative_slope:
        raise CompileError("quantizer", f"found {spec} on weights", "use quantized_bits")
    m, m_i = np.float32(2.0**spec.bits), np.float32(2.0**spec.integer)
    return m_i * np.clip(np.rint(x * m / m_i), 0, m - 1) / m


QUANTIZERS: dict[str, Callable[[Spec, Floats], Floats]] = {
    "quantized_bits": _bits,
    "quantized_relu": _relu,
    "quantized_po2": _po2,
    "quantized_relu_po2": _relu_po2,
    "binary": _binary,
    "stochastic_binary": _binary,
    "ternary": _ternary,
    "stochastic_ternary": _ternary,
}
"""What each quantizer makes of weights at inference, where the stochastic ones do not draw."""
