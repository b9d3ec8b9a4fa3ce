"""The sum over particles, receivers or any other axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import NumArray, sum_axis
from eqhls.groups.charge import Charges, combined
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats
from eqhls.ir.types import Type
from eqhls.ops.common import Plain, example


@dataclass(frozen=True, slots=True)
class ParticleSum(Plain):
    """y = sum over `axis`, at full width, so that the order of the terms cannot matter."""

    group: ClassVar[str] = "message"
    moves_bits: ClassVar[bool] = False
    axis: str = "j"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        return types[0].without(self.axis)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.REDUCE if axis == self.axis else Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return combined([(types[0].size(self.axis), types[0].charges)])

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return x[0].sum(axis=1 + types[0].index(self.axis))

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return sum_axis(x[0], types[0].index(self.axis))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example(cls("j"), (example(V, "i:2,j:5"),), "vectors"),
            Example(cls("j"), (example(S, "j:4,c:2"),), "scalars"),
        )
