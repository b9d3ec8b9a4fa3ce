"""What moves an axis moves the result: types say it, fingerprints of the bodies show it.

Every op is tried with every action on every set of its axes. If its types are accepted, its body must follow
every generator of the groups as the type of the result says; what is refused must be refused for a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, combinations, product

import numpy as np
import pytest

from eqhls import ops
from eqhls.errors import CompileError
from eqhls.groups.permutation import ACTIONS, CHANNELS, PAIRS, PARTICLES, RING, Action, Order
from eqhls.groups.registry import group_of
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Along, Example, Op, typed
from eqhls.ir.types import Axis, Type
from eqhls.ops.input import Input
from eqhls.ops.shift import Shift
from eqhls.verify.fingerprint import Prints, prints

COMPUTED = [e for e in ops.examples() if e.types]
ONE_OF_EACH_SHAPE = list(
    {(type(e.op), tuple(tuple(map(str, t.axes)) for t in e.types), str(e.op)): e for e in COMPUTED}.values()
)
Moved = Mapping[tuple[str, int], Order]
"""An element of each group, by the group and its number of points."""


def marked(example: Example) -> Iterator[tuple[Type, ...]]:
    """The types of an example with one action on each set of their axes that it fits."""
    names = list(dict.fromkeys(a.name for t in example.types for a in t.axes if a.size > 1))
    sets = chain.from_iterable(combinations(names, n) for n in range(1, len(names) + 1))
    for chosen, action in product(sets, (PARTICLES, PAIRS, RING)):
        try:
            yield tuple(
                replace(
                    t, axes=tuple(replace(a, action=action if a.name in chosen else CHANNELS) for a in t.axes)
                )
                for t in example.types
            )
        except CompileError:
            continue


def single(op: Op, types: tuple[Type, ...]) -> Graph:
    """The op with a port for each of its inputs."""
    b = Builder("one")
    ports = [b.add(f"x{k}", Input(t)) for k, t in enumerate(types)]
    return b.graph(b.add("out", op, *ports)).formatted()


def turn(x: Prints, type: Type, moved: Moved) -> Prints:
    """Move a result (*axes, components) as its type says."""
    for k, axis in enumerate(type.axes):
        order = moved.get(axis.moved_with)
        x = x if order is None else np.take(x, axis.action.order(order), axis=k)
    return x


def follows(op: Op, types: tuple[Type, ...], out: Type) -> bool:
    """Whether the result of the body moves with the inputs, under every generator."""
    graph = single(op, types)
    for key in {a.moved_with for t in types for a in t.axes if a.action.moves}:
        for element in next(a for a in ACTIONS.values() if a.group == key[0]).generators(key[1]):
            orders = {
                (a.name, a.size): a.action.order(element)
                for t in types
                for a in t.axes
                if a.moved_with == key
            }
            ((plain, other),) = prints(graph, ({}, orders))
            if not np.array_equal(other, turn(plain, out, {key: element})):
                return False
    return True


@pytest.mark.parametrize("example", ONE_OF_EACH_SHAPE, ids=str)
def test_accepted_types_follow_what_moves_them(example: Example) -> None:
    """Accepted types move; refused ones do not, or move as no type says."""
    for types in marked(example):
        try:
            out = typed(example.op, *types)
        except CompileError as error:
            assert "\n" not in str(error)
            continue
        assert follows(example.op, types, out), f"{', '.join(map(str, types))} -> {out}"


SHARED = [
    (e, a)
    for e in COMPUTED
    if len(e.types) > 1
    for a in e.types[0].axes
    if all(t.has(a.name) for t in e.types)
]


@pytest.mark.parametrize(("example", "axis"), SHARED, ids=str)
def test_inputs_agree_on_what_moves_a_shared_axis(example: Example, axis: Axis) -> None:
    """What moves one input and leaves the other is not a symmetry: neither may be matched with the other."""
    for k in range(len(example.types)):
        types = list(example.types)
        axes = tuple(replace(a, action=PARTICLES) if a.name == axis.name else a for a in types[k].axes)
        types[k] = replace(types[k], axes=axes)
        with pytest.raises(CompileError):
            typed(example.op, *types)


def plain_moves(example: Example, axis: Axis, action: Action) -> bool:
    """Whether the result follows what moves one axis along an axis of its name and size, or stays."""
    graph = single(example.op, example.types)
    out = graph.results[0].type
    for element in action.generators(axis.size):
        ((plain, other),) = prints(graph, ({}, {(axis.name, axis.size): element}))
        for k, kept in enumerate(out.axes):
            if (kept.name, kept.size) == (axis.name, axis.size):
                plain = np.take(plain, element, axis=k)
        if not np.array_equal(plain, other):
            return False
    return True


@pytest.mark.parametrize("example", ONE_OF_EACH_SHAPE, ids=str)
def test_what_is_said_along_an_axis_is_what_happens(example: Example) -> None:
    """MAP, SPREAD and REDUCE follow every permutation, SHIFT those of a ring and no other, EVENT none. Axes of
    size 1, and of pairs, where one alone moves nothing, say nothing."""
    out = example.op.infer(*example.types)
    for axis in dict.fromkeys(a for t in example.types for a in t.axes if a.size > 2):
        kept = any(a.name == axis.name for a in out.axes)
        match example.op.along(example.types, axis.name):
            case Along.MAP | Along.SPREAD:
                assert not kept or plain_moves(example, axis, PARTICLES), axis
            case Along.REDUCE:
                assert not kept and plain_moves(example, axis, PARTICLES), axis
            case Along.SHIFT:
                assert plain_moves(example, axis, RING) and not plain_moves(example, axis, PARTICLES), axis
            case Along.EVENT:
                assert not plain_moves(example, axis, PARTICLES), axis
            case Along.ALIKE:
                pass


MAPPED = [e for e in COMPUTED if any(t.rep is not S for t in e.types)]


@pytest.mark.parametrize("example", MAPPED, ids=str)
def test_an_axis_that_is_mapped_may_have_an_element_for_each_site(
    example: Example, rng: np.random.Generator
) -> None:
    """Entry by entry along an axis, an op commutes with another element of the group for every entry."""
    types = tuple(replace(t, formats=()) for t in example.types)
    out = example.op.infer(*types)
    for axis in (a for a in out.axes if a.size > 1 and all(t.has(a.name) for t in types)):
        if example.op.along(types, axis.name) is not Along.MAP or example.op.cuts_components(types):
            continue
        group = group_of(next(t.rep for t in types if t.rep is not S))
        field = np.stack([group.random(rng, group.typical) for _ in range(axis.size)])
        x = [rng.normal(size=(3, *t.shape)) for t in types]
        moved = [act(t, axis.name, field, v) for t, v in zip(types, x, strict=True)]
        want = act(out, axis.name, field, example.op.reference(types, *x))
        got = example.op.reference(types, *moved)
        np.testing.assert_allclose(got, want, atol=1e-9 * max(1.0, float(np.abs(want).max())))


def act(type: Type, axis: str, field: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Act on x (events, *axes, components) with another element for every entry of one axis."""
    shape = [1] * len(type.axes)
    shape[type.index(axis)] = len(field)
    return type.rep.act(type.basis, field.reshape(*shape, *field.shape[1:]), x)


def ring(size: int) -> Type:
    return Type(S, (Axis("x", size, RING),))


def test_a_shift_of_particles_is_refused() -> None:
    with pytest.raises(CompileError, match="whose entries have no neighbours"):
        typed(Shift("j", 1), Type(S, (Axis("j", 4, PARTICLES),)))


def test_a_wrong_word_about_an_axis_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a shift that calls itself a map lets particles through, and does not follow them."""
    monkeypatch.setattr(Shift, "along", lambda *_: Along.MAP)
    example = next(e for e in COMPUTED if isinstance(e.op, Shift) and e.types[0].rep is not S)
    with pytest.raises(AssertionError):
        test_what_is_said_along_an_axis_is_what_happens(example)
