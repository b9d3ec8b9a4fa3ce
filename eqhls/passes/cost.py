"""A quick count of gates: the bodies on intervals, with a price for every operation.

Not the netlist's estimate, which shares terms between operations; it serves to compare graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eqhls.engines import Intervals
from eqhls.fixed import Fixed, Num, NumArray
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type

PRODUCT = 0.75
"""Cells per bit of one factor and bit of the other."""


class Counting(Intervals):
    """Intervals that add up what each operation would cost, in cells of one full adder or LUT."""

    def __init__(self) -> None:
        self.cells = 0.0

    def add(self, a: Any, b: Any, lo: int, hi: int) -> None:
        self.cells += _width(lo, hi)

    def sub(self, a: Any, b: Any, lo: int, hi: int) -> None:
        self.cells += _width(lo, hi)

    def mul(self, a: Any, b: Any, lo: int, hi: int) -> None:
        self.cells += PRODUCT * (_width(lo, hi) / 2) ** 2

    def mul_const(self, a: Any, value: int, lo: int, hi: int) -> None:
        self.cells += _width(lo, hi) * (_digits(value) - 1)

    def select(self, cond: Any, yes: Any, no: Any, lo: int, hi: int) -> None:
        self.cells += _width(lo, hi) / 2

    def table(self, a: Any, first: int, entries: Sequence[int]) -> None:
        self.cells += _width(min(entries), max(entries)) * max(len(entries) / 64, 1)

    def matvec(
        self, matrix: Sequence[Sequence[int]], x: Sequence[Any], spans: Sequence[tuple[int, int]]
    ) -> Sequence[None]:
        for row in matrix:
            terms = sum(_digits(m) for m in row)
            self.cells += max(terms - 1, 0) * max(_width(-abs(m), abs(m)) for m in (*row, 1)) * 2
        return [None] * len(matrix)


def gates(graph: Graph) -> int:
    """Return the cells that the bodies of a quantized graph would take, one by one."""
    engine = Counting()
    feeds = {n.name: _ports(engine, n.type) for n in graph.inputs}
    graph.run(feeds)
    return round(engine.cells)


def gates_by_value(graph: Graph) -> dict[str, int]:
    """Return the cells of the body of every value of a quantized graph by name; a source has none."""
    engine = Counting()
    values: dict[str, NumArray] = {}
    found: dict[str, int] = {}
    for node in graph:
        before = engine.cells
        values[node.name] = (
            _ports(engine, node.type)
            if node.op.source
            else node.op.body(graph.types_into(node), *(values[n] for n in node.inputs))
        )
        found[node.name] = round(engine.cells - before)
    return found


def _ports(engine: Counting, type: Type) -> NumArray:
    out = np.empty(type.shape, dtype=object)
    for index in np.ndindex(type.shape):
        form = type.format_of(index[-1])
        out[index] = Num(engine, None, form.lo, form.hi, form.frac)
    return out


def _width(lo: int, hi: int) -> int:
    return Fixed.covering(lo, hi, 0).width


def _digits(value: int) -> int:
    """Return the non-zero digits of the canonical signed form."""
    return (abs(value) ^ (3 * abs(value))).bit_count()
