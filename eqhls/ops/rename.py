"""Give an axis another name: senders become receivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.reps import V
from eqhls.ir.op import Along, Example, Floats
from eqhls.ir.types import Type
from eqhls.ops.common import Plain, example


@dataclass(frozen=True, slots=True)
class Rename(Plain):
    """The same numbers with axis `axis` called `to`. No hardware."""

    group: ClassVar[str] = "structure"
    moves_bits: ClassVar[bool] = True
    axis: str
    to: str

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        return types[0].with_axis(self.axis, types[0].axis(self.axis).named(self.to))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return types[0].charges

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return x[0]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return x[0]

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example(cls("j", "i"), (example(V, "j:3"),)),)
