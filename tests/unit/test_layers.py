"""Layered pictures: every edge goes forward, nothing lies on another, and few edges cross."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from eqhls.report.layers import Edges, Layout, apart, crossings, layout, longest_paths

GAP, LINE = 20.0, 10.0


def random_edges(seed: int, count: int) -> tuple[dict[str, float], Edges]:
    """Vertices of random widths, each of which reads up to three of those before it."""
    rng = np.random.default_rng(seed)
    widths = {f"v{k}": float(rng.integers(40, 200)) for k in range(count)}
    names = list(widths)
    edges = [
        (names[a], names[b])
        for b in range(3, count)
        for a in rng.choice(b, size=min(b, int(rng.integers(1, 4))), replace=False)
    ]
    return widths, edges


def extents(widths: dict[str, float], found: Layout) -> dict[int, list[tuple[float, float]]]:
    """The intervals that boxes and lines take in each layer."""
    out: dict[int, list[tuple[float, float]]] = {}
    for (name, layer), centre in found.centres.items():
        width = widths[name] if found.layers[name] == layer else LINE
        out.setdefault(layer, []).append((centre - width / 2, centre + width / 2))
    return out


@pytest.mark.parametrize("seed", range(6))
def test_nothing_overlaps_and_every_edge_goes_forward(seed: int) -> None:
    widths, edges = random_edges(seed, 10 + 15 * seed)
    found = layout(widths, edges, GAP, LINE)
    assert set(found.layers) == set(widths)
    for row in extents(widths, found).values():
        row.sort()
        assert row[0][0] >= -0.1 and row[-1][1] <= found.width + 0.1
        assert all(b[0] - a[1] >= GAP - 0.2 for a, b in pairwise(row))
    for start, end in edges:
        route = found.route(start, end)
        assert found.layers[start] < found.layers[end]
        assert [layer for _, layer in route] == list(range(found.layers[start], found.layers[end] + 1))
        assert all(spot in found.centres for spot in route)


def test_layers_are_longest_paths_and_sources_stand_before_their_first_reader() -> None:
    names = ["p", "a", "b", "constant", "late", "alone"]
    edges = [("p", "a"), ("a", "b"), ("p", "late"), ("b", "late"), ("constant", "late")]
    assert longest_paths(names, edges) == {"p": 0, "a": 1, "b": 2, "constant": 2, "late": 3, "alone": 0}
    assert longest_paths([], []) == {}


def test_crossings_are_counted_and_those_that_need_not_be_are_undone() -> None:
    rows = [[("a", 0), ("b", 0), ("c", 0)], [("x", 1), ("y", 1), ("z", 1)]]
    turned = {(("a", 0), ("z", 1)), (("b", 0), ("y", 1)), (("c", 0), ("x", 1))}
    assert crossings(rows, turned) == 3
    assert crossings(rows, {(("a", 0), ("x", 1)), (("b", 0), ("x", 1))}) == 0
    names = [row[0] for row in rows[0]] + [row[0] for row in rows[1]]
    found = layout(dict.fromkeys(names, 30.0), [(a, b) for (a, _), (b, _) in turned], GAP, LINE)
    assert [found.centres[a, 0] - found.centres[b, 1] for a, b in (("a", "z"), ("b", "y"), ("c", "x"))] == [
        0
    ] * 3


def test_places_are_those_wanted_unless_they_overlap() -> None:
    row = [("a", 0), ("b", 0), ("c", 0)]
    sizes, weights = dict.fromkeys(row, 10.0), dict.fromkeys(row, 1.0)
    free = dict(zip(row, (0.0, 50.0, 90.0), strict=True))
    assert apart(row, free, sizes, weights, 5.0) == free
    close = dict(zip(row, (0.0, 0.0, 100.0), strict=True))
    assert list(apart(row, close, sizes, weights, 5.0).values()) == [-7.5, 7.5, 100.0]
    heavy = weights | {row[0]: 3.0}
    assert list(apart(row, close, sizes, heavy, 5.0).values()) == [-3.75, 11.25, 100.0]
