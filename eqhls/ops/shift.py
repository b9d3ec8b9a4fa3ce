"""The next entry of a ring: a neighbour on a periodic axis, a step on a lattice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.reps import V
from eqhls.groups.permutation import CHANNELS, RING
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import Plain, example


@dataclass(frozen=True, slots=True)
class Shift(Plain):
    """y_k = x_(k + step) along `axis`, around its end. Wires only.

    It commutes with every shift of a ring, but not with other permutations of its sites.
    """

    group: ClassVar[str] = "structure"
    moves_bits: ClassVar[bool] = True
    axis: str
    step: int

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        axis = types[0].axis(self.axis)
        if axis.action not in (RING, CHANNELS):
            raise self.error(
                f"found the axis {axis}, whose entries have no neighbours",
                f"declare it as a ring, {axis.name}:{axis.size}@{RING.name}",
            )
        if not self.step % axis.size:
            raise self.error(
                f"found a step of {self.step} along {axis}, which goes all the way round",
                "give a step that is shorter than the ring",
            )
        return types[0].like(types[0].rep)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.SHIFT if axis == self.axis else Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return types[0].charges

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return np.roll(x[0], -self.step, axis=1 + types[0].index(self.axis))

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return np.roll(x[0], -self.step, axis=types[0].index(self.axis))

    def sources(self, type: Type) -> tuple[int, ...]:
        """Return the entry of the axis that each entry of the result is."""
        size = type.size(self.axis)
        return tuple((k + self.step) % size for k in range(size))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        ring = Type(S, (Axis("x", 5, RING), Axis("c", 2)), formats=example(S).formats)
        return (
            Example(cls("x", 1), (ring,), "neighbour"),
            Example(cls("x", -2), (ring,), "back"),
            Example(cls("y", 1), (example(V, "x:2,y:3"),), "vectors"),
        )
