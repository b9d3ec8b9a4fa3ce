"""Exact symmetries: derived from the graph, then demanded with zero tolerance.

Which group is exact follows from the arithmetic (Vinberg's O(3,1;Z) in Cartesian components, the
Picard group SL(2, Z[i]) with reflections on the light-cone lattice): if no covariant component is
rounded, every invariant is the same integer before and after, and so is every output bit. A four-vector
output must move with the event, again to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.fixed import Overflow
from eqhls.groups.basis import Basis
from eqhls.groups.exact import Element, ExactGroup, dyadic_boosts, lattice_group
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.clamp import Clamp
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.verify.testbuild import in_range

Feeds = dict[str, Ints]
Values = NDArray[Any]
Runner = Callable[[Mapping[str, Ints]], Values]
FLOAT_TOLERANCE = 1e-9
WORDS = 9
"""Words of the group by which `lattice_change` moves every event."""
PARTICLES = "j"


@dataclass(frozen=True, slots=True)
class Symmetry:
    """What is exact: a group of integer Lorentz matrices (or None, with the reason) and the
    particle slots that may be permuted."""

    group: ExactGroup | None
    proper_only: bool
    reason: str
    permutable: tuple[int, ...]

    def describe(self) -> str:
        """Return one line for reports."""
        if self.group is None:
            return f"no exact Lorentz subgroup: {self.reason}"
        return f"{self.group.name}{', proper elements' if self.proper_only else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class SymmetryResult:
    """Counts of one zero-tolerance test on one engine."""

    engine: str
    transform: str
    transformed: int
    mismatches: int
    control_changed: int

    @property
    def ok(self) -> bool:
        """Something was tried, nothing differed, and the negative control was caught."""
        return self.transformed > 0 and self.mismatches == 0 and self.control_changed > 0


def derive(graph: Graph) -> Symmetry:
    """Return what must be exact for this graph, and why."""
    permutable = _permutable(graph)
    proper = any(n.op.parity_odd() for n in graph)
    vectors = [n for n in graph.inputs if n.type.rep is Rep.V]
    group = _lattice(vectors)
    if group is None:
        return Symmetry(None, proper, "the input steps do not form a lattice of the group", permutable)
    result = graph.results[0].type
    if result.rep not in (Rep.S, Rep.V):
        return Symmetry(None, proper, f"the output {result} is neither scalar nor vector", permutable)
    rounded = [n for n in graph if n.op.rounds_components(graph.types_into(n))]
    if not rounded:
        return Symmetry(group, proper, "no covariant component is rounded", permutable)
    points = tuple(vectors[0].type.format_of(c).frac for c in range(4))
    kept = tuple(g for g in group.generators if all(_commutes(g, n, points) for n in rounded))
    if not kept:
        return Symmetry(None, proper, f"%{rounded[0].name} rounds components and is not odd", permutable)
    smaller = ExactGroup(f"sign flips and exchanges of axes in {group.name}", group.basis, kept)
    return Symmetry(smaller, proper, f"%{rounded[0].name} rounds components, oddly", permutable)


def _commutes(element: Element, node: Node, points: tuple[int, ...]) -> bool:
    """Whether rounding commutes with a signed permutation: it must be odd and saturate symmetrically,
    and components that are exchanged must be rounded alike, counted in steps of the lattice. A clamp has
    one bound for all."""
    op = node.op
    if isinstance(op, Clamp):
        return element.monomial and node.type.rep is Rep.V
    if not element.monomial or not isinstance(op, Requantize) or node.type.rep is not Rep.V:
        return False
    if not all(f.rounding.odd and f.overflow is Overflow.SAT_SYM for f in op.formats):
        return False
    forms = [op.formats[c if len(op.formats) > 1 else 0] for c in range(4)]
    kinds = [(f.width, f.frac - point, f.rounding) for f, point in zip(forms, points, strict=True)]
    rows = np.abs(element.matrix)
    return all(kinds[int(row.argmax())] == kinds[c] for c, row in enumerate(rows))


def _lattice(vectors: list[Node]) -> ExactGroup | None:
    """Return the group of the lattice on which all vector inputs lie, if there is one."""
    points = {tuple(n.type.format_of(c).frac for c in range(4)) for n in vectors}
    bases = {n.type.basis for n in vectors}
    if len(points) != 1 or len(bases) != 1:
        return None
    basis, (a, b, y, z) = bases.pop(), points.pop()
    fits = a == b == y == z if basis is Basis.CARTESIAN else y == z and a + b == 2 * y
    return lattice_group(basis) if fits else None


def _permutable(graph: Graph) -> tuple[int, ...]:
    """Return the particle slots that no op singles out. Constants may stand beside the particles, as beams
    do, if no op picks slots behind that."""
    sizes = [n.type.size(PARTICLES) for n in graph.inputs if n.type.has(PARTICLES)]
    singled: set[int] = set()
    beside = False
    for node in graph:
        types = graph.types_into(node)
        if not any(t.has(PARTICLES) for t in types):
            continue
        if isinstance(node.op, Select) and node.op.axis == PARTICLES:
            singled.update(node.op.indices)
        elif isinstance(node.op, Concat) and node.op.axis == PARTICLES:
            beside = True
            if sum(not isinstance(graph.node(n).op, Spurion) for n in node.inputs) > 1:
                return ()
        elif _tells_apart(node, types):
            return ()
    if beside and singled:
        return ()
    return tuple(k for k in range(min(sizes, default=0)) if k not in singled)


def _tells_apart(node: Node, types: tuple[Type, ...]) -> bool:
    """Whether an op treats particles by their place."""
    op = node.op
    rows = getattr(op, "axis", "") == PARTICLES and isinstance(op, Table | ChannelMix)
    triangle = isinstance(op, Gram) and len(types) == 1 and types[0].has(PARTICLES)
    return rows or triangle or isinstance(op, Dense)


def check_group(
    symmetry: Symmetry,
    test: Graph,
    events: Feeds,
    runner: Runner,
    engine: str,
    rng: np.random.Generator,
    rounds: int = 15,
) -> SymmetryResult:
    """Drive events and their images under words of length 1 to 3; demand identical outputs.

    `events` are raw integers for every port of the test build. The negative control moves one
    component of the transformed event by one step.
    """
    assert symmetry.group is not None
    moves: list[Moves] = []
    for k in range(rounds):
        matrix = symmetry.group.word(rng, 1 + k % 3, symmetry.proper_only)[1]
        moves.append((np.eye(4, dtype=np.int64), matrix))
    return _check_moves(symmetry.group, symmetry.group.name, test, events, runner, engine, moves)


def check_boosts(
    symmetry: Symmetry,
    test: Graph,
    events: Feeds,
    runner: Runner,
    engine: str,
    rng: np.random.Generator,
    rounds: int = 4,
) -> SymmetryResult:
    """The same for dyadic boosts N * 2**-f behind words of the group: events are scaled by 2**f, so that
    their images N x are integers too. Smaller boosts than any integer matrix has."""
    assert symmetry.group is not None
    letters = dyadic_boosts(symmetry.group.basis, symmetry.proper_only)
    moves: list[Moves] = []
    for k in range(rounds):
        boost, bits = letters[k % len(letters)]
        word = symmetry.group.word(rng, 1, symmetry.proper_only)[1]
        moves.append((np.eye(4, dtype=np.int64) << bits, boost @ word))
    return _check_moves(symmetry.group, "dyadic boosts", test, events, runner, engine, moves)


Moves = tuple[Ints, Ints]
"""Two integer matrices whose images of an event must give the same output."""


def _check_moves(
    group: ExactGroup,
    name: str,
    test: Graph,
    events: Feeds,
    runner: Runner,
    engine: str,
    moves: Sequence[Moves],
) -> SymmetryResult:
    """Compare outputs for both images of every event under every pair of matrices. The negative control
    moves by one step of the events as they were before a pair scaled them."""
    plain, moved, ends, step = _images(group, test, events, moves)
    want = _followed(test, runner(plain), moves, ends, 1)
    got = _followed(test, runner(moved), moves, ends, 0)
    victim = next(n.name for n in test.inputs if n.type.rep is Rep.V)
    spoiled = moved | {victim: moved[victim].copy()}
    last = spoiled[victim][:, 0, 3]
    spoiled[victim][:, 0, 3] = last + np.where(last > 0, -1, 1) * step
    caught = _differing(_followed(test, runner(spoiled), moves, ends, 0), want)
    return SymmetryResult(engine, name, len(got), _differing(got, want), caught)


def _images(
    group: ExactGroup, test: Graph, events: Feeds, moves: Sequence[Moves]
) -> tuple[Feeds, Feeds, Ints, Ints]:
    """Return the events under the first and under the second matrix of every pair, as far as both fit the
    ports; where the events of one pair end; and how much the first matrix scaled each."""
    vectors = [n for n in test.inputs if n.type.rep is Rep.V]
    parts: list[tuple[Feeds, Feeds]] = []
    step: list[Ints] = []
    for pair in moves:
        images = tuple(dict(events) for _ in pair)
        fits = np.ones(len(next(iter(events.values()))), dtype=bool)
        for image, matrix in zip(images, pair, strict=True):
            for node in vectors:
                image[node.name] = group.apply(matrix, events[node.name])
                fits &= in_range(node.type, image[node.name])
        first, second = ({k: raw[fits] for k, raw in image.items()} for image in images)
        parts.append((first, second))
        step.append(np.full(int(fits.sum()), pair[0][0, 0]))
    plain, moved = ({k: np.concatenate([p[s][k] for p in parts]) for k in events} for s in (0, 1))
    ends = np.cumsum([len(p[0][vectors[0].name]) for p in parts])[:-1]
    return plain, moved, ends, np.concatenate(step)


def lattice_change(group: ExactGroup, test: Graph, events: Feeds, rng: np.random.Generator) -> float:
    """Return mean |f(g x) - g f(x)| over the spread of f, of a quantized network on events that its ports
    hold exactly before and after words of the group and dyadic boosts. What is left is the formats' behind
    the ports: 0 where nothing covariant is rounded.
    """
    one, proper = np.eye(4, dtype=np.int64), any(n.op.parity_odd() for n in test)
    moves = [(one, group.word(rng, 1 + k % 3, proper)[1]) for k in range(WORDS)]
    moves += [(one << bits, boost) for boost, bits in dyadic_boosts(group.basis, proper)]
    plain, moved, ends, _ = _images(group, test, events, moves)
    name = test.outputs[0]
    want, got = (
        _followed(test, test.evaluate(feeds)[name], moves, ends, side)
        for feeds, side in ((plain, 1), (moved, 0))
    )
    return float(np.abs(got - want).mean() / max(float(want.std()), 1.0))


def _followed(test: Graph, values: Values, moves: Sequence[Moves], ends: Ints, side: int) -> Values:
    """Return what must be equal for both images of an event: a scalar output itself; of a vector output
    y of the image under A, and y' of that under B, the vectors B y and A y'. The first matrix of a pair is
    a multiple of one, so the two commute."""
    if test.results[0].type.rep is not Rep.V:
        return values
    parts = np.split(values, ends)
    return np.concatenate([part @ pair[side].T for part, pair in zip(parts, moves, strict=True)])


def check_permutations(
    symmetry: Symmetry,
    graph: Graph,
    events: Feeds,
    runner: Runner,
    engine: str,
    rng: np.random.Generator,
    rounds: int = 3,
) -> SymmetryResult:
    """Permute the free particle slots of every port together; demand identical outputs.

    The negative control swaps a seed slot as well, or, without seeds, the first component of one port alone.
    """
    ports = [n.name for n in graph.inputs if n.type.has(PARTICLES)]
    size = graph.node(ports[0]).type.size(PARTICLES)
    free = np.array(symmetry.permutable)
    want = runner(events)
    total = bad = caught = 0
    for _ in range(rounds):
        order = np.arange(size)
        order[free] = rng.permutation(free)
        got = runner({k: v[:, order] if k in ports else v for k, v in events.items()})
        total, bad = total + len(got), bad + _differing(got, want)
        wrong = np.roll(np.arange(size), 1)
        touched, part = (ports, slice(None)) if len(free) < size else (ports[:1], slice(1))
        spoiled = dict(events)
        for k in touched:
            spoiled[k] = events[k].copy()
            spoiled[k][..., part] = events[k][:, wrong][..., part]
        caught += _differing(runner(spoiled), want)
    return SymmetryResult(engine, f"permutations of {len(free)} of {size} particles", total, bad, caught)


def _differing(a: Values, b: Values) -> int:
    """Count events that differ: in any bit, or beyond 1e-9 where the values are floats."""
    allowed = FLOAT_TOLERANCE * np.maximum(1.0, np.abs(b)) if a.dtype.kind == "f" else 0
    return int((np.abs(a - b) > allowed).reshape(len(a), -1).any(axis=1).sum())
