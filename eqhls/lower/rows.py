"""What adders and counters of bits take, in LUTs and ns, from the places of the bits that they add.

The formulas of adders are alkaid's (`trace/passes/surrogate.py`, 0.8.2), so that a sum costs the same whoever
put it together: a carry chain with a hop of routing in front, of two terms or of three. A counter of bits is
one level of LUTs and takes what alkaid says of a multiplexer, which is one level, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HOP, CARRY = 1.09375, 0.025390625
"""An adder of two terms: ns in front of its carry chain, and for every bit of it."""
TERNARY_HOP, TERNARY_CARRY = 1.3125, 0.03125 * 1.3125
"""An adder of three."""
LEVEL = 0.5
"""One level of LUTs, in ns."""
FULL, MOST = 3, 6
"""The bits that a full adder counts, and those that a LUT with six inputs can."""


@dataclass(frozen=True, slots=True)
class Row:
    """A term of a sum: bits from place `low` to `high`, two's complement or not, added or subtracted.

    `reach` is the interval of its value in units of place 0 of the sum. A row without it holds its value up
    to multiples of 2**(high + 1), as do all the bits of a compressed sum.
    """

    low: int
    high: int
    signed: bool
    minus: bool
    reach: tuple[int, int] | None

    @property
    def ends(self) -> tuple[int, int] | None:
        """The interval of what it adds."""
        if self.reach is None or not self.minus:
            return self.reach
        return -self.reach[1], -self.reach[0]


@dataclass(frozen=True, slots=True)
class Price:
    """LUTs, and ns of delay."""

    lut: float
    ns: float


def adder(terms: Sequence[Row], out: tuple[int, int]) -> Price:
    """Return what a sum of two or three rows takes whose result has bits from place `out[0]` to `out[1]`."""
    return _binary(terms) if len(terms) == 2 else _ternary(terms, out)


def _binary(terms: Sequence[Row]) -> Price:
    a, b = terms
    top, bottom = max(a.high, b.high), min(a.low, b.low)
    lower, upper = sorted(terms, key=lambda r: r.low)
    if lower.high < upper.low and not (lower.signed or a.minus or b.minus):
        return Price(0.0, 0.0)
    bits = top - upper.low + 1
    if a.minus != b.minus:
        bits = max(top - bottom, 1)
    return Price(float(bits), HOP + (bits - 1) * CARRY)


def _ternary(terms: Sequence[Row], out: tuple[int, int]) -> Price:
    """Bits that only the lowest term has are not added."""
    ordered = sorted(terms, key=lambda r: r.low)
    bottom = ordered[1].low if ordered[0].low < ordered[1].low and not ordered[0].minus else out[0]
    bits = out[1] - max(bottom, out[0]) + 1
    if bits <= 0:
        return Price(0.0, 0.0)
    return Price(bits + -(-bits // 8), TERNARY_HOP + (bits - 1) * TERNARY_CARRY)


def columns(terms: Sequence[Row], low: int, high: int) -> list[tuple[int, int]]:
    """Return how many bits of rows, and how many ones, stand in every place from `low` to `high`.

    A row that is subtracted is its complement and 1 more: ones below it, and above it unless it has a sign.
    """
    found: list[tuple[int, int]] = []
    for place in range(low, high + 1):
        bits = sum(r.low <= place and (place <= r.high or r.signed) for r in terms)
        known = sum(r.minus and (place < r.low or (place > r.high and not r.signed)) for r in terms)
        found.append((bits, known))
    return found


def counter(heights: Sequence[tuple[int, int]], weight: int) -> float:
    """Return the LUTs of bit `weight` of the numbers of ones in columns.

    Two functions of the same five bits share a LUT: the lowest two bits of a count. The third takes a whole
    one, and so does every function of six bits.
    """
    third = weight == MOST.bit_length() - 1
    return sum(
        1.0 if third or bits == MOST else 0.5
        for bits, known in heights
        if bits > 1 and bits + known >> weight
    )
