"""Claims beside the group of the tensors: permutations, shifts around rings, translations, steps.

What is claimed of axes that say what moves them is read off their types; slots of all other axes are tried
by exchanges. Whether a claim is exact follows from the bodies of the ops, run on fingerprints: an output
either stays as it is or is permuted too.
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
from eqhls.groups.permutation import ACTIONS, PARTICLES, Action, Order, pair_order, permute
from eqhls.groups.registry import group_of
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.ir.types import Axis
from eqhls.verify.fingerprint import Orders, Turn, prints, same_when_moved, still, turned, turns
from eqhls.verify.sampling import spread_events

CASES, RUNS = 128, 16
"""Exchanges of two slots that are tried at a time, and how often: what is not tried of a long axis whose
slots are nearly all told apart is not claimed."""

FEW = 8
"""Events on which the float64 reference must follow what is claimed."""
FLOAT_TOLERANCE = 1e-9

Axes = tuple[tuple[str, int], ...]
"""Axes of ports, by name and size, that are permuted together."""
Factors = tuple[tuple[str, int], ...]
"""Charges of ports or of outputs, by name."""


@dataclass(frozen=True, slots=True)
class Permutable:
    """Slots that a group permutes, of axes of the ports that it moves together; an axis of pairs of the slots
    goes with them. The outputs stay as they are, or, if some output `moves`, are permuted along their own
    axes. Of the group of all permutations, `slots` are those that it moves."""

    axes: Axes
    slots: tuple[int, ...]
    moves: bool
    size: int
    action: Action = PARTICLES

    @property
    def alone(self) -> bool:
        """Whether every permutation of the slots is claimed."""
        return self.action == PARTICLES

    def orders(self, element: Order) -> dict[tuple[str, int], Order]:
        """Return what an element does to every axis."""
        return {a: element if a[1] == self.size else pair_order(element) for a in self.axes}

    def random(self, rng: np.random.Generator) -> Order:
        """Return a random element."""
        if not self.alone:
            return self.action.random(rng, self.size)
        order, slots = np.arange(self.size), np.array(self.slots)
        order[slots] = rng.permutation(slots)
        return order

    def moved(self, graph: Graph) -> tuple[str, ...]:
        """Return the ports that have such an axis."""
        return tuple(n.name for n in graph.inputs if any((a.name, a.size) in self.axes for a in n.type.axes))

    def __str__(self) -> str:
        names = " and ".join(name for name, _ in self.axes)
        what = ", which the outputs follow" if self.moves else ""
        if self.alone:
            return f"permutations of {len(self.slots)} of {self.size} along {names}{what}"
        return f"{_KINDS.get(self.action.group, self.action.group)} of {self.size} along {names}{what}"


_KINDS = {"Z": "shifts around the ring"}


@dataclass(frozen=True, slots=True)
class Translation:
    """Ports whose vectors may all be moved by the same vector, which leaves every output as it is."""

    ports: tuple[str, ...]

    def moved(self, graph: Graph) -> tuple[str, ...]:
        """Return the ports that are moved."""
        return self.ports

    def __str__(self) -> str:
        return f"translations of {' and '.join(self.ports)}"


@dataclass(frozen=True, slots=True)
class Steps:
    """A symmetry under which the values of some ports add: turns of all angles, shifts of all rapidities.
    Ports move by their factor times a step; the outputs stay as they are, or move by theirs."""

    name: str
    modulus: int
    ports: Factors
    outputs: Factors = ()
    """The outputs that move, or are known up to whole turns; all others stay."""

    def moved(self, graph: Graph) -> tuple[str, ...]:
        """Return the ports that are moved."""
        return tuple(name for name, factor in self.ports if factor)

    def acted(self, node: Node, raw: NDArray[Any], steps: Ints) -> NDArray[Any]:
        """Return raw integers of a port or an output moved by steps (events,) in units of the value, angles
        between minus half a turn and half a turn. Angles that do not move are reduced likewise."""
        return self.reduced(node, raw + self.factor(node) * _per_event(node, steps) * _unit(node))

    def factor(self, node: Node) -> int:
        """Return the charge of a port or an output."""
        return dict(self.ports + self.outputs).get(node.name, 0)

    def reduced(self, node: Node, raw: NDArray[Any]) -> NDArray[Any]:
        """Return angles between minus half a turn and half a turn, and anything else as it is."""
        if not self.modulus or node.name not in dict(self.ports + self.outputs):
            return raw
        turn = self.modulus * _unit(node)
        return (raw + turn // 2) % turn - turn // 2

    def __str__(self) -> str:
        turn = f" modulo {self.modulus}" if self.modulus else ""
        text = f"steps of {self.name}{turn} of {' and '.join(name for name, factor in self.ports if factor)}"
        follow = " and ".join(name for name, factor in self.outputs if factor)
        return f"{text}, which {follow} follow" if follow else text


def _per_event(node: Node, steps: Ints) -> Ints:
    return steps.reshape(-1, *(1 for _ in node.type.shape))


def _unit(node: Node) -> int:
    """Return the LSBs in a unit of the value: charges are counted in units."""
    return 1 << node.type.format_of(0).frac


Claim = Permutable | Translation | Steps


def charged(graph: Graph) -> Iterator[Steps]:
    """Yield the symmetries under which the ports add. That the outputs follow is said by the types: `infer`
    lets only what adds, or does not move, through."""
    for name, modulus in dict.fromkeys((c.name, c.modulus) for n in graph.inputs for c in n.type.charges):
        yield Steps(name, modulus, _factors(graph.inputs, name), _factors(graph.results, name))


def _factors(nodes: Sequence[Node], name: str) -> Factors:
    return tuple((n.name, c.factor) for n in nodes for c in n.type.charges if c.name == name)


def permutations(graph: Graph) -> Iterator[Permutable]:
    """Yield what is exact of the groups that move axes of the ports. Then, of axes that nothing is said to
    move, yield the classes of slots that are exact to permute: of each axis by itself, and, of axes of equal
    size that have none, of all together (as a port along j beside one along i)."""
    every = [a for n in graph.inputs for a in n.type.axes if a.size > 1]
    yield from _declared(graph, [a for a in every if a.action.moves])
    axes = dict.fromkeys((a.name, a.size) for a in every if not a.action.moves)
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


def _declared(graph: Graph, axes: Sequence[Axis]) -> Iterator[Permutable]:
    """Yield a claim for each group that moves axes of the ports. Raises CompileError if the outputs do not
    follow its elements."""
    for group, points in dict.fromkeys(a.moved_with for a in axes):
        moved = tuple(dict.fromkeys((a.name, a.size) for a in axes if a.moved_with == (group, points)))
        claim = Permutable(moved, tuple(range(points)), False, points, ACTIONS[group])
        orders = [claim.orders(element) for element in claim.action.generators(points)]
        found = followed(graph, orders)
        if not all(_agreed(graph, orders, found)):
            raise CompileError(
                graph.name,
                f"has outputs that do not follow {claim}",
                "declare the axis without an action, or repair the op that tells its entries apart",
            )
        moves = not all(still(turn) for case in found for turn in case or ())
        yield replace(claim, moves=moves)


def translations(graph: Graph) -> Iterator[Translation]:
    """Yield the ports whose vectors may be moved: each by itself, or else all of one format together."""
    ports = [n for n in graph.inputs if n.type.rep is not S and n.type.rep == group_of(n.type.rep).vector]
    alone = [n for n in ports if same_when_moved(graph, (n.name,))]
    yield from (Translation((n.name,)) for n in alone)
    rest = [n for n in ports if n not in alone]
    for type in dict.fromkeys((n.type.rep, n.type.basis, n.type.formats) for n in rest):
        names = tuple(n.name for n in rest if (n.type.rep, n.type.basis, n.type.formats) == type)
        if len(names) > 1 and same_when_moved(graph, names):
            yield Translation(names)


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
        yield Permutable(axes, slots, head in moving, axes[0][1])


def _exchanged(graph: Graph, axes: Axes, pairs: Sequence[tuple[int, int]]) -> list[bool | None]:
    """Return for each exchange of two slots whether outputs move, or None if it is not exact."""
    orders: list[Orders] = []
    for a, b in pairs:
        order = np.arange(axes[0][1])
        order[[a, b]] = b, a
        orders.append(dict.fromkeys(axes, order))
    found = followed(graph, orders)
    agreed = _agreed(graph, orders, found)
    return [
        None if turn is None or not agrees else not all(map(still, turn))
        for turn, agrees in zip(found, agreed, strict=True)
    ]


def _agreed(graph: Graph, orders: Sequence[Orders], found: Sequence[tuple[Turn, ...] | None]) -> list[bool]:
    """Return whether the float64 reference follows each permutation too: tables whose rows differ by less
    than they round tell slots apart there, though no bit of the hardware does, and nothing is claimed."""
    rng = np.random.default_rng(11)
    raw = spread_events(graph, rng, FEW)
    cases = [k for k, turn in enumerate(found) if turn is not None]
    moved = [permuted(graph, raw, orders[k]) for k in cases]
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
    """Return which events differ: in any bit, or, if the values are floats, beyond 1e-9 of the largest
    component of the tensor."""
    allowed: Any = 0
    if x.dtype.kind == "f":
        allowed = FLOAT_TOLERANCE * np.maximum(1.0, np.abs(y).max(axis=-1, keepdims=True))
    return np.asarray((np.abs(x - y) > allowed).reshape(len(x), -1).any(axis=1), dtype=np.bool_)


def float_values(graph: Graph, feeds: Mapping[str, Ints]) -> dict[str, Floats]:
    """Return the float64 reference on raw integers, every output in its LSBs."""
    floats: dict[str, Floats] = {n.name: feeds[n.name] * n.type.formats.lsb for n in graph.inputs}
    scores = graph.scores(floats)
    return {n.name: scores[n.name] / n.type.formats.lsb for n in graph.results}


def followed(graph: Graph, orders: Sequence[Orders]) -> list[tuple[Turn, ...] | None]:
    """Return, for each permutation of axes of the ports, how every output follows: a permutation of each of
    its axes. None for a permutation that is not exact."""
    cases: list[Orders] = [{}, *orders]
    results = prints(graph, cases)
    found: list[tuple[Turn, ...] | None] = []
    for k in range(1, len(cases)):
        each = [turns(p[0], p[k]) for p in results]
        found.append(None if any(t is None for t in each) else tuple(t for t in each if t is not None))
    return found
