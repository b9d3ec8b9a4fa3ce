"""Pairs to the event: PELICAN's Eq2to0, on full or triangular storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray, sum_axis, total
from eqhls.groups.permutation import pairs_of, points_of_pairs
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

BASIS = 2


@dataclass(frozen=True, slots=True)
class Eq2to0(PairOp):
    """y[s] = sum over d of K[s,d,0] total_d + K[s,d,1] trace_d, + bias_s.

    The input is S[i,j,c], or S[p,c] with the pairs i <= j of a symmetric tensor; total is the sum over
    the full matrix in both cases.
    """

    maps: ClassVar[Maps] = maps_of("total@own trace@own")
    channel: str = "c"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        pair_count(self.name(), types[0])
        particle_action(self.name(), types[0])
        check_last(self.name(), types[0], self.channel)
        channels = types[0].size(self.channel)
        check_maps(self.name(), self.weight, channels, BASIS, self.bias)
        return types[0].like(S, (Axis(self.channel, self.weight.shape[0]),))

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        v = full_pairs(x[0][..., 0], 1)
        basis = np.stack([v.sum((1, 2)), np.einsum("eiic->ec", v)])
        out = np.einsum("sdb,bed->es", self.weight.array, basis)
        return (out if self.bias is None else out + self.bias.array)[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        """Pairs off the diagonal of a symmetric tensor are added once and doubled."""
        raw, frac = integers(self.weight)
        v = x[0][..., 0]
        if v.ndim == 2:
            pairs = pairs_of(points_of_pairs(len(v)))
            trace = sum_axis(v[[k for k, (i, j) in enumerate(pairs) if i == j]], 0)
            off = [k for k, (i, j) in enumerate(pairs) if i != j]
            twice = [total(list(v[off, c])).scale(1) for c in range(v.shape[-1])]
            whole = trace + np.array(twice, dtype=object)
        else:
            trace = sum_axis(np.stack([v[i, i] for i in range(len(v))]), 0)
            whole = sum_axis(sum_axis(v, 1), 0)
        event = np.concatenate([whole, trace])
        return biased(mixed(event, blocks(raw, [(0, 1)]), frac), self.bias)[..., None]

    def shifts(self) -> Mapping[str, Tensor | None]:
        return {"own": self.bias}

    def kept(self) -> int | None:
        return None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return examples_of_pairs(cls(sample_weights(cls.maps), Tensor([0.5, -2.0])))
