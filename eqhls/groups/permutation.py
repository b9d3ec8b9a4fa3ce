"""Groups that permute the entries of an axis, and what they do to each axis that they move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError


def permute(x: NDArray[Any], axis: int, order: NDArray[np.int64]) -> NDArray[Any]:
    """Return x with entry k along `axis` taken from order[k]."""
    return np.take(x, order, axis=axis)


def random_order(rng: np.random.Generator, size: int, free: tuple[int, ...]) -> NDArray[np.int64]:
    """Return a permutation of `size` slots that moves only the `free` ones."""
    order = np.arange(size)
    slots = np.array(free, dtype=np.int64)
    order[slots] = rng.permutation(slots)
    return order


def pairs_of(n: int) -> list[tuple[int, int]]:
    """Return the pairs i <= j of n particles, in the order of triangular storage: 00, 01, .., 11, .."""
    return [(i, j) for i in range(n) for j in range(i, n)]


def triangle(n: int) -> NDArray[np.int64]:
    """Return the place in triangular storage of every pair of n particles, shape (n, n)."""
    at = np.zeros((n, n), dtype=np.int64)
    for k, (i, j) in enumerate(pairs_of(n)):
        at[i, j] = at[j, i] = k
    return at


def points_of_pairs(pairs: int) -> int:
    """Return the number of particles that have so many pairs i <= j. Raises CompileError if none."""
    n = isqrt(2 * pairs)
    if n * (n + 1) != 2 * pairs:
        raise CompileError("pairs", f"found {pairs} pairs", "expected n (n + 1) / 2: 1, 3, 6, 10, ..")
    return n


Order = NDArray[np.int64]
"""A permutation: entry k is taken from order[k]."""


@dataclass(frozen=True, slots=True)
class Action:
    """How a group moves the entries of an axis. All axes that one group moves are moved by the same element,
    if it permutes as many points; an axis of pairs i <= j of the points goes with the points."""

    name: str
    group: str
    pairs: bool = False

    @property
    def moves(self) -> bool:
        return self.group != ""

    def points(self, size: int) -> int:
        """Return how many points the group permutes if an axis has this size. Raises CompileError if it
        permutes no such number."""
        points = points_of_pairs(size) if self.pairs else size
        if self.moves and not _GROUPS[self.group](points):
            raise CompileError(
                "axes",
                f"found an axis of {size} entries that {self.group} moves",
                f"give the axis one entry per element of {self.group}",
            )
        return points

    def generators(self, points: int) -> tuple[Order, ...]:
        """Return permutations of the points that generate the group."""
        return tuple(np.array(g, dtype=np.int64) for g in _GROUPS[self.group](points))

    def random(self, rng: np.random.Generator, points: int) -> Order:
        """Return a random element, as a word of generators long enough to reach every one."""
        if self.group == PARTICLES.group:
            return rng.permutation(points)
        order, letters = np.arange(points), self.generators(points)
        for k in rng.integers(len(letters), size=int(rng.integers(1, 2 * points + 1))):
            order = order[letters[k]]
        return order

    def order(self, element: Order) -> Order:
        """Return what an element does to the entries of the axis."""
        return pair_order(element) if self.pairs else element


def pair_order(order: Order) -> Order:
    """Return the order of the pairs i <= j, in triangular storage, if the points are permuted."""
    at = triangle(len(order))
    return np.array([at[order[i], order[j]] for i, j in pairs_of(len(order))], dtype=np.int64)


def _symmetric(points: int) -> list[list[int]]:
    if points < 2:
        return [list(range(points))]
    return [[1, 0, *range(2, points)], [*range(1, points), 0]]


def _cyclic(points: int) -> list[list[int]]:
    return [[*range(1, points), 0]]


def _regular(turns: int, mirrored: bool) -> Callable[[int], list[list[int]]]:
    """Return the group of a polygon on an axis of its own elements: entry r + turns * m is the turn by r
    behind a reflection if m is 1."""

    def generators(points: int) -> list[list[int]]:
        if points != turns * (1 + mirrored):
            return []
        turn = [(r + 1) % turns for r in range(turns)]
        if not mirrored:
            return [turn]
        back = [turns + (r - 1) % turns for r in range(turns)]
        return [[*turn, *back], [*range(turns, 2 * turns), *range(turns)]]

    return generators


_GROUPS: dict[str, Callable[[int], list[list[int]]]] = {
    "S": _symmetric,
    "Z": _cyclic,
    "C4": _regular(4, mirrored=False),
    "D4": _regular(4, mirrored=True),
}
"""Generators of each group as permutations of so many points; none if it permutes no such number."""

CHANNELS = Action("", "")
"""Nobody moves the entries."""
PARTICLES = Action("S", "S")
"""All permutations: the entries are a set."""
PAIRS = Action("P", "S", pairs=True)
"""The pairs i <= j of a set, moved with it."""
RING = Action("Z", "Z")
"""Shifts around a ring; a periodic lattice has one ring for each direction."""
ACTIONS = {a.name: a for a in (CHANNELS, PARTICLES, PAIRS, RING, Action("C4", "C4"), Action("D4", "D4"))}
"""By the letter that follows @ in a type. C4 and D4 are the axes of the elements of a square's turns, and of
its turns and reflections."""
