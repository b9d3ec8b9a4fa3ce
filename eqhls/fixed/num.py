"""Numbers with their exact interval, on any engine.

A `Num` is `value = raw * 2**-frac` with `lo <= raw <= hi`. The same arithmetic runs on every
`Engine`: NumPy integers (the emulator), nothing at all (interval analysis), symbolic wires (the netlist).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed.format import MAX_WIDTH, Fixed


class Engine(Protocol):
    """Integer operations that every engine has; `Any` is the engine's own kind of wire.

    `lo` and `hi` bound the result, as derived by interval analysis; `spans` bound the wires of a vector.
    """

    def add(self, a: Any, b: Any, lo: int, hi: int) -> Any: ...
    def sub(self, a: Any, b: Any, lo: int, hi: int) -> Any: ...
    def mul(self, a: Any, b: Any, lo: int, hi: int) -> Any: ...
    def add_const(self, a: Any, value: int, lo: int, hi: int) -> Any: ...
    def mul_const(self, a: Any, value: int, lo: int, hi: int) -> Any: ...
    def shift_left(self, a: Any, bits: int) -> Any: ...
    def shift_right(self, a: Any, bits: int) -> Any: ...
    def wrap(self, a: Any, width: int, signed: bool) -> Any: ...
    def relu(self, a: Any) -> Any: ...
    def nonzero(self, a: Any) -> Any: ...
    def largest(self, terms: Sequence[Any], lo: int, hi: int) -> Any: ...
    def select(self, cond: Any, yes: Any | int, no: Any | int, lo: int, hi: int) -> Any: ...
    def table(self, a: Any, first: int, entries: Sequence[int]) -> Any: ...
    def matvec(
        self, matrix: Sequence[Sequence[int]], x: Sequence[Any], spans: Sequence[tuple[int, int]]
    ) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Num:
    """A fixed-point number with its exact interval; a constant if `engine` is None."""

    engine: Engine | None
    wire: Any
    lo: int
    hi: int
    frac: int

    def __post_init__(self) -> None:
        bits = max(self.hi.bit_length(), (~self.lo).bit_length() if self.lo < 0 else 0) + 1
        if bits > MAX_WIDTH:
            raise CompileError(
                "arithmetic",
                f"a value needs {bits} bits for {self.lo}..{self.hi}, more than {MAX_WIDTH} bits",
                "give its inputs fewer bits by a Precision, or calibrate on events (--calibrate), which "
                "rounds what grows too wide",
            )

    @property
    def is_const(self) -> bool:
        return self.engine is None

    def _new(self, wire: Any, lo: int, hi: int, frac: int) -> Num:
        return const(lo, frac) if lo == hi else Num(self.engine, wire, lo, hi, frac)

    def at(self, frac: int) -> Num:
        """Return the same value with more fraction bits (a shift, no hardware)."""
        bits = frac - self.frac
        assert bits >= 0
        if bits == 0:
            return self
        if self.engine is None:
            return const(self.lo << bits, frac)
        return Num(
            self.engine, self.engine.shift_left(self.wire, bits), self.lo << bits, self.hi << bits, frac
        )

    def scale(self, bits: int) -> Num:
        """Return the value times 2**bits: the point moves, nothing else does."""
        return Num(self.engine, self.wire, self.lo, self.hi, self.frac - bits)

    def __add__(self, other: Num) -> Num:
        a, b = aligned(self, other)
        lo, hi = a.lo + b.lo, a.hi + b.hi
        if a.engine is None:
            a, b = b, a
        if a.engine is None:
            return const(lo, a.frac)
        if b.engine is None:
            return a if b.lo == 0 else a._new(a.engine.add_const(a.wire, b.lo, lo, hi), lo, hi, a.frac)
        return a._new(a.engine.add(a.wire, b.wire, lo, hi), lo, hi, a.frac)

    def __neg__(self) -> Num:
        if self.engine is None:
            return const(-self.lo, self.frac)
        wire = self.engine.mul_const(self.wire, -1, -self.hi, -self.lo)
        return self._new(wire, -self.hi, -self.lo, self.frac)

    def __sub__(self, other: Num) -> Num:
        if self.engine is None or other.engine is None:
            return self + (-other)
        a, b = aligned(self, other)
        lo, hi = a.lo - b.hi, a.hi - b.lo
        return a._new(self.engine.sub(a.wire, b.wire, lo, hi), lo, hi, a.frac)

    def __mul__(self, other: Num) -> Num:
        a, b = (other, self) if self.engine is None else (self, other)
        frac = a.frac + b.frac
        corners = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
        lo, hi = min(corners), max(corners)
        if a.engine is None:
            return const(lo, frac)
        if b.engine is None:
            return _times_const(a, b)
        if self is other:
            lo = 0 if a.lo <= 0 <= a.hi else min(a.lo**2, a.hi**2)
        return a._new(a.engine.mul(a.wire, b.wire, lo, hi), lo, hi, frac)

    def relu(self) -> Num:
        """Return max(x, 0)."""
        if self.lo >= 0:
            return self
        if self.hi <= 0 or self.engine is None:
            return const(max(self.lo, 0) if self.engine is None else 0, self.frac)
        return Num(self.engine, self.engine.relu(self.wire), 0, self.hi, self.frac)

    def negative(self) -> Num:
        """Return 1 where x < 0, else 0."""
        if self.lo >= 0 or self.hi < 0:
            return const(int(self.hi < 0), 0)
        bits = Fixed.covering(self.lo, self.hi, 0).width - 1
        return self.floor_bits(bits).wrap(1, False).with_frac(0)

    def nonzero(self) -> Num:
        """Return 1 where x != 0, else 0 (an OR of all bits)."""
        if self.lo > 0 or self.hi < 0 or self.engine is None:
            return const(int(self.lo != 0), 0)
        if (self.lo, self.hi) == (0, 1):
            return self.with_frac(0)
        return Num(self.engine, self.engine.nonzero(self.wire), 0, 1, 0)

    def with_frac(self, frac: int) -> Num:
        """Read the same bits with another binary point."""
        return Num(self.engine, self.wire, self.lo, self.hi, frac)

    def floor_bits(self, bits: int) -> Num:
        """Drop the last `bits` bits, towards minus infinity (a wire cut, no hardware)."""
        if bits <= 0:
            return self
        lo, hi, frac = self.lo >> bits, self.hi >> bits, self.frac - bits
        if self.engine is None or lo == hi:
            return const(lo, frac)
        return Num(self.engine, self.engine.shift_right(self.wire, bits), lo, hi, frac)

    def wrap(self, width: int, signed: bool) -> Num:
        """Keep the last `width` bits, read as signed or unsigned."""
        span = Fixed(width, width, signed)
        if span.lo <= self.lo and self.hi <= span.hi:
            return self
        if self.engine is None:
            return const(_wrap_int(self.lo, width, signed), self.frac)
        return Num(self.engine, self.engine.wrap(self.wire, width, signed), span.lo, span.hi, self.frac)

    def within(self, lo: int, hi: int) -> Num:
        """Return the same number if it is known to lie in lo..hi, which interval arithmetic cannot see:
        of a difference and a function of it that are added up again."""
        lo, hi = max(lo, self.lo), min(hi, self.hi)
        form = Fixed.covering(lo, hi, self.frac)
        num = self.wrap(form.width, form.signed)
        return num._new(num.wire, lo, hi, num.frac)

    def lookup(self, entries: Sequence[int], frac: int) -> Num:
        """Return entries[raw - lo] with `frac` fraction bits; one entry per raw value."""
        assert len(entries) == self.hi - self.lo + 1
        lo, hi = min(entries), max(entries)
        if self.engine is None or lo == hi:
            return const(entries[0], frac)
        return Num(self.engine, self.engine.table(self.wire, self.lo, tuple(entries)), lo, hi, frac)

    def clamp(self, lo: int, hi: int) -> Num:
        """Saturate the raw value to lo..hi."""
        x = self
        if x.lo < lo:
            x = select((x - const(lo, x.frac)).negative(), const(lo, x.frac), x, (lo, max(x.hi, lo)))
        if x.hi > hi:
            x = select((const(hi, x.frac) - x).negative(), const(hi, x.frac), x, (min(x.lo, hi), hi))
        return x


NumArray = NDArray[Any]
"""An object array of `Num`, of shape (*axes, components)."""


def element(x: NumArray, index: tuple[int, ...]) -> Num:
    """Return one number of an array."""
    return cast(Num, x[index])


def const(raw: int, frac: int) -> Num:
    """Return the constant raw * 2**-frac."""
    return Num(None, None, raw, raw, frac)


def dyadic(value: float) -> Num:
    """Return the constant `value`, exactly; every finite float is dyadic."""
    numerator, denominator = float(value).as_integer_ratio()
    frac = denominator.bit_length() - 1
    while frac <= 0 and numerator and numerator % 2 == 0:
        numerator, frac = numerator // 2, frac - 1
    return const(numerator, frac)


def select(cond: Num, yes: Num, no: Num, bounds: tuple[int, int] | None = None) -> Num:
    """Return `yes` where cond is 1, `no` where it is 0; `bounds` may tighten the raw range."""
    assert (cond.lo, cond.hi, cond.frac) in ((0, 1, 0), (0, 0, 0), (1, 1, 0)), "a condition is one bit"
    if cond.engine is None:
        return yes if cond.lo else no
    a, b = aligned(yes, no)
    lo, hi = bounds or (min(a.lo, b.lo), max(a.hi, b.hi))
    if lo == hi:
        return const(lo, a.frac)
    wire = cond.engine.select(
        cond.wire, a.lo if a.is_const else a.wire, b.lo if b.is_const else b.wire, lo, hi
    )
    return Num(cond.engine, wire, lo, hi, a.frac)


def largest(terms: Sequence[Num]) -> Num:
    """Return the largest number. Every engine knows that the order of the terms does not matter."""
    point = max(t.frac for t in terms)
    terms = [t.at(point) for t in terms]
    lo, hi = max(t.lo for t in terms), max(t.hi for t in terms)
    moving = [t for t in terms if t.engine is not None and t.hi > lo]
    if not moving:
        return next(t for t in terms if t.lo == lo)
    engine, first = moving[0].engine, moving[0]
    assert engine is not None
    if len(moving) > 1:
        low = max(t.lo for t in moving)
        first = Num(engine, engine.largest([t.wire for t in moving], low, hi), low, hi, point)
    return first if first.lo == lo else const(lo, point) + (first - const(lo, point)).relu()


def chosen_largest(terms: Sequence[Num]) -> Num:
    """Return the largest of numbers of one binary point, by a balanced tree of comparisons and choices."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    a, b = chosen_largest(terms[:half]), chosen_largest(terms[half:])
    return select((a - b).negative(), b, a, (max(a.lo, b.lo), max(a.hi, b.hi)))


def total(terms: Sequence[Num]) -> Num:
    """Add up as a balanced tree, so that the depth grows as log2 of the number of terms."""
    level = list(terms)
    while len(level) > 1:
        pairs = [a + b for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else const(0, 0)


def sum_axis(x: NumArray, axis: int) -> NumArray:
    """Sum an object array over one axis, each sum a balanced tree."""
    moved = np.moveaxis(x, axis, -1)
    out = np.empty(moved.shape[:-1], dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = total(list(moved[index]))
    return out


def constant_matmul(matrix: NDArray[np.int64], frac: int, x: Sequence[Num]) -> list[Num]:
    """Return (matrix * 2**-frac) @ x; the engine may share terms between the rows."""
    point = max(n.frac for n in x)
    x = [n.at(point) for n in x]
    live = [k for k, n in enumerate(x) if not n.is_const]
    rows = [[int(m) for m in row] for row in matrix]
    base = [sum(row[k] * x[k].lo for k in range(len(x)) if x[k].is_const) for row in rows]
    if not live:
        return [const(b, point + frac) for b in base]
    engine = x[live[0]].engine
    assert engine is not None
    spans = [(x[k].lo, x[k].hi) for k in live]
    wires = engine.matvec([[row[k] for k in live] for row in rows], [x[k].wire for k in live], spans)
    out: list[Num] = []
    for row, wire, offset in zip(rows, wires, base, strict=True):
        ends = [sorted((row[k] * x[k].lo, row[k] * x[k].hi)) for k in live]
        lo, hi = sum(e[0] for e in ends), sum(e[1] for e in ends)
        num = const(0, point + frac) if lo == hi else Num(engine, wire, lo, hi, point + frac)
        out.append(num + const(offset, point + frac))
    return out


def aligned(a: Num, b: Num) -> tuple[Num, Num]:
    frac = max(a.frac, b.frac)
    return a.at(frac), b.at(frac)


def _times_const(a: Num, c: Num) -> Num:
    """Multiply by a constant; a power of two only moves the point."""
    assert a.engine is not None
    value, frac = c.lo, a.frac + c.frac
    if value == 0:
        return const(0, frac)
    zeros = (value & -value).bit_length() - 1
    odd, x = value >> zeros, a
    lo, hi = sorted((a.lo * odd, a.hi * odd))
    if odd != 1:
        x = Num(a.engine, a.engine.mul_const(a.wire, odd, lo, hi), lo, hi, a.frac)
    return x.with_frac(frac - zeros)


def _wrap_int(value: int, width: int, signed: bool) -> int:
    value &= (1 << width) - 1
    return value - (1 << width) if signed and value >> (width - 1) else value
