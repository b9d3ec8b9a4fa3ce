"""Each cell as a statement of C++ on lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eqhls.backends.emulator.ranges import Range, Span, aligned, cut_entries, is_cut, point, total
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
    count_frac,
    sum_frac,
)

TYPES = {16: "H", 32: "W", 64: "D"}
"""The type of a value of all events, by the bits of its lane."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """What an expression needs to know: the cells, their spans, the names of the tables, and where the value
    of every input is."""

    cells: Sequence[Cell]
    spans: Sequence[Span]
    tables: Mapping[tuple[int, ...], str]
    inputs: Sequence[str]

    def lane(self, k: int) -> int:
        """Return the lane of a cell's value."""
        return self.spans[k].value.lane

    def statement(self, k: int) -> str:
        """Return what computes cell k from the values of those that it reads."""
        cell, span, lane = self.cells[k], self.spans[k], self.lane(k)
        at, text = self._expression(k, cell)
        text = converted(text, at, lane)
        return f"const {TYPES[lane]} {name(k)} = {_cut(text, cell, lane) if is_cut(cell, span) else text};"

    def operand(self, o: Operand, frac: int, lane: int) -> str:
        """Return an operand at a binary point, in a lane; its low bits, if the lane is too narrow for it."""
        left, own = point(o, frac, self.cells), self.lane(o.cell)
        text = name(o.cell)
        if left < 0:
            text = f"sar({text}, {min(-left, own - 1)})"
        text = converted(text, own, lane)
        if left > 0:
            text = f"shl({text}, {left})" if left < lane else f"all<{TYPES[lane]}>(0)"
        return text

    def _expression(self, k: int, cell: Cell) -> tuple[int, str]:
        """Return the lane that a cell is computed in, and the expression."""
        lane = self.lane(k)
        match cell:
            case Input():
                return lane, f"lanes<{TYPES[lane]}>(in.{self.inputs[cell.element]})"
            case Constant():
                return lane, _all(lane, cell.raw)
            case Sum():
                return self._sum(cell, lane)
            case Count():
                return self._count(cell)
            case Slice():
                return lane, self.signed(cell.a, cell.frac, lane)
            case Relu():
                wide = aligned(cell.a, cell.frac, self.cells, self.spans).lane
                return wide, f"relu({self.signed(cell.a, cell.frac, wide)}, {wide - 1})"
            case Mux():
                parts = [self.signed(o, cell.frac, lane) for o in (cell.yes, cell.no)]
                return lane, f"mux({self._mask(cell.cond.cell, lane)}, {', '.join(parts)})"
            case Product():
                return self._product(cell, lane)
            case Lookup():
                return self._lookup(cell, lane)
            case Bits():
                return self._bits(cell)
            case Bitwise():
                sign = {"and": "&", "or": "|", "xor": "^"}[cell.function]
                a, b = (self.signed(o, cell.frac, lane) for o in (cell.a, cell.b))
                return lane, f"({a} {sign} {b})"
            case _:
                raise AssertionError(cell)

    def signed(self, o: Operand, frac: int, lane: int) -> str:
        """Return an operand as `operand` does, with its sign."""
        text = self.operand(o, frac, lane)
        return f"({_all(lane, 0)} - {text})" if o.minus else text

    def _sum(self, cell: Sum, lane: int) -> tuple[int, str]:
        """Where low bits are dropped, the whole sum must fit; else its low bits are enough."""
        frac = sum_frac(cell, self.cells)
        dropped = frac - cell.frac
        at = max(total(cell, self.cells, self.spans).lane, lane) if dropped else lane
        plus = [self.operand(o, frac, at) for o in cell.terms if not o.minus]
        minus = [self.operand(o, frac, at) for o in cell.terms if o.minus]
        if cell.offset or not plus:
            plus.append(_all(at, cell.offset << (frac - cell.offset_frac) if cell.offset else 0))
        text = "(" + " - ".join([" + ".join(plus), *minus]) + ")"
        return at, f"sar({text}, {dropped})" if dropped else text

    def _count(self, cell: Count) -> tuple[int, str]:
        """Columns count each for itself, so those that are kept are all that must fit."""
        frac = count_frac(cell, self.cells)
        dropped = frac - cell.frac
        at = Range.of(cell.width + dropped, True).lane
        rows = [("~" if o.minus else "") + self.operand(o, frac, at) for o in cell.terms]
        text = f"ones<{cell.weight}>({', '.join(rows)})"
        text = f"(shl({text}, {cell.weight}) | {_all(at, cell.fill)})"
        return at, f"sar({text}, {dropped})" if dropped else text

    def _mask(self, k: int, lane: int) -> str:
        """Return -1 if the top bit of a cell is one, else 0."""
        cell, own = self.cells[k], self.lane(k)
        text = name(k) if cell.signed else f"shl({name(k)}, {own - cell.width})"
        if self.spans[k].value == Range(0, 1) and cell.width == 1:
            return converted(f"({_all(own, 0)} - {name(k)})", own, lane)
        return converted(f"sar({text}, {own - 1})", own, lane)

    def _product(self, cell: Product, lane: int) -> tuple[int, str]:
        a, b = cell.a.cell, cell.b.cell
        if lane == 32 and self.lane(a) == self.lane(b) == 16:
            return lane, f"product({name(a)}, {name(b)})"
        return lane, f"({converted(name(a), self.lane(a), lane)} * {converted(name(b), self.lane(b), lane)})"

    def _lookup(self, cell: Lookup, lane: int) -> tuple[int, str]:
        a, size = cell.a.cell, len(cell.entries)
        own, table = self.lane(a), self.tables[cut_entries(cell)]
        if own == lane == 16:
            return lane, f"small<{size}>({table}, {name(a)})"
        address = f"zext({name(a)}, {size - 1})" if self.spans[a].value.lo < 0 else name(a)
        return lane, f"look<{TYPES[lane]}>({table}, {address})"

    def _bits(self, cell: Bits) -> tuple[int, str]:
        a = cell.a.cell
        source, own = self.cells[a], self.lane(a)
        if cell.function == "not":
            return own, f"~{name(a)}"
        if cell.function == "any":
            return own, f"(zero({name(a)}) + {_all(own, 1)})"
        full = -1 if source.signed else (1 << source.width) - 1
        return own, f"({_all(own, 0)} - zero({name(a)} ^ {_all(own, full)}))"


def name(k: int) -> str:
    """Return the variable of a cell."""
    return f"x{k}"


def converted(text: str, own: int, lane: int) -> str:
    """Return an expression of one lane in another."""
    return text if own == lane else f"to_{TYPES[lane].lower()}({text})"


def _cut(text: str, cell: Cell, lane: int) -> str:
    if cell.signed:
        return f"sext({text}, {lane - cell.width})" if cell.width < lane else text
    return f"zext({text}, {literal((1 << cell.width) - 1)})"


def _all(lane: int, value: int) -> str:
    return f"all<{TYPES[lane]}>({literal(value)})"


def literal(value: int) -> str:
    """Return an integer as C++ reads it; the most negative one of 64 bits has no literal."""
    if value == -(1 << 63):
        return "INT64_MIN"
    return f"{value}" if abs(value) < 1 << 31 else f"{value}ll"
