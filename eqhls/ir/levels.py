"""A netlist level by level: cells of one kind that do not read each other, as arrays.

This is how NumPy and ONNX run a netlist: the steps of a level at once, not one cell after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eqhls.ir.logic import Cell, Kind, Logic

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Cells of one kind with equally many terms, each array with an entry a cell.

    `reads` are the cells of each term, `shift` and `minus` what is done to it first; `width` is that of a
    word, `lo` its smallest number; of tables, `value` is where the entry of the address 0 stands among the
    entries of all tables, one behind the other.
    """

    kind: Kind
    cells: Ints
    reads: tuple[Ints, ...]
    shift: tuple[Ints, ...]
    minus: tuple[Ints, ...]
    value: Ints
    drop: Ints
    width: Ints
    lo: Ints


@lru_cache(maxsize=64)
def levels(logic: Logic) -> tuple[Step, ...]:
    """Return the steps of a netlist, in order. Inputs are not steps: their cells come first, `ports`."""
    depth: list[int] = []
    groups: dict[tuple[int, str, int], list[int]] = {}
    for number, cell in enumerate(logic.cells):
        depth.append(1 + max((depth[t.cell] for t in cell.terms), default=0))
        if cell.kind is not Kind.IN:
            groups.setdefault((depth[-1], cell.kind.value, len(cell.terms)), []).append(number)
    starts = np.cumsum([0, *map(len, logic.tables)])
    return tuple(_step(logic, numbers, starts) for _, numbers in sorted(groups.items()))


def _step(logic: Logic, numbers: Sequence[int], starts: Ints) -> Step:
    cells = [logic.cells[n] for n in numbers]
    terms = range(len(cells[0].terms))

    def row(values: Sequence[int]) -> Ints:
        return np.array(values, dtype=np.int64)

    return Step(
        cells[0].kind,
        row(numbers),
        tuple(row([c.terms[k].cell for c in cells]) for k in terms),
        tuple(row([c.terms[k].shift for c in cells]) for k in terms),
        tuple(row([c.terms[k].minus for c in cells]) for k in terms),
        row([_value(logic, c, starts) for c in cells]),
        row([c.drop for c in cells]),
        row([c.width for c in cells]),
        row([c.word[0] for c in cells]),
    )


def _value(logic: Logic, cell: Cell, starts: Ints) -> int:
    if cell.kind is not Kind.TABLE:
        return cell.value
    return int(starts[cell.value]) - logic.cells[cell.terms[0].cell].word[0]


def ports(logic: Logic) -> tuple[int, ...]:
    """Return the numbers of the cells that are inputs."""
    return tuple(k for k, c in enumerate(logic.cells) if c.kind is Kind.IN)


def entries(logic: Logic) -> Ints:
    """Return the entries of all tables, one behind the other."""
    return np.array([e for t in logic.tables for e in t], dtype=np.int64)


def simulated(logic: Logic, inputs: Ints) -> Ints:
    """Return the raw outputs, shape (outputs, events), for the raw words of `ports`, (ports, events)."""
    values = np.empty((len(logic.cells), inputs.shape[1]), dtype=np.int64)
    values[list(ports(logic))] = inputs
    flat, widths = entries(logic), np.array([c.width for c in logic.cells], dtype=np.int64)
    for step in levels(logic):
        result = _result(step, values, flat, widths) >> step.drop[:, None]
        lo, full = step.lo[:, None], ((1 << step.width) - 1)[:, None]
        values[step.cells] = ((result - lo) & full) + lo
    return values[[o.cell for o in logic.outputs]]


def _result(step: Step, values: Ints, flat: Ints, widths: Ints) -> Ints:
    terms = [values[r] << s[:, None] for r, s in zip(step.reads, step.shift, strict=True)]
    value = step.value[:, None]
    match step.kind:
        case Kind.CONST:
            return np.broadcast_to(value, (len(value), values.shape[1]))
        case Kind.SUM:
            signs = [1 - 2 * m[:, None] for m in step.minus]
            return sum((t * s for t, s in zip(terms, signs, strict=True)), value)
        case Kind.RELU:
            return np.maximum(terms[0], 0)
        case Kind.MUX:
            top = (terms[0] >> (widths[step.reads[0]] - 1)[:, None]) & 1
            return np.where(top == 1, terms[1], terms[2])
        case Kind.MUL:
            return terms[0] * terms[1]
        case Kind.TABLE:
            return flat[value + terms[0]]
        case Kind.NOT:
            return ~terms[0]
        case Kind.ANY:
            return (terms[0] != 0).astype(np.int64)
        case Kind.ALL:
            full = ((1 << widths[step.reads[0]]) - 1)[:, None]
            return ((terms[0] & full) == full).astype(np.int64)
        case Kind.AND:
            return terms[0] & terms[1]
        case Kind.OR:
            return terms[0] | terms[1]
        case Kind.XOR:
            return terms[0] ^ terms[1]
        case Kind.IN:
            raise AssertionError("inputs are fed")
