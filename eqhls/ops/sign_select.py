"""The sign of one number given to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray, element, select
from eqhls.groups.charge import Charges
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Type, joined_axes, spread
from eqhls.ops.common import Plain, broadcast, entrywise, example, scalars_only


@dataclass(frozen=True, slots=True)
class SignSelect(Plain):
    """y = a if x >= 0, else -a, for inputs (a, x); axes broadcast by name.

    Exact, and no product: one negation and one choice per element.
    """

    group: ClassVar[str] = "scalar"
    moves_bits: ClassVar[bool] = False

    def infer(self, *types: Type) -> Type:
        self.expect(types, 2)
        scalars_only(self.name(), types)
        return types[0].like(S, joined_axes(*types))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return entrywise(types, axis)

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        axes = joined_axes(*types)
        a, sign = (spread(v, t, axes, 1) for v, t in zip(x, types, strict=True))
        return np.where(sign >= 0, a, -a)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = joined_axes(*types)
        a, sign = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
        out = np.empty(a.shape, dtype=object)
        for index in np.ndindex(a.shape):
            value = element(a, index)
            out[index] = select(element(sign, index).negative(), -value, value)
        return out

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        sized = example(S, "j:3", (Fixed(6, 4, False),))
        return (
            Example(cls(), (sized, example(S, "j:3", (Fixed(5, 5),))), "size"),
            Example(
                cls(), (example(S, "c:2,j:3", (Fixed(6, 4),)), example(S, "j:3", (Fixed(4, 2),))), "rows"
            ),
            Example(cls(), (example(S, "c:2"), example(S, "i:2", (Fixed(4, 2, False),))), "unsigned"),
        )
