"""Numbers on a circle: the representative that lies nearest to zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray
from eqhls.groups.charge import NEUTRAL, Charges
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Logarithm, Reading, neutral
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import MAX_ADDRESS_BITS, ScalarFunction, example, map_numbers, scalars_only


@dataclass(frozen=True, slots=True)
class Wrap(ScalarFunction):
    """x modulo `modulus`, around zero, saturated to `out`; all counted in LSBs, which x and `out` share.

    With cells of `step` LSBs, h = floor(x / step) and n = modulus / step:
    y = step * clip(((h + n//2) mod n) - n//2) + (x mod step). So the window begins at -(n//2) step: for an
    even n at -modulus/2, for an odd one half a step above it. `step` is a power of two that divides
    `modulus`, and `out` ends at borders of cells: the low bits pass, and one table of the high bits is all.
    For phi, 1440 = 45 * 32. A modulus that is a power of two costs nothing unless `out` saturates.

    Behind a difference (`add` with `minus`), the result does not change when both angles turn. The range of
    `out` is part of the function, its modes have no effect.
    """

    group: ClassVar[str] = "scalar"
    reads: ClassVar[Reading] = Reading.VALUE
    has_format: ClassVar[bool] = False
    modulus: int
    step: int
    out: Fixed

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        self._check_fields()
        for form in types[0].formats:
            self._check_point(form.frac)
        return types[0].like(S)

    def _check_fields(self) -> None:
        step, out = self.step, self.out
        if step < 1 or step & (step - 1) or self.modulus < 2 * step or self.modulus % step:
            raise self.error(
                f"found modulus {self.modulus} and step {step}",
                "give a step that is a power of two and divides the modulus into two cells or more",
            )
        if out.lo % step or (out.hi + 1) % step:
            raise self.error(
                f"found {out} with step {step}, whose range {out.lo} to {out.hi} does not end at cells",
                "give `out` more bits, or a smaller step; SAT_SYM needs a step of 1",
            )

    def _check_point(self, frac: int) -> None:
        if frac != self.out.frac:
            raise self.error(
                f"found an input of {frac} fraction bits and {self.out}, which has {self.out.frac}",
                "the modulus counts LSBs, which input and result share: requantize the input",
            )

    @property
    def low_bits(self) -> int:
        """How many bits pass untouched."""
        return self.step.bit_length() - 1

    @property
    def cells(self) -> int:
        """How many cells a turn has."""
        return self.modulus // self.step

    @property
    def is_power(self) -> bool:
        """Whether dropping high bits wraps: then there is no table unless something saturates."""
        return self.cells & (self.cells - 1) == 0

    @property
    def saturates(self) -> bool:
        """Whether the window reaches beyond `out`."""
        half = self.cells // 2
        first, last = self._ends()
        return first > -half or last < self.cells - half - 1

    def _ends(self) -> tuple[int, int]:
        """Return the first and the last cell of `out`."""
        return self.out.lo // self.step, self.out.hi // self.step

    def cell(self, high: Floats) -> Floats:
        """Return the cell of the result for cells of x."""
        half = self.cells // 2
        return np.clip((high + half) % self.cells - half, *self._ends())

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        turn = {(c.factor, c.modulus) for c in types[0].charges}
        if turn == {(0, self.modulus * self.out.lsb)}:
            return NEUTRAL
        if turn and not any(factor for factor, _ in turn):
            raise self.error(
                f"found {types[0]} and a modulus of {self.modulus * self.out.lsb:g}",
                "reduce angles by the turn of their type",
            )
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        raw = x[0] / self.out.lsb
        high = np.floor(raw / self.step)
        return (self.cell(high) * self.step + (raw - high * self.step)) * self.out.lsb

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return map_numbers(x[0], lambda num, _: self._wrapped(num))

    def _wrapped(self, x: Num) -> Num:
        if x.frac > self.out.frac:
            self._check_point(x.frac)
        x = x.at(self.out.frac)
        turn = self.modulus.bit_length() - 1
        if self.is_power:
            x = x.wrap(turn, True)
            if not self.saturates:
                return x
        high = x.floor_bits(self.low_bits)
        if high.hi - high.lo >= 1 << MAX_ADDRESS_BITS:
            raise self.error(
                f"has a table of {high.hi - high.lo + 1} cells, expected at most {1 << MAX_ADDRESS_BITS}",
                "drop high bits of the input if they are whole turns, or give a larger step",
            )
        entries = [int(v) for v in self.cell(np.arange(high.lo, high.hi + 1, dtype=np.float64))]
        cell = high.lookup(entries, high.frac)
        return cell + x.wrap(self.low_bits, False) if self.low_bits else cell

    def work(self, types: tuple[Type, ...]) -> Work:
        free = self.is_power and not self.saturates
        return Work() if free else Work(lookups=self.infer(*types).elements)

    def rounds_to(self) -> tuple[Fixed, ...]:
        return (Fixed.covering(self.out.lo, self.out.hi, self.out.frac),)

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return False

    def logarithm(self) -> Logarithm | None:
        return None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        angle = (example(S, "j:3", (Fixed(12, 12),)),)
        return (
            Example(cls(1440, 32, Fixed(9, 9)), angle, "phi"),
            Example(cls(1440, 32, Fixed(11, 11)), angle, "whole"),
            Example(cls(90, 1, Fixed(7, 5)), (example(S, "c:2", (Fixed(9, 7),)),), "bits"),
            Example(cls(1024, 32, Fixed(9, 9)), angle, "saturating"),
            Example(cls(512, 1, Fixed(9, 9)), angle, "power"),
            Example(cls(96, 8, Fixed(6, 6, False)), (example(S, "j:2", (Fixed(8, 8, False),)),), "unsigned"),
        )
