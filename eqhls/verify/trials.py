"""Zero-tolerance tests of what is claimed: events and their images on one engine, all outputs compared.

Each test has a negative control, images with something wrong in them, which must change an output. A network
may be blind to one control (a sum does not feel an exchange), so that several are looked through for one
that the integer model feels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.groups.lattice import fits_words, raw_action
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type
from eqhls.verify.claims import wrong
from eqhls.verify.symmetry import Symmetry, fractions
from eqhls.verify.testbuild import in_range

Feeds = dict[str, Ints]
Values = NDArray[Any]
Outputs = Mapping[str, Values]
Runner = Callable[[Feeds], Outputs]
"""Raw integers by port to all outputs by name, each of shape (events, *shape)."""
WORDS = 9
"""Words of the group by which `lattice_change` moves every event."""
CONTROL_EVENTS = 400
"""Events on which a control is looked for."""
Moves = tuple[Ints, Ints]
"""Two matrices, the same multiple of two elements of the group, whose images of an event must agree."""


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


@dataclass(frozen=True, slots=True)
class Images:
    """Events under the first and under the second matrix of every pair, as far as both fit the ports; and
    where the events of one pair end."""

    moves: tuple[Moves, ...]
    plain: Feeds
    moved: Feeds
    ends: Ints

    def __len__(self) -> int:
        return len(next(iter(self.plain.values())))

    def followed(self, test: Graph, points: tuple[int, ...], out: Outputs, side: int) -> dict[str, Values]:
        """Return what must be equal for both images of an event: of an output y of the image under A, and y'
        of that under B, the values B y and A y'; a scalar itself. The two matrices of a pair commute, for
        one of them is a multiple of one."""
        found: dict[str, Values] = {}
        for node in test.results:
            parts = np.split(out[node.name], self.ends)
            pairs = zip(parts, self.moves, strict=True)
            found[node.name] = np.concatenate([_acted(node.type, p, points, m, side) for p, m in pairs])
        return found


def group_moves(symmetry: Symmetry, rng: np.random.Generator, rounds: int = 15) -> list[Moves]:
    """Return words of the claimed group, of length 1 to 3, each beside one."""
    assert symmetry.group is not None
    one = np.eye(symmetry.group.dim, dtype=np.int64)
    return [(one, symmetry.group.word(rng, 1 + k % 3, symmetry.proper_only)[1]) for k in range(rounds)]


def pair_moves(symmetry: Symmetry, rng: np.random.Generator, rounds: int = 4) -> list[Moves]:
    """Return elements N / n behind words of the group, as n and N: no integer matrix is so near one."""
    assert symmetry.group is not None
    moves: list[Moves] = []
    letters = symmetry.parent.pairs(symmetry.group.basis, symmetry.proper_only)
    for k in range(rounds if letters else 0):
        divisor, matrix = letters[k % len(letters)]
        word = symmetry.group.word(rng, 1, symmetry.proper_only)[1]
        moves.append((np.eye(len(matrix), dtype=np.int64) * divisor, matrix @ word))
    return moves


def is_whole(symmetry: Symmetry) -> bool:
    """Whether the whole group of the lattice is exact, and elements N / n of the group with it."""
    return symmetry.group is not None and symmetry.whole


def images(symmetry: Symmetry, test: Graph, events: Feeds, moves: Sequence[Moves]) -> Images:
    """Return the images of raw events of the test build under every pair."""
    parts: list[tuple[Feeds, Feeds]] = []
    for pair in moves:
        sides = tuple(dict(events) for _ in pair)
        fits = np.ones(len(next(iter(events.values()))), dtype=bool)
        for image, matrix in zip(sides, pair, strict=True):
            for node in test.inputs:
                if node.type.rep is not S:
                    image[node.name], whole = _image(node, symmetry.points, matrix, events[node.name])
                    fits &= whole & in_range(node.type, image[node.name])
        parts.append(({k: v[fits] for k, v in sides[0].items()}, {k: v[fits] for k, v in sides[1].items()}))
    plain, moved = ({k: np.concatenate([p[side][k] for p in parts]) for k in events} for side in (0, 1))
    sizes = [len(next(iter(p[0].values()))) for p in parts]
    return Images(tuple(moves), plain, moved, np.cumsum(sizes)[:-1])


def check_images(
    symmetry: Symmetry, test: Graph, found: Images, runner: Runner, engine: str, name: str, spoiled: Feeds
) -> SymmetryResult:
    """Compare all outputs for both images of every event, and count those that a control changes."""
    want = found.followed(test, symmetry.points, runner(found.plain), 1)
    got = found.followed(test, symmetry.points, runner(found.moved), 0)
    off = found.followed(test, symmetry.points, runner(spoiled), 0)
    return SymmetryResult(engine, name, len(found), differing(got, want), differing(off, want))


def check_group(
    symmetry: Symmetry, test: Graph, events: Feeds, runner: Runner, engine: str, rng: np.random.Generator
) -> SymmetryResult:
    """Drive events and their images under words of the group; demand equal outputs, or outputs that move
    with the event. `events` are raw integers for every port of the test build."""
    assert symmetry.group is not None
    found = images(symmetry, test, events, group_moves(symmetry, rng))
    spoiled = control(symmetry, test, found)
    return check_images(symmetry, test, found, runner, engine, symmetry.group.name, spoiled)


def check_pairs(
    symmetry: Symmetry, test: Graph, events: Feeds, runner: Runner, engine: str, rng: np.random.Generator
) -> SymmetryResult:
    """The same for elements N / n: events are scaled by n, so that their images are integers too."""
    found = images(symmetry, test, events, pair_moves(symmetry, rng))
    spoiled = control(symmetry, test, found)
    return check_images(symmetry, test, found, runner, engine, symmetry.parent.pair_name, spoiled)


def control(symmetry: Symmetry, test: Graph, found: Images) -> Feeds:
    """Return the moved images with one component of one port off by so much that the integer model feels it,
    or, if it feels none, as little as one LSB."""
    part = np.linspace(0, len(found) - 1, min(CONTROL_EVENTS, len(found))).astype(np.int64)
    few = {k: v[part] for k, v in found.moved.items()}
    want = test.evaluate(few)
    choice: tuple[Node, int, int, int] | None = None
    for choice in _components(test):
        if differing(test.evaluate(_off(few, *choice)), want) > 0:
            break
    return found.moved if choice is None else _off(found.moved, *choice)


def _components(test: Graph) -> Iterator[tuple[Node, int, int, int]]:
    """Yield ports, entries and components, and the bits of a change, the smallest first."""
    ports = [n for n in test.inputs if n.type.rep is not S]
    for bits in range(0, max((n.type.format_of(0).width for n in ports), default=0), 3):
        for node in ports:
            for entry in sorted({0, node.type.elements // node.type.dim - 1}):
                yield from ((node, entry, c, bits) for c in (node.type.dim - 1, 0))


def _off(feeds: Feeds, node: Node, entry: int, component: int, bits: int) -> Feeds:
    """Return events with one component moved by 2**bits towards zero, or away from it."""
    raw = feeds[node.name].copy()
    flat = raw.reshape(len(raw), -1, node.type.dim)
    form, old = node.type.format_of(component), flat[:, entry, component].copy()
    step = np.where(old > 0, -1, 1) * (1 << bits)
    flat[:, entry, component] = np.clip(old + step, form.lo, form.hi)
    return feeds | {node.name: raw}


def lattice_change(symmetry: Symmetry, test: Graph, events: Feeds, rng: np.random.Generator) -> float:
    """Return mean |f(g x) - g f(x)| over the spread of f, of a quantized network on events that its ports
    hold exactly before and after words of the group and elements N / n; the largest of all outputs. What is
    left is the formats' behind the ports: 0 if nothing covariant is rounded.
    """
    assert symmetry.group is not None
    one = np.eye(symmetry.group.dim, dtype=np.int64)
    pairs = symmetry.parent.pairs(symmetry.group.basis, symmetry.proper_only)
    moves = [*group_moves(symmetry, rng, WORDS), *((one * n, matrix) for n, matrix in pairs)]
    found = images(symmetry, test, events, moves)
    want = found.followed(test, symmetry.points, test.evaluate(found.plain), 1)
    got = found.followed(test, symmetry.points, test.evaluate(found.moved), 0)
    return max(
        float(np.abs(got[k] - want[k]).mean() / max(float(want[k].astype(np.float64).std()), 1.0))
        for k in want
    )


def _image(node: Node, points: tuple[int, ...], matrix: Ints, x: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the image of raw integers, and which events it holds: those that fit words of 62 bits."""
    action, divisor = _action(node.type, points, matrix.tobytes())
    assert divisor == 1, "a claimed transformation maps every lattice into itself"
    if fits_words(action, x):
        return x @ action.T, np.ones(len(x), dtype=np.bool_)
    exact = x.astype(object) @ action.T.astype(object)
    fits = (np.abs(exact) < 1 << 62).reshape(len(x), -1).all(axis=1)
    exact[~fits] = 0
    return exact.astype(np.int64), np.asarray(fits, dtype=np.bool_)


@cache
def _action(type: Type, points: tuple[int, ...], matrix: bytes) -> tuple[Ints, int]:
    square = np.frombuffer(matrix, dtype=np.int64).reshape(len(points), len(points))
    return raw_action(type.rep, type.basis, square, points, fractions(type))


def _acted(type: Type, x: Values, points: tuple[int, ...], pair: Moves, side: int) -> Values:
    """Return outputs under one matrix of a pair, both sides in the same LSBs."""
    if type.rep is S:
        return x
    (mine, divisor), (_, other) = (_action(type, points, pair[k].tobytes()) for k in (side, 1 - side))
    if x.dtype.kind == "f":
        return np.asarray(x @ mine.T.astype(np.float64) / divisor)
    matrix = mine.astype(object) * (lcm(divisor, other) // divisor)
    small = int(np.abs(x).max(initial=0)) * int(np.abs(matrix).sum(axis=1).max()) < 1 << 62
    return x @ matrix.astype(np.int64).T if small else x.astype(object) @ matrix.T


def differing(a: Outputs, b: Outputs) -> int:
    """Count events of which any output differs, as `wrong` says."""
    return int(np.logical_or.reduce([wrong(x, b[name]) for name, x in a.items()]).sum())
