"""A netlist in ONNX: the cells of a level together, one column each, in double precision.

Words of at most 52 bits are exact in doubles; what is cut off is floored, and what wraps loses whole turns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray

from eqhls.backends.onnx.body import DOUBLE, Body
from eqhls.backends.onnx.scalars import words
from eqhls.fixed import Fixed
from eqhls.ir.levels import Step, entries, levels, ports
from eqhls.ir.logic import BITWISE, MOST_BITS, Kind, Logic
from eqhls.ir.types import Type
from eqhls.ops.circuit import Circuit, form_of

Ints = NDArray[np.int64]


def lower_circuit(op: Circuit, body: Body, types: tuple[Type, ...]) -> str:
    """Append the netlist of a Circuit to a body and return its result."""
    columns = _Columns(op.logic, body, _last_reads(op.logic))
    columns.read(_elements(body, types))
    for number, step in enumerate(levels(op.logic)):
        columns.append(step, number)
    outs = op.logic.outputs
    units = np.array([2.0**-o.frac for o in outs])
    return body.reshape(body("Mul", columns.take([o.cell for o in outs]), body.const(units)), op.result.shape)


def _elements(body: Body, types: tuple[Type, ...]) -> str:
    """Return the elements of all inputs, shape (events, elements); constants are repeated for each event."""
    flat = [body.reshape(body.real(k), [t.elements]) for k, t in enumerate(types)]
    if len(flat) == 1:
        return flat[0]
    events = body("Max", *(body("Shape", x, start=0, end=1) for x in flat))
    wide = [
        body("Expand", x, body("Concat", events, body.const([t.elements]), axis=0))
        for x, t in zip(flat, types, strict=True)
    ]
    return body("Concat", *wide, axis=1)


def _last_reads(logic: Logic) -> Ints:
    """Return the step that reads each cell last, beyond all steps for outputs."""
    steps = levels(logic)
    last = np.full(len(logic.cells), -1, dtype=np.int64)
    for number, step in enumerate(steps):
        for reads in step.reads:
            last[reads] = number
    last[[o.cell for o in logic.outputs]] = len(steps)
    return last


@dataclass(slots=True)
class _Columns:
    """The values of the cells that are still read, as columns of one value of shape (events, cells)."""

    logic: Logic
    body: Body
    last: Ints
    value: str = ""
    cells: list[int] = field(default_factory=list[int])

    def read(self, elements: str) -> None:
        """Assign the elements to the formats of the inputs, those of one format together."""
        groups: dict[Fixed, list[int]] = {}
        for number in ports(self.logic):
            groups.setdefault(form_of(self.logic.cells[number]), []).append(number)
        for form, numbers in groups.items():
            taken = self.body.take(elements, [self.logic.cells[n].value for n in numbers], 1)
            self._join(words(self.body, taken, form), numbers)
        if not groups:
            self.value = self.body.take(elements, [0], 1)
            self.cells = [-1]

    def _join(self, value: str, numbers: Iterable[int]) -> None:
        self.value = self.body("Concat", self.value, value, axis=1) if self.value else value
        self.cells += numbers

    def take(self, cells: Iterable[int]) -> str:
        """Return columns of some cells."""
        at = {cell: k for k, cell in enumerate(self.cells)}
        return self.body.take(self.value, [at[int(c)] for c in cells], 1)

    def append(self, step: Step, number: int) -> None:
        """Compute a step. What no later one reads is dropped as soon as it is half of all columns."""
        whole = _Formed(self, step).whole()
        self._join(self._word(step, whole), map(int, step.cells))
        live = [c for c in self.cells if c >= 0 and self.last[c] > number]
        if live and 2 * len(live) < len(self.cells):
            self.value, self.cells = self.take(live), live

    def _word(self, step: Step, whole: str) -> str:
        """Cut what was formed, and keep what fits into the words."""
        body = self.body
        if step.drop.any():
            whole = body("Floor", body("Mul", whole, body.const(np.exp2(-step.drop.astype(np.float64)))))
        inside = [_fits(self.logic, int(n)) for n in step.cells]
        if all(inside):
            return whole
        span, lo = np.exp2(step.width.astype(np.float64)), step.lo.astype(np.float64)
        turns = body("Floor", body("Mul", body("Sub", whole, body.const(lo)), body.const(1 / span)))
        return body("Sub", whole, body("Mul", turns, body.const(span)))


def _fits(logic: Logic, number: int) -> bool:
    cell = logic.cells[number]
    (lo, hi), (first, last) = logic.reach(cell), cell.word
    return first <= lo >> cell.drop and hi >> cell.drop <= last


@dataclass(frozen=True, slots=True)
class _Formed:
    """What the cells of a step form before it is cut."""

    columns: _Columns
    step: Step

    def term(self, k: int) -> str:
        """Return the values of term k of all cells."""
        step, body = self.step, self.columns.body
        value = self.columns.take(step.reads[k])
        factor = np.exp2(step.shift[k].astype(np.float64)) * (1 - 2 * step.minus[k])
        return value if (factor == 1).all() else body("Mul", value, body.const(factor))

    def width(self) -> Ints:
        """Return the bits of the word that the first term of each cell reads."""
        cells = self.columns.logic.cells
        return np.array([cells[int(c)].width for c in self.step.reads[0]], dtype=np.int64)

    def whole(self) -> str:
        step, body = self.step, self.columns.body
        terms = [self.term(k) for k in range(len(step.reads))]
        value = step.value.astype(np.float64)
        match step.kind:
            case Kind.CONST:
                zero = body("Mul", body.take(self.columns.value, [0], 1), body.const(0.0))
                return body("Add", zero, body.const(value))
            case Kind.SUM:
                whole = terms[0]
                for term in terms[1:]:
                    whole = body("Add", whole, term)
                return body("Add", whole, body.const(value)) if value.any() else whole
            case Kind.RELU:
                return body("Max", terms[0], body.const(0.0))
            case Kind.MUX:
                return body("Where", self._flag(self._top(terms[0])), terms[1], terms[2])
            case Kind.MUL:
                return body("Mul", terms[0], terms[1])
            case Kind.TABLE:
                flat = entries(self.columns.logic).astype(np.float64)
                place = body("Cast", body("Add", terms[0], body.const(value)), to=onnx.TensorProto.INT64)
                return body("Gather", body.const(flat), place)
            case Kind.NOT:
                return body("Sub", body.const(-1.0), terms[0])
            case _:
                return self._bits(terms)

    def _top(self, word: str) -> str:
        """Return the top bit of a word, 0 or 1."""
        body, width = self.columns.body, self.width()
        return self._modulo(body("Floor", body("Mul", word, body.const(np.exp2(1.0 - width)))), 2.0)

    def _flag(self, bit: str) -> str:
        return self.columns.body("Greater", bit, self.columns.body.const(0.5))

    def _modulo(self, value: str, of: float) -> str:
        body = self.columns.body
        turns = body("Floor", body("Mul", value, body.const(1 / of)))
        return body("Sub", value, body("Mul", turns, body.const(of)))

    def _bits(self, terms: list[str]) -> str:
        """Return functions of bits: of one word, whether it is 0 or has no bit that is."""
        body, kind = self.columns.body, self.step.kind
        if kind in BITWISE:
            return self._bitwise(terms)
        none = body("Equal", terms[0], body.const(0.0))
        if kind is Kind.ANY:
            return body("Sub", body.const(1.0), body("Cast", none, to=DOUBLE))
        up = body("Add", terms[0], body.const(1.0))
        full = body("Equal", up, body.const(np.exp2(self.width().astype(np.float64))))
        return body("Cast", body("Or", full, body("Equal", up, body.const(0.0))), to=DOUBLE)

    def _bitwise(self, terms: list[str]) -> str:
        """Return a function of the bits of two numbers, which stand on a last axis, the sign at its end."""
        body, kind = self.columns.body, self.step.kind
        weights = np.exp2(np.arange(MOST_BITS + 1, dtype=np.float64))
        one = body.const([-1])
        a, b = (
            self._modulo(body("Floor", body("Mul", body("Unsqueeze", t, one), body.const(1 / weights))), 2.0)
            for t in terms
        )
        both = body("Mul", a, b)
        if kind is not Kind.AND:
            twice = body.const(1.0 if kind is Kind.OR else 2.0)
            both = body("Sub", body("Add", a, b), body("Mul", both, twice))
        weights[-1] = -weights[-1]
        return body.total(body("Mul", both, body.const(weights)), -1)
