"""Give an axis another name: senders become receivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.lorentz import Rep
from eqhls.ir.op import Example, Floats, Op, component_faults
from eqhls.ir.types import Axis, Type
from eqhls.ir.work import Work
from eqhls.ops.common import example


@dataclass(frozen=True, slots=True)
class Rename(Op):
    """The same numbers with axis `axis` called `to`. No hardware."""

    group: ClassVar[str] = "structure"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = True
    axis: str
    to: str

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        return types[0].with_axis(self.axis, Axis(self.to, types[0].size(self.axis)))

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return x[0]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return x[0]

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work()

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    def rounds_to(self) -> tuple[Fixed, ...]:
        return ()

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return component_faults(self.infer(*types))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example(cls("j", "i"), (example(Rep.V, "j:3"),)),)
