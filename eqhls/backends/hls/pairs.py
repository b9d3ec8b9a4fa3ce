"""The permutation-equivariant blocks as three sums: what the C++ template `pair_map` is given.

Stage one sums elements of x (rows, columns, diagonals), stage two mixes those sums, stage three adds
mixed sums and weighted elements of x. Written from the definitions of the maps, not from the bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.groups.permutation import corner, pairs_of, triangle
from eqhls.ir.types import Type
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.pair_op import PairOp

Weighted = list[tuple[int, int]]
"""(raw weight, index) of each term."""


@dataclass(slots=True)
class PairMap:
    """Index lists of the three stages; `out` holds terms in x, `parts` those in stage two."""

    sums: list[list[int]] = field(default_factory=list[list[int]])
    mixes: list[Weighted] = field(default_factory=list[Weighted])
    out: list[Weighted] = field(default_factory=list[Weighted])
    parts: list[list[int]] = field(default_factory=list[list[int]])

    def mix(self, terms: Sequence[tuple[NDArray[np.int64], Sequence[int]]], s: int) -> int:
        """Add the mix of sums `of` with the weights K[s, :]; return its index."""
        self.mixes.append([(int(k[s, d]), of[d]) for k, of in terms for d in range(len(of)) if k[s, d]])
        return len(self.mixes) - 1

    def total(self, elements: Callable[[int], list[int]], channels: int) -> list[int]:
        """Add a sum for every channel; return their indices."""
        first = len(self.sums)
        self.sums += [elements(d) for d in range(channels)]
        return list(range(first, first + channels))


@dataclass(frozen=True, slots=True)
class Square:
    """Where pair (i, j) of channel d lies in x; triangular where symmetric."""

    n: int
    channels: int
    symmetric: bool

    def at(self, i: int, j: int, d: int) -> int:
        place = int(triangle(self.n)[i, j]) if self.symmetric else i * self.n + j
        return place * self.channels + d

    def vectors(self, m: PairMap) -> dict[str, list[list[int]]]:
        """Add diagonal, row and column sums of every particle; sums by name, particle, channel."""
        n, c = self.n, self.channels
        return {
            "d": [m.total(lambda d, i=i: [self.at(i, i, d)], c) for i in range(n)],
            "r": [m.total(lambda d, i=i: [self.at(i, j, d) for j in range(n)], c) for i in range(n)],
            "c": [m.total(lambda d, i=i: [self.at(j, i, d) for j in range(n)], c) for i in range(n)],
        }

    def event(self, m: PairMap) -> tuple[list[int], list[int]]:
        """Add trace and total."""
        n, c = self.n, self.channels
        trace = m.total(lambda d: [self.at(i, i, d) for i in range(n)], c)
        return trace, m.total(lambda d: [self.at(i, j, d) for i in range(n) for j in range(n)], c)


@singledispatch
def pair_map(op: PairOp, k: NDArray[np.int64], kind: Type) -> PairMap:
    """Return the three sums of a block with raw weights k and one input of a type. Raises CompileError for an
    op without a rule here."""
    raise CompileError(op.kind(), "has no three sums")


@pair_map.register
def _(op: Eq2to2, k: NDArray[np.int64], kind: Type) -> PairMap:
    return eq2to2(k, kind.axes[0].size)


@pair_map.register
def _(op: Eq2to2Symmetric, k: NDArray[np.int64], kind: Type) -> PairMap:
    return eq2to2_symmetric(k, kind.axes[0].size)


@pair_map.register
def _(op: Eq1to2, k: NDArray[np.int64], kind: Type) -> PairMap:
    return eq1to2(k, kind.axes[0].size)


@pair_map.register
def _(op: Eq2to1, k: NDArray[np.int64], kind: Type) -> PairMap:
    return eq2to1(k, *_particles(kind))


@pair_map.register
def _(op: Eq2to0, k: NDArray[np.int64], kind: Type) -> PairMap:
    return eq2to0(k, *_particles(kind))


def _particles(kind: Type) -> tuple[int, bool]:
    """Return the number of particles of a pair tensor, and whether it is triangular."""
    n, triangular = kind.axes[0].size, len(kind.axes) == 2
    return (corner(n) if triangular else n), triangular


def diagonal_places(kind: Type) -> list[int]:
    """Return the places of the pairs (i, i) along the pairs of a tensor."""
    n, triangular = _particles(kind)
    if not triangular:
        return [i * (n + 1) for i in range(n)]
    return [k for k, (i, j) in enumerate(pairs_of(n)) if i == j]


def eq2to2(k: NDArray[np.int64], n: int) -> PairMap:
    """Return the map of weights (out, in, 15) on full storage."""
    m, square = PairMap(), Square(n, k.shape[1], False)
    v, (trace, whole) = square.vectors(m), square.event(m)
    outs = range(len(k))

    def spread(names: str, ops: tuple[int, int, int]) -> list[list[int]]:
        ks = [k[:, :, b] for b in ops]
        return [
            [m.mix([(w, v[a][i]) for a, w in zip(names, ks, strict=True)], s) for s in outs] for i in range(n)
        ]

    corner_, column, row = (spread("dcr", ops) for ops in ((2, 5, 8), (3, 6, 9), (4, 7, 10)))
    every = [m.mix([(k[:, :, 11], trace), (k[:, :, 13], whole)], s) for s in outs]
    diagonal = [m.mix([(k[:, :, 12], trace), (k[:, :, 14], whole)], s) for s in outs]
    for i in range(n):
        for j in range(n):
            for s in outs:
                pair = [(int(k[s, d, 0]), square.at(i, j, d)) for d in range(k.shape[1])]
                turned = [(int(k[s, d, 1]), square.at(j, i, d)) for d in range(k.shape[1])]
                m.out.append(pair + turned)
                own = [corner_[i][s], diagonal[s]] if i == j else []
                m.parts.append([row[i][s], column[j][s], every[s], *own])
    return m


def eq2to2_symmetric(k: NDArray[np.int64], pairs: int) -> PairMap:
    """Return the map of weights (out, in, 9) on triangular storage."""
    n = corner(pairs)
    m, square = PairMap(), Square(n, k.shape[1], True)
    v, (trace, whole) = square.vectors(m), square.event(m)
    outs = range(len(k))

    def spread(b: int, c: int) -> list[list[int]]:
        return [
            [m.mix([(k[:, :, b], v["d"][i]), (k[:, :, c], v["r"][i])], s) for s in outs] for i in range(n)
        ]

    only, side = spread(1, 3), spread(2, 4)
    every = [m.mix([(k[:, :, 5], trace), (k[:, :, 7], whole)], s) for s in outs]
    diagonal = [m.mix([(k[:, :, 6], trace), (k[:, :, 8], whole)], s) for s in outs]
    for i, j in pairs_of(n):
        for s in outs:
            m.out.append([(int(k[s, d, 0]), square.at(i, j, d)) for d in range(k.shape[1])])
            own = [only[i][s], diagonal[s]] if i == j else []
            m.parts.append([side[i][s], side[j][s], every[s], *own])
    return m


def eq1to2(k: NDArray[np.int64], n: int) -> PairMap:
    """Return the map of weights (out, in, 5) from particles to full pairs."""
    m, outs, channels = PairMap(), range(len(k)), k.shape[1]
    own = [m.total(lambda d, i=i: [i * channels + d], channels) for i in range(n)]
    whole = m.total(lambda d: [i * channels + d for i in range(n)], channels)
    corner_, column, row = (
        [[m.mix([(k[:, :, b], own[i])], s) for s in outs] for i in range(n)] for b in (0, 1, 2)
    )
    diagonal, every = ([m.mix([(k[:, :, b], whole)], s) for s in outs] for b in (3, 4))
    for i in range(n):
        for j in range(n):
            for s in outs:
                m.out.append([])
                m.parts.append(
                    [row[i][s], column[j][s], every[s], *([corner_[i][s], diagonal[s]] if i == j else [])]
                )
    return m


def eq2to1(k: NDArray[np.int64], n: int, symmetric: bool) -> PairMap:
    """Return the map of weights (out, in, 5) from pairs to particles."""
    m, square = PairMap(), Square(n, k.shape[1], symmetric)
    v, (trace, whole) = square.vectors(m), square.event(m)
    every = [m.mix([(k[:, :, 3], trace), (k[:, :, 4], whole)], s) for s in range(len(k))]
    for i in range(n):
        for s in range(len(k)):
            own = m.mix([(k[:, :, b], v[a][i]) for b, a in enumerate("drc")], s)
            m.out.append([])
            m.parts.append([own, every[s]])
    return m


def eq2to0(k: NDArray[np.int64], n: int, symmetric: bool) -> PairMap:
    """Return the map of weights (out, in, 2) from pairs to the event."""
    m = PairMap()
    trace, whole = Square(n, k.shape[1], symmetric).event(m)
    for s in range(len(k)):
        m.out.append([])
        m.parts.append([m.mix([(k[:, :, 0], whole), (k[:, :, 1], trace)], s)])
    return m


def padded(lists: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return lists of indices as one table; -1 where a list is shorter."""
    longest = max(1, *map(len, lists))
    return np.array([[*row, *[-1] * (longest - len(row))] for row in lists], dtype=np.int64)
