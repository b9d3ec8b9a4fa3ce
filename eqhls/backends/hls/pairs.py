"""The permutation-equivariant ops as three sums: what the C++ template `pair_map` is given.

Stage one sums elements of x (rows, columns, diagonals), stage two mixes those sums, stage three adds
mixed sums and weighted elements of x. Written from the definitions of the maps, not from the bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.groups.permutation import pairs_of, points_of_pairs, triangle
from eqhls.ir.types import Type
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.maps import at
from eqhls.ops.pair_op import PairOp

Weighted = list[tuple[int, int]]
"""(raw weight, index) of each term."""
Vectors = dict[str, list[list[int]]]
"""Indices of sums by source, particle and channel."""


@dataclass(slots=True)
class PairMap:
    """Index lists of the three stages; `out` holds terms in x, `parts` those in stage two."""

    sums: list[list[int]] = field(default_factory=list[list[int]])
    mixes: list[Weighted] = field(default_factory=list[Weighted])
    out: list[Weighted] = field(default_factory=list[Weighted])
    parts: list[list[int]] = field(default_factory=list[list[int]])

    def mix(self, k: NDArray[np.int64], found: dict[str, int], sources: Mapping[str, Sequence[int]]) -> int:
        """Add a mix of sums with the weights k (channels, maps) of one result. `found` says which map takes
        each source, `sources` where the sums of its channels are. Return the index of the mix."""
        terms = [(int(k[d, b]), i) for name, b in found.items() for d, i in enumerate(sources[name])]
        self.mixes.append([(w, i) for w, i in terms if w])
        return len(self.mixes) - 1

    def total(self, elements: Callable[[int], list[int]], channels: int) -> list[int]:
        """Add a sum for every channel; return their indices."""
        first = len(self.sums)
        self.sums += [elements(d) for d in range(channels)]
        return list(range(first, first + channels))


@dataclass(frozen=True, slots=True)
class Square:
    """Where pair (i, j) of channel d lies in x; triangular if symmetric."""

    n: int
    channels: int
    symmetric: bool

    def at(self, i: int, j: int, d: int) -> int:
        place = int(triangle(self.n)[i, j]) if self.symmetric else i * self.n + j
        return place * self.channels + d

    def vectors(self, m: PairMap) -> Vectors:
        """Add diagonal, row and column sums of every particle; sums by name, particle, channel."""
        n, c = self.n, self.channels
        return {
            "d": [m.total(lambda d, i=i: [self.at(i, i, d)], c) for i in range(n)],
            "r": [m.total(lambda d, i=i: [self.at(i, j, d) for j in range(n)], c) for i in range(n)],
            "c": [m.total(lambda d, i=i: [self.at(j, i, d) for j in range(n)], c) for i in range(n)],
        }

    def event(self, m: PairMap) -> dict[str, list[int]]:
        """Add trace and total; sums by name, channel."""
        n, c = self.n, self.channels
        trace = m.total(lambda d: [self.at(i, i, d) for i in range(n)], c)
        total = m.total(lambda d: [self.at(i, j, d) for i in range(n) for j in range(n)], c)
        return {"trace": trace, "total": total}


@singledispatch
def pair_map(op: PairOp, k: NDArray[np.int64], type: Type) -> PairMap:
    """Return the three sums of an op with raw weights k and one input of a type. Raises CompileError for an
    op without a rule here."""
    raise CompileError(
        op.name(), "has no three sums", "give this op a rule of its own in backends/hls/pairs.py"
    )


@pair_map.register
def _(op: Eq2to2, k: NDArray[np.int64], type: Type) -> PairMap:
    return eq2to2(k, type.axes[0].size)


@pair_map.register
def _(op: Eq2to2Symmetric, k: NDArray[np.int64], type: Type) -> PairMap:
    return eq2to2_symmetric(k, type.axes[0].size)


@pair_map.register
def _(op: Eq1to2, k: NDArray[np.int64], type: Type) -> PairMap:
    return eq1to2(k, type.axes[0].size)


@pair_map.register
def _(op: Eq2to1, k: NDArray[np.int64], type: Type) -> PairMap:
    return eq2to1(k, *_particles(type))


@pair_map.register
def _(op: Eq2to0, k: NDArray[np.int64], type: Type) -> PairMap:
    return eq2to0(k, *_particles(type))


def _particles(type: Type) -> tuple[int, bool]:
    """Return the number of particles of a pair tensor, and whether it is triangular."""
    n, triangular = type.axes[0].size, len(type.axes) == 2
    return (points_of_pairs(n) if triangular else n), triangular


def diagonal_places(type: Type) -> list[int]:
    """Return the places of the pairs (i, i) along the pairs of a tensor."""
    n, triangular = _particles(type)
    if not triangular:
        return [i * (n + 1) for i in range(n)]
    return [k for k, (i, j) in enumerate(pairs_of(n)) if i == j]


def spread(m: PairMap, k: NDArray[np.int64], found: dict[str, int], v: Vectors) -> list[list[int]]:
    """Add the mixes of every particle; return their indices by particle and result."""
    n = len(next(iter(v.values())))
    return [[m.mix(row, found, {name: of[i] for name, of in v.items()}) for row in k] for i in range(n)]


def eq2to2(k: NDArray[np.int64], n: int) -> PairMap:
    """Return the map of weights (out, in, 15) on full storage."""
    m, square = PairMap(), Square(n, k.shape[1], False)
    v, event = square.vectors(m), square.event(m)
    own, column, row = (spread(m, k, at(Eq2to2.maps, place), v) for place in ("corner", "column", "row"))
    every, diagonal = ([m.mix(w, at(Eq2to2.maps, p), event) for w in k] for p in ("all", "diagonal"))
    pair = at(Eq2to2.maps, "pair")
    for i in range(n):
        for j in range(n):
            for s, weights in enumerate(k):
                straight = [(int(w[pair["x"]]), square.at(i, j, d)) for d, w in enumerate(weights)]
                turned = [(int(w[pair["y"]]), square.at(j, i, d)) for d, w in enumerate(weights)]
                m.out.append(straight + turned)
                m.parts.append(
                    [row[i][s], column[j][s], every[s], *([own[i][s], diagonal[s]] if i == j else [])]
                )
    return m


def eq2to2_symmetric(k: NDArray[np.int64], pairs: int) -> PairMap:
    """Return the map of weights (out, in, 9) on triangular storage."""
    n, maps = points_of_pairs(pairs), Eq2to2Symmetric.maps
    m, square = PairMap(), Square(n, k.shape[1], True)
    v, event = square.vectors(m), square.event(m)
    only, side = (spread(m, k, at(maps, place), v) for place in ("corner", "sides"))
    every, diagonal = ([m.mix(w, at(maps, p), event) for w in k] for p in ("all", "diagonal"))
    pair = at(maps, "pair")["x"]
    for i, j in pairs_of(n):
        for s, weights in enumerate(k):
            m.out.append([(int(w[pair]), square.at(i, j, d)) for d, w in enumerate(weights)])
            own = [only[i][s], diagonal[s]] if i == j else []
            m.parts.append([side[i][s], side[j][s], every[s], *own])
    return m


def eq1to2(k: NDArray[np.int64], n: int) -> PairMap:
    """Return the map of weights (out, in, 5) from particles to full pairs."""
    m, channels, maps = PairMap(), k.shape[1], Eq1to2.maps
    v = {"v": [m.total(lambda d, i=i: [i * channels + d], channels) for i in range(n)]}
    event = {"whole": m.total(lambda d: [i * channels + d for i in range(n)], channels)}
    own, column, row = (spread(m, k, at(maps, place), v) for place in ("corner", "column", "row"))
    diagonal, every = ([m.mix(w, at(maps, p), event) for w in k] for p in ("diagonal", "all"))
    for i in range(n):
        for j in range(n):
            for s in range(len(k)):
                m.out.append([])
                m.parts.append(
                    [row[i][s], column[j][s], every[s], *([own[i][s], diagonal[s]] if i == j else [])]
                )
    return m


def eq2to1(k: NDArray[np.int64], n: int, symmetric: bool) -> PairMap:
    """Return the map of weights (out, in, 5) from pairs to particles."""
    m, square = PairMap(), Square(n, k.shape[1], symmetric)
    v, event = square.vectors(m), square.event(m)
    every = [m.mix(w, at(Eq2to1.maps, "all"), event) for w in k]
    own = spread(m, k, at(Eq2to1.maps, "own"), v)
    for i in range(n):
        for s in range(len(k)):
            m.out.append([])
            m.parts.append([own[i][s], every[s]])
    return m


def eq2to0(k: NDArray[np.int64], n: int, symmetric: bool) -> PairMap:
    """Return the map of weights (out, in, 2) from pairs to the event."""
    m = PairMap()
    event = Square(n, k.shape[1], symmetric).event(m)
    for weights in k:
        m.out.append([])
        m.parts.append([m.mix(weights, at(Eq2to0.maps, "own"), event)])
    return m


def padded(lists: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return lists of indices as one table; -1 where a list is shorter."""
    longest = max(1, *map(len, lists))
    return np.array([[*row, *[-1] * (longest - len(row))] for row in lists], dtype=np.int64)
