"""The range of raw integers of each cell, before and after it is cut to its width: it decides how wide a lane
must be, and where nothing has to be cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from eqhls.lower.netlist import (
    Bits,
    Bitwise,
    Cell,
    Constant,
    Count,
    Input,
    Lookup,
    Mux,
    Operand,
    Product,
    Relu,
    Slice,
    Sum,
    sum_frac,
)

LANES = (16, 32, 64)
"""The bits of a lane: integers of the machine, two's complement."""


@dataclass(frozen=True, slots=True)
class Range:
    """The integers from `lo` to `hi`."""

    lo: int
    hi: int

    @classmethod
    def of(cls, width: int, signed: bool) -> Range:
        """Return all integers of a width."""
        return cls(-(1 << (width - 1)) if signed else 0, (1 << (width - signed)) - 1)

    @property
    def lane(self) -> int:
        """The narrowest lane that holds every integer, or the widest, which wraps as NumPy's does."""
        return next((bits for bits in LANES if Range.of(bits, True).holds(self)), LANES[-1])

    def holds(self, other: Range) -> bool:
        return self.lo <= other.lo and other.hi <= self.hi

    def shifted(self, left: int) -> Range:
        """Return the range times 2**left, rounded down."""
        return (
            Range(self.lo << left, self.hi << left)
            if left >= 0
            else Range(self.lo >> -left, self.hi >> -left)
        )

    def negated(self) -> Range:
        return Range(-self.hi, -self.lo)


@dataclass(frozen=True, slots=True)
class Span:
    """A cell's integers before they are cut to its width (`raw`) and behind it (`value`)."""

    raw: Range
    value: Range

    @property
    def cut(self) -> bool:
        """Whether some integer does not fit into the width."""
        return self.raw != self.value


def spans(cells: Sequence[Cell]) -> list[Span]:
    """Return the span of every cell, from those of the cells that it reads."""
    found: list[Span] = []
    for cell in cells:
        whole = Range.of(cell.width, cell.signed)
        raw = _raw(cell, cells, found) or whole
        found.append(Span(raw, raw if whole.holds(raw) else whole))
    return found


def point(o: Operand, frac: int, cells: Sequence[Cell]) -> int:
    """Return by how many places an operand moves to the left to stand at the binary point `frac`."""
    return frac - cells[o.cell].frac + o.shift


def aligned(o: Operand, frac: int, cells: Sequence[Cell], found: Sequence[Span]) -> Range:
    """Return the range of an operand at the binary point `frac`, with its sign."""
    plain = found[o.cell].value.shifted(point(o, frac, cells))
    return plain.negated() if o.minus else plain


def total(cell: Sum, cells: Sequence[Cell], found: Sequence[Span]) -> Range:
    """Return the range of a sum before its low bits are dropped."""
    frac = sum_frac(cell, cells)
    parts = [aligned(o, frac, cells, found) for o in cell.terms]
    offset = cell.offset << (frac - cell.offset_frac) if cell.offset else 0
    return Range(sum(p.lo for p in parts) + offset, sum(p.hi for p in parts) + offset)


def _raw(cell: Cell, cells: Sequence[Cell], found: Sequence[Span]) -> Range | None:
    """Return the range before the cut, or nothing if it may be anything: of inputs, which are not trusted to
    fit, and of counts."""
    match cell:
        case Constant():
            return Range(cell.raw, cell.raw)
        case Sum():
            return total(cell, cells, found).shifted(cell.frac - sum_frac(cell, cells))
        case Slice():
            return aligned(cell.a, cell.frac, cells, found)
        case Relu():
            inner = aligned(cell.a, cell.frac, cells, found)
            return Range(max(inner.lo, 0), max(inner.hi, 0))
        case Mux():
            return _hull(*(aligned(o, cell.frac, cells, found) for o in (cell.yes, cell.no)))
        case Product():
            a, b = (found[o.cell].value for o in (cell.a, cell.b))
            ends = [x * y for x, y in product((a.lo, a.hi), (b.lo, b.hi))]
            return Range(min(ends), max(ends))
        case Lookup():
            entries = cut_entries(cell)
            return Range(min(entries), max(entries))
        case Bits() if cell.function != "not":
            return Range(0, 1)
        case Bits():
            inner = found[cell.a.cell].value
            return Range(~inner.hi, ~inner.lo)
        case Bitwise():
            return _bitwise(*(aligned(o, cell.frac, cells, found) for o in (cell.a, cell.b)))
        case _:
            return None


def cut_entries(cell: Lookup) -> tuple[int, ...]:
    """Return the entries of a table, cut to the width of the cell."""
    low = [e & ((1 << cell.width) - 1) for e in cell.entries]
    return tuple(e - ((e >> (cell.width - 1)) << cell.width) if cell.signed else e for e in low)


def _hull(a: Range, b: Range) -> Range:
    return Range(min(a.lo, b.lo), max(a.hi, b.hi))


def _bitwise(a: Range, b: Range) -> Range:
    """Return what any function of single bits can make: no more bits than the wider one has, and no sign if
    neither has one."""
    both = _hull(a, b)
    bits = max(both.hi.bit_length(), (~both.lo).bit_length() if both.lo < 0 else 0)
    return Range(-(1 << bits) if both.lo < 0 else 0, (1 << bits) - 1)


def is_cut(cell: Cell, span: Span) -> bool:
    """Whether the value of a cell is what is left of more bits: a count keeps some of the columns, and an
    input is not trusted."""
    return span.cut or isinstance(cell, Count | Input)
