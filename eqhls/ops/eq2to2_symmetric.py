"""Eq2to2 between symmetric pair tensors, on triangular storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray, sum_axis, total
from eqhls.groups.permutation import pairs_of, points_of_pairs, triangle
from eqhls.ir.op import Example, Floats
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import (
    biased,
    blocks,
    check_axes,
    check_keep,
    check_maps,
    integers,
    mixed,
    particle_action,
    scalars_only,
)
from eqhls.ops.maps import Maps, maps_of
from eqhls.ops.pair_op import PairsOp

BASIS = 9


@dataclass(frozen=True, slots=True)
class Eq2to2Symmetric(PairsOp):
    """The nine maps of symmetric pair tensors to symmetric ones; pairs i <= j lie along `pair`.

    y[ij,s] = sum over d and b of K[s,d,b] op_b(x_d)[ij] + bias_s + delta_ij diagonal_s with, in this
    order, x_ij, D d_i, d_i + d_j, D r_i, r_i + r_j, trace, D trace, total, D total (D is delta_ij,
    r_i the sum of row i of the full matrix, total that of all of it). `keep` as in `eq2to2`.
    """

    maps: ClassVar[Maps] = maps_of(
        "x@pair d@corner d@sides r@corner r@sides trace@all trace@diagonal total@all total@diagonal"
    )
    pair: str = "p"
    channel: str = "c"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        type = types[0]
        check_axes(self.name(), type, self.pair, self.channel)
        points_of_pairs(type.size(self.pair))
        check_maps(self.name(), self.weight, type.size(self.channel), BASIS, self.bias, self.diagonal)
        check_keep(self.name(), self.keep)
        particle_action(self.name(), type)
        return type.with_axis(self.channel, Axis(self.channel, self.weight.shape[0]))

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        size = types[0].size(self.pair)
        n = points_of_pairs(size)
        left, right = (np.array(side) for side in zip(*pairs_of(n), strict=True))
        same = (left == right)[:, None].astype(float)
        v = x[0][..., 0]
        full = np.zeros((len(v), n, n, v.shape[-1]))
        full[:, left, right] = v
        full[:, right, left] = v
        d, r = np.einsum("eiic->eic", full), full.sum(2)
        trace, all_ = d.sum(1)[:, None], full.sum((1, 2))[:, None]
        one = np.ones_like(same)
        basis = [v, d[:, left] * same, d[:, left] + d[:, right]]
        basis += [r[:, left] * same, r[:, left] + r[:, right]]
        basis += [trace * one, trace * same, all_ * one, all_ * same]
        out = np.einsum("sdb,bepd->eps", self.weight.array, np.stack(basis))
        for shift, where in ((self.bias, one), (self.diagonal, same)):
            out = out if shift is None else out + shift.array * where
        return out[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        raw, frac = integers(self.weight)
        v = x[0][..., 0]
        n = points_of_pairs(len(v))
        at = triangle(n)
        d = np.stack([v[at[i, i]] for i in range(n)])
        r = sum_axis(v[at], 1)
        event = np.concatenate([sum_axis(d, 0), sum_axis(r, 0)])
        spread = mixed(np.concatenate([d, r], axis=-1), blocks(raw, [(2, 4), (1, 3)]), frac, self.keep)
        side, only = np.split(spread, 2, axis=-1)
        all_, diagonal = np.split(mixed(event, blocks(raw, [(5, 7), (6, 8)]), frac, self.keep), 2)
        first = side + biased(all_, self.bias)
        only = only + biased(diagonal, self.diagonal)
        out = mixed(v, blocks(raw, [(0,)]), frac, self.keep)
        for i, j in pairs_of(n):
            for s in range(out.shape[-1]):
                terms = [out[at[i, j], s], first[i, s], side[j, s]]
                out[at[i, j], s] = total([*terms, only[i, s]] if i == j else terms)
        return out[..., None]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return cls.examples_on("p:6,c:2")
