"""A combinational netlist as a value: what an op holds that computes scalars cell by cell.

Every cell is an integer of `width` bits, signed or not. It forms its result exactly, drops the last `drop`
bits of it (towards minus infinity) and keeps what fits into its word, modulo a power of two: so every netlist
has a meaning, whatever its words. Binary points stand at the inputs and at the outputs only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from eqhls.errors import CompileError
from eqhls.fixed import Fixed

MOST_BITS = 52
"""Bits of a result before it is cut: floats, in which other runtimes compute, hold no more."""
MOST_ADDRESS = 16
"""Bits of the address of a table."""


class Kind(Enum):
    """What a cell computes of its terms."""

    IN = "in"
    """Element `value` of the inputs, assigned to `form`."""
    CONST = "const"
    """`value`."""
    SUM = "sum"
    """The sum of all terms and `value`."""
    RELU = "relu"
    """The term where it is positive, else 0."""
    MUX = "mux"
    """The second term where the top bit of the word of the first is 1, else the third."""
    MUL = "mul"
    """The product of both terms."""
    TABLE = "table"
    """Entry of table `value` for the word of the term, from its lowest value to its highest."""
    NOT = "not"
    """All bits of the term complemented."""
    ANY = "any"
    """1 where a bit of the term is 1, else 0."""
    ALL = "all"
    """1 where all bits of the word of the term are 1, else 0."""
    AND = "and"
    OR = "or"
    XOR = "xor"
    """Bit by bit of both terms, in two's complement."""


BITWISE = (Kind.AND, Kind.OR, Kind.XOR)
ARITY = {
    Kind.IN: 0,
    Kind.CONST: 0,
    Kind.RELU: 1,
    Kind.MUX: 3,
    Kind.MUL: 2,
    Kind.TABLE: 1,
    Kind.NOT: 1,
    Kind.ANY: 1,
    Kind.ALL: 1,
    **dict.fromkeys(BITWISE, 2),
}
"""The number of terms of each kind; a sum has one or more."""
SHIFTED = (Kind.SUM, Kind.RELU, Kind.MUX, *BITWISE)
"""Kinds whose terms may be shifted; only sums take the negative of one."""


@dataclass(frozen=True, slots=True)
class Term:
    """The value of an earlier cell times 2**shift, or the negative of it."""

    cell: int
    shift: int = 0
    minus: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.minus else ''}{self.cell}{f'^{self.shift}' if self.shift else ''}"

    @classmethod
    def parse(cls, text: str) -> Term:
        """Read what `str` prints. Raises ValueError for anything else."""
        cell, _, shift = text.removeprefix("-").partition("^")
        return cls(int(cell), int(shift or 0), text.startswith("-"))


@dataclass(frozen=True, slots=True)
class Cell:
    """One operation; what `value` means, its kind says. Inputs have a `form`."""

    kind: Kind
    width: int
    signed: bool
    terms: tuple[Term, ...] = ()
    value: int = 0
    drop: int = 0
    form: Fixed | None = None

    @property
    def word(self) -> tuple[int, int]:
        """The smallest and the largest number that the word holds."""
        form = Fixed(self.width, self.width, self.signed)
        return form.lo, form.hi

    def __str__(self) -> str:
        parts = [f"{self.width}{'s' if self.signed else 'u'}", self.kind.value, *map(str, self.terms)]
        parts += [f"={self.value}"] * bool(self.value) + [f"/{self.drop}"] * bool(self.drop)
        return " ".join([*parts, str(self.form)] if self.form else parts)

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Read what `str` prints. Raises ValueError for anything else."""
        word, kind, *rest = text.split()
        form = Fixed.parse(rest.pop()) if rest and "fix<" in rest[-1] else None
        drop = int(rest.pop()[1:]) if rest and rest[-1].startswith("/") else 0
        value = int(rest.pop()[1:]) if rest and rest[-1].startswith("=") else 0
        if word[-1] not in "su":
            raise ValueError(f"{word!r} is not a word such as 8s or 3u")
        terms = tuple(map(Term.parse, rest))
        return cls(Kind(kind), int(word[:-1]), word.endswith("s"), terms, value, drop, form)


@dataclass(frozen=True, slots=True)
class Out:
    """An output: the value of a cell times 2**-frac."""

    cell: int
    frac: int


@dataclass(frozen=True)
class Logic:
    """Cells in an order in which each reads earlier ones, their tables, and the outputs.

    Inputs are read by cells `in`, by element; an element may be read several times, in different formats.
    Raises CompileError for cells that cannot be: see `checked`.
    """

    cells: tuple[Cell, ...]
    outputs: tuple[Out, ...]
    tables: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        for number, cell in enumerate(self.cells):
            try:
                _check(self, number, cell)
            except ValueError as error:
                raise CompileError(f"cell {number}", f"{cell}: {error}", "correct the netlist") from None
        if not self.outputs or any(not 0 <= o.cell < len(self.cells) for o in self.outputs):
            raise CompileError("netlist", "has no output, or one of a cell that is not there", "name a cell")

    @cached_property
    def _hash(self) -> int:
        return hash((self.cells, self.outputs, self.tables))

    def __hash__(self) -> int:
        return self._hash

    @property
    def inputs(self) -> int:
        """How many elements are read at least: one more than the last that a cell names."""
        return max((c.value + 1 for c in self.cells if c.kind is Kind.IN), default=0)

    def count(self, *kinds: Kind) -> int:
        """Return the number of cells of some kinds."""
        return sum(c.kind in kinds for c in self.cells)

    def entries(self, cell: Cell) -> tuple[int, ...]:
        """Return the entries of the table of a cell, from the lowest value of its address to the highest."""
        return self.tables[cell.value]

    def reach(self, cell: Cell) -> tuple[int, int]:
        """Return bounds of the result of a cell before it is cut, for all words of its terms."""
        return _reach(cell, [self._span(t) for t in cell.terms], self.tables)

    def _span(self, term: Term) -> tuple[int, int]:
        lo, hi = self.cells[term.cell].word
        ends = (lo << term.shift, hi << term.shift)
        return (-ends[1], -ends[0]) if term.minus else ends

    def __str__(self) -> str:
        tables = [f"table {' '.join(map(str, t))}" for t in self.tables]
        outs = [f"out {o.cell} {o.frac}" for o in self.outputs]
        return f"[{'; '.join([*tables, *map(str, self.cells), *outs])}]"

    @classmethod
    def parse(cls, text: str) -> Logic:
        """Read what `str` prints. Raises ValueError for other text, CompileError for cells that cannot be."""
        if not (text.startswith("[") and text.endswith("]")):
            raise ValueError("a netlist is [cell; cell; ...]")
        tables, cells, outs = list[tuple[int, ...]](), list[Cell](), list[Out]()
        for item in filter(None, map(str.strip, text[1:-1].split(";"))):
            head, _, rest = item.partition(" ")
            if head == "table":
                tables.append(tuple(map(int, rest.split())))
            elif head == "out":
                cell, frac = rest.split()
                outs.append(Out(int(cell), int(frac)))
            else:
                cells.append(Cell.parse(item))
        return cls(tuple(cells), tuple(outs), tuple(tables))

    def changed(self, number: int, steps: int) -> Logic:
        """Return the netlist with one of its `constants` moved by some steps."""
        tables = sum(map(len, self.tables))
        if number < tables:
            flat = [list(t) for t in self.tables]
            for table in flat:
                if number < len(table):
                    table[number] += steps
                    break
                number -= len(table)
            return replace(self, tables=tuple(map(tuple, flat)))
        place = [k for k, c in enumerate(self.cells) if _is_constant(c)][number - tables]
        moved = replace(self.cells[place], value=self.cells[place].value + steps)
        return replace(self, cells=(*self.cells[:place], moved, *self.cells[place + 1 :]))

    @property
    def constants(self) -> int:
        """How many numbers are written in it: entries of tables, then what sums add and what is constant."""
        return sum(map(len, self.tables)) + sum(map(_is_constant, self.cells))


def _is_constant(cell: Cell) -> bool:
    return cell.kind is Kind.CONST or (cell.kind is Kind.SUM and cell.value != 0)


def _check(logic: Logic, number: int, cell: Cell) -> None:
    """Raise ValueError for a cell that cannot be: terms that are not there, tables that do not fit, results
    of too many bits."""
    if not 1 <= cell.width <= MOST_BITS or cell.drop < 0:
        raise ValueError(f"expected words of 1 to {MOST_BITS} bits, and no bits added")
    if len(cell.terms) != ARITY.get(cell.kind, max(len(cell.terms), 1)):
        raise ValueError(f"found {len(cell.terms)} terms")
    if any(not 0 <= t.cell < number for t in cell.terms):
        raise ValueError("reads a cell that is not before it")
    if any(t.shift < 0 or (t.shift and cell.kind not in SHIFTED) for t in cell.terms):
        raise ValueError("terms are shifted to the left, and by sums, choices and functions of bits alone")
    if any(t.minus for t in cell.terms) and cell.kind is not Kind.SUM:
        raise ValueError("only sums take the negative of a term")
    if (cell.kind is Kind.IN) != (cell.form is not None) or (cell.kind is Kind.IN and cell.value < 0):
        raise ValueError("inputs have an element and a format, and nothing else has")
    if cell.kind is Kind.TABLE:
        _check_table(logic, cell)
    lo, hi = logic.reach(cell)
    if max(abs(lo), abs(hi)) >> MOST_BITS:
        raise ValueError(f"forms a result of more than {MOST_BITS} bits")


def _check_table(logic: Logic, cell: Cell) -> None:
    width = logic.cells[cell.terms[0].cell].width
    if width > MOST_ADDRESS or not 0 <= cell.value < len(logic.tables):
        raise ValueError(f"looks up {width} bits in table {cell.value}, at most {MOST_ADDRESS} can be")
    if len(logic.tables[cell.value]) != 1 << width:
        raise ValueError(f"has {len(logic.tables[cell.value])} entries for an address of {width} bits")


def _reach(
    cell: Cell, spans: Sequence[tuple[int, int]], tables: Sequence[tuple[int, ...]]
) -> tuple[int, int]:
    match cell.kind:
        case Kind.IN:
            return cell.word
        case Kind.CONST:
            return cell.value, cell.value
        case Kind.SUM:
            return sum(s[0] for s in spans) + cell.value, sum(s[1] for s in spans) + cell.value
        case Kind.RELU:
            return 0, max(spans[0][1], 0)
        case Kind.MUX:
            return min(s[0] for s in spans[1:]), max(s[1] for s in spans[1:])
        case Kind.MUL:
            corners = [a * b for a in spans[0] for b in spans[1]]
            return min(corners), max(corners)
        case Kind.TABLE:
            return min(tables[cell.value]), max(tables[cell.value])
        case Kind.NOT:
            return ~spans[0][1], ~spans[0][0]
        case Kind.ANY | Kind.ALL:
            return 0, 1
        case _:
            return _bit_reach(cell.kind, spans)


def _bit_reach(kind: Kind, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return bounds of a function of the bits of two numbers: those of the word of both, and not negative if
    no operand can make it so."""
    bits = max(max(hi, ~lo).bit_length() for lo, hi in spans)
    negative = [lo < 0 for lo, _ in spans]
    signed = all(negative) if kind is Kind.AND else any(negative)
    return (-(1 << bits) if signed else 0), (1 << bits) - 1
