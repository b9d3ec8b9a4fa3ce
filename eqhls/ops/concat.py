"""Join tensors along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.reps import V
from eqhls.ir.op import Along, Example, Floats
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import Plain, example


@dataclass(frozen=True, slots=True)
class Concat(Plain):
    """Join along `axis`; representation, basis and the other axes must agree."""

    group: ClassVar[str] = "structure"
    moves_bits: ClassVar[bool] = True
    variadic: ClassVar[bool] = True
    axis: str

    def infer(self, *types: Type) -> Type:
        if not types:
            raise self.error("found no input, expected at least one", "give it an input")
        rest = [t.without(self.axis) for t in types]
        for t, other in zip(types, rest, strict=True):
            if other != rest[0] or t.index(self.axis) != types[0].index(self.axis):
                raise self.error(
                    f"found {types[0]} and {t}, expected them equal but for axis {self.axis}",
                    "only tensors that transform alike can share an axis",
                )
        return types[0].with_axis(self.axis, Axis(self.axis, sum(t.size(self.axis) for t in types)))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT if axis == self.axis else Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return types[0].charges

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        events = max(len(a) for a in x)
        full = [np.broadcast_to(a, (events, *a.shape[1:])) for a in x]
        return np.concatenate(full, axis=1 + types[0].index(self.axis))

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return np.concatenate(x, axis=types[0].index(self.axis))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] if len(set(factors)) == 1 else None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        wide = example(V, "i:1,c:2", (Fixed(10, 5),))
        return (Example(cls("i"), (example(V, "i:2,c:2"), wide)),)
