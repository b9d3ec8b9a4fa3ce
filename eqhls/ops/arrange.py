"""The same scalars in another arrangement: other axes, windows, padding with zeros."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed import NumArray, const
from eqhls.groups.charge import Charges
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import Plain, example, scalars_only


@dataclass(frozen=True, slots=True)
class Arrange(Plain):
    """y of `type`, element n of which is element sources[n] of x, or 0 if sources[n] is -1. Wires only.

    Elements are counted in the order of the axes. One op splits and merges axes, transposes them, repeats
    and pads entries, and cuts the windows of a convolution.
    """

    group: ClassVar[str] = "structure"
    moves_bits: ClassVar[bool] = True
    type: Type
    sources: tuple[int, ...]

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), (*types, self.type))
        size, found = types[0].elements, self.sources
        if len(found) != self.type.elements:
            raise self.error(
                f"found {len(found)} sources for {self.type}, expected one for each element",
                "give one source per element of the result",
            )
        if min(found) < -1 or max(found) >= size:
            raise self.error(
                f"found sources from {min(found)} to {max(found)} of {types[0]}",
                f"give numbers from 0 to {size - 1}, or -1 for a zero",
            )
        return replace(self.type, formats=())

    @property
    def elements(self) -> NDArray[np.int64]:
        """The element of x behind each element of the result, -1 for a zero."""
        return np.array(self.sources, dtype=np.int64)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        flat = x[0].reshape(len(x[0]), -1)
        padded = np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)
        return padded[:, self.elements].reshape(len(flat), *self.type.shape)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        flat = x[0].ravel()
        out = np.empty(len(self.elements), dtype=object)
        for n, source in enumerate(self.elements):
            out[n] = const(0, 0) if source < 0 else flat[source]
        return out.reshape(self.type.shape)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        windows, square = (Type(S, (Axis("x", 2), Axis("k", n))) for n in (3, 2))
        return (
            Example(cls(windows, (-1, 0, 1, 1, 2, 3)), (example(S, "j:4"),), "windows"),
            Example(cls(square, (0, 2, 1, 3)), (example(S, "i:2,j:2"),), "transposed"),
        )
