"""The size of a number of either sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, select
from eqhls.groups.charge import Charges
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Type
from eqhls.ops.common import Plain, example, map_numbers, scalars_only


@dataclass(frozen=True, slots=True)
class Magnitude(Plain):
    """y = |x|, exact: one negation and one choice per element.

    With `sign_select`, which puts the sign back, an odd function needs a table of half the entries.
    """

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
        return np.abs(x[0])

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return map_numbers(x[0], lambda num, _: magnitude(num))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example(cls(), (example(S, "j:3,c:2", (Fixed(9, 5),)),), "signed"),
            Example(cls(), (example(S, "j:2", (Fixed(5, 3, False),)),), "unsigned"),
        )


def magnitude(x: Num) -> Num:
    """Return |x|."""
    near, far = sorted((abs(x.lo), abs(x.hi)))
    return select(x.negative(), -x, x, (0 if x.lo <= 0 <= x.hi else near, far))
