"""What alkaid traced (a CombLogic), as a netlist of ours: operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.ir.logic import MOST_BITS, Cell, Kind, Logic, Out, Term

Read = tuple[int, Fixed]
"""What an input of a trace is: an element of the inputs, and the format that it is assigned to."""
UNARY, BINARY = (Kind.NOT, Kind.ANY, Kind.ALL), (Kind.AND, Kind.OR, Kind.XOR)


def netlist(comb: Any, reads: Sequence[Read]) -> Logic:
    """Return the netlist of a trace whose input k is `reads[k]`. Equal operations are one cell, and what no
    output needs is left out. Raises CompileError for words of too many bits."""
    made = _Cells(comb, reads)
    for op in comb.ops:
        made.append(op)
    outs = [made.out(*end) for end in zip(comb.out_idxs, comb.out_shifts, comb.out_negs, strict=True)]
    return _needed(Logic(tuple(made.cells), tuple(outs), tuple(made.tables)))


@dataclass(frozen=True, slots=True)
class _Word:
    """The word of an operation: bits, sign, and bits behind the binary point."""

    width: int
    signed: bool
    frac: int

    @classmethod
    def of(cls, op: Any) -> _Word:
        signed, integer, frac = (int(v) for v in op.qint.kif)
        width = signed + integer + frac
        return cls(width, bool(signed), frac) if width >= 1 else cls(1, False, 0)


@dataclass(frozen=True, slots=True)
class _Value:
    """The value of a cell: its number, and the bits behind its binary point."""

    cell: int
    frac: int


@dataclass(slots=True)
class _Cells:
    """The cells so far, and the value of each operation of a trace."""

    comb: Any
    reads: Sequence[Read]
    cells: list[Cell] = field(default_factory=list[Cell])
    values: list[_Value] = field(default_factory=list[_Value])
    tables: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    known: dict[Cell, int] = field(default_factory=dict[Cell, int])

    def add(self, cell: Cell, frac: int) -> _Value:
        if cell.width > MOST_BITS:
            raise CompileError(
                "netlist", f"found a word of {cell.width} bits, at most {MOST_BITS} can be", "use fewer bits"
            )
        number = self.known.setdefault(cell, len(self.cells))
        if number == len(self.cells):
            self.cells.append(cell)
        return _Value(number, frac)

    def append(self, op: Any) -> None:
        low, high = float(op.qint.min), float(op.qint.max)
        self.values.append(self.constant(low) if low == high else self._made(op, _Word.of(op)))

    def constant(self, value: float) -> _Value:
        numerator, denominator = value.as_integer_ratio()
        form = Fixed.covering(numerator, numerator, 0)
        return self.add(
            Cell(Kind.CONST, form.width, form.signed, (), numerator), denominator.bit_length() - 1
        )

    def out(self, index: int, shift: int, minus: bool) -> Out:
        value = self.values[index] if index >= 0 else self.constant(0.0)
        if minus:
            cell = self.cells[value.cell]
            value = self.add(Cell(Kind.SUM, cell.width + 1, True, (Term(value.cell, 0, True),)), value.frac)
        return Out(value.cell, value.frac - shift)

    def _aligned(
        self, kind: Kind, word: _Word, terms: Sequence[tuple[int, int, bool]], plus: tuple[int, int] = (0, 0)
    ) -> _Value:
        """Append a cell of terms (operation, shift, minus), with their binary points in line, and a constant
        raw integer with its fraction bits. Choices have their condition in front."""
        lead, rest = (terms[:1], terms[1:]) if kind is Kind.MUX else ((), terms)
        points = [self.values[k].frac - shift for k, shift, _ in rest]
        point = max(*points, word.frac, plus[1] if plus[0] else word.frac)
        aligned = [
            Term(self.values[k].cell, point - self.values[k].frac + shift, minus) for k, shift, minus in rest
        ]
        conditions = [Term(self.values[k].cell) for k, _, _ in lead]
        offset = plus[0] << (point - plus[1]) if plus[0] else 0
        cell = Cell(kind, word.width, word.signed, (*conditions, *aligned), offset, point - word.frac)
        return self.add(_plain(cell), word.frac)

    def _made(self, op: Any, word: _Word) -> _Value:
        at, data = op.addr, op.data
        match op.opcode:
            case -2:
                return self._aligned(Kind.SUM, word, [(at[0], 0, True)])
            case -1:
                return self._read(self.reads[data[0]], word)
            case 0 | 1:
                return self._aligned(Kind.SUM, word, [(at[0], 0, False), (at[1], data[0], op.opcode == 1)])
            case 2:
                return self._aligned(Kind.RELU, word, [(at[0], 0, False)])
            case 3:
                return self._aligned(Kind.SUM, word, [(at[0], data[0], False)])
            case 4:
                return self._aligned(Kind.SUM, word, [(at[0], 0, False)], (int(data[0]), int(data[1])))
            case 6:
                return self._aligned(
                    Kind.MUX, word, [(at[2], 0, False), (at[0], 0, False), (at[1], data[0], False)]
                )
            case 7:
                return self._product(self.values[at[0]], self.values[at[1]], word)
            case 8:
                return self._table(self.comb.lookup_tables[data[0]], at[0], word)
            case 9:
                term = Term(self.values[at[0]].cell)
                return self.add(Cell(UNARY[data[0]], word.width, word.signed, (term,)), word.frac)
            case 10:
                return self._aligned(BINARY[data[1]], word, [(at[0], 0, False), (at[1], data[0], False)])
            case 11:
                terms = [(k, data[2 * n + 1], not data[2 * n]) for n, k in enumerate(at)]
                return self._aligned(Kind.SUM, word, terms)
            case _:
                raise AssertionError(f"unknown operation {op.opcode}")

    def _read(self, read: Read, word: _Word) -> _Value:
        element, form = read
        return self.add(Cell(Kind.IN, form.width, form.signed, (), element, 0, form), word.frac)

    def _product(self, a: _Value, b: _Value, word: _Word) -> _Value:
        """A product may end in front of the last bit of its word, which then is always 0."""
        frac = min(word.frac, a.frac + b.frac)
        terms = (Term(a.cell), Term(b.cell))
        width = word.width - word.frac + frac
        return self.add(Cell(Kind.MUL, width, word.signed, terms, 0, a.frac + b.frac - frac), frac)

    def _table(self, table: Any, address: int, word: _Word) -> _Value:
        """Addresses that cannot occur hold 0."""
        span = self.comb.ops[address].qint
        padded = np.nan_to_num(table.padded_table(span)).astype(np.int64)
        if span.min < 0:
            padded = np.roll(padded, len(padded) // 2)
        entries = tuple(int(v) for v in padded)
        if entries not in self.tables:
            self.tables.append(entries)
        frac = int(table.spec.out_kif[2])
        width = max(word.width - word.frac + frac, 1)
        terms, number = (Term(self.values[address].cell),), self.tables.index(entries)
        return self.add(Cell(Kind.TABLE, width, word.signed, terms, number), frac)


def _plain(cell: Cell) -> Cell:
    """Return a cell whose terms have no zeros in common that are cut off again."""
    shared = min(cell.drop, *(t.shift for t in cell.terms[cell.kind is Kind.MUX :]))
    if not shared or cell.value % (1 << shared):
        return cell
    lead = cell.terms[: cell.kind is Kind.MUX]
    rest = [replace(t, shift=t.shift - shared) for t in cell.terms[len(lead) :]]
    return replace(cell, terms=(*lead, *rest), value=cell.value >> shared, drop=cell.drop - shared)


def _needed(logic: Logic) -> Logic:
    """Return the netlist without cells and tables that no output needs."""
    live = {o.cell for o in logic.outputs}
    for number in reversed(range(len(logic.cells))):
        if number in live:
            live.update(t.cell for t in logic.cells[number].terms)
    to = {old: new for new, old in enumerate(sorted(live))}
    kept = [logic.cells[k] for k in sorted(live)]
    tables = sorted({c.value for c in kept if c.kind is Kind.TABLE})
    cells = [
        replace(
            c,
            terms=tuple(replace(t, cell=to[t.cell]) for t in c.terms),
            value=tables.index(c.value) if c.kind is Kind.TABLE else c.value,
        )
        for c in kept
    ]
    outputs = tuple(Out(to[o.cell], o.frac) for o in logic.outputs)
    return Logic(tuple(cells), outputs, tuple(logic.tables[k] for k in tables))
