"""Where the parts of a layered picture stand: every edge goes forward by some layers, and few edges cross.

The method is that of Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11 (1981) 109): layers by the longest path
from the sources, an order in each layer by the means of the neighbours, and then places close to those means.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

ROUNDS = 12
"""Sweeps down and up, after which the order hardly changes."""
STRAIGHT = 4.0
"""The weight of a neighbour on a line that passes layers, so that long lines are straight."""
Spot = tuple[str, int]
"""A vertex in its layer, or the line of its value in a later layer that the line passes."""
Edges = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The layer of every vertex, the centre of every spot across the layers, and the full width.

    Vertices at one end of several edges share the line up to the layer in which it forks.
    """

    layers: Mapping[str, int]
    centres: Mapping[Spot, float]
    width: float

    def route(self, start: str, end: str) -> list[Spot]:
        """Return what the edge between two vertices passes, both included."""
        first, last = self.layers[start], self.layers[end]
        return [*((start, k) for k in range(first, last)), (end, last)]


def layout(widths: Mapping[str, float], edges: Edges, gap: float, line: float) -> Layout:
    """Place vertices of the given widths, `gap` apart. A line that passes a layer takes the width `line`.
    `widths` has the vertices in an order in which every edge goes forward."""
    layers = longest_paths(list(widths), edges)
    rows, links = _rows(layers, edges)
    rows = _ordered(rows, links)
    sizes = {s: widths[s[0]] if layers[s[0]] == s[1] else line for row in rows for s in row}
    centres = _placed(rows, links, sizes, gap)
    left = min(x - sizes[s] / 2 for s, x in centres.items())
    right = max(x + sizes[s] / 2 for s, x in centres.items())
    return Layout(layers, {s: round(x - left, 1) for s, x in centres.items()}, round(right - left, 1))


def longest_paths(names: Sequence[str], edges: Edges) -> dict[str, int]:
    """Return the layer of every vertex: one more than the last of those that it reads. A source stands right
    before the first vertex that reads it, unless it is the very first."""
    layers = dict.fromkeys(names, 0)
    reads, read_by = ({n: list[str]() for n in names} for _ in range(2))
    for a, b in edges:
        reads[b].append(a)
        read_by[a].append(b)
    for name in names:
        layers[name] = max((layers[r] + 1 for r in reads[name]), default=0)
    for name in names:
        if not reads[name] and read_by[name]:
            layers[name] = min(layers[r] for r in read_by[name]) - 1
    return layers


def _rows(layers: Mapping[str, int], edges: Edges) -> tuple[list[list[Spot]], set[tuple[Spot, Spot]]]:
    """Return the spots of every layer, and the links between spots of neighbouring layers."""
    spots: dict[Spot, None] = dict.fromkeys(layers.items())
    links = set[tuple[Spot, Spot]]()
    for a, b in edges:
        path = [*((a, k) for k in range(layers[a], layers[b])), (b, layers[b])]
        spots |= dict.fromkeys(path)
        links |= set(pairwise(path))
    rows: list[list[Spot]] = [[] for _ in range(max(layers.values(), default=0) + 1)]
    for spot in spots:
        rows[spot[1]].append(spot)
    return rows, links


def _neighbours(links: set[tuple[Spot, Spot]]) -> tuple[dict[Spot, list[Spot]], dict[Spot, list[Spot]]]:
    """Return the spots above and below each spot."""
    above, below = dict[Spot, list[Spot]](), dict[Spot, list[Spot]]()
    for a, b in sorted(links):
        below.setdefault(a, []).append(b)
        above.setdefault(b, []).append(a)
    return above, below


def _ordered(rows: list[list[Spot]], links: set[tuple[Spot, Spot]]) -> list[list[Spot]]:
    """Return the rows in the order with the fewest crossings that the sweeps find."""
    above, below = _neighbours(links)
    best, fewest = rows, crossings(rows, links)
    for sweep in range(ROUNDS):
        down = sweep % 2 == 0
        rows = _swept(rows if down else rows[::-1], above if down else below)
        rows = rows if down else rows[::-1]
        found = crossings(rows, links)
        if found < fewest:
            best, fewest = rows, found
    return best


def _swept(rows: list[list[Spot]], before: Mapping[Spot, list[Spot]]) -> list[list[Spot]]:
    """Order each row by the mean place of the neighbours in the row before it."""
    out = [rows[0]]
    for row in rows[1:]:
        at = {s: k for k, s in enumerate(out[-1])}
        own = {s: k * len(out[-1]) / len(row) for k, s in enumerate(row)}
        means = {s: _mean([at[b] for b in before[s]]) if s in before else own[s] for s in row}
        out.append(sorted(row, key=means.__getitem__))
    return out


def crossings(rows: Sequence[Sequence[Spot]], links: set[tuple[Spot, Spot]]) -> int:
    """Return how many pairs of links cross."""
    at = {s: k for row in rows for k, s in enumerate(row)}
    by_row: dict[int, list[tuple[int, int]]] = {}
    for a, b in links:
        by_row.setdefault(a[1], []).append((at[a], at[b]))
    return sum(_inversions([end for _, end in sorted(pairs)]) for pairs in by_row.values())


def _inversions(ends: Sequence[int]) -> int:
    seen: list[int] = []
    count = 0
    for end in ends:
        count += len(seen) - bisect_right(seen, end)
        insort(seen, end)
    return count


def _placed(
    rows: list[list[Spot]], links: set[tuple[Spot, Spot]], sizes: Mapping[Spot, float], gap: float
) -> dict[Spot, float]:
    """Return the centre of every spot: close to the mean of its neighbours, in order, and not on another."""
    above, below = _neighbours(links)
    centres = dict[Spot, float]()
    for row in rows:
        x = 0.0
        for spot in row:
            centres[spot] = x + sizes[spot] / 2
            x += sizes[spot] + gap
        for spot in row:
            centres[spot] -= x / 2
    for sweep in range(ROUNDS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            both = {s: [*above.get(s, ()), *below.get(s, ())] for s in row}
            wanted = {s: _mean([centres[b] for b in both[s]]) if both[s] else centres[s] for s in row}
            passing = {s: STRAIGHT if any(b[0] == s[0] for b in both[s]) else 1.0 for s in row}
            centres |= apart(row, wanted, sizes, passing, gap)
    return centres


def apart(
    row: Sequence[Spot],
    wanted: Mapping[Spot, float],
    sizes: Mapping[Spot, float],
    weights: Mapping[Spot, float],
    gap: float,
) -> dict[Spot, float]:
    """Return the places, in the order of the row and without overlap, whose weighted squared distance from
    those wanted is least. It is an isotonic regression: spots that would overlap move as one block."""
    offsets, total = list[float](), 0.0
    for before, spot in zip([None, *row], row, strict=False):
        total += gap + (sizes[before] + sizes[spot]) / 2 if before else 0.0
        offsets.append(total)
    blocks: list[tuple[float, float, int]] = []
    for spot, offset in zip(row, offsets, strict=True):
        weight, mean, count = weights[spot], wanted[spot] - offset, 1
        while blocks and blocks[-1][1] > mean:
            w, m, c = blocks.pop()
            weight, mean, count = weight + w, (weight * mean + w * m) / (weight + w), count + c
        blocks.append((weight, mean, count))
    starts = [mean for _, mean, count in blocks for _ in range(count)]
    return {s: start + offset for s, start, offset in zip(row, starts, offsets, strict=True)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
