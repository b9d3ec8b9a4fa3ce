"""What alkaid keeps exactly of a wire, and wires that it would not keep.

alkaid finds the last bit of a number in float32, which holds 24 bits, and bounds wires by doubles, which hold
53: a wire is bounded by an affine form of other wires, whose factors multiply from layer to layer. A wire is
`plain` if its form stays within both. Every other wire is bounded by our own interval instead, on a form of
its own; beyond 2^52 that interval is rounded outwards to doubles. So wires are exact up to 63 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any

import numpy as np
from alkaid.trace.affine_interval import AffineInterval
from alkaid.trace.fixed_variable import FVariable, HWConfig
from alkaid.types import QInterval

HARDWARE = HWConfig(1, 1, -1)
FLOAT32, DOUBLE = 24, 52
"""Bits of numbers whose last one alkaid finds, and of intervals that it computes exactly."""
SAFE = FLOAT32 - 2
"""Bits of factors that it may multiply with: inside, it forms sums and differences of them."""


def is_known(a: Any) -> bool:
    """Whether alkaid, which sees x - x, knows the wire to be constant where our intervals do not;
    its own `quantize` gives wrong values for such wires."""
    return bool(a.low == a.high)


def odd_bits(value: int) -> int:
    """Return how many bits an integer needs without the zeros at its end."""
    return (abs(value) // (value & -value or 1)).bit_length()


def last_bit(value: float) -> float:
    """Return what the last bit of a finite number is worth, exactly; infinity for 0."""
    numerator, denominator = value.as_integer_ratio()
    return float(numerator & -numerator) / denominator if numerator else float("inf")


def is_wide(lo: int, hi: int) -> bool:
    """Whether doubles might not hold sums of such values."""
    return max(-lo, hi) >> DOUBLE > 0


def ends(a: Any) -> tuple[int, int]:
    """Return bounds of a wire: its interval, without what was added in rounding it to doubles."""
    return floor(a.low), int(a.high + a.step) - int(a.step)


def is_bit(a: Any) -> bool:
    """Whether a wire is 0 or one other number."""
    return bool(max(a.high, 0) - min(a.low, 0) == a.step)


def width(a: Any) -> int:
    """Return the bits of a wire."""
    return sum(int(v) for v in a.kif)


def corners(a: Any, b: Any) -> tuple[int, int]:
    """Return the bounds of a product."""
    products = [x * y for x in ends(a) for y in ends(b)]
    return min(products), max(products)


def is_plain(a: Any) -> bool:
    """Whether alkaid knows the interval and the last bit of an integer wire exactly."""
    form, small = a._affine, 2.0**FLOAT32
    if is_known(a) or (-small < a.low and a.high < small and abs(form.bias) < small):
        return True
    terms = [(c, atom.qint) for atom, c in form.coeffs.items()]
    reach = sum(abs(c) * max(-q.min, q.max) for c, q in terms) + abs(form.bias)
    return bool(
        reach < 2.0**DOUBLE and all(_is_held(v) for v in (form.bias, *(c * q.step for c, q in terms)))
    )


def _is_held(value: float) -> bool:
    return float(np.float32(value)) == value


def bounded(a: Any, lo: int, hi: int, step: float) -> Any:
    """Return a wire of multiples of `step` from `lo` to `hi`, plain or on a form of its own."""
    return a if is_plain(a) else tightened(a, lo, hi, step)


def tightened(a: Any, lo: int, hi: int, step: float) -> Any:
    """Return a wire on a form of its own, bounded by `lo` and `hi`. A known one stays known: it is computed
    from its value, and alkaid may have the last bit of that wrong."""
    return a if is_known(a) else a._with(_affine=_form(lo, hi, step), renew_id=False)


def _form(lo: int, hi: int, step: float) -> AffineInterval:
    """Bound by doubles: `high` + `step` must not come out below hi + 1, from which alkaid derives widths."""
    unit = max(int(step), 1)
    grain = max(unit, 1 << max(max(-lo, hi).bit_length() - DOUBLE, 0))
    lo, hi = lo // grain * grain, -(-(hi + 1) // grain) * grain - unit
    return AffineInterval.new(QInterval(float(min(lo, hi - unit)), float(hi), step))


def fresh(a: Any) -> Any:
    """Return the wire on a form of its own, which forgets what it was made of."""
    return FVariable(a.low, a.high, a.step, _from=(a,), _factor=1.0, opr="wrap", hwconf=HARDWARE)


def is_narrow(a: Any) -> bool:
    """Whether float32, in which alkaid plans its sums, might not tell the ends of an interval apart."""
    return bool((a.high - a.low) * 2.0**SAFE < max(-a.low, a.high))


def loose(a: Any) -> Any:
    """Return the wire on a form of its own that spans its whole word."""
    signed, integer, point = a.kif
    return FVariable.from_kif(signed, integer, point, _from=(a,), _factor=1.0, opr="wrap", hwconf=HARDWARE)


def negated(a: Any) -> Any:
    """Return -a, whose largest value may be a power of two: one more is not a double of a wide wire."""
    lo, hi = ends(a)
    return tightened(-a, -hi, -lo, a.step) if is_wide(lo, hi) else -a


def summed(a: Any, b: Any, lo: int, hi: int) -> Any:
    """Return a + b of wires that are not known, with `lo` to `hi` as bounds if alkaid has none."""
    if not (is_wide(lo, hi) or is_wide(*ends(a)) or is_wide(*ends(b))):
        return bounded(a + b, lo, hi, min(a.step, b.step))
    if a._factor < 0:
        return summed(b, a, lo, hi) if b._factor > 0 else negated(summed(-a, -b, -hi, -lo))
    form = _form(lo, hi, min(a.step, b.step))
    return FVariable(_affine=form, _from=(a, b), _factor=a._factor, opr="vadd", hwconf=HARDWARE)


def shifted(a: Any, value: int, lo: int, hi: int) -> Any:
    """Return a + value for a constant that float32 holds."""
    step = min(a.step, last_bit(value))
    if not (is_wide(lo, hi) or is_wide(*ends(a))):
        a = a if _merges(a, value) else fresh(a)
        return bounded(a + float(value), lo, hi, step)
    a = fresh(a) if a.opr == "cadd" else a
    scaled = value / a._factor
    unit = last_bit(scaled)
    data = (1 - int(np.frexp(unit)[1])) << 32 | (int(scaled / unit) & 0xFFFFFFFF)
    form = _form(lo, hi, step)
    return FVariable(_affine=form, _from=(a,), _factor=a._factor, _data=data, opr="cadd", hwconf=HARDWARE)


def _merges(a: Any, value: int) -> bool:
    """Whether float32 holds the sum of a constant and of the one that the wire already adds to another, as
    alkaid makes one of two constants in a row."""
    if a.opr != "cadd":
        return True
    raw, point = (((a._data >> at & 0xFFFFFFFF) + (1 << 31)) % (1 << 32) - (1 << 31) for at in (0, 32))
    unit = min(last_bit(raw * 2.0**-point * a._factor), last_bit(value), 1.0)
    return odd_bits(int(raw * 2.0**-point * a._factor / unit) + int(value / unit)) <= FLOAT32


def multiplies(a: Any, value: int, lo: int, hi: int) -> bool:
    """Whether alkaid multiplies a wire by a constant exactly."""
    wide = is_wide(4 * lo, 4 * hi) or is_wide(*(4 * end for end in ends(a)))
    return not wide and odd_bits(value) <= SAFE


def signed_digits(value: int, adjacent: bool) -> list[tuple[int, int]]:
    """Return (sign, place) of the digits of a constant: those of its bits, or as few as there can be."""
    digits: list[tuple[int, int]] = []
    sign, rest, place = (-1 if value < 0 else 1), abs(value), 0
    while rest:
        if rest & 1:
            digit = 1 if adjacent or rest & 3 == 1 else -1
            digits.append((sign * digit, place))
            rest -= digit
        rest, place = rest >> 1, place + 1
    return digits


def mixes(columns: Sequence[int], x: Sequence[Any]) -> bool:
    """Whether the forms of sums of wires times factors of at most `columns` stay within float32."""
    sizes: dict[Any, list[float]] = {}
    for most, a in zip(columns, x, strict=True):
        parts = [(atom, c * atom.qint.step) for atom, c in a._affine.coeffs.items()]
        for key, value in [*parts, ("bias", a._affine.bias)]:
            if value and most:
                total, unit = sizes.get(key, (0.0, float("inf")))
                sizes[key] = [total + abs(value) * most, min(unit, last_bit(value))]
    return all(total < unit * 2.0**SAFE for total, unit in sizes.values())
