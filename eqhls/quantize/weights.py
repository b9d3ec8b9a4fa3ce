"""Weights as fixed-point numbers."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, log2

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.ir.op import Floats, Op, Tensor
from eqhls.ops.requantize import Requantize

WEIGHT_BITS = 8
DEEPEST = 14
"""How many octaves below the largest format of an op that of another map may lie: its integers share a
point, and fit into 24 bits."""


def weights_of(op: Op) -> tuple[Tensor, ...]:
    """Return the tensors of an op that are rounded as weights: matrices, maps of pairs, shifts."""
    tensors = (getattr(op, name) for name in op.weights)
    return tuple(t for t in tensors if t is not None)


def per_map(weights: tuple[Tensor, ...]) -> list[list[Tensor]]:
    """Return what shares a format: each map of pairs alone, shifts left out; or all tensors."""
    pairs = [t.array for t in weights if len(t.shape) == 3]
    if not pairs:
        return [list(weights)]
    return [[Tensor(array[..., k]) for array in pairs] for k in range(pairs[0].shape[-1])]


def rounded_weights(op: Op, wanted: str) -> Op:
    """Return an op with its weights rounded to the format `wanted`, or to 8 bits per tensor.

    Maps of pairs (the last of three axes) each get a format, because divisors are folded into some of them;
    `wanted` may give as many, joined by `|`, and leaves the shifts alone then. What is a fixed-point
    number already stays. Functions (tables, radial ones) round their entries, not their parameters; constants
    are values, not weights. Raises CompileError for a number of formats that the maps do not have, and for
    weights outside the format.
    """
    if not op.weights:
        return op
    formats = Formats(Fixed.parse(part) for part in wanted.split("|") if part)
    if len(formats) > 1 and len(formats) != len(per_map(weights_of(op))):
        raise CompileError(
            "Precision.weight",
            f"found {len(formats)} formats, expected 1 or {len(per_map(weights_of(op)))}",
            "one for all weights, or one for each map of pairs",
        )
    changed = {name: t for name in op.weights if (t := _changed(getattr(op, name), formats)) is not None}
    return replace(op, **changed) if changed else op


def rounded_constant(op: Op, formats: tuple[Fixed, ...]) -> Op:
    """Return a constant rounded to one format, or to one for each component. Raises CompileError for numbers
    that do not fit: a component that saturates would break the symmetry."""
    Requantize(formats).infer(op.infer())
    values = Tensor(op.constant_values())
    return replace(op, **{op.constant: _rounded(values, Formats(formats), "Precision", 0.5)})


def narrowed_constant(op: Op) -> Op:
    """Return a constant rounded to 8 bits, unless it is a narrow fixed-point number already."""
    values = Tensor(op.constant_values())
    return op if is_fixed_point(values) else replace(op, **{op.constant: _narrow(values)})


def _changed(value: object, formats: Formats) -> Tensor | None:
    """Return a tensor rounded, or None for what is not a tensor or stays as it is."""
    if not isinstance(value, Tensor):
        return None
    if formats and (len(formats) == 1 or len(value.shape) == 3):
        return _rounded(value, formats, "Precision.weight", 1.0)
    return None if is_fixed_point(value) else _narrow(value)


def _rounded(weights: Tensor, formats: Formats, where: str, most: float) -> Tensor:
    """Round to the nearest number of each format. Raises CompileError for a weight that is further than
    `most` LSB outside: with one LSB, the largest weight may round to a power of two that the format just
    misses, as the search for formats needs it, and any weight is off by one LSB at most."""
    low, high = formats.lo, formats.hi
    scaled = weights.array / formats.lsb
    outside = np.maximum(scaled - high, low - scaled)
    if (outside > most).any():
        at = np.unravel_index(np.argmax(outside), outside.shape)
        form = formats[int(at[-1])]
        raise CompileError(
            where,
            f"found the weight {weights.array[at]:.6g}, which {form} does not hold",
            f"its numbers go from {form.lo * form.lsb:g} to {form.hi * form.lsb:g}: give more integer bits",
        )
    return Tensor(np.clip(np.rint(scaled), low, high) * formats.lsb)


def _narrow(weights: Tensor) -> Tensor:
    """Round to 8 bits, maps of pairs each to its own point."""
    values = weights.array
    maps = values if values.ndim == 3 else values[..., None]
    steps = [_step(maps[..., k]) for k in range(maps.shape[-1])]
    finest = max(steps) * 2.0**-DEEPEST
    limit = 1 << (WEIGHT_BITS - 1)
    parts = [_nearest(maps[..., k], max(s, finest), -limit, limit - 1) for k, s in enumerate(steps)]
    return Tensor(np.stack(parts, axis=-1).reshape(values.shape))


def _step(values: Floats) -> float:
    """Return the unit of the narrowest format of 8 bits that holds all values."""
    top = float(np.abs(values).max(initial=2.0**-20))
    return 2.0 ** (ceil(log2(top * (1 + 2.0**-7))) + 1 - WEIGHT_BITS)


def _nearest(values: Floats, step: float, low: int, high: int) -> Floats:
    return np.clip(np.rint(values / step), low, high) * step


def is_fixed_point(weights: Tensor) -> bool:
    """Whether weights are narrow fixed-point numbers already, as quantized training leaves them."""
    scaled = weights.array * 2.0**16
    return bool((scaled == np.rint(scaled)).all())
