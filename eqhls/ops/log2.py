"""Logarithmic codes of invariants that span decades."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import frexp, log2
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, const, select
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Logarithm, Reading
from eqhls.ir.types import Type
from eqhls.ops.common import ScalarFunction, example, map_numbers, scalars_only

OCTAVES = 1000
"""Octaves that a double spans."""
LEAST = 2.0**-60
"""What stands for 0 in a logarithm without a floor, in units of the floor."""


@dataclass(frozen=True, slots=True)
class Log2(ScalarFunction):
    """y = log2(max(x, floor) / floor) in octaves, coded with `frac` fraction bits, `codes` codes.

    No leading-one detector: the bits of x / floor are cut into windows of `window` bits that
    advance by `step` bits. Each window is one small table, and the highest window with a bit set
    is taken, so an octave has at least 2**(window - step) cells. Values from the last code on
    saturate. `floor` is a power of two. With `odd` it is y = sign(x) log2(1 + |x| / floor) instead, for
    products of either sign, saturating at both ends; with `magnitude`, |x| is coded in place of x.
    A cell has the code of its middle; with `centred`, that of the middle of the numbers that x can be in it,
    which are multiples of the LSB of x: then small integers have the codes of their own logarithms.
    """

    group: ClassVar[str] = "scalar"
    reads: ClassVar[Reading] = Reading.LOGARITHM
    has_format: ClassVar[bool] = False
    floor: float = 1.0
    frac: int = 2
    codes: int = 64
    window: int = 6
    step: int = 4
    odd: bool = False
    magnitude: bool = False
    centred: bool = False

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        if self.floor <= 0 or frexp(self.floor)[0] != 0.5:
            raise self.error(f"found floor {self.floor}, expected a power of two", "give the floor as 2^k")
        if not (0 < self.step < self.window <= 12 and 0 <= self.frac <= 8 and self.codes > 1):
            raise self.error(
                f"found window {self.window}, step {self.step}, frac {self.frac}, codes {self.codes}",
                "expected 0 < step < window <= 12, 0 <= frac <= 8, codes > 1",
            )
        return types[0].like(S)

    @property
    def top(self) -> float:
        """The largest result, in octaves."""
        return (self.codes - 1) * 2.0**-self.frac

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        if self.odd:
            octaves = np.log1p(np.abs(x[0]) / self.floor) / np.log(2.0)
            return np.sign(x[0]) * np.minimum(octaves, self.top)
        v = np.abs(x[0]) if self.magnitude else x[0]
        return np.minimum(np.log2(np.maximum(v, self.floor) / self.floor), self.top)

    def ideal(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        if self.odd:
            return np.sign(x[0]) * np.log1p(np.abs(x[0]) / self.floor) / np.log(2.0)
        v = np.abs(x[0]) if self.magnitude else x[0]
        return np.log2(np.maximum(v, LEAST * self.floor) / self.floor)

    def code(self, cell: int, shift: int, frac: int) -> int:
        """Return the code of |x| / floor * 2**grain in [cell, cell + 1) * 2**shift, for an x of `frac`
        fraction bits."""
        if not self.odd and (cell << shift) < 1 << self.grain:
            return 0
        middle = self._middle(cell, shift, frac)
        octaves = log2(1 + middle * 2.0**-self.grain) if self.odd else log2(middle) - self.grain
        return min(max(round(octaves * 2.0**self.frac), 0), self.codes - 1)

    def _middle(self, cell: int, shift: int, frac: int) -> float:
        """Return what stands for a cell, in units of floor * 2**-grain."""
        if self.centred:
            return cell * 2.0**shift + max(2.0**shift - 2.0 ** (self.point - frac), 0.0) / 2
        return (cell + 0.5 * (shift > 0 or not self.odd)) * 2.0**shift

    @property
    def grain(self) -> int:
        """Fraction bits kept of x / floor, so that the first octave has its cells too."""
        return self.window - self.step

    @property
    def point(self) -> int:
        """Fraction bits of x that are kept."""
        return self.grain - (frexp(self.floor)[1] - 1)

    def scaled(self, x: Num) -> Num:
        """Return floor(x / floor * 2**grain) as an integer."""
        point = self.point
        v = x.floor_bits(x.frac - point) if x.frac > point else x.at(point)
        return v.with_frac(0)

    def turned(self, x: Num) -> Num:
        """Return |x| where it is what is coded."""
        if x.lo >= 0 or not (self.odd or self.magnitude):
            return x
        return select(x.negative(), -x, x, (0, max(-x.lo, x.hi)))

    def _encode(self, x: Num, frac: int) -> Num:
        """Code the bits without the sign; a negative value gets its code (0, or odd) at the end, where
        the word is narrow, instead of being clipped at the start, where it is wide."""
        v = self.scaled(self.turned(x))
        bits = max(1, v.hi.bit_length())
        w = v.wrap(bits, False)
        windows: list[tuple[Num, Num]] = []
        for shift in range(0, max(bits - self.window, 0) + self.step, self.step):
            part = w.floor_bits(shift)
            above = part.floor_bits(self.window - self.step).nonzero()
            cells = part.wrap(self.window, False)
            windows.append((above, cells.lookup(_codes(self, cells.lo, cells.hi, shift, frac), self.frac)))
        code = _highest(windows)
        if self.odd:
            return select(
                x.negative(), -code, code, (-code.hi if x.lo < 0 else 0, code.hi if x.hi > 0 else 0)
            )
        return select(v.negative(), const(0, self.frac), code, (0, max(code.hi, 0)))

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        frac = max((num.frac for num in x[0].ravel()), default=0)
        return map_numbers(x[0], lambda num, _: self._encode(num, frac))

    def rounding(self, types: tuple[Type, ...]) -> float:
        return 0.5 * 2.0**-self.frac + log2(1 + 2.0**-self.grain)

    def saturated(self, types: tuple[Type, ...], *x: NumArray) -> NumArray | None:
        def over(num: Num, _: tuple[int, ...]) -> Num:
            found, most = self.turned(num), self._most(num.frac)
            return const(0, 0) if found.hi <= most else (const(most, num.frac) - found).negative()

        return map_numbers(x[0], over)

    def _most(self, frac: int) -> int:
        """Return the largest raw value of `frac` fraction bits that does not saturate, however large."""
        power = 2.0**self.top - self.odd if self.top < OCTAVES else 2 ** int(self.top)
        return round(Fraction(power) * Fraction(self.floor) * Fraction(2) ** frac)

    def rounds_to(self) -> tuple[Fixed, ...]:
        return (Fixed.covering((1 - self.codes) * self.odd, self.codes - 1, self.frac),)

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return False

    def logarithm(self) -> Logarithm | None:
        return None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        wide = example(S, "j:3", (Fixed(18, 15),))
        return (
            Example(cls(0.25), (wide,), "quarter"),
            Example(cls(1.0, 3, 128, 7, 4), (example(S, "p:2", (Fixed(20, 20, False),)),), "fine"),
            Example(cls(1.0, 2, 24), (wide,), "saturating"),
            Example(cls(4.0), (example(S, "j:2", (Fixed(5, 4, False),)),), "short"),
            Example(cls(1.0, 3, 128, 7, 4, odd=True), (wide,), "odd"),
            Example(cls(2.0, 1, 12, odd=True), (example(S, "j:2", (Fixed(12, 12),)),), "odd_saturating"),
            Example(cls(0.5, magnitude=True), (wide,), "magnitude"),
            Example(cls(1.0, magnitude=True, centred=True), (example(S, "j:3", (Fixed(9, 9),)),), "centred"),
            Example(cls(1.0, 3, 80, odd=True, centred=True), (wide,), "odd_centred"),
        )


@lru_cache(maxsize=4096)
def _codes(op: Log2, first: int, last: int, shift: int, frac: int) -> tuple[int, ...]:
    """Return the codes of cells first..last; every element of a tensor asks for the same ones."""
    return tuple(op.code(cell, shift, frac) for cell in range(first, last + 1))


def _highest(windows: list[tuple[Num, Num]]) -> Num:
    """Take the value of the highest window whose flag is set, as a balanced tree."""
    if len(windows) == 1:
        return windows[0][1]
    half = len(windows) // 2
    return select(windows[half][0], _highest(windows[half:]), _highest(windows[:half]))
