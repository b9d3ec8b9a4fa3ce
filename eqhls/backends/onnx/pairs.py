"""The pair ops in ONNX operators: where each map of the basis takes its numbers, and where they go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eqhls.backends.onnx.body import Body
from eqhls.groups.permutation import pairs_of, points_of_pairs, triangle
from eqhls.ir.types import Type
from eqhls.ops.pair_op import PairOp

PARTICLES = ("v", "whole")
"""Sources of maps whose input is a tensor of particles."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """n particles; whether their pairs lie along one axis (i <= j), or on two."""

    n: int
    triangular: bool

    def equal(self) -> np.ndarray:
        """Return delta_ij over the axes of pairs and one channel."""
        if self.triangular:
            return np.array([[float(i == j)] for i, j in pairs_of(self.n)])
        return np.eye(self.n)[:, :, None]


def lower_pairs(op: PairOp, body: Body, types: tuple[Type, ...]) -> str:
    """Append the operators of a pair op: a mix for each place (rounded down if the op says
    `kept`), spread over the pairs and added."""
    out = op.infer(*types)
    particles = all(m.source in PARTICLES for m in op.maps)
    triangular = len(types[0].axes) == 2 and not particles
    n = points_of_pairs(types[0].axes[0].size) if triangular else types[0].axes[0].size
    pairs = _Pairs(n, triangular)
    x, channels = body("Squeeze", body.real(), body.const([-1])), types[0].axes[-1].size
    sources = _sources(body, x, pairs, channels, particles)
    places: dict[str, list[tuple[int, str]]] = {}
    for k, m in enumerate(op.maps):
        places.setdefault(m.place, []).append((k, m.source))
    keep = op.kept() if body.exact else None
    shifts = op.shifts()
    terms: list[str] = []
    for place, maps in places.items():
        matrix = np.concatenate([op.weight.array[:, :, k] for k, _ in maps], axis=1)
        mix = body("MatMul", body("Concat", *(sources[s] for _, s in maps), axis=-1), body.const(matrix.T))
        if keep is not None:
            mix = body("Mul", body("Floor", body("Mul", mix, body.const(2.0**keep))), body.const(2.0**-keep))
        shift = shifts.get(place)
        mix = mix if shift is None else body("Add", mix, body.const(shift.array))
        terms.append(_placed(body, mix, place, pairs, len(out.axes)))
    value = terms[0]
    for term in terms[1:]:
        value = body("Add", value, term)
    return body("Unsqueeze", value, body.const([-1]))


def _sources(body: Body, x: str, pairs: _Pairs, channels: int, particles: bool) -> dict[str, str]:
    if particles:
        return {"v": x, "whole": body.total(x, 1)}
    square = body.take(x, triangle(pairs.n), 1) if pairs.triangular else x
    every = body.reshape(square, [pairs.n * pairs.n, channels])
    d = body.take(every, [i * (pairs.n + 1) for i in range(pairs.n)], 1)
    return {
        "x": x,
        "y": body("Transpose", square, perm=[0, 2, 1, 3]),
        "d": d,
        "c": body.total(square, 1),
        "r": body.total(square, 2),
        "trace": body.total(d, 1),
        "total": body.total(every, 1),
    }


def _placed(body: Body, mix: str, place: str, pairs: _Pairs, axes: int) -> str:
    """Return a mix of shape (events, channels), (events, n, channels) or pairs so that it broadcasts."""
    left, right = zip(*pairs_of(pairs.n), strict=True)
    match place:
        case "sides":
            return body("Add", body.take(mix, left, 1), body.take(mix, right, 1))
        case "row":
            return body("Unsqueeze", mix, body.const([2]))
        case "column":
            return body("Unsqueeze", mix, body.const([1]))
        case "corner":
            wide = body.take(mix, left, 1) if pairs.triangular else body("Unsqueeze", mix, body.const([2]))
            return body("Mul", wide, body.const(pairs.equal()))
        case "all" | "diagonal":
            wide = body("Unsqueeze", mix, body.const(list(range(1, axes))))
            return body("Mul", wide, body.const(pairs.equal())) if place == "diagonal" else wide
        case _:
            return mix
