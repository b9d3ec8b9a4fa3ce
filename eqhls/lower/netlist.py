"""The netlist: cells on integers with widths, cut into pipeline stages. No tool in sight.

Every cell's value is raw * 2**-frac with `width` bits, signed or not. Operands are aligned by
their binary points, so a shift is never a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eqhls.lower.layout import Layout
from eqhls.lower.multipliers import Factor, Rows, multiplied

Ints = NDArray[np.int64]
SRL_SHORTEST, SRL_DEPTH = 3, 16
"""Registers in a row from which tools take a shift register instead, and how many one LUT holds."""


@dataclass(frozen=True, slots=True)
class Operand:
    """Another cell's value times 2**shift."""

    cell: int
    shift: int = 0
    minus: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One operation: its format, the pipeline stage it is computed in, its estimated LUTs."""

    width: int
    signed: bool
    frac: int
    stage: int
    lut: float = field(compare=False)


@dataclass(frozen=True, slots=True)
class Input(Cell):
    """Element `element` of the packed input word."""

    element: int


@dataclass(frozen=True, slots=True)
class Constant(Cell):
    """A constant, as a raw integer."""

    raw: int


@dataclass(frozen=True, slots=True)
class Sum(Cell):
    """+-a +-b (+-c) + constant; low bits below `frac` are dropped."""

    terms: tuple[Operand, ...]
    offset: int
    offset_frac: int


@dataclass(frozen=True, slots=True)
class Count(Cell):
    """One bit of the number of ones in every column of up to six aligned values: bit `weight`, which is worth
    2**weight of its column. A term with minus is complemented. The bits of `fill` are added below.

    All bits of the numbers together, with the carries of the complements in `fill`, are the sum of the terms
    up to multiples of two to the power of the width.
    """

    terms: tuple[Operand, ...]
    weight: int
    fill: int


@dataclass(frozen=True, slots=True)
class Slice(Cell):
    """Some bits of a, sign-extended if they go beyond it (wrap and truncate)."""

    a: Operand


@dataclass(frozen=True, slots=True)
class Relu(Cell):
    """max(a, 0), then as Slice."""

    a: Operand


@dataclass(frozen=True, slots=True)
class Mux(Cell):
    """yes where the top bit of cond is 1, else no."""

    cond: Operand
    yes: Operand
    no: Operand


class Form(Enum):
    """What a product is made of: whatever synthesis makes of `*`, rows on carry chains, or a DSP."""

    ARRAY = "array"
    ROWS = "rows"
    DSP = "dsp"


@dataclass(frozen=True, slots=True)
class Product(Cell):
    """a * b. As rows, the digits are those of a."""

    a: Operand
    b: Operand
    form: Form = Form.ARRAY


@dataclass(frozen=True, slots=True)
class Lookup(Cell):
    """entries[bits of a]; addresses that cannot occur hold 0."""

    a: Operand
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bits(Cell):
    """A bitwise function of one value: not, any (OR of all bits), all (AND)."""

    a: Operand
    function: str


@dataclass(frozen=True, slots=True)
class Bitwise(Cell):
    """and, or, xor of two aligned values."""

    a: Operand
    b: Operand
    function: str


CELLS: tuple[type[Cell], ...] = (
    Input,
    Constant,
    Sum,
    Count,
    Slice,
    Relu,
    Mux,
    Product,
    Lookup,
    Bits,
    Bitwise,
)


@dataclass(frozen=True, slots=True)
class Netlist:
    """Cells in SSA order and the operand behind each output element.

    `lut_estimate` is alkaid's; `stage_depth_ns` the longest estimated logic of a stage.
    """

    name: str
    inputs: Layout
    outputs: Layout
    cells: tuple[Cell, ...]
    results: tuple[Operand, ...]
    stages: int
    stage_depth_ns: float
    lut_without_dsp: float | None = None
    """The estimate of the same network with no DSP, if some products have one."""
    stage_depths_ns: tuple[float, ...] = ()
    """The logic of every stage, if the netlist comes from a draft that knows its delays."""

    @property
    def dsps(self) -> list[Product]:
        """The products that a DSP computes."""
        return [c for c in self.cells if isinstance(c, Product) and c.form is Form.DSP]

    @property
    def latency_cycles(self) -> int:
        """Clocks from in_valid to out_valid: the input register and one per stage."""
        return self.stages + 1

    @property
    def lut_estimate(self) -> float:
        return sum(c.lut for c in self.cells)

    @property
    def register_bits(self) -> int:
        """Flip-flops of the pipeline, input register included."""
        last = last_use(self)
        inner = sum(
            c.width * max(last[k] - c.stage, 0)
            for k, c in enumerate(self.cells)
            if not isinstance(c, Constant)
        )
        return inner + self.inputs.bits + self.outputs.bits

    @property
    def srl_luts(self) -> int:
        """LUTs that hold delay lines: registers in a row that only the last of them is read from become
        shift registers SRL16E, as no register of the pipeline has a reset. They are not in `lut_estimate`,
        and the flip-flops that they replace are in `register_bits`."""
        uses = stages_of_use(self)
        return sum(c.width * _srls(uses[k]) for k, c in enumerate(self.cells) if not isinstance(c, Constant))


def operands(cell: Cell) -> tuple[Operand, ...]:
    """Return what a cell reads."""
    match cell:
        case Sum() | Count():
            return cell.terms
        case Mux():
            return (cell.cond, cell.yes, cell.no)
        case Product() | Bitwise():
            return (cell.a, cell.b)
        case Slice() | Relu() | Lookup() | Bits():
            return (cell.a,)
        case _:
            return ()


def rewired(cell: Cell, to: Mapping[int, int]) -> Cell:
    """Return a cell that reads the cells with other numbers."""

    def moved(o: Operand) -> Operand:
        return replace(o, cell=to[o.cell])

    match cell:
        case Sum() | Count():
            return replace(cell, terms=tuple(map(moved, cell.terms)))
        case Mux():
            return replace(cell, cond=moved(cell.cond), yes=moved(cell.yes), no=moved(cell.no))
        case Product() | Bitwise():
            return replace(cell, a=moved(cell.a), b=moved(cell.b))
        case Slice() | Relu() | Lookup() | Bits():
            return replace(cell, a=moved(cell.a))
        case _:
            return cell


def last_use(netlist: Netlist) -> list[int]:
    """Return, per cell, the last stage that reads it."""
    last = [c.stage for c in netlist.cells]
    for cell in netlist.cells:
        for operand in operands(cell):
            last[operand.cell] = max(last[operand.cell], cell.stage)
    for operand in netlist.results:
        last[operand.cell] = netlist.stages - 1
    return last


def stages_of_use(netlist: Netlist) -> list[list[int]]:
    """Return, per cell, the stages from which its value is read, in rising order, behind the one in front
    of its first register: its own, or -1 for an input, which comes from the register of the input word. A
    result goes on into the register of the output word."""
    cells = netlist.cells
    uses = [{-1 if isinstance(c, Input) else c.stage} for c in cells]
    for cell in cells:
        for operand in operands(cell):
            uses[operand.cell].add(cell.stage)
    for operand in netlist.results:
        uses[operand.cell].add(netlist.stages)
    return [sorted(u) for u in uses]


def _srls(uses: Sequence[int]) -> int:
    """Return the shift registers of one bit that is read in these stages."""
    gaps = (after - before for before, after in pairwise(uses))
    return sum(-(-gap // SRL_DEPTH) for gap in gaps if gap >= SRL_SHORTEST)


Watch = Callable[[int, Ints], None]
"""What is told the number of every cell and its values, of shape (events,), as they are computed."""


def simulate(netlist: Netlist, elements: Sequence[Ints], watch: Watch | None = None) -> list[Ints]:
    """Run the cells on raw integers, one array of shape (events,) per input element.

    The check that our reading of the optimiser's operations is right, before any Verilog. Values are
    dropped behind their last reader: a large netlist could not hold those of thousands of events.
    """
    values: dict[int, Ints] = {}
    kept = {o.cell for o in netlist.results}
    reader = {o.cell: k for k, cell in enumerate(netlist.cells) for o in operands(cell)}
    for k, cell in enumerate(netlist.cells):
        raw = np.broadcast_to(_evaluate(cell, netlist.cells, values, elements), elements[0].shape)
        values[k] = _wrap(raw, cell.width, cell.signed)
        if watch:
            watch(k, values[k])
        for done in {o.cell for o in operands(cell) if reader[o.cell] == k} - kept:
            del values[done]
    ends = zip(netlist.results, netlist.outputs.fields, strict=True)
    return [_aligned(o, f.form.frac, netlist.cells, values) for o, f in ends]


def _aligned(o: Operand, frac: int, cells: Sequence[Cell], values: Mapping[int, Ints]) -> Ints:
    left = frac - cells[o.cell].frac + o.shift
    raw = values[o.cell] << left if left >= 0 else values[o.cell] >> -left
    return -raw if o.minus else raw


def _evaluate(
    cell: Cell, cells: Sequence[Cell], values: Mapping[int, Ints], elements: Sequence[Ints]
) -> Ints:
    def at(o: Operand, frac: int = cell.frac) -> Ints:
        return _aligned(o, frac, cells, values)

    match cell:
        case Input():
            return elements[cell.element]
        case Constant():
            return np.asarray(cell.raw, dtype=np.int64)
        case Sum():
            frac = sum_frac(cell, cells)
            total = sum(
                (at(o, frac) for o in cell.terms),
                np.asarray(cell.offset << (frac - cell.offset_frac) if cell.offset else 0),
            )
            return total >> (frac - cell.frac)
        case Count():
            return _counted(cell, cells, values)
        case Slice():
            return at(cell.a)
        case Relu():
            return np.maximum(at(cell.a), 0)
        case Mux():
            cond = cells[cell.cond.cell]
            top = (values[cell.cond.cell] >> (cond.width - 1)) & 1
            return np.where(top == 1, at(cell.yes), at(cell.no))
        case Product():
            return _product(cell, *((cells[o.cell], values[o.cell]) for o in (cell.a, cell.b)))
        case Lookup():
            address = values[cell.a.cell] & ((1 << cells[cell.a.cell].width) - 1)
            return np.asarray(cell.entries, dtype=np.int64)[address]
        case Bits():
            return _bits(cell, cells[cell.a.cell], values[cell.a.cell])
        case Bitwise():
            a, b = at(cell.a), at(cell.b)
            return {"and": a & b, "or": a | b, "xor": a ^ b}[cell.function]
        case _:
            raise AssertionError(cell)


def sum_frac(cell: Sum, cells: Sequence[Cell]) -> int:
    """Return the binary point at which a sum is formed before its low bits are dropped."""
    points = [cells[o.cell].frac - o.shift for o in cell.terms]
    return max(*points, cell.frac, *((cell.offset_frac,) if cell.offset else ()))


def _product(cell: Product, a: tuple[Cell, Ints], b: tuple[Cell, Ints]) -> Ints:
    """Rows are run row by row: what the Verilog says is checked, not that a product is one."""
    if cell.form is not Form.ROWS:
        return a[1] * b[1]
    recoded, word = (Factor(c.width, c.signed) for c, _ in (a, b))
    return multiplied(Rows(recoded, word), a[1], b[1])


def count_frac(cell: Count, cells: Sequence[Cell]) -> int:
    """Return the binary point at which the columns of a count begin."""
    return max(cells[o.cell].frac - o.shift for o in cell.terms)


def _counted(cell: Count, cells: Sequence[Cell], values: Mapping[int, Ints]) -> Ints:
    frac = count_frac(cell, cells)
    plain = [_aligned(Operand(o.cell, o.shift), frac, cells, values) for o in cell.terms]
    rows = [~v if o.minus else v for o, v in zip(cell.terms, plain, strict=True)]
    return ((_digit(rows, cell.weight) << cell.weight) | cell.fill) >> (frac - cell.frac)


def _digit(rows: Sequence[Ints], weight: int) -> Ints:
    """Return bit `weight` of the number of ones in every column."""
    digits = [np.zeros_like(rows[0])] * 3
    for row in rows:
        for k, digit in enumerate(digits):
            digits[k], row = digit ^ row, digit & row
    return digits[weight]


def _bits(cell: Bits, source: Cell, value: Ints) -> Ints:
    full = (1 << source.width) - 1
    match cell.function:
        case "not":
            return ~value
        case "any":
            return ((value & full) != 0).astype(np.int64)
        case _:
            return ((value & full) == full).astype(np.int64)


def _wrap(raw: Ints, width: int, signed: bool) -> Ints:
    low = raw & ((1 << width) - 1)
    return low - ((low >> (width - 1)) << width) if signed else low
