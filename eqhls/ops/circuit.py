"""A scalar network as a netlist: what others traced well, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, const, element, quantize, select, total
from eqhls.fixed.reals import assigned
from eqhls.groups.charge import Charges
from eqhls.groups.rep import S
from eqhls.ir.levels import ports, simulated
from eqhls.ir.logic import Cell, Kind, Logic
from eqhls.ir.op import Along, Example, Floats, Reading, neutral
from eqhls.ir.types import Axis, Type
from eqhls.ir.work import Work
from eqhls.ops.common import Plain, example, scalars_only

HELD = 1 << 22
"""Integers of all cells together that are evaluated at a time."""


@dataclass(frozen=True, slots=True)
class Circuit(Plain):
    """y = the outputs of a netlist, exact; the float reference is the same quantized function.

    The elements of all inputs, one behind the other, are what the cells `in` of `logic` read, each assigned
    to a format of its own first: real numbers off the grid of a format are rounded, or wrap, by its modes.
    `sizes` are the elements of each input, `result` is the type of the result, whose elements are the outputs
    of the netlist in order.
    """

    group: ClassVar[str] = "scalar"
    moves_bits: ClassVar[bool] = False
    reads: ClassVar[Reading] = Reading.INNER
    logic: Logic
    sizes: tuple[int, ...]
    result: Type

    def infer(self, *types: Type) -> Type:
        self.expect(types, len(self.sizes))
        scalars_only(self.name(), types)
        found = tuple(t.elements for t in types)
        if found != self.sizes or sum(found) < self.logic.inputs:
            raise self.error(
                f"found {', '.join(map(str, types))} for inputs of {self.sizes} elements, "
                f"of which {self.logic.inputs} are read",
                "give as many as the netlist was made for",
            )
        if self.result.rep is not S or self.result.formats or self.result.elements != len(self.logic.outputs):
            raise self.error(
                f"has {len(self.logic.outputs)} outputs and the result {self.result}",
                "its result is a scalar type without formats, with an element for each output",
            )
        return self.result

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work(products=self.logic.count(Kind.MUL), lookups=self.logic.count(Kind.TABLE))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return None

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        events = max(len(v) for v in x)
        rows = (v.reshape(len(v), n) for v, n in zip(x, self.sizes, strict=True))
        flat = np.concatenate([np.broadcast_to(r, (events, r.shape[1])) for r in rows], axis=1)
        size = max(1, HELD // len(self.logic.cells))
        parts = [self._evaluated(flat[k : k + size]) for k in range(0, max(events, 1), size)]
        return np.concatenate(parts).reshape(events, *self.result.shape)

    def _evaluated(self, x: Floats) -> Floats:
        """Return the outputs (events, outputs) for the elements of all inputs (events, elements)."""
        raw = np.empty((len(ports(self.logic)), len(x)), dtype=np.int64)
        for row, number in enumerate(ports(self.logic)):
            cell = self.logic.cells[number]
            raw[row] = assigned(x[:, cell.value], form_of(cell))
        units = np.array([2.0**-o.frac for o in self.logic.outputs])
        return np.asarray(simulated(self.logic, raw).T * units, dtype=np.float64)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        flat = [element(v, index) for v in x for index in np.ndindex(v.shape)]
        nums: list[Num] = []
        for cell in self.logic.cells:
            whole = _in(cell, flat) if cell.kind is Kind.IN else self._cell(cell, nums)
            nums.append(whole.floor_bits(cell.drop).with_frac(0).wrap(cell.width, cell.signed))
        out = np.empty(self.result.elements, dtype=object)
        for k, end in enumerate(self.logic.outputs):
            out[k] = nums[end.cell].with_frac(end.frac)
        return out.reshape(self.result.shape)

    def _cell(self, cell: Cell, nums: Sequence[Num]) -> Num:
        """Return the result of a cell before it is cut, from the numbers of the cells before it."""
        terms = [nums[t.cell].at(t.shift).with_frac(0) for t in cell.terms]
        words = [self.logic.cells[t.cell] for t in cell.terms]
        match cell.kind:
            case Kind.CONST:
                return const(cell.value, 0)
            case Kind.SUM:
                return _sum(cell, terms)
            case Kind.RELU:
                return terms[0].relu()
            case Kind.MUX:
                return select(_top(terms[0], words[0]), terms[1], terms[2])
            case Kind.MUL:
                return (terms[0] * terms[1]).at(0)
            case Kind.TABLE:
                entries, first = self.logic.entries(cell), words[0].word[0]
                return terms[0].lookup(entries[terms[0].lo - first : terms[0].hi - first + 1], 0)
            case Kind.NOT:
                return const(-1, 0) - terms[0]
            case Kind.ANY:
                return terms[0].nonzero()
            case Kind.ALL:
                up = (terms[0] + const(1, 0)).wrap(words[0].width, words[0].signed)
                return const(1, 0) - up.nonzero()
            case _:
                return _bitwise(cell, terms, words, self.logic.reach(cell))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        vector, word = example(S, "c:3", (Fixed(9, 5),)), example(S, "j:2", (Fixed(10, 10, False),))
        return (
            Example(cls(Logic.parse(LAYERS), (3, 2), Type(S, (Axis("d", 3),))), (vector, word), "layers"),
            Example(cls(Logic.parse(BITS), (3,), Type(S, (Axis("i", 2), Axis("d", 5)))), (vector,), "bits"),
        )


def form_of(cell: Cell) -> Fixed:
    """Return the format to which a cell `in` assigns its element."""
    assert cell.form is not None
    return cell.form


def _in(cell: Cell, elements: Sequence[Num]) -> Num:
    form = form_of(cell)
    return quantize(elements[cell.value], form).at(form.frac).with_frac(0)


def _sum(cell: Cell, terms: Sequence[Num]) -> Num:
    """Positive terms first, so that no negative is formed that a difference spares."""
    plus = [n for n, t in zip(terms, cell.terms, strict=True) if not t.minus]
    less = [n for n, t in zip(terms, cell.terms, strict=True) if t.minus]
    whole = total(plus)
    for n in less:
        whole = whole - n
    return whole + const(cell.value, 0)


def _top(x: Num, word: Cell) -> Num:
    """Return the top bit of a word."""
    return x.negative() if word.signed else x.floor_bits(word.width - 1).with_frac(0)


def _bitwise(cell: Cell, terms: Sequence[Num], words: Sequence[Cell], reach: tuple[int, int]) -> Num:
    """Return a function of the bits of two numbers. A mask, one signed bit that stands at the last bit of the
    other number or below, chooses; other numbers are taken bit by bit."""
    for mask, other in ((0, 1), (1, 0)):
        one = words[mask].width == 1 and words[mask].signed
        if one and cell.terms[mask].shift <= cell.terms[other].shift:
            return _masked(cell.kind, terms[mask], terms[other], 1 << cell.terms[mask].shift)
    lo, hi = reach
    width = Fixed.covering(lo, hi, 0).width
    bits = [[n.floor_bits(k).with_frac(0).wrap(1, False) for k in range(width)] for n in terms]
    found = [_of_bits(cell.kind, a, b).at(k).with_frac(0) for k, (a, b) in enumerate(zip(*bits, strict=True))]
    return total(found[:-1]) - found[-1] if lo < 0 else total(found)


def _masked(kind: Kind, mask: Num, other: Num, unit: int) -> Num:
    ones = const(-unit, 0)
    yes = {Kind.AND: other, Kind.OR: ones, Kind.XOR: ones - other}[kind]
    return select(mask.nonzero(), yes, const(0, 0) if kind is Kind.AND else other)


def _of_bits(kind: Kind, a: Num, b: Num) -> Num:
    one, zero = const(1, 0), const(0, 0)
    match kind:
        case Kind.AND:
            return select(a, b, zero)
        case Kind.OR:
            return select(a, one, b)
        case _:
            return select(a, one - b, b)


LAYERS = """[
table 3 -2 7 0 1 -8 5 100; table 0 1 2 -3;
5s in fix<5,3,RND,SAT>; 4u in =1 ufix<4,2>; 6s in =2 fix<6,4,RND_CONV>; 3s in =2 fix<3,3,TRN_ZERO,SAT_SYM>;
10u in =3 ufix<10,10>; 2u in =4 ufix<2,2,RND,SAT>;
9s sum 0^2 -1 2^1 =-9; 6s sum -0 3^1 /1; 5u relu 6^1 /3; 8s mux 3 6 7^1; 6s mux 5 0^1 2; 11s mul 8 7 /1;
3u sum 8 =3; 8s table 12; 3s table 5 =1; 12s sum 11 9^1 -13 =64; 12u sum 4^1 -14 =5;
out 15 3; out 16 0; out 10 -1
]"""
"""Two layers of sums with a rectifier, a product, choices and tables between them."""
BITS = """[
4s in fix<4,3>; 5u in =1 ufix<5,3>; 1s in =2 fix<1,5>; 3u in =2 ufix<3,3,RND>; 2u const =2;
4s not 0; 5u not 1; 1u any 1; 1u all 0; 1u all 3; 6s and 0 1; 6s or 0^1 1; 7s xor 0 3^2; 5u and 1 3 /1;
5u and 2 1; 8s or 2^1 0^2; 6s xor 0 2; 4u sum 7 8^1 9^2 4 =1;
out 5 1; out 6 2; out 17 0; out 10 0; out 11 0; out 12 1; out 13 0; out 14 0; out 15 3; out 16 1
]"""
"""Functions of bits: of two words, of a word and a mask, of one word."""
