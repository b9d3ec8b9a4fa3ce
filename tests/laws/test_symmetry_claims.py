"""What `derive` claims holds, on random networks and under generators that are written here anew.

Lorentz transformations are Vinberg's reflection in (1, 1, 1, 1) and signed permutations on Cartesian integers,
and matrices over the Gaussian integers acting on the Hermitian matrix of light-cone integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from growing import network

from eqhls import ops
from eqhls.engines import Ints, hull, load, store
from eqhls.groups.lorentz.basis import CARTESIAN, LIGHT_CONE
from eqhls.groups.lorentz.reps import F, T, V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Example
from eqhls.ir.types import Type
from eqhls.ops.input import Input
from eqhls.verify.claims import Permutable, followed
from eqhls.verify.fingerprint import turned
from eqhls.verify.symmetry import derive
from eqhls.verify.testbuild import guarded, spurion_values

Feeds = dict[str, Ints]
EVENTS = 60


def vinberg() -> Ints:
    """x - 2 <x, r> / <r, r> r with r = (1, 1, 1, 1), <r, r> = -2."""
    r, metric = np.ones(4, dtype=np.int64), np.diag([1, -1, -1, -1])
    return np.eye(4, dtype=np.int64) + np.outer(r, metric @ r)


def cartesian_moves(rng: np.random.Generator, proper: bool) -> Iterator[Ints]:
    while True:
        matrix = np.eye(4, dtype=np.int64)
        for _ in range(int(rng.integers(1, 3))):
            turn = np.eye(4, dtype=np.int64)
            turn[1:, 1:] = np.eye(3, dtype=np.int64)[rng.permutation(3)] * rng.choice([-1, 1], 3)
            matrix = (vinberg() if rng.random() < 0.5 else np.eye(4, dtype=np.int64)) @ turn @ matrix
        if not proper or np.linalg.det(matrix.astype(float)) > 0:
            yield matrix


def cone_moves(rng: np.random.Generator, proper: bool) -> Iterator[Ints]:
    """X -> A X A^dagger on X = [[+, y + iz], [y - iz, -]], and, if wanted, z -> -z before it."""
    letters = [
        np.array(m) for m in ([[0, -1], [1, 0]], [[1, 1], [0, 1]], [[1, 1j], [0, 1]], [[1j, 0], [0, -1j]])
    ]
    frame = [np.array(m) for m in ([[1, 0], [0, 0]], [[0, 0], [0, 1]], [[0, 1], [1, 0]], [[0, 1j], [-1j, 0]])]
    while True:
        a = np.eye(2, dtype=complex)
        for _ in range(int(rng.integers(1, 3))):
            a = a @ letters[int(rng.integers(4))]
        images = [a @ x @ a.conj().T for x in frame]
        matrix = np.array([[x[0, 0].real, x[1, 1].real, x[0, 1].real, x[0, 1].imag] for x in images]).T
        flip = np.diag([1, 1, 1, 1 if proper or rng.random() < 0.5 else -1])
        yield np.rint(matrix).astype(np.int64) @ flip


def acted(type: Type, matrix: Ints, x: Any) -> Any:
    """Real components (exact in float64: few bits) under a matrix on the components of the basis."""
    if type.rep is S:
        return x
    if type.rep is V:
        return np.einsum("mn,...n->...m", matrix, x)
    places = [(m, n) for m in range(4) for n in range(m + (type.rep is F), 4)]
    if type.rep is T:
        places.remove((0, 0) if type.basis is CARTESIAN else (0, 1))
    full = np.zeros((*x.shape[:-1], 4, 4))
    for c, (m, n) in enumerate(places):
        full[..., m, n] = x[..., c]
        full[..., n, m] = -x[..., c] if type.rep is F else x[..., c]
    if type.rep is T:
        fixed = full[..., 2, 2] + full[..., 3, 3]
        if type.basis is CARTESIAN:
            full[..., 0, 0] = fixed + full[..., 1, 1]
        else:
            full[..., 0, 1] = full[..., 1, 0] = fixed
    moved = np.einsum("am,bn,...mn->...ab", matrix, matrix, full)
    return np.stack([moved[..., m, n] for m, n in places], axis=-1)


def small(node: Node, rng: np.random.Generator) -> Ints:
    """Events small enough for their images to fit the test build."""
    forms = node.type.formats.each(node.type.dim)
    low, high = ([max(f.lo, -3) for f in forms], [min(f.hi, 3) for f in forms])
    return rng.integers(low, np.array(high) + 1, (EVENTS, *node.type.shape))


def real(node: Node, raw: Ints) -> Any:
    return raw * node.type.formats.lsb


def outputs(graph: Graph, feeds: Feeds) -> dict[str, Any]:
    got = graph.evaluate(feeds)
    return {n.name: real(n, got[n.name]) for n in graph.results}


def moved_feeds(test: Graph, feeds: Feeds, matrix: Ints) -> tuple[Feeds, Any]:
    """Images of the raw integers, whose LSBs are equal for all components; and which fit the ports."""
    out, fits = dict(feeds), np.ones(EVENTS, dtype=bool)
    for node in test.inputs:
        if node.type.rep is not S:
            raw = acted(node.type, matrix, feeds[node.name])
            forms = node.type.formats.each(node.type.dim)
            inside = (raw >= [f.lo for f in forms]) & (raw <= [f.hi for f in forms])
            fits &= inside.reshape(EVENTS, -1).all(axis=1)
            out[node.name] = np.rint(raw).astype(np.int64)
    return out, fits


def check_lorentz(graph: Graph) -> tuple[str, int]:
    """The claim about Lorentz transformations; returns its kind and how many events were compared."""
    claim = derive(graph)
    if claim.group is None:
        return "none", 0
    whole = claim.group.name in ("O(3,1;Z)", "SL(2,Z[i]) with reflections")
    rng, test = np.random.default_rng(5), guarded(graph, 4)
    feeds = {n.name: small(n, rng) for n in test.inputs}
    for name, value in spurion_values(graph, test).items():
        feeds[name] = np.broadcast_to(value, (EVENTS, *value.shape)).copy()
    want = outputs(test, feeds)
    if whole:
        makers = {CARTESIAN: cartesian_moves, LIGHT_CONE: cone_moves}
        moves = makers[claim.group.basis](rng, claim.proper_only)
    else:
        moves = iter([claim.group.word(rng, 2, claim.proper_only)[1] for _ in range(6)])
    tried = 0
    for matrix, _ in zip(moves, range(6), strict=False):
        images, fits = moved_feeds(test, feeds, matrix)
        if not fits.any():
            continue
        got = outputs(test, {k: v[fits] for k, v in images.items()})
        for node in test.results:
            np.testing.assert_array_equal(got[node.name], acted(node.type, matrix, want[node.name][fits]))
        tried += int(fits.sum())
    return ("proper" if claim.proper_only else "whole") if whole else "smaller", tried


def uniform(node: Node, rng: np.random.Generator) -> Ints:
    forms = node.type.formats.each(node.type.dim)
    return rng.integers([f.lo for f in forms], [f.hi + 1 for f in forms], (EVENTS, *node.type.shape))


def permuted(graph: Graph, feeds: Feeds, axes: tuple[tuple[str, int], ...], order: Ints) -> Feeds:
    out = dict(feeds)
    for node in graph.inputs:
        for k, axis in enumerate(node.type.axes):
            if (axis.name, axis.size) in axes:
                out[node.name] = np.take(out[node.name], order, axis=1 + k)
    return out


def check_permutation(graph: Graph, claim: Permutable, feeds: Feeds, want: dict[str, Any]) -> None:
    """A random permutation of the slots: outputs stay, or follow one permutation for all events."""
    order = np.arange(claim.size)
    order[list(claim.slots)] = np.random.default_rng(6).permutation(claim.slots)
    got = outputs(graph, permuted(graph, feeds, claim.axes, order))
    (turns,) = followed(graph, [claim.orders(order)])
    assert turns is not None
    for name, turn in zip(graph.outputs, turns, strict=True):
        kept = turned(want[name], turn, 1) if claim.moves else want[name]
        np.testing.assert_array_equal(got[name], kept)


def exchanges(graph: Graph, feeds: Feeds, want: dict[str, Any]) -> Iterator[tuple[bool, bool]]:
    """Yield for each two slots whether their exchange leaves all outputs of the events, and whether that is
    claimed."""
    claims = derive(graph).permutations
    for axis in {(a.name, a.size) for n in graph.inputs for a in n.type.axes}:
        mine = [c.slots for c in claims if axis in c.axes and not c.moves]
        for a, b in combinations(range(axis[1]), 2):
            order = np.arange(axis[1])
            order[[a, b]] = b, a
            got = outputs(graph, permuted(graph, feeds, (axis,), order))
            same = all((got[k] == want[k]).all() for k in want)
            yield same, any(a in slots and b in slots for slots in mine)


def check(seeds: range) -> dict[str, int]:
    """Hold all claims of random networks; returns how often each kind of claim was made."""
    counts = dict.fromkeys(
        ("none", "whole", "proper", "smaller", "events", "stay", "follow", "same", "claimed"), 0
    )
    for seed in seeds:
        graph = network(seed)
        try:
            kind, tried = check_lorentz(graph)
            counts[kind] += 1
            counts["events"] += tried
            rng = np.random.default_rng(7)
            feeds = {n.name: uniform(n, rng) for n in graph.inputs}
            want = outputs(graph, feeds)
            for claim in derive(graph).permutations:
                check_permutation(graph, claim, feeds, want)
                counts["follow" if claim.moves else "stay"] += 1
            for same, claimed in exchanges(graph, feeds, want):
                counts["same"] += same
                counts["claimed"] += same and claimed
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, {graph.name}") from error
    return counts


def test_claims_of_random_networks_hold() -> None:
    counts = check(range(60))
    assert counts["whole"] > 20 and counts["proper"] > 0 and counts["events"] > 3000, counts
    assert counts["stay"] > 20 and counts["follow"] > 5, counts
    assert counts["claimed"] >= 0.8 * counts["same"], counts


@pytest.mark.slow
def test_claims_of_many_random_networks_hold() -> None:
    counts = check(range(60, 2000))
    assert counts["smaller"] > 0 and counts["none"] > 0, counts


def alone(example: Example) -> Graph:
    b = Builder("alone")
    inputs = [b.add(f"x{k}", Input(_as_port(t))) for k, t in enumerate(example.types)]
    return b.graph(b.add("o", example.op, *inputs)).formatted()


def _as_port(type: Type) -> Type:
    return type if type.rep is V else replace(type, formats=type.formats[:1])


COMPUTED = [e for e in ops.examples() if e.types]


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_claims_of_every_block_hold(example: Example) -> None:
    """What the body does along each axis, against the same body on events."""
    graph = alone(example)
    rng = np.random.default_rng(8)
    feeds = {n.name: uniform(n, rng) for n in graph.inputs}
    want = outputs(graph, feeds)
    for claim in derive(graph).permutations:
        check_permutation(graph, claim, feeds, want)
    for same, claimed in exchanges(graph, feeds, want):
        assert claimed or not same


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_a_block_that_rounds_components_says_so(example: Example) -> None:
    type = example.op.infer(*example.types)
    if type.rep is not S and not example.op.rounds_components(example.types):
        assert example.op.rounding(example.types) == 0


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_every_fault_of_a_block_changes_it(example: Example) -> None:
    """And an op that takes covariant inputs to scalars has faults of its own."""
    graph = alone(example)
    types = graph.types_into(graph.node("o"))
    covariant = any(t.rep is not S for t in types)
    assert bool(example.op.faults(types)) == covariant
    rng = np.random.default_rng(9)
    feeds = {n.name: uniform(n, rng) for n in graph.inputs}
    want = outputs(graph, feeds)["o"]
    for fault in example.op.faults(types):
        nums = graph.run({n.name: load(n.type.formats, feeds[n.name]) for n in graph.inputs})
        body = example.op.faulty(fault, 4, types, *(nums[n] for n in graph.node("o").inputs))
        assert body.shape == nums["o"].shape
        node = replace(graph.node("o"), type=replace(graph.node("o").type, formats=hull(body)))
        assert (real(node, store(body, node.type.formats, EVENTS)) != want).any(), fault
