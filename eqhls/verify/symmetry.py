"""Exact symmetries: what is claimed of a network, derived from its graph.

Which Lorentz group is exact follows from the arithmetic (Vinberg's O(3,1;Z) in Cartesian components, the
Picard group SL(2, Z[i]) with reflections on the light-cone lattice): if no covariant component is rounded,
every invariant is the same integer before and after, and so is every output bit; an output that is not a
scalar moves with the event. Which permutations are exact follows from the bodies of the ops, run on
fingerprints: an output either stays as it is or is permuted too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.groups.group import Group
from eqhls.groups.lattice import Element, ExactGroup, in_units, raw_action
from eqhls.groups.permutation import permute
from eqhls.groups.registry import GROUPS, group_of
from eqhls.groups.rep import Basis, S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.ir.types import Type
from eqhls.verify.fingerprint import Orders, Turn, prints, still, turned, turns
from eqhls.verify.sampling import spread_events
from eqhls.verify.testbuild import port_types

CASES, RUNS = 128, 16
"""Exchanges of two slots that are tried at a time, and how often: what is not tried of a long axis whose
slots are nearly all told apart is not claimed."""

FEW = 8
"""Events on which the float64 reference must follow what is claimed."""
FLOAT_TOLERANCE = 1e-9

Axes = tuple[tuple[str, int], ...]
"""Axes of ports, by name and size, that are permuted together."""


@dataclass(frozen=True, slots=True)
class Permutable:
    """Slots of axes of the ports that may be permuted in any way, all these axes together. The outputs stay
    as they are, or, where some output `moves`, are permuted along their own axes."""

    axes: Axes
    slots: tuple[int, ...]
    moves: bool

    @property
    def size(self) -> int:
        return self.axes[0][1]

    def __str__(self) -> str:
        names = " and ".join(name for name, _ in self.axes)
        what = ", which the outputs follow" if self.moves else ""
        return f"permutations of {len(self.slots)} of {self.size} along {names}{what}"


@dataclass(frozen=True, slots=True)
class Symmetry:
    """What is exact: a group of integer matrices on vectors in steps of 2**-points (or None,
    with the reason), and the slots of the inputs that may be permuted."""

    group: ExactGroup | None
    proper_only: bool
    reason: str
    permutations: tuple[Permutable, ...] = ()
    points: tuple[int, ...] = ()
    parent: Group = GROUPS[0]
    """The group of which `group` is a part."""

    @property
    def permutable(self) -> tuple[int, ...]:
        """The most slots of one axis whose permutations leave every output as it is."""
        return max((p.slots for p in self.permutations if not p.moves), key=len, default=())

    def describe(self) -> str:
        """Return one line for reports."""
        if self.group is None:
            return f"no exact {self.parent.name} subgroup: {self.reason}"
        return f"{self.group.name}{', proper elements' if self.proper_only else ''}: {self.reason}"


def derive(graph: Graph) -> Symmetry:
    """Return what must be exact for this graph, and why."""
    exact = exact_elements(graph)
    return replace(exact, permutations=tuple(permutations(graph)))


def exact_elements(graph: Graph) -> Symmetry:
    """Return the exact elements of the group of the tensors alone, which takes no time."""
    proper = any(n.op.parity_odd() for n in graph)
    moved = [n for n in graph.inputs if n.type.rep is not S]
    if not moved:
        return Symmetry(None, proper, "no input is a vector or a tensor")
    parent = group_of(moved[0].type.rep)
    try:
        kinds = list(port_types(graph).values())
    except CompileError as error:
        return Symmetry(None, proper, str(error))
    if any(group_of(k.rep) is not parent for k in kinds):
        return Symmetry(None, proper, "the inputs belong to different groups")
    if len({k.basis for k in kinds if k.rep.own_formats}) > 1:
        return Symmetry(None, proper, "the inputs have different bases")
    vectors = [k for k in kinds if k.rep == parent.vector]
    basis = vectors[0].basis if vectors else parent.vector.basis(kinds[0].basis.name)
    points = fractions(vectors[0]) if vectors else (0,) * parent.dim
    whole = parent.lattice(basis)
    fitting = tuple(g for g in whole.generators if _keeps_lattices(g, kinds, basis, points))
    if not fitting:
        return Symmetry(None, proper, "the input steps do not form a lattice of the group")
    rounded = [n for n in graph if n.op.rounds_components(graph.types_into(n))]
    kept = tuple(g for g in fitting if all(_commutes(g, graph, n, points) for n in rounded))
    if not kept:
        return Symmetry(None, proper, f"%{rounded[0].name} rounds components and is not odd")
    exact = "no covariant component is rounded"
    reason = f"%{rounded[0].name} rounds components, oddly" if rounded else exact
    group = _smaller(whole, kept)
    if proper and not group.has_proper:
        return Symmetry(None, proper, "no proper transformation commutes with the network")
    return Symmetry(group, proper, reason, (), points, parent)


def _smaller(whole: ExactGroup, kept: tuple[Element, ...]) -> ExactGroup:
    if kept == whole.generators:
        return whole
    what = "sign flips and exchanges of axes" if all(g.monomial for g in kept) else "a subgroup that fits"
    return ExactGroup(f"{what} in {whole.name}", whole.basis, kept)


def fractions(kind: Type) -> tuple[int, ...]:
    """Return the fraction bits of each component."""
    return tuple(f.frac for f in kind.formats.each(kind.dim))


def _keeps_lattices(element: Element, kinds: Sequence[Type], basis: Basis, points: Sequence[int]) -> bool:
    """Whether a generator, in steps of the ports, is an element of the group, and maps the integers of every
    port to integers."""
    group = group_of(kinds[0].rep)
    return group.preserves(basis, in_units(element.matrix, points)) and all(
        raw_action(k.rep, k.basis, element.matrix, points, fractions(k))[1] == 1 for k in kinds
    )


def _commutes(element: Element, graph: Graph, node: Node, points: Sequence[int]) -> bool:
    """Whether rounding commutes with a signed permutation: flips ask for odd functions, and components that
    are exchanged must be rounded alike, counted in steps of the lattice."""
    parts = node.op.parts(graph.types_into(node))
    if parts is None or not element.monomial:
        return False
    kind = node.type
    natural = kind.rep.natural_points(kind.basis, tuple(points))
    matrix, divisor = raw_action(kind.rep, kind.basis, element.matrix, points, natural)
    if divisor != 1 or (np.abs(matrix).sum(axis=1) != 1).any():
        return False
    alike = [(p.function, p.point - point) for p, point in zip(parts, natural, strict=True)]
    return all(
        alike[source] == alike[c] and (matrix[c, source] > 0 or parts[c].odd)
        for c, source in enumerate(np.abs(matrix).argmax(axis=1))
    )


def permutations(graph: Graph) -> Iterator[Permutable]:
    """Yield the classes of slots that are exact to permute: of each axis of the ports by itself, and, of axes
    of equal size that have none, of all together (as a port along j beside one along i)."""
    axes = dict.fromkeys((a.name, a.size) for n in graph.inputs for a in n.type.axes if a.size > 1)
    alone: list[tuple[str, int]] = []
    for axis in axes:
        found = list(_classes(graph, (axis,)))
        yield from found
        if not found:
            alone.append(axis)
    for size in dict.fromkeys(size for _, size in alone):
        together = tuple(axis for axis in alone if axis[1] == size)
        if len(together) > 1:
            yield from _classes(graph, together)


def _classes(graph: Graph, axes: Axes) -> Iterator[Permutable]:
    """Yield the classes of slots: two slots are in one class where their exchange is exact, for what is
    exact is a group. A few slots at a time are tried with all later ones."""
    todo, leader = list(range(axes[0][1])), dict[int, int]()
    moving: set[int] = set()
    for _ in range(RUNS):
        if len(todo) < 2:
            break
        first = max(1, min(len(todo), CASES // len(todo)))
        pairs = [(a, b) for a, b in combinations(todo, 2) if a in todo[:first]]
        for (a, b), result in zip(pairs, _exchanged(graph, axes, pairs), strict=True):
            if result is not None:
                leader[b] = min(leader.get(b, a), leader.get(a, a))
                moving |= {leader[b]} if result else set()
        todo = [slot for slot in todo[first:] if slot not in leader]
    for head in sorted(set(leader.values())):
        slots = (head, *sorted(slot for slot, first in leader.items() if first == head))
        yield Permutable(axes, slots, head in moving)


def _exchanged(graph: Graph, axes: Axes, pairs: Sequence[tuple[int, int]]) -> list[bool | None]:
    """Return for each exchange of two slots whether outputs move, or None if it is not exact."""
    orders: list[NDArray[np.int64]] = []
    for a, b in pairs:
        order = np.arange(axes[0][1])
        order[[a, b]] = b, a
        orders.append(order)
    found = followed(graph, axes, orders)
    agreed = _agreed(graph, axes, orders, found)
    return [
        None if turn is None or not agrees else not all(map(still, turn))
        for turn, agrees in zip(found, agreed, strict=True)
    ]


def _agreed(
    graph: Graph, axes: Axes, orders: Sequence[NDArray[np.int64]], found: Sequence[tuple[Turn, ...] | None]
) -> list[bool]:
    """Return whether the float64 reference follows each permutation too: tables whose rows differ by less
    than they round tell slots apart there, though no bit of the hardware does, and nothing is claimed."""
    rng = np.random.default_rng(11)
    raw = spread_events(graph, rng, FEW)
    cases = [k for k, turn in enumerate(found) if turn is not None]
    moved = [permuted(graph, raw, dict.fromkeys(axes, orders[k])) for k in cases]
    feeds = {n: np.concatenate([raw[n], *(m[n] for m in moved)]) for n in raw}
    got = float_values(graph, feeds)
    agreed = [False] * len(orders)
    for place, k in enumerate(cases, start=1):
        part = slice(place * FEW, (place + 1) * FEW)
        turn = dict(zip(graph.outputs, found[k] or (), strict=True))
        agreed[k] = not any(wrong(got[n][part], turned(got[n][:FEW], turn[n], 1)).any() for n in turn)
    return agreed


def permuted(graph: Graph, feeds: Mapping[str, Ints], orders: Orders) -> dict[str, Ints]:
    """Return events with the axes of all ports in a new order."""
    out = dict(feeds)
    for node in graph.inputs:
        for k, axis in enumerate(node.type.axes):
            order = orders.get((axis.name, axis.size))
            if order is not None:
                out[node.name] = permute(out[node.name], 1 + k, order)
    return out


def wrong(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which events differ: in any bit, or, where the values are floats, beyond 1e-9 of the largest
    component of the tensor."""
    allowed: Any = 0
    if x.dtype.kind == "f":
        allowed = FLOAT_TOLERANCE * np.maximum(1.0, np.abs(y).max(axis=-1, keepdims=True))
    return np.asarray((np.abs(x - y) > allowed).reshape(len(x), -1).any(axis=1), dtype=np.bool_)


def float_values(graph: Graph, feeds: Mapping[str, Ints]) -> dict[str, Floats]:
    """Return the float64 reference on raw integers, every output in its steps."""
    floats: dict[str, Floats] = {n.name: feeds[n.name] * n.type.formats.lsb for n in graph.inputs}
    scores = graph.scores(floats)
    return {n.name: scores[n.name] / n.type.formats.lsb for n in graph.results}


def followed(graph: Graph, axes: Axes, orders: Sequence[NDArray[np.int64]]) -> list[tuple[Turn, ...] | None]:
    """Return, for each permutation of the axes of the ports, how every output follows: a permutation of each
    of its axes. None for a permutation that is not exact."""
    cases = [{}, *(dict.fromkeys(axes, order) for order in orders)]
    results = prints(graph, cases)
    found: list[tuple[Turn, ...] | None] = []
    for k in range(1, len(cases)):
        each = [turns(p[0], p[k]) for p in results]
        found.append(None if any(t is None for t in each) else tuple(t for t in each if t is not None))
    return found
