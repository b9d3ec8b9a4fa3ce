"""Weights as fixed-point numbers."""

from __future__ import annotations

from dataclasses import fields, replace
from math import ceil, log2

import numpy as np

from eqhls.fixed import Fixed
from eqhls.ir.op import Floats, Op, Tensor
from eqhls.ops.table import Table

WEIGHT_BITS = 8
DEEPEST = 14
"""How many octaves below the largest format of a block that of another map may lie: its integers share a
point, and fit into 24 bits."""


def rounded_weights(op: Op, wanted: str) -> Op:
    """Return a block with its weights rounded to the format `wanted`, or to 8 bits each tensor.

    Maps of pairs (the last of three axes) get a format each, for divisors are folded into some of them.
    What is a fixed-point number already stays; tables round their entries, not their knots.
    """
    if isinstance(op, Table):
        return op
    changed = {
        f.name: _rounded(value, wanted)
        for f in fields(op)
        if isinstance(value := getattr(op, f.name), Tensor) and (wanted or not _dyadic(value))
    }
    return replace(op, **changed) if changed else op


def _rounded(weights: Tensor, wanted: str) -> Tensor:
    values = weights.array
    if wanted:
        form = Fixed.parse(wanted)
        return Tensor(_nearest(values, form.lsb, form.lo, form.hi))
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


def _dyadic(weights: Tensor) -> bool:
    """Whether weights are narrow fixed-point numbers already, as quantized training leaves them."""
    scaled = weights.array * 2.0**16
    return bool((scaled == np.rint(scaled)).all())
