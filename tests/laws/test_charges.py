"""Values that add: what an op says of the charges of its result, checked against what its body does.

Inputs of every op are given charges and moved by steps. If the op takes them, its result must move by the
charges that it says, on every event; what it refuses must be refused by name.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from eqhls import ops
from eqhls.engines import Ints, hull, load, store
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.groups.charge import Charge, Charges, checked, combined, parse_charges
from eqhls.groups.rep import S
from eqhls.ir.op import Example, Op, typed
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.concat import Concat
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.select import Select
from eqhls.ops.wrap import Wrap

EVENTS, STEPS = 20, 5
TURN = 360
CHOICES: tuple[Charges, ...] = (
    (),
    (Charge("eta", 1),),
    (Charge("eta", -2),),
    (Charge("phi", 1, TURN),),
    (Charge("phi", -1, TURN), Charge("eta", 1)),
)
SCALAR = [e for e in ops.examples() if not e.op.source and e.types and all(t.rep is S for t in e.types)]


def roomy(type: Type) -> Type:
    """The type with one format of integers that has room for steps."""
    return replace(type, formats=(Fixed(12, 12),))


def cases(example: Example) -> list[tuple[Type, ...]]:
    """The types of an example with charges, of which at least one has some; as many as tell ops apart."""
    count = len(example.types)
    choices = product(CHOICES, repeat=count) if count < 3 else [(c,) * count for c in CHOICES]
    return [
        tuple(replace(roomy(t), charges=c) for t, c in zip(example.types, chosen, strict=True))
        for chosen in choices
        if any(chosen)
    ]


def moved(type: Type, raw: Ints, steps: dict[str, int], rng: np.random.Generator) -> Ints:
    """Raw integers moved by their charges, and each angle by whole turns besides."""
    turns = sum(c.modulus * rng.integers(-1, 2, raw.shape) for c in type.charges)
    return raw + sum(c.factor * steps[c.name] for c in type.charges) + turns


def body(example: Example, types: tuple[Type, ...], raw: list[Ints]) -> tuple[Ints, int]:
    """The result in its LSBs, and the LSBs in a unit."""
    out = example.op.body(types, *(load(t.formats, r) for r, t in zip(raw, types, strict=True)))
    formats = hull(out)
    return store(out, formats, EVENTS), 1 << formats[0].frac


def follows(example: Example, types: tuple[Type, ...], charges: Charges, rng: np.random.Generator) -> bool:
    """Whether the result of the body moves by these charges."""
    raw = [rng.integers(-200, 200, (EVENTS, *t.shape)) for t in types]
    before, unit = body(example, types, raw)
    turn = next((c.modulus * unit for c in charges if c.modulus), 0)
    for _ in range(STEPS):
        steps = {"eta": int(rng.integers(-99, 99)), "phi": int(rng.integers(-TURN, TURN))}
        after, _ = body(example, types, [moved(t, r, steps, rng) for t, r in zip(types, raw, strict=True)])
        off = after - before - unit * sum(c.factor * steps[c.name] for c in charges)
        if (off % turn if turn else off).any():
            return False
    return True


@pytest.mark.parametrize("example", SCALAR, ids=str)
def test_a_result_moves_by_the_charges_that_the_op_says(example: Example, rng: np.random.Generator) -> None:
    for types in cases(example):
        try:
            charges = typed(example.op, *types).charges
        except CompileError:
            continue
        assert follows(example, types, charges, rng), (types, charges)


ANGLE, DIFFERENCE, RAPIDITY, PLAIN = (
    Type.parse(t) for t in ("S+phi%360[j:3]", "S+0phi%360[j:3]", "S+eta[j:3]", "S[j:3]")
)


def test_the_law_feels_a_wrong_charge(rng: np.random.Generator) -> None:
    types = (roomy(RAPIDITY), roomy(RAPIDITY))
    example = Example(Add((1,)), types)
    assert follows(example, types, (), rng)
    assert not follows(example, types, (Charge("eta", 1),), rng)
    angles = (roomy(ANGLE), roomy(ANGLE))
    assert follows(Example(Add(), angles), angles, (Charge("phi", 2, TURN),), rng)
    assert not follows(Example(Add((1,)), angles), angles, (), rng), "a difference of angles is not a number"


@pytest.mark.parametrize(
    ("op", "types", "want"),
    [
        (Add((1,)), (RAPIDITY, RAPIDITY), "S[j:3]"),
        (Add(), (RAPIDITY, PLAIN), "S+eta[j:3]"),
        (Add(), (RAPIDITY, RAPIDITY), "S+2eta[j:3]"),
        (Add((1,)), (ANGLE, ANGLE), "S+0phi%360[j:3]"),
        (Add(), (ANGLE, RAPIDITY), "S+eta+phi%360[j:3]"),
        (ParticleSum("j"), (RAPIDITY,), "S+3eta[]"),
        (LogAdd(1, 2), (RAPIDITY, RAPIDITY), "S+eta[j:3]"),
        (Wrap(360, 8, Fixed(9, 9)), (DIFFERENCE,), "S[j:3]"),
        (Select("j", (0,)), (ANGLE,), "S+phi%360[]"),
    ],
    ids=str,
)
def test_what_sums_and_choices_give(op: Op, types: tuple[Type, ...], want: str) -> None:
    assert str(typed(op, *types)) == want


@pytest.mark.parametrize(
    ("op", "types", "words"),
    [
        (Log2(), (RAPIDITY,), r"found S\+eta\[j:3\], which adds under eta; subtract another value"),
        (
            Log2(),
            (typed(Add((1,)), ANGLE, ANGLE),),
            "known up to multiples of a turn only; reduce it into a window",
        ),
        (Concat("j"), (RAPIDITY, PLAIN), "only tensors that transform alike"),
        (Add(), (ANGLE, Type.parse("S+phi%720[j:3]")), "phi is counted modulo 360 and modulo 720"),
    ],
    ids=str,
)
def test_only_what_is_left_alone_enters_a_function(op: Op, types: tuple[Type, ...], words: str) -> None:
    with pytest.raises(CompileError, match=words):
        typed(op, *types)


@pytest.mark.parametrize("text", ["S+phi%1440[j:16]:fix<11,11>", "S-2eta+phi%8[]", "S+0phi%6[c:2]"])
def test_text_of_charges_goes_there_and_back(text: str) -> None:
    assert str(Type.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("V+eta[j:2]", "only scalars S have charges"),
        ("S+eta+eta[]", "name one symmetry twice"),
        ("S+0eta[]", "moves nothing"),
        ("S+Eta[]", "is not REP"),
        ("S+1eta[]", "are not of the form"),
    ],
)
def test_wrong_charges_are_refused(text: str, words: str) -> None:
    with pytest.raises(CompileError, match=words):
        Type.parse(text)


def test_sums_of_charges() -> None:
    eta, phi = parse_charges("+eta"), parse_charges("+phi%8")
    assert combined([(1, eta), (-1, eta)]) == ()
    assert combined([(2, phi), (-2, phi)]) == (Charge("phi", 0, 8),)
    assert checked([*phi, *eta]) == (*eta, *phi)
