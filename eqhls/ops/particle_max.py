"""The largest entry along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray, element, largest
from eqhls.groups.charge import Charges
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Type
from eqhls.ops.common import Plain, example, scalars_only


@dataclass(frozen=True, slots=True)
class ParticleMax(Plain):
    """y = max over `axis`, exact: a tree of comparisons, whose order cannot matter."""

    group: ClassVar[str] = "message"
    moves_bits: ClassVar[bool] = True
    axis: str = "j"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        return types[0].without(self.axis)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.REDUCE if axis == self.axis else Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        """What moves all entries by one step moves the largest by it."""
        ordered = not any(c.modulus for c in types[0].charges)
        return types[0].charges if ordered else neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return x[0].max(axis=1 + types[0].index(self.axis))

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        rows = np.moveaxis(x[0], types[0].index(self.axis), -1)
        out = np.empty(rows.shape[:-1], dtype=object)
        for index in np.ndindex(out.shape):
            out[index] = largest([element(rows, (*index, k)) for k in range(rows.shape[-1])])
        return out

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example(cls("j"), (example(S, "i:2,j:5"),), "several"),
            Example(cls("c"), (example(S, "j:2,c:2", (Fixed(5, 3, False),)),), "unsigned"),
        )
