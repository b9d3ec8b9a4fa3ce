"""Take some entries of an axis: a subset of the nodes as receivers, one channel of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import Plain, example


@dataclass(frozen=True, slots=True)
class Select(Plain):
    """x[..., indices, ...] along `axis`, which becomes the axis `to`, or is dropped if `to` is empty."""

    group: ClassVar[str] = "structure"
    moves_bits: ClassVar[bool] = True
    axis: str
    indices: tuple[int, ...]
    to: str = ""

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        size = types[0].size(self.axis)
        if not self.indices or not all(0 <= k < size for k in self.indices):
            raise self.error(
                f"found indices {list(self.indices)} of axis {self.axis}:{size}",
                f"choose from 0 to {size - 1}",
            )
        if not self.to:
            if len(self.indices) != 1:
                raise self.error(
                    f"found {len(self.indices)} indices and no name for the new axis", "name it with 'to'"
                )
            return types[0].without(self.axis)
        if self.along(types, self.axis) is Along.MAP:
            return types[0].with_axis(self.axis, types[0].axis(self.axis).named(self.to))
        return types[0].with_axis(self.axis, Axis(self.to, len(self.indices)))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        if axis != self.axis or self.indices == tuple(range(types[0].size(axis))):
            return Along.MAP
        return Along.EVENT

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return types[0].charges

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        taken = np.take(x[0], self.indices, axis=1 + types[0].index(self.axis))
        return taken.reshape(x[0].shape[0], *self.infer(*types).shape)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        taken = np.take(x[0], self.indices, axis=types[0].index(self.axis))
        return taken.reshape(self.infer(*types).shape)

    def sources(self, type: Type) -> tuple[int, ...]:
        """Return the entry of the axis that each entry of the result is."""
        return self.indices

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example(cls("j", (2, 0), "i"), (example(V, "j:3,c:2"),), "nodes"),
            Example(cls("c", (1,)), (example(S, "j:3,c:2"),), "channel"),
        )
