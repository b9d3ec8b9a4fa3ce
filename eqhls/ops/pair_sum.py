"""Messages: the weighted sum over senders."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray, sum_axis
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import T, V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, component_faults, neutral
from eqhls.ir.types import Type, joined_axes, spread
from eqhls.ir.work import Work
from eqhls.ops.common import LIGHT_CONE_FORMATS, Arithmetic, entrywise, example, scalars_only


@dataclass(frozen=True, slots=True)
class PairSum(Arithmetic):
    """y = sum_j w_j x_j over axis `over`: scalar weights w times x of any representation.

    The other axes match by name: w S[i, j] and x V[j] give V[i]. Exact: nothing is rounded.
    """

    group: ClassVar[str] = "message"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    over: str = "j"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 2)
        scalars_only(self.name(), types[:1])
        weight, x = types
        if not (weight.has(self.over) and x.has(self.over)):
            raise self.error(
                f"found {weight} and {x}, expected axis {self.over} in both", "give both inputs this axis"
            )
        axes = joined_axes(weight, x)
        return x.like(x.rep, axes).without(self.over)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.REDUCE if axis == self.over else entrywise(types, axis)

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        axes = joined_axes(*types)
        w, v = (spread(a, t, axes, 1) for a, t in zip(x, types, strict=True))
        return (w * v).sum(axis=1 + [a.name for a in axes].index(self.over))

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = joined_axes(*types)
        w, v = (spread(a, t, axes) for a, t in zip(x, types, strict=True))
        return sum_axis(np.asarray(v * w), [a.name for a in axes].index(self.over))

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work(prod(a.size for a in joined_axes(*types)) * types[1].dim)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] * factors[1]

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return component_faults(self.infer(*types))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        p = example(V, "j:4", LIGHT_CONE_FORMATS, LIGHT_CONE)
        weights = example(S, "i:2,j:4", (Fixed(3, 1, False),))
        return (
            Example(cls(), (weights, p), "vectors"),
            Example(cls(), (example(S, "j:4", (Fixed(3, 1),)), p), "momentum"),
            Example(cls(), (example(S, "i:1,j:3,c:2"), example(T, "j:3,c:2")), "tensors"),
        )
