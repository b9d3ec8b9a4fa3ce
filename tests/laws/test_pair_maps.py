"""Maps of pairs and particles by the names that their ops give them, checked against the float reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from eqhls import ops
from eqhls.groups.permutation import pairs_of, points_of_pairs
from eqhls.ir.op import Example, Floats, Tensor
from eqhls.ops.maps import Map
from eqhls.ops.pair_op import PairOp

PAIRS = [e for e in ops.examples() if isinstance(e.op, PairOp)]


def spread_out(m: Map, x: Floats, rank: int) -> Floats:
    """Return one map of pairs (n, n) or particles (n,), as pairs, particles or the event, from its name."""
    one, eye = np.ones(len(x)), np.eye(len(x))
    sources = {"v": x, "whole": x.sum()}
    if x.ndim == 2:
        sources = {"x": x, "y": x.T, "d": np.diag(x), "c": x.sum(0), "r": x.sum(1)}
        sources |= {"trace": np.trace(x), "total": x.sum()}
    s = sources[m.source]
    if rank < 2:
        return s if m.place == "own" else s * one
    row = np.multiply.outer(s, one) if s.ndim == 1 else s
    places = {"pair": s, "row": row, "column": row.T, "sides": row + row.T, "corner": row * eye}
    return places.get(m.place, s * (eye if m.place == "diagonal" else np.ones_like(eye)))


def maps_found(example: Example, maps: Sequence[Map], rng: np.random.Generator) -> list[bool]:
    """Return for each map whether the float reference, with this weight alone, is what its name says."""
    op, type = example.op, example.types[0]
    assert isinstance(op, PairOp)
    triangular, result = len(type.axes) == 2 and maps[0].source != "v", op.infer(type)
    n = points_of_pairs(type.axes[0].size) if triangular else type.axes[0].size
    left, right = (np.array(side) for side in zip(*pairs_of(n), strict=True))
    x = rng.normal(size=(n,) * (1 if maps[0].source == "v" else 2))
    x = x + x.T if triangular else x
    value = np.zeros((1, *type.shape))
    value[0, ..., 0, 0] = x[left, right] if triangular else x
    rank = 2 if op.maps[0].place in ("pair", "corner") else len(result.axes) - 1
    found: list[bool] = []
    for k, m in enumerate(maps):
        weight = np.zeros(op.weight.shape)
        weight[0, 0, k] = 1.0
        alone = replace(op, weight=Tensor(weight), **dict.fromkeys(op.weights[1:]))
        expected = spread_out(m, x, rank)
        expected = expected[left, right] if rank == 2 and len(result.axes) == 2 else expected
        found.append(np.allclose(alone.reference((type,), value)[0, ..., 0, 0], expected))
    return found


@pytest.mark.parametrize("example", PAIRS, ids=str)
def test_maps_of_pairs_are_what_they_are_called(example: Example, rng: np.random.Generator) -> None:
    """And not what others are called: of symmetric pairs, sums of rows and of columns are one."""
    op = example.op
    assert isinstance(op, PairOp) and len(op.maps) == op.weight.shape[-1]
    assert all(maps_found(example, op.maps, rng))
    assert sum(maps_found(example, [*op.maps[1:], op.maps[0]], rng)) < 2


@pytest.mark.parametrize("example", PAIRS, ids=str)
def test_shifts_of_pairs_are_added_where_they_say(example: Example, rng: np.random.Generator) -> None:
    """A shift is what a map of the same place makes of 1; and mixes are rounded if they are said to be."""
    op, type = example.op, example.types[0]
    assert isinstance(op, PairOp)
    silent = replace(op, weight=Tensor(np.zeros(op.weight.shape)))
    result = silent.reference((type,), np.zeros((1, *type.shape)))[0, ..., 0]
    expected = np.zeros(result.shape)
    for place, shift in op.shifts().items():
        assert place in {m.place for m in op.maps}
        where = np.ones(result.shape[:-1]) if place != "diagonal" else diagonal(result.shape[:-1])
        expected = expected + (0.0 if shift is None else where[..., None] * shift.array)
    assert np.array_equal(result, expected)
    assert (op.kept() is not None) == bool(np.any(op.rounding((type,))))


def diagonal(shape: tuple[int, ...]) -> Floats:
    return (
        np.eye(shape[0])
        if len(shape) == 2
        else np.array([float(i == j) for i, j in pairs_of(points_of_pairs(*shape))])
    )
