"""Products of two variables as rows on carry chains: how deep they are, and what they compute.

One factor is recoded into digits of radix 4 from -2 to 2 (Booth), and row d adds digit d times the other
factor to what the rows before have summed. One LUT with six inputs selects 0, b or 2b, inverts it and adds
it: a bit of a row is one LUT and its place on the carry chain. The two low bits of every sum are final.

`-b` is `~b + 1`. If the recoded factor has a sign, the one enters the carry chain of its own row. If it has
none, the last digit is not negative, and the one of each row fits below the row after it: the first row is
then not an adder, but one level of LUTs. Rows are counted as adders with alkaid's constants
(`trace/passes/surrogate.py`, 0.8.2): a hop each, and the carries of the longest way through all of them. A
product whose rows do not fit into a stage stays an array, which is what synthesis makes of `*`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eqhls.lower.rows import CARRY, HOP, LEVEL

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Factor:
    """The format of a factor, as a word of bits."""

    width: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """A product as rows: `recoded` is cut into digits, `word` is multiplied."""

    recoded: Factor
    word: Factor

    @property
    def count(self) -> int:
        """The digits, and rows."""
        width, signed = self.recoded.width, self.recoded.signed
        return (width + 1) // 2 if signed else width // 2 + 1

    @property
    def width(self) -> int:
        """Bits of a selected multiple, which holds -2b - 1 to 2b."""
        return self.word.width + (1 if self.word.signed else 2)

    @property
    def bits(self) -> int:
        """Bits of the product as the rows make it, two's complement."""
        return 2 * (self.count - 1) + self.width + 1

    @property
    def ns(self) -> float:
        """The depth: the longest way goes through every row once, and along the chains from the first bit to
        the last."""
        levels = self.count * HOP if self.recoded.signed else LEVEL + (self.count - 1) * HOP
        return levels + (self.recoded.width + self.word.width - 1) * CARRY


def rows(a: Factor, b: Factor, stage_ns: float) -> Rows | None:
    """Return the rows of a product if they fit into a stage, or None: an array is to be preferred.

    The factor whose digits are fewer is recoded, the first of two that are alike. A single bit is a gate, and
    two bits without a sign are one adder as they are.
    """
    if min(a.width, b.width) < 2 or Factor(2, False) in (a, b):
        return None
    ways = sorted((Rows(a, b), Rows(b, a)), key=lambda r: (r.count * r.width, r.count))
    return next((way for way in ways if way.ns <= stage_ns), None)


def multiplied(form: Rows, recoded: Ints, word: Ints) -> Ints:
    """Return the product of raw integers, row by row in words of the widths that the hardware has."""
    width, low, total = form.width, np.zeros_like(word), np.zeros_like(word)
    before = np.zeros_like(word)
    for d in range(form.count):
        lowest, middle, negative = (_bit(form.recoded, recoded, 2 * d + k) for k in (-1, 0, 1))
        one, two = middle ^ lowest, (negative ^ middle) & ~(middle ^ lowest) & 1
        chosen = _wrapped(((word * one) | (2 * word * two)) ^ -negative, width)
        if form.recoded.signed:
            total = _wrapped((total >> 2) + chosen + negative, width + 1)
            low |= (total & 3) << (2 * d)
        elif d == 0:
            total = chosen
        else:
            whole = _wrapped(total + (chosen << 2) + before, width + 3)
            low |= (whole & 3) << (2 * d - 2)
            total = whole >> 2
        before = negative
    top = 2 * (form.count - 1)
    return (low & ((1 << top) - 1)) + (total << top)


def _bit(form: Factor, value: Ints, place: int) -> Ints:
    """Return a bit of a factor, 0 below it and its sign or 0 above."""
    if place < 0 or (place >= form.width and not form.signed):
        return np.zeros_like(value)
    return value >> min(place, form.width - 1) & 1


def _wrapped(value: Ints, width: int) -> Ints:
    low = value & ((1 << width) - 1)
    return low - ((low >> (width - 1)) << width)
