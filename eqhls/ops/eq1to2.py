"""Particles to pairs: PELICAN's Eq1to2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray, sum_axis
from eqhls.groups.rep import S
from eqhls.ir.op import Example, Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import (
    biased,
    blocks,
    check_axes,
    check_maps,
    example,
    integers,
    mixed,
    particle_action,
    scalars_only,
)
from eqhls.ops.maps import Maps, maps_of
from eqhls.ops.pair_op import PairOp, sample_weights

BASIS = 5


@dataclass(frozen=True, slots=True)
class Eq1to2(PairOp):
    """y[i,j,s] = sum over d and b of K[s,d,b] op_b(x_d)[i,j] + bias_s, S[i,c] to S[i,j,c].

    In PELICAN's order: D x_i, x_j, x_i, D total, total, where D stands for delta_ij.
    """

    maps: ClassVar[Maps] = maps_of("v@corner v@column v@row whole@diagonal whole@all")
    row: str = "i"
    column: str = "j"
    channel: str = "c"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        type = types[0]
        check_axes(self.name(), type, self.row, self.channel)
        check_maps(self.name(), self.weight, type.size(self.channel), BASIS, self.bias)
        particle_action(self.name(), type, pairs=False)
        rows, out = type.axes[0], Axis(self.channel, self.weight.shape[0])
        return type.like(S, (rows, rows.named(self.column), out))

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        v = x[0][..., 0]
        corner, column, row, diagonal, every = (v @ k.T for k in np.moveaxis(self.weight.array, 2, 0))
        eye = np.eye(v.shape[1])[:, :, None]
        out = eye * (corner + diagonal.sum(1, keepdims=True))[:, :, None]
        out = out + column[:, None] + row[:, :, None] + every.sum(1)[:, None, None]
        return (out if self.bias is None else out + self.bias.array)[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        raw, frac = integers(self.weight)
        v = x[0][..., 0]
        spread = mixed(v, blocks(raw, [(1,), (2,), (0,)]), frac)
        column, row, corner = np.split(spread, 3, axis=-1)
        all_, diagonal = np.split(mixed(sum_axis(v, 0), blocks(raw, [(4,), (3,)]), frac), 2)
        column = column + biased(all_, self.bias)
        out = np.asarray(column[None, :] + row[:, None])
        for i in range(len(v)):
            out[i, i] = out[i, i] + corner[i] + diagonal
        return out[..., None]

    def shifts(self) -> Mapping[str, Tensor | None]:
        return {"all": self.bias}

    def kept(self) -> int | None:
        return None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example(cls(sample_weights(cls.maps), Tensor([0.5, -2.0])), (example(S, "i:3,c:2"),)),)
