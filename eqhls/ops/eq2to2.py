"""The linear maps of pair tensors that commute with permutations: PELICAN's Eq2to2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray, sum_axis
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

BASIS = 15


@dataclass(frozen=True, slots=True)
class Eq2to2(PairsOp):
    """y[i,j,s] = sum over channels d and b of K[s,d,b] op_b(x_d)[i,j] + bias_s + delta_ij diagonal_s.

    The 15 op_b in PELICAN's order (arXiv:2211.00454), aggregations being plain sums with d_i = x_ii,
    c_j = sum_i x_ij, r_i = sum_j x_ij: x_ij, x_ji, D d_i, d_j, d_i, D c_i, c_j, c_i, D r_i, r_j, r_i,
    trace, D trace, total, D total, where D stands for delta_ij. Divisors belong into the weights.
    The body is collapsed: two mixes of pairs, vectors for particles, scalars for the event. `keep` rounds
    each mix down to that many fraction bits before they meet in pairs: they are invariants, so this
    does not break the symmetry, and it narrows the n^2 sums.
    """

    maps: ClassVar[Maps] = maps_of(
        "x@pair y@pair d@corner d@column d@row c@corner c@column c@row r@corner r@column r@row "
        "trace@all trace@diagonal total@all total@diagonal"
    )
    row: str = "i"
    column: str = "j"
    channel: str = "c"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        type = types[0]
        check_axes(self.name(), type, self.row, self.column, self.channel)
        if type.size(self.row) != type.size(self.column):
            raise self.error(
                f"found {type}, expected as many rows as columns", "give both axes of pairs the same size"
            )
        check_maps(self.name(), self.weight, type.size(self.channel), BASIS, self.bias, self.diagonal)
        check_keep(self.name(), self.keep)
        particle_action(self.name(), type)
        return type.with_axis(self.channel, Axis(self.channel, self.weight.shape[0]))

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        v = x[0][..., 0]
        n = v.shape[1]
        eye, one = np.eye(n)[:, :, None], np.ones((n, n, 1))
        d = np.einsum("eiic->eic", v)
        c, r, trace, total = v.sum(1), v.sum(2), d.sum(1)[:, None, None], v.sum((1, 2))[:, None, None]
        rows, columns = (lambda a: a[:, :, None] * one), (lambda a: a[:, None] * one)
        basis = [v, v.swapaxes(1, 2), rows(d) * eye, columns(d), rows(d)]
        for a in (c, r):
            basis += [rows(a) * eye, columns(a), rows(a)]
        basis += [trace * one, trace * eye, total * one, total * eye]
        out = np.einsum("sdb,beijd->eijs", self.weight.array, np.stack(basis))
        for shift, where in ((self.bias, one), (self.diagonal, eye)):
            out = out if shift is None else out + shift.array * where
        return out[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        raw, frac = integers(self.weight)
        v = x[0][..., 0]
        n = len(v)
        d = np.stack([v[i, i] for i in range(n)])
        vectors = np.concatenate([d, sum_axis(v, 0), sum_axis(v, 1)], axis=-1)
        event = np.concatenate([sum_axis(d, 0), sum_axis(vectors[:, -v.shape[-1] :], 0)])
        pair = mixed(np.concatenate([v, v.swapaxes(0, 1)], axis=-1), blocks(raw, [(0, 1)]), frac, self.keep)
        spread = mixed(vectors, blocks(raw, [(3, 6, 9), (4, 7, 10), (2, 5, 8)]), frac, self.keep)
        column, row, corner = np.split(spread, 3, axis=-1)
        all_, diagonal = np.split(mixed(event, blocks(raw, [(11, 13), (12, 14)]), frac, self.keep), 2)
        column = column + biased(all_, self.bias)
        corner = corner + biased(diagonal, self.diagonal)
        out = pair + column[None, :] + row[:, None]
        for i in range(n):
            out[i, i] = out[i, i] + corner[i]
        return out[..., None]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return cls.examples_on("i:3,j:3,c:2")
