"""Bits of numbers of ones, as Verilog functions.

Bit k of how many of some bits are 1 is the parity of how many groups of 2**k of them are all 1 (Lucas): one
expression for each bit, which a LUT of six inputs holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_lowercase

from eqhls.backends.rtl.scope import Scope, literal
from eqhls.lower.netlist import Cell, Count, count_frac


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """A function: of how many rows, which bit of their number, in how many columns."""

    rows: int
    weight: int
    columns: int

    @property
    def name(self) -> str:
        return f"ones_{self.rows}_bit_{self.weight}_{self.columns}w"


def _below(cell: Count, cells: Sequence[Cell]) -> int:
    """Return how many places of `fill` the cell holds below its lowest column; if negative, the columns that
    it leaves out."""
    return cell.weight - (count_frac(cell, cells) - cell.frac)


def _shape(cell: Count, cells: Sequence[Cell]) -> Shape:
    return Shape(len(cell.terms), cell.weight, cell.width - max(_below(cell, cells), 0))


def rule_count(cell: Count, scope: Scope) -> str:
    """Return the call for its columns, with what stands below them."""
    shape, below = _shape(cell, scope.cells), _below(cell, scope.cells)
    frac = count_frac(cell, scope.cells) + min(below, 0)
    if shape.columns <= 0:
        return literal(cell.fill, cell.width)
    rows = [("~" if o.minus else "") + scope.aligned(o, frac, shape.columns) for o in cell.terms]
    call = f"{shape.name}({', '.join(rows)})"
    return f"{{{call}, {literal(cell.fill, below)}}}" if below > 0 else call


def functions(cells: Sequence[Cell]) -> Iterator[str]:
    """Return the functions that counts in a netlist call."""
    shapes = {_shape(c, cells) for c in cells if isinstance(c, Count)}
    for shape in sorted(s for s in shapes if s.columns > 0):
        span, names = f"[{shape.columns - 1}:0]", ascii_lowercase[: shape.rows]
        groups = (" & ".join(group) for group in combinations(names, 1 << shape.weight))
        parity = " ^ ".join(f"({group})" if shape.weight else group for group in groups)
        yield f"function {span} {shape.name}(input {span} {', '.join(names)});"
        yield f"  {shape.name} = {parity or literal(0, shape.columns)};"
        yield "endfunction"
