"""Pairs to particles: PELICAN's Eq2to1, on full or triangular storage."""

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
    check_last,
    check_maps,
    full_pairs,
    integers,
    mixed,
    pair_count,
    particle_action,
    scalars_only,
)
from eqhls.ops.maps import Maps, maps_of
from eqhls.ops.pair_op import PairOp, examples_of_pairs, sample_weights

BASIS = 5


@dataclass(frozen=True, slots=True)
class Eq2to1(PairOp):
    """y[i,s] = sum over d and b of K[s,d,b] op_b(x_d)[i] + bias_s.

    In PELICAN's order: d_i, r_i, c_i, trace, total. The input is S[i,j,c], or S[p,c] with the pairs
    i <= j of a symmetric tensor.
    """

    maps: ClassVar[Maps] = maps_of("d@own r@own c@own trace@all total@all")
    to: str = "i"
    channel: str = "c"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        check_last(self.name(), types[0], self.channel)
        n, channels = pair_count(self.name(), types[0]), types[0].size(self.channel)
        check_maps(self.name(), self.weight, channels, BASIS, self.bias)
        particles = Axis(self.to, n, particle_action(self.name(), types[0]))
        return types[0].like(S, (particles, Axis(self.channel, self.weight.shape[0])))

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        v = full_pairs(x[0][..., 0], 1)
        d, one = np.einsum("eiic->eic", v), np.ones((v.shape[1], 1))
        basis = [d, v.sum(2), v.sum(1), d.sum(1)[:, None] * one, v.sum((1, 2))[:, None] * one]
        out = np.einsum("sdb,beid->eis", self.weight.array, np.stack(basis))
        return (out if self.bias is None else out + self.bias.array)[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        raw, frac = integers(self.weight)
        v = full_pairs(x[0][..., 0], 0)
        d, rows, columns = np.stack([v[i, i] for i in range(len(v))]), sum_axis(v, 1), sum_axis(v, 0)
        vectors = np.concatenate([d, rows, columns], axis=-1)
        event = np.concatenate([sum_axis(d, 0), sum_axis(rows, 0)])
        every = biased(mixed(event, blocks(raw, [(3, 4)]), frac), self.bias)
        return np.asarray(mixed(vectors, blocks(raw, [(0, 1, 2)]), frac) + every)[..., None]

    def shifts(self) -> Mapping[str, Tensor | None]:
        return {"all": self.bias}

    def kept(self) -> int | None:
        return None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return examples_of_pairs(cls(sample_weights(cls.maps), Tensor([0.5, -2.0])))
