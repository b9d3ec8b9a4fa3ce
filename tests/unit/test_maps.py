"""The names of the maps of pairs, checked against the float references of the ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eqhls.groups.rep import S
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import BASIS, Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.maps import PLACES, SUMS, at, maps_of, sums

N = 3
ROWS, COLUMNS, PAIRS, ONE = Axis("i", N), Axis("j", N), Axis("p", N * (N + 1) // 2), Axis("c", 1)
SQUARE, TRIANGLE, LINE = (Type(S, (*axes, ONE)) for axes in ((ROWS, COLUMNS), (PAIRS,), (ROWS,)))
UPPER = np.triu_indices(N)
OPS: list[tuple[type[Any], Type]] = [
    (Eq2to2, SQUARE),
    (Eq2to2Symmetric, TRIANGLE),
    (Eq1to2, LINE),
    (Eq2to1, SQUARE),
    (Eq2to0, SQUARE),
]
Source = Callable[[np.ndarray], np.ndarray]
SOURCES: dict[str, Source] = {
    "x": lambda x: x,
    "y": lambda x: x.T,
    "d": np.diag,
    "v": lambda x: x,
    "c": lambda x: x.sum(0),
    "r": lambda x: x.sum(1),
    "trace": np.trace,
    "whole": np.sum,
    "total": np.sum,
}


def placed(value: np.ndarray, place: str, pairs: bool) -> np.ndarray:
    """Spread a value over pairs (N, N), or over the entries of a result without."""
    match place:
        case "row":
            return np.repeat(value[:, None], N, axis=1)
        case "column":
            return np.repeat(value[None], N, axis=0)
        case "sides":
            return value[:, None] + value[None]
        case "corner":
            return np.diag(value)
        case "diagonal":
            return value * np.eye(N)
        case "all":
            return value * np.ones((N, N) if pairs else N)
        case _:
            return value


@pytest.mark.parametrize(("op", "type_"), OPS, ids=lambda v: getattr(v, "__name__", ""))
def test_each_weight_is_that_of_the_map_it_is_called(op: type[Any], type_: Type) -> None:
    x = np.random.default_rng(1).normal(size=(N, N) if type_ is not LINE else N)
    x = x + x.T if type_ is TRIANGLE else x
    given = x[UPPER] if type_ is TRIANGLE else x
    for k, (source, place) in enumerate(op.maps):
        weight = np.zeros((1, 1, len(op.maps)))
        weight[..., k] = 1.0
        got = op(Tensor(weight)).reference((type_,), given.reshape(1, *type_.shape))[0, ..., 0, 0]
        want = placed(SOURCES[source](x), place, op in (Eq2to2, Eq2to2Symmetric, Eq1to2))
        np.testing.assert_allclose(got, want[UPPER] if type_ is TRIANGLE else want, rtol=1e-12)


def test_maps_are_found_by_place() -> None:
    assert len(Eq2to2.maps) == len(set(Eq2to2.maps)) == BASIS
    assert at(Eq2to2.maps, "row") == {"d": 4, "c": 7, "r": 10} and not at(Eq2to2.maps, "own")
    assert sums(maps_of("x@pair r@row total@all")) == (0, 1, 2)
    assert {m.place for op, _ in OPS for m in op.maps} == set(PLACES)
    assert {m.source for op, _ in OPS for m in op.maps} == set(SUMS) == set(SOURCES)


def test_a_name_that_is_none_is_refused() -> None:
    for text in ("z@pair", "x@nowhere"):
        with pytest.raises(AssertionError):
            maps_of(text)
