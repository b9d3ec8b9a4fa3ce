"""Silence padded slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray, const, element, select
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Type, spread
from eqhls.ops.common import Plain, broadcast, entrywise, example, scalars_only


@dataclass(frozen=True, slots=True)
class Mask(Plain):
    """x where the flag of the slot is 1, exactly zero where it is 0.

    The second input holds one flag (0 or 1) for each particle: the mask goes by the index of the
    slot, never by a value that may happen to round to zero.
    """

    group: ClassVar[str] = "message"
    moves_bits: ClassVar[bool] = True

    def infer(self, *types: Type) -> Type:
        self.expect(types, 2)
        scalars_only(self.name(), types[1:])
        x, flag = types
        for axis in flag.axes:
            if axis not in x.axes:
                raise self.error(
                    f"found {x} and flags {flag}, expected axis {axis} in both", "give both inputs this axis"
                )
        if flag.formats and (flag.formats[0].lo, flag.formats[0].hi, flag.formats[0].frac) != (0, 1, 0):
            raise self.error(
                f"found flags of format {flag.formats[0]}, expected ufix<1,1>", "give flags one unsigned bit"
            )
        return x.like(x.rep)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return entrywise(types, axis)

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return x[0] * spread(x[1], types[1], types[0].axes, 1)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        value: NumArray
        flag: NumArray
        value, flag = broadcast(x[0], spread(x[1], types[1], types[0].axes))
        flag = np.broadcast_to(flag, value.shape)
        out = np.empty(value.shape, dtype=object)
        for index in np.ndindex(value.shape):
            num, bit = element(value, index), element(flag, index)
            if bit.frac != 0 or not 0 <= bit.lo <= bit.hi <= 1:
                raise self.error("found flags that are not 0 or 1", "mask with flags of format ufix<1,1>")
            bounds = (min(num.lo, 0), max(num.hi, 0))
            out[index] = select(bit, num, const(0, num.frac), bounds)
        return out

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] if factors[1] == 1.0 else None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        flags = example(S, "j:4", (Fixed(1, 1, False),))
        return (
            Example(cls(), (example(V, "i:1,j:4"), flags), "vectors"),
            Example(cls(), (example(S, "j:4,c:2", (Fixed(4, 2, False),)), flags), "scalars"),
        )
