"""Sums of numbers that are known by their logarithms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, element, select
from eqhls.groups.charge import Charges
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Type, joined_axes, spread
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic, broadcast, entrywise, example, scalars_only, tabulated
from eqhls.ops.magnitude import magnitude


@dataclass(frozen=True, slots=True)
class LogAdd(Arithmetic):
    """y = log2(2^(power a) + 2^(power b)) / power of codes a and b of one LSB; axes broadcast by name.

    With power 2 it is the logarithm of sqrt(A^2 + B^2) of those of A and B. One table, of the difference:
    y = b + T(a - b) with T(d) = log2(1 + 2^(power d)) / power, rounded to `frac` fraction bits, at least
    those of the codes. T never rises faster than its argument, so y grows with a and b, and its range ends
    where theirs end. Differences of more than 7 bits take the same numbers from max(a, b) + T(-|a - b|),
    whose table is narrow.
    """

    group: ClassVar[str] = "scalar"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    power: int
    frac: int

    def infer(self, *types: Type) -> Type:
        self.expect(types, 2)
        scalars_only(self.name(), types)
        if not (1 <= self.power <= 64 and 0 <= self.frac <= 16):
            raise self.error(
                f"found power {self.power} and frac {self.frac}",
                "expected a power of 1 to 64, frac of 0 to 16",
            )
        points = sorted({f.frac for t in types for f in t.formats})
        if len(points) > 1 and all(t.formats for t in types):
            raise self.error(
                f"found {types[0]} and {types[1]}, whose LSBs differ",
                "requantize one to the LSB of the other",
            )
        self._check_point(points[-1] if points else 0)
        return types[0].like(S, joined_axes(*types))

    def _check_point(self, frac: int) -> None:
        if frac > self.frac:
            raise self.error(
                f"found codes of {frac} fraction bits and frac {self.frac}",
                f"give frac {frac} or more, or requantize the codes",
            )

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return entrywise(types, axis)

    def charges(self, types: tuple[Type, ...]) -> Charges:
        """Logarithms that all grow by one step give a sum that grows by it, too."""
        first = types[0].charges
        alike = types[1].charges == first and not any(c.modulus for c in first)
        return first if alike else neutral(self, types)

    def rise(self, difference: Floats) -> Floats:
        """Return T, by how much the result exceeds b, for a - b."""
        return np.logaddexp2(self.power * difference, np.zeros_like(difference)) / self.power

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        axes = joined_axes(*types)
        a, b = (spread(v, t, axes, 1) for v, t in zip(x, types, strict=True))
        return np.logaddexp2(self.power * a, self.power * b) / self.power

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = joined_axes(*types)
        a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
        out = np.empty(a.shape, dtype=object)
        for index in np.ndindex(a.shape):
            out[index] = self._sum(element(a, index), element(b, index))
        return out

    def _sum(self, a: Num, b: Num) -> Num:
        point = max(a.frac, b.frac, 0)
        self._check_point(point)
        a, b = a.at(point), b.at(point)
        difference = a - b
        ends = (
            (y << (self.frac - point)) + _entries(self, x - y, x - y, point)[0] for x, y in _corners(a, b)
        )
        if (difference.hi - difference.lo).bit_length() <= ADDRESS_BITS:
            entries = _entries(self, difference.lo, difference.hi, point)
            return (b + difference.lookup(entries, self.frac)).within(*ends)
        size = magnitude(difference)
        larger = select(difference.negative(), b, a, (max(a.lo, b.lo), max(a.hi, b.hi)))
        entries = _entries(self, -size.hi, -size.lo, point)[::-1]
        return (larger + size.lookup(entries, self.frac)).within(*ends)

    def entries(self, difference: Num) -> list[int]:
        """Return T for each raw difference."""
        return tabulated(self.name(), difference, Fixed(40, 40 - self.frac, False), self.rise)

    def rounding(self, types: tuple[Type, ...]) -> float:
        return 0.5 * 2.0**-self.frac

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work(lookups=self.infer(*types).elements)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return None

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return ()

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        code = example(S, "j:3", (Fixed(6, 4, False),))
        return (
            Example(cls(2, 2), (code, code), "root"),
            Example(
                cls(1, 3), (example(S, "c:2,j:3", (Fixed(5, 3),)), example(S, "j:3", (Fixed(4, 2),))), "fine"
            ),
            Example(cls(2, 4), (example(S, "j:2", (Fixed(8, 4, False),)),) * 2, "wide"),
            Example(
                cls(4, 0),
                (example(S, "i:2", (Fixed(4, 4),)), example(S, "j:2", (Fixed(5, 5, False),))),
                "pairs",
            ),
        )


ADDRESS_BITS = 7
"""Bits of a difference up to which its table is cheaper than one of its size and a choice of the larger."""


@lru_cache(maxsize=4096)
def _entries(op: LogAdd, first: int, last: int, point: int) -> tuple[int, ...]:
    """Return T of raw differences; every element of a tensor asks for the same ones."""
    return tuple(op.entries(Num(None, None, first, last, point)))


def _corners(a: Num, b: Num) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return both numbers at their smallest and at their largest."""
    return (a.lo, b.lo), (a.hi, b.hi)
