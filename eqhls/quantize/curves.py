"""What stands between a scalar and the tables of a network of it: nothing, a rounding, or a logarithm.

A table is addressed by at most ADDRESS_BITS bits. Which of them serve the functions best follows from the
functions: every candidate is tried on numbers over the whole range of the scalar, and of those that change
the results by less than the entries' own format the cheapest is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf, log2

import numpy as np

from eqhls.engines import Ints, hull, load, store
from eqhls.fixed import Fixed, Formats, Overflow, Rounding
from eqhls.groups.rep import S
from eqhls.ir.op import Floats, Op
from eqhls.ir.types import Type
from eqhls.ops.log2 import Log2
from eqhls.ops.requantize import Requantize

ADDRESS_BITS, ENTRY_BITS = 10, 10
FEWEST_BITS = 6
FRACTIONS = (2, 3, 4, 5)
"""Fraction bits of a code that are tried: 4 to 32 codes per octave."""
POINTS = 1000
"""Arguments that are tried, evenly spaced, and as many in equal ratios."""
TOLERANCE = 1.0
"""The rms change of a result that is allowed, in steps of its format."""
MARGIN = 2.0
"""How far the range of an address exceeds the largest value seen."""
LUT_BITS = 64
"""Bits of a truth table that one LUT holds."""


@dataclass(frozen=True, slots=True)
class Address:
    """An op in front of tables, the floor that they decode its codes by (0 if they need not), and what both
    cost in LUT."""

    op: Requantize | Log2
    floor: float
    luts: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A network of a scalar, and the largest |result| seen: the range that its entries need."""

    op: Op
    largest: float

    def entries(self, x: Floats, floor: float) -> Floats:
        """Return the results at arguments, or at their codes, within the range, in steps of an entry."""
        y = (self.op.coded(floor) if floor else self.op).everywhere(x)
        top = min(MARGIN * self.largest, float(np.abs(y).max())) or 1.0
        return np.clip(y, -top, top) / (top * 2.0 ** (1 - ENTRY_BITS))


def address_of(curves: Sequence[Curve], form: Fixed, largest: float) -> Address | None:
    """Return what the functions of one scalar of format `form` read in its place; None if they read its own
    bits. `largest` is the largest |value| seen."""
    if form.width <= ADDRESS_BITS:
        return None
    raw = _arguments(form, largest)
    exact: Floats = np.asarray(raw * form.lsb, dtype=np.float64)
    wanted = [c.entries(exact, 0.0) for c in curves]
    count = sum(c.op.everywhere(np.zeros(1)).size for c in curves)
    best, least = None, inf
    for address in sorted(_candidates(form, largest, count), key=lambda a: a.luts):
        x = _through(address.op, form, raw)
        error = max(_rms(c.entries(x, address.floor) - w) for c, w in zip(curves, wanted, strict=True))
        if error < least:
            best, least = address, error
        if error <= TOLERANCE:
            break
    return best


def _arguments(form: Fixed, largest: float) -> Ints:
    """Return raw numbers of a format up to the largest seen: evenly spaced, in equal ratios, and 0."""
    top = max(min(round(largest / form.lsb), form.hi), 1)
    ratios = np.geomspace(1, top, POINTS)
    even = np.linspace(max(-top, form.lo), top, POINTS)
    every: list[Floats] = [np.zeros(1), even, ratios, *([-ratios] if form.lo < 0 else [])]
    raw: Ints = np.clip(np.rint(np.concatenate(every)), form.lo, form.hi).astype(np.int64)
    return np.unique(raw)


def _through(op: Op, form: Fixed, raw: Ints) -> Floats:
    """Return what an op makes of raw numbers, in real units."""
    type = Type(S, formats=Formats((form,)))
    body = op.body((type,), load((form,), raw[:, None]))
    (out,) = hull(body)
    return np.asarray(store(body, (out,), len(raw))[:, 0] * out.lsb, dtype=np.float64)


def _rms(x: Floats) -> float:
    return float(np.sqrt((x**2).mean()))


def _candidates(form: Fixed, largest: float, functions: int) -> Iterator[Address]:
    """Yield roundings to fewer and fewer bits, and codes of finer and finer logarithms."""
    top, signed = max(largest, form.lsb) * MARGIN, form.lo < 0
    for bits in range(FEWEST_BITS, ADDRESS_BITS + 1):
        integer = ceil(log2(top)) + signed
        narrow = Fixed(bits, integer, signed, Rounding.RND, Overflow.SAT)
        yield Address(Requantize((narrow,)), 0.0, bits + _table(functions, bits))
    for frac in FRACTIONS:
        for shift in range(ceil(log2(top / form.lsb))):
            floor = form.lsb * 2.0**shift
            codes = ceil(log2(1 + top / floor) * 2**frac) + 1
            bits = codes.bit_length() + signed
            if bits <= ADDRESS_BITS:
                op = Log2(floor, frac, codes, frac + 4, 3, odd=True)
                windows = 1 + max(0, ceil((form.width - op.window) / op.step))
                yield Address(op, floor, _table(windows, op.window) + _table(functions, bits))


def _table(functions: int, bits: int) -> float:
    """Return the LUT of some tables of a number of address bits."""
    return functions * ENTRY_BITS * max(2.0**bits / LUT_BITS, 1.0)
