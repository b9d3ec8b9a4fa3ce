"""The rectifier, without a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Type
from eqhls.ops.common import Plain, example, map_numbers, scalars_only


@dataclass(frozen=True, slots=True)
class Relu(Plain):
    """y = max(x, 0) at full width: one gate per bit, whereas a table needs an entry per address."""

    group: ClassVar[str] = "scalar"
    moves_bits: ClassVar[bool] = False

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        return types[0].like(S)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return np.maximum(x[0], 0.0)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return map_numbers(x[0], lambda num, _: num.relu())

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return True

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return ()

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example(cls(), (example(S, "i:2,c:2", (Fixed(11, 5),)),), "signed"),
            Example(cls(), (example(S, "c:2", (Fixed(5, 3, False),)),), "unsigned"),
        )
