"""Fixed-point formats and exact arithmetic on integers or wires."""

from __future__ import annotations

from eqhls.fixed.format import MAX_WIDTH, Fixed, Overflow, Rounding
from eqhls.fixed.formats import NO_FORMATS, Formats
from eqhls.fixed.num import (
    Engine,
    Num,
    NumArray,
    const,
    constant_matmul,
    dyadic,
    element,
    select,
    sum_axis,
    total,
)
from eqhls.fixed.rounding import overflows, quantize

__all__ = [
    "MAX_WIDTH",
    "NO_FORMATS",
    "Engine",
    "Fixed",
    "Formats",
    "Num",
    "NumArray",
    "Overflow",
    "Rounding",
    "const",
    "constant_matmul",
    "dyadic",
    "element",
    "overflows",
    "quantize",
    "select",
    "sum_axis",
    "total",
]
