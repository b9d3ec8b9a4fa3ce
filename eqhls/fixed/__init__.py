"""Fixed-point formats and exact arithmetic on integers or wires."""

from __future__ import annotations

from eqhls.fixed.format import MAX_WIDTH, Fixed, Overflow, Rounding
from eqhls.fixed.formats import NO_FORMATS, Formats
from eqhls.fixed.num import (
    Engine,
    Num,
    NumArray,
    chosen_largest,
    const,
    constant_matmul,
    dyadic,
    element,
    largest,
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
    "chosen_largest",
    "const",
    "constant_matmul",
    "dyadic",
    "element",
    "largest",
    "overflows",
    "quantize",
    "select",
    "sum_axis",
    "total",
]
