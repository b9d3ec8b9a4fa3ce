"""A bound on every component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, dyadic
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import F, V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Part, neutral
from eqhls.ir.types import Type
from eqhls.ops.common import Plain, example, map_numbers


@dataclass(frozen=True, slots=True)
class Clamp(Plain):
    """min(max(x, -bound), bound), component by component.

    On anything but scalars an active bound breaks the symmetry: only flips of sign and exchanges of
    axes commute with it, so light-cone components are refused. It is here because published networks
    (LorentzNet) are trained with it.
    """

    group: ClassVar[str] = "geometry"
    moves_bits: ClassVar[bool] = False
    bound: float = 1.0

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        if not 0 < self.bound < 2.0**30:
            raise self.error(f"found the bound {self.bound}", "give a positive number below 2^30")
        if types[0].basis is LIGHT_CONE:
            raise self.error(
                f"found {types[0]}",
                "a single bound for p+ and p- has no meaning: use the Cartesian basis xyz",
            )
        return types[0].like(types[0].rep)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return np.clip(x[0], -self.bound, self.bound)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        bound = dyadic(self.bound)

        def bounded(num: Num, _: tuple[int, ...]) -> Num:
            num = num.at(max(num.frac, bound.frac))
            return num.clamp(-bound.at(num.frac).lo, bound.at(num.frac).lo)

        return map_numbers(x[0], bounded)

    def rounds_components(self, types: tuple[Type, ...]) -> bool:
        return types[0].rep is not S

    def parts(self, types: tuple[Type, ...]) -> tuple[Part, ...] | None:
        return (Part("bound", 0, True),) * types[0].dim

    def cuts_components(self, types: tuple[Type, ...]) -> bool:
        return types[0].rep is not S

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example(cls(0.75), (example(V, "i:2,j:2", (Fixed(9, 4),)),), "vectors"),
            Example(cls(1.5), (example(S, "c:3", (Fixed(7, 6),)),), "scalars"),
            Example(cls(0.5), (example(F, "i:1", (Fixed(6, 2, False),)),), "unsigned"),
        )
