"""Inputs for single ops, and a body that counts what it asks of its engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eqhls import ops
from eqhls.engines import Integers, Ints, load
from eqhls.fixed import Num, NumArray
from eqhls.ir.op import Example, Floats, Op, Reading
from eqhls.ir.types import Type
from eqhls.ir.work import Work

COMPUTED = [e for e in ops.examples() if not e.op.source]
EVENTS = 30


def raw_inputs(example: Example, rng: np.random.Generator) -> list[Ints]:
    spans = [(t.formats.lo, t) for t in example.types]
    return [rng.integers(lo, t.formats.hi + 1, (EVENTS, *t.shape)) for lo, t in spans]


def in_units(type: Type, raw: Ints) -> Floats:
    return raw * type.formats.lsb


def reals(example: Example, rng: np.random.Generator) -> list[Floats]:
    return [in_units(t, r) for t, r in zip(example.types, raw_inputs(example, rng), strict=True)]


@dataclass
class Counted(Integers):
    """Integers on which products and look-ups are counted."""

    products: int = 0
    constants: int = 0
    lookups: int = 0
    entries: set[int] = field(default_factory=set[int])

    def mul(self, a: Ints, b: Ints, lo: int, hi: int) -> Ints:
        self.products += 1
        return super().mul(a, b, lo, hi)

    def mul_const(self, a: Ints, value: int, lo: int, hi: int) -> Ints:
        self.constants += abs(value) & (abs(value) - 1) != 0
        return super().mul_const(a, value, lo, hi)

    def matvec(
        self, matrix: Sequence[Sequence[int]], x: Sequence[Ints], spans: Sequence[tuple[int, int]]
    ) -> Sequence[Ints]:
        self.constants += int(np.count_nonzero(np.array(matrix, dtype=object)))
        return super().matvec(matrix, x, spans)

    def table(self, a: Ints, first: int, entries: Sequence[int]) -> Ints:
        self.lookups += 1
        self.entries.add(len(entries))
        return super().table(a, first, entries)


def counting(op: Op, types: tuple[Type, ...], raw: list[Ints]) -> Counted:
    """Return the engine after a body ran on it."""
    engine = Counted()
    nums = [loaded(engine, t, r) for t, r in zip(types, raw, strict=True)]
    op.body(types, *nums)
    return engine


def counted(op: Op, types: tuple[Type, ...], raw: list[Ints]) -> Work:
    """Return the products and look-ups that a body asks its engine for."""
    engine = counting(op, types, raw)
    return Work(engine.products, engine.constants, engine.lookups)


def loaded(engine: Counted, type: Type, raw: Ints) -> NumArray:
    plain = load(type.formats, raw)
    out = np.empty(plain.shape, dtype=object)
    for index in np.ndindex(plain.shape):
        num: Num = plain[index]
        out[index] = Num(engine, num.wire, num.lo, num.hi, num.frac)
    return out


OCTAVES = np.arange(-30.0, 31.0)
HARDLY = 256.0
"""By how much an octave may change a function of a logarithm; a straight line gains 2^29 in the last one."""


def reading(op: type[Op], rng: np.random.Generator) -> Reading:
    """Return how an op reads its input, by what its examples do."""
    examples = op.examples()
    if not examples[0].types:
        return Reading.NOTHING
    if any(counting(e.op, e.types, raw_inputs(e, rng)).lookups for e in examples):
        if all(change_of_octaves(e) < HARDLY for e in examples):
            return Reading.LOGARITHM
        return Reading.ADDRESS if all(addressed(e, rng) for e in examples) else Reading.VALUE
    positive = [[np.abs(x) for x in reals(e, rng)] for e in examples]
    same = all(
        np.array_equal(e.op.reference(e.types, *x), x[0]) for e, x in zip(examples, positive, strict=True)
    )
    rounds = all(np.any(e.op.rounding(e.types)) for e in examples)
    return Reading.FORMAT if same and rounds else Reading.VALUE


def addressed(example: Example, rng: np.random.Generator) -> bool:
    """Whether the words of the only input are the addresses of all tables, and not parts or sums of them."""
    nums = load(example.types[0].formats, raw_inputs(example, rng)[0])
    engine = counting(example.op, example.types, raw_inputs(example, rng))
    return len(example.types) == 1 and engine.entries == {n.hi - n.lo + 1 for n in nums.ravel()}


def change_of_octaves(example: Example) -> float:
    """Return the largest change of a function of a scalar from an octave to the next."""
    x = [
        np.broadcast_to(2.0 ** OCTAVES.reshape(-1, *[1] * len(t.shape)), (61, *t.shape))
        for t in example.types
    ]
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.nanmax(np.abs(np.diff(example.op.ideal(example.types, *x), axis=0)), initial=0.0))
