"""The laws of design section 4 over all ops: one definition, many engines."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from eqhls import ops
from eqhls.engines import Ints, hull, interval, load, store
from eqhls.errors import CompileError
from eqhls.groups.lorentz.reps import random_lorentz
from eqhls.groups.registry import group_of, reps
from eqhls.groups.rep import S
from eqhls.ir.op import Example, Floats
from eqhls.ir.types import Type

COMPUTED = [e for e in ops.examples() if not e.op.source]
EVENTS = 40


def raw_inputs(type: Type, rng: np.random.Generator, events: int = EVENTS) -> Ints:
    """Raw integers over the whole range of a type; the first two events are its corners."""
    low = type.formats.lo
    high = type.formats.hi
    raw = rng.integers(low, high + 1, (events, *type.shape))
    raw[0], raw[1] = low, high
    return raw


def in_units(type: Type, raw: Ints) -> Floats:
    return raw * type.formats.lsb


def element_for(types: tuple[Type, ...], rng: np.random.Generator, proper: bool = True) -> Floats:
    """A random element of the group in whose representations the types are."""
    group = group_of(next((t.rep for t in types if t.rep is not S), S))
    return group.random(rng, group.sizes[-1], proper)


def test_every_op_has_examples_and_is_listed() -> None:
    assert {type(e.op) for e in ops.examples()} == set(ops.ALL)
    folder = {p.stem for p in (__import__("pathlib").Path(ops.__file__).parent).glob("*.py")}
    assert folder - {"__init__", "common", "maps", "pair_op"} == set(ops.BY_NAME)


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_body_is_reference_but_for_rounding(example: Example, rng: np.random.Generator) -> None:
    raw = [raw_inputs(t, rng) for t in example.types]
    nums = [load(t.formats, r) for t, r in zip(example.types, raw, strict=True)]
    body = example.op.body(example.types, *nums)
    type = example.op.infer(*example.types)
    assert body.shape == type.shape
    type = replace(type, formats=hull(body))
    got = in_units(type, store(body, type.formats, EVENTS))
    want = example.op.reference(
        example.types, *(in_units(t, r) for t, r in zip(example.types, raw, strict=True))
    )
    wrong = np.abs(got - want) > example.op.rounding(example.types) + 1e-9
    flags = example.op.saturated(example.types, *nums)
    if flags is not None:
        wrong &= store(flags, hull(flags), EVENTS) == 0
    assert not wrong.any()


CUTS = [e for e in COMPUTED if e.op.cuts_components(e.types)]


@pytest.mark.parametrize("example", [e for e in COMPUTED if e not in CUTS], ids=str)
def test_reference_commutes_with_the_group(example: Example, rng: np.random.Generator) -> None:
    """Proper elements always; reflections unless the op says that it is odd."""
    for proper in (True, False):
        element = element_for((*example.types, example.op.infer(*example.types)), rng, proper)
        x = [rng.normal(size=(5, *t.shape)) for t in example.types]
        moved = [t.rep.act(t.basis, element, v) for t, v in zip(example.types, x, strict=True)]
        out = example.op.infer(*example.types)
        plain = example.op.reference(example.types, *x)
        want = out.rep.act(out.basis, element, np.broadcast_to(plain, (5, *out.shape)))
        got = example.op.reference(example.types, *moved)
        if example.op.name() == "spurion":
            continue
        same = np.allclose(got, want, rtol=0, atol=1e-10 * max(1.0, float(np.abs(want).max())))
        if proper:
            assert same
        elif example.op.parity_odd():
            assert not same, "the op claims to break parity and does not"
        else:
            assert same


@pytest.mark.parametrize("example", CUTS, ids=str)
def test_a_bound_commutes_with_exchanges_of_axes_only(example: Example, rng: np.random.Generator) -> None:
    """What an op says of itself: signed permutations of x, y, z commute with it, boosts do not."""
    type = example.types[0]
    x = rng.normal(size=(5, *type.shape))
    turn = np.eye(4)
    turn[1:, 1:] = np.array([[0, -1, 0], [0, 0, 1], [1, 0, 0]])
    for element, same in ((turn, True), (random_lorentz(rng, 2.0), False)):
        got = example.op.reference(example.types, type.rep.act(type.basis, element, x))
        want = type.rep.act(type.basis, element, example.op.reference(example.types, x))
        assert np.allclose(got, want, rtol=0, atol=1e-12) == same


def _combinations(example: Example) -> list[tuple[Type, ...]]:
    """The example's types in every combination of representations and bases."""
    choices = [
        [replace(t, rep=r, basis=b, formats=()) for r in reps() for b in r.bases] for t in example.types
    ]
    return list(product(*choices))


ONE_EACH = list({type(e.op): e for e in reversed(COMPUTED) if e.types}.values())


@pytest.mark.parametrize("example", ONE_EACH, ids=str)
def test_infer_accepts_exactly_what_commutes(example: Example, rng: np.random.Generator) -> None:
    """Whatever `infer` lets through must commute with the group; what it refuses raises CompileError."""
    accepted = 0
    for types in _combinations(example):
        try:
            out = example.op.infer(*types)
        except CompileError as error:
            assert str(error)
            continue
        accepted += 1
        if example.op.cuts_components(types):
            continue
        element = element_for((*types, out), rng)
        x = [rng.normal(size=(3, *t.shape)) for t in types]
        moved = [t.rep.act(t.basis, element, v) for t, v in zip(types, x, strict=True)]
        want = out.rep.act(
            out.basis, element, np.broadcast_to(example.op.reference(types, *x), (3, *out.shape))
        )
        np.testing.assert_allclose(example.op.reference(types, *moved), want, atol=1e-8)
    assert accepted > 0


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_intervals_hold(example: Example, rng: np.random.Generator) -> None:
    """No value leaves the range that interval analysis promises."""
    promised = example.op.body(example.types, *(interval(t.formats, t.shape) for t in example.types))
    raw = [raw_inputs(t, rng, 200) for t in example.types]
    body = example.op.body(
        example.types, *(load(t.formats, r) for t, r in zip(example.types, raw, strict=True))
    )
    for index in np.ndindex(body.shape):
        num, bound = body[index], promised[index]
        assert (num.lo, num.hi, num.frac) == (bound.lo, bound.hi, bound.frac)
        wire = np.asarray(num.lo if num.is_const else num.wire)
        assert bound.lo <= wire.min() and wire.max() <= bound.hi
