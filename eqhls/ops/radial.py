"""Radial functions: sums of Lorentzians of one invariant, one table per channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, Overflow, Rounding, element
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Logarithm, Reading, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import (
    Function,
    addresses,
    beyond,
    clipped,
    example,
    lookups,
    scalars_only,
    tabled,
    tabulated,
)


@dataclass(frozen=True, slots=True)
class Radial(Function):
    """y_c = offset_c + sum_k weight_ck / (1 + slope_k |x|), on a new last axis `to`.

    The invariant spans decades, so hardware reads it as a code: where `floor` is positive, the input
    is log2(|x| / floor) (the result of a Log2 of that floor) and the table undoes the logarithm.
    The radial functions of the Lorentz group network, with slope = c^2.
    """

    group: ClassVar[str] = "scalar"
    reads: ClassVar[Reading] = Reading.LOGARITHM
    slope: Tensor
    weight: Tensor
    offset: Tensor
    floor: float = 0.0
    to: str = "c"
    out: Fixed | None = None

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        channels, terms = (*self.weight.shape, 0)[:2]
        if self.slope.shape != (terms,) or self.offset.shape != (channels,) or not channels:
            raise self.error(
                f"found slopes {self.slope.shape}, weights {self.weight.shape}, offsets {self.offset.shape}",
                "expected (K,), (out, K), (out,)",
            )
        if (self.slope.array < 0).any() or self.floor < 0:
            raise self.error(
                "found a negative slope or floor", "that puts a pole at a real x: give positive ones"
            )
        return Type(S, (*types[0].axes, Axis(self.to, channels)))

    def function(self, x: Floats) -> Floats:
        """Return all channels of the real function, on a new last axis."""
        v = self.floor * np.exp2(x) if self.floor else np.abs(x)
        return (1.0 / (1.0 + v[..., None] * self.slope.array)) @ self.weight.array.T + self.offset.array

    def everywhere(self, x: Floats) -> Floats:
        return np.moveaxis(self.function(x), -1, 0)

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return False

    def logarithm(self) -> Logarithm | None:
        return None if self.floor else Logarithm(False, float(self.slope.array.max()))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return self.function(x[0][..., 0])[..., None]

    def bounded(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return clipped(self.reference(types, *x), self.out)

    def ideal(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return replace(self, out=None).reference(types, *x)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        lookup = lookups(self.entries, self.out.frac if self.out else 0)
        return self._each_channel(types, x[0], lookup)

    def saturated(self, types: tuple[Type, ...], *x: NumArray) -> NumArray | None:
        lookup = lookups(lambda num, k: beyond(self.function(addresses(num))[:, k], self.out), 0)
        return self._each_channel(types, x[0], lookup)

    def _each_channel(
        self, types: tuple[Type, ...], x: NumArray, lookup: Callable[[Num, int], Num]
    ) -> NumArray:
        result = np.empty(self.infer(*types).shape, dtype=object)
        for index in np.ndindex(x.shape[:-1]):
            for channel in range(len(self.weight.array)):
                result[(*index, channel, 0)] = lookup(element(x, (*index, 0)), channel)
        return result

    def entries(self, x: Num, channel: int) -> list[int]:
        """Return the raw entry of one channel for each raw address from x.lo to x.hi."""
        return tabulated(self.name(), x, self.out, lambda v: self.function(v)[:, channel])

    def rounding(self, types: tuple[Type, ...]) -> float:
        assert self.out is not None
        return 0.5 * self.out.lsb

    def rounds_to(self) -> tuple[Fixed, ...]:
        return () if self.out is None else (tabled(self.out),)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        slope, offset = Tensor([0.5, 8.0]), Tensor([0.25, -1.0, 0.0])
        weight = Tensor([[1.0, -0.5], [2.0, 1.0], [-0.75, 0.5]])
        out = Fixed(8, 3, True, Rounding.RND, Overflow.SAT)
        return (
            Example(cls(slope, weight, offset, out=out), (example(S, "i:2,j:2", (Fixed(7, 4),)),), "x"),
            Example(
                cls(slope, weight, offset, 0.25, out=out), (example(S, "j:3", (Fixed(6, 4, False),)),), "code"
            ),
        )
