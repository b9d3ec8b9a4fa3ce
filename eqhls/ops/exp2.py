"""Powers of two of codes: the way back from a logarithm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor, log2
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, Overflow, Rounding, const, select
from eqhls.fixed.ordered import rounded_once
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Logarithm, Op, Reading
from eqhls.ir.types import Type
from eqhls.ops.common import MAX_ADDRESS_BITS, ScalarFunction, example, map_numbers, scalars_only, tabled


@dataclass(frozen=True, slots=True)
class Exp2(ScalarFunction):
    """y = 2^(x + shift), saturated to `out`: products of numbers that are known by their logarithms.

    2^(fraction bits of x) is rounded to `mantissa` fraction bits; this is shifted by the integer bits and
    rounded once more to `out`, both times to the nearest, halves up. `out` tells few octaves apart: a small
    table maps the integer bits to them (all below to one that rounds to 0, all above to one that saturates).
    If these octaves and the fraction bits make an address of at most 8 bits, one table holds the results, and
    the width of the mantissa costs nothing; else a table of the fraction bits is shifted. A saturating `out`
    also bounds the float reference.
    """

    group: ClassVar[str] = "scalar"
    reads: ClassVar[Reading] = Reading.VALUE
    has_format: ClassVar[bool] = True
    shift: int
    out: Fixed
    mantissa: int

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        if not (0 <= self.mantissa <= 16 and abs(self.shift) <= 256 and 0 < self.out.hi < 1 << 24):
            raise self.error(
                f"found mantissa {self.mantissa}, shift {self.shift} and {self.out}",
                "expected 0 to 16 bits of mantissa, a shift of -256 to 256, and 1 to 24 bits beside the sign",
            )
        return types[0].like(S)

    def with_formats(self, formats: tuple[Fixed, ...]) -> Op:
        if len(formats) != 1:
            raise self.error(f"found {len(formats)} formats, expected 1", "the results share one")
        return replace(self, out=formats[0])

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    @property
    def most(self) -> float:
        """The largest result."""
        return self.out.hi * self.out.lsb

    def ideal(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return np.exp2(x[0] + self.shift)

    def bounded(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return np.minimum(self.ideal(types, *x), self.most)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return (self.bounded if self.out.overflow.saturates else self.ideal)(types, *x)

    def significands(self, frac: int) -> tuple[int, ...]:
        """Return 2^m in units of 2^-mantissa for each fraction m of `frac` bits."""
        return _significands(self.mantissa, frac)

    def octaves(self, frac: int) -> tuple[int, int]:
        """Return the integer parts of x from which on down all results are 0, and up all saturate."""
        unit = -self.shift - self.out.frac
        whole = self.significands(frac)[-1] >> (self.mantissa + 1)
        return unit - 2 - whole, unit + self.out.hi.bit_length()

    def entry(self, octave: int, significand: int) -> int:
        """Return the raw result for an integer part of x and a significand."""
        bits = octave + self.shift + self.out.frac - self.mantissa
        if bits >= 0:
            return min(significand << min(bits, self.out.width), self.out.hi)
        return min((significand + (1 << (-bits - 1))) >> -bits, self.out.hi)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return map_numbers(x[0], lambda num, _: self._power(num.at(max(num.frac, 0))))

    def _power(self, x: Num) -> Num:
        frac, ends = x.frac, self.octaves(x.frac)
        first, last = (min(max(v >> frac, ends[0]), ends[1]) for v in (x.lo, x.hi))
        if (last - first).bit_length() + frac <= ADDRESS_BITS:
            if (first, last) == (x.lo >> frac, x.hi >> frac):
                return x.lookup([self._entry_of(v, frac) for v in range(x.lo, x.hi + 1)], self.out.frac)
            address = self._octave(x, first, last) + _fraction(x)
            codes = range(address.lo + (first << frac), address.hi + (first << frac) + 1)
            return address.lookup([self._entry_of(v, frac) for v in codes], self.out.frac)
        return self._shifted(x, first, last).within(*(self._entry_of(v, frac) for v in (x.lo, x.hi)))

    def _entry_of(self, code: int, frac: int) -> int:
        return self.entry(code >> frac, self.significands(frac)[code & ((1 << frac) - 1)])

    def _octave(self, x: Num, first: int, last: int) -> Num:
        """Return by how many octaves x lies above the first one that matters, and at most above the last."""
        octave = x.floor_bits(x.frac)
        if octave.hi - octave.lo >> MAX_ADDRESS_BITS:
            raise self.error(
                f"has a table of {octave.hi - octave.lo + 1} octaves, "
                f"expected at most {1 << MAX_ADDRESS_BITS}",
                "saturate the code to fewer integer bits",
            )
        if octave.lo == first == 0 and octave.hi == last:
            return octave
        return octave.lookup([min(max(v, first), last) - first for v in range(octave.lo, octave.hi + 1)], 0)

    def _shifted(self, x: Num, first: int, last: int) -> Num:
        """Shift the significand bit by bit of the octave, and round."""
        table, octave, m = self.significands(x.frac), self._octave(x, first, last), _fraction(x)
        y = m.lookup(table[m.lo : m.hi + 1], 0)
        reach = 0
        for k in range((last - first).bit_length()):
            by = octave.floor_bits(k).wrap(1, False).with_frac(0)
            reach = min(reach + (1 << k), last - first)
            y = select(by, y.scale(1 << k).at(0), y, (y.lo, table[-1] << reach))
        drop = self.mantissa - first - self.shift - self.out.frac
        y = (y + const(1 << (drop - 1), 0)).floor_bits(drop) if drop > 0 else y.scale(-drop).at(0)
        return y.with_frac(self.out.frac).clamp(0, self.out.hi)

    def rounding(self, types: tuple[Type, ...]) -> float:
        return 0.5 * self.out.lsb + 2.0 ** (floor(log2(self.most)) - self.mantissa - 1)

    def saturated(self, types: tuple[Type, ...], *x: NumArray) -> NumArray | None:
        last = log2(self.most + 0.5 * self.out.lsb) - self.shift

        def over(num: Num, _: tuple[int, ...]) -> Num:
            limit = const(floor(last * 2.0**num.frac), num.frac)
            return const(0, 0) if num.hi <= limit.lo else (limit - num).negative()

        return map_numbers(x[0], over)

    def rounds_to(self) -> tuple[Fixed, ...]:
        return (tabled(self.out),)

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return False

    def logarithm(self) -> Logarithm | None:
        return None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        short = Fixed(9, 6, False, Rounding.RND, Overflow.SAT)
        wide = Fixed(12, 9, False, Rounding.RND, Overflow.SAT)
        return (
            Example(cls(-16, short, 8), (example(S, "j:3", (Fixed(8, 6, False),)),), "table"),
            Example(cls(2, wide, 6), (example(S, "j:2", (Fixed(10, 5),)),), "shifted"),
            Example(cls(0, Fixed(7, 8), 3), (example(S, "c:2", (Fixed(5, 4),)),), "coarse"),
            Example(cls(1, Fixed(8, 3, False), 0), (example(S, "c:2", (Fixed(4, 4),)),), "whole"),
        )


ADDRESS_BITS = 8
"""Bits of an address up to which a table of the results is cheaper than a shift of the significand."""


def _fraction(x: Num) -> Num:
    """Return the fraction bits of x."""
    return x.wrap(x.frac, False) if x.frac else const(0, 0)


@lru_cache(maxsize=256)
def _significands(mantissa: int, frac: int) -> tuple[int, ...]:
    fractions = np.arange(1 << frac) / (1 << frac)
    return tuple(int(v) for v in np.floor(rounded_once(np.exp2, fractions) * 2.0**mantissa + 0.5))
