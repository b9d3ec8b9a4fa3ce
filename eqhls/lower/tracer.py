"""Bodies traced to wires of alkaid: with `stages` and `wires`, all that knows it. Wires hold raw integers.

Every operation leaves a wire that alkaid knows exactly (`wires`). What it could not compute so is made of
parts: constants of more than 24 bits, tables of wide entries, matrices on wide words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from alkaid.trace import FVArray, trace
from alkaid.trace.fixed_variable import FVariable
from alkaid.trace.passes.surrogate import cost_lat_mul

from eqhls.fixed import Fixed, Num, chosen_largest, const, select, total
from eqhls.lower import wires
from eqhls.lower.factors import Asked, Codes
from eqhls.lower.layout import Layout
from eqhls.lower.matrices import MATRIX_BITS, Matrix, part, row_span
from eqhls.lower.netlist import Netlist
from eqhls.lower.stages import cut, deep_recursion
from eqhls.lower.wires import (
    DOUBLE,
    FLOAT32,
    HARDWARE,
    SAFE,
    corners,
    ends,
    is_bit,
    is_known,
    is_wide,
    odd_bits,
    width,
)
from eqhls.options import STAGE_PRICE

ROW_DIGIT = 3
"""Bits of a digit whose product is a level of LUTs and one adder: two rows, the last one not negative."""
WIDEST_ADDRESS = 16
"""Bits beyond which a word loses those that an address does not need, though alkaid knows no better."""
XOR = 2
"""alkaid's number of the function of two bits."""
WIDEST_BY_BIT = 32
"""alkaid estimates products of a bit and a word of over 43 bits to take less than no time, and then finds
them before their factors; such a bit chooses between the word and 0."""
SHORTEST_DIGIT = 2
"""Products are not cut into digits of fewer bits: adders would cost more than they save."""


class Tracer:
    """The engine whose wires are hardware."""

    def __init__(
        self, stage_ns: float, stage_price: float = STAGE_PRICE, whole: frozenset[int] = frozenset()
    ) -> None:
        """`whole` are the numbers of the products that are not cut, among `products`."""
        self._inputs: list[FVariable] = []
        self._stage_ns, self._stage_price = stage_ns, stage_price
        self._whole, self._parts = whole, False
        self._asked = Asked()
        self._seen: dict[int, tuple[int, FVariable]] = {}
        self._differences: dict[tuple[int, int], FVariable] = {}
        self._minus: dict[int, tuple[FVariable, FVariable]] = {}
        self._codes = Codes()

    def input(self, form: Fixed) -> Num:
        """Declare the next element of the packed input word."""
        wire = FVariable(form.lo, form.hi, 1.0, hwconf=HARDWARE)
        self._inputs.append(wire)
        return Num(self, wire, form.lo, form.hi, form.frac)

    def add(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        a, b = (b, a) if is_known(a) else (a, b)
        if is_known(b):
            return self.add_const(a, int(b.low), lo, hi)
        return wires.summed(a, b, lo, hi)

    def sub(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        """b - a is a - b with a sign that costs nothing."""
        first, second = self._rank(a), self._rank(b)
        turned = self._differences.get((second, first))
        if turned is not None:
            return self._negated(turned)
        return self._differences.setdefault((first, second), self.add(a, -b, lo, hi))

    def _negated(self, wire: Any) -> Any:
        minus = wires.negated(wire)
        self._minus[id(minus)] = (minus, wire)
        return minus

    def mul(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        """A product that would not fit in a stage is made of smaller ones, so that it can be cut.

        Signs are taken out, and factors in the order in which they were first seen: a b, b a and
        -((-a) b) are one.
        """
        (a, minus), (b, turned) = (self._unsigned(x) for x in (a, b))
        if minus != turned:
            return self._negated(self._product(a, b, -hi, -lo))
        return self._product(a, b, lo, hi)

    def _unsigned(self, factor: Any) -> tuple[Any, bool]:
        """Return what a wire is the negative of and True, or the wire and False."""
        found = self._minus.get(id(factor))
        return (factor, False) if found is None else (found[1], True)

    def _product(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        a, b = sorted((a, b), key=self._rank)
        if is_known(a) or is_known(b):
            a, b = (b, a) if is_known(a) else (a, b)
            return self.mul_const(a, int(b.low), lo, hi)
        for bit, word in ((a, b), (b, a)):
            if is_bit(bit) and width(word) > WIDEST_BY_BIT:
                scaled = self.mul_const(word, int(bit.low or bit.high), lo, hi)
                return self.select(self.nonzero(bit), scaled, 0, lo, hi)
        for code, word in ((a, b), (b, a)):
            powers = self._codes.powers(code)
            if powers:
                return self._gated(code, word, powers, lo, hi)
        step = a.step * b.step
        if self._number(a, b) in self._whole or self._fits(a, b):
            return wires.bounded(a * b, lo, hi, step)
        form = Fixed.covering(lo, hi, 0)
        reach = int(lo // step), int(hi // step)
        if a is b:
            whole = self._square(a * (1 / a.step), *reach) * step
        else:
            whole = self._split(a * (1 / a.step), b * (1 / b.step), *reach) * step
        return self.wrap(whole, form.width, form.signed)

    def _gated(self, code: Any, word: Any, places: Sequence[int], lo: int, hi: int) -> Any:
        """A word times a power of two or 0, which the code says by the one bit that is set: the word at that
        place. A choice for each bit, which LUTs hold in one level, instead of a multiplier."""
        chosen: Any = 0
        reach = (0, 0)
        for place in places:
            bit = self.wrap(self.shift_right(code, place) if place else code, 1, False)
            low, high = (end << place for end in ends(word))
            reach = min(reach[0], low), max(reach[1], high)
            chosen = self.select(bit, self.shift_left(word, place), chosen, *reach)
        return wires.bounded(chosen, lo, hi, word.step * 2.0 ** places[0])

    def _number(self, a: Any, b: Any) -> int | None:
        """Return the place of a product among those that bodies ask for; parts of one have none."""
        if self._parts:
            return None
        return self._asked.number((self._rank(a), self._rank(b)), width(a) * width(b))

    def _rank(self, wire: Any) -> int:
        """Return the place of a wire among all; it is kept, so that its id stays its own."""
        return self._seen.setdefault(id(wire), (len(self._seen), wire))[0]

    def _fits(self, a: Any, b: Any) -> bool:
        delay = cost_lat_mul(a.qint, b.qint, *HARDWARE[:2])[1]
        return delay <= self._stage_ns or min(width(a), width(b)) < 2 * SHORTEST_DIGIT

    def _split(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        """Digits of the narrower factor: of three bits, whose products are rows, or as few and as equal as
        fit into a stage."""
        a, b = sorted((a, b), key=width, reverse=True)
        counts = range(2, width(b) // SHORTEST_DIGIT + 1)
        sizes = (ROW_DIGIT, *(-(-width(b) // count) for count in counts))
        cuts = (self._digits(b, size) for size in sizes)
        digits = next((d for d in cuts if all(self._fits(a, x) for x, _ in d)), None)
        digits = digits or self._digits(b, SHORTEST_DIGIT)
        return self._tree([self._by_digit(a, d) * 2.0**at for d, at in digits], lo, hi)

    def _by_digit(self, a: Any, d: Any) -> Any:
        if is_known(d):
            return self.mul_const(a, int(d.low), *corners(a, d))
        return wires.bounded(a * d, *corners(a, d), a.step * d.step)

    def _square(self, a: Any, lo: int, hi: int) -> Any:
        """(2^h u + l)^2 needs three products of half the width instead of four."""
        half = width(a) // 2
        (low, _), (high, at) = self._digits(a, half)[0], (self.shift_right(a, half), half)
        outer, self._parts = self._parts, True
        products = [self.mul(x, y, *corners(x, y)) for x, y in ((low, low), (low, high), (high, high))]
        self._parts = outer
        places = (0, at + 1, 2 * at)
        return self._tree([p * 2.0**bits for p, bits in zip(products, places, strict=True)], lo, hi)

    def _tree(self, terms: list[Any], lo: int, hi: int) -> Any:
        """Add up to a result from `lo` to `hi`."""
        while len(terms) > 2:
            pairs = [self._plus(a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
            terms = pairs + terms[len(pairs) * 2 :]
        return self.add(terms[0], terms[1], lo, hi) if len(terms) == 2 else terms[0]

    def _plus(self, a: Any, b: Any) -> Any:
        return self.add(a, b, *(x + y for x, y in zip(ends(a), ends(b), strict=True)))

    def _digits(self, b: Any, bits: int) -> list[tuple[Any, int]]:
        """Avoid digits of one bit: alkaid gives their products a negative delay, and then schedules these
        before their factors."""
        cuts = range(0, max(width(b) - SHORTEST_DIGIT + 1, 1), bits)
        rests = [self.shift_right(b, c) if c else b for c in cuts]
        return [(self.wrap(r, bits, False), c) for r, c in zip(rests[:-1], cuts, strict=False)] + [
            (rests[-1], cuts[-1])
        ]

    def add_const(self, a: Any, value: int, lo: int, hi: int) -> Any:
        """A constant that float32 does not hold is added in parts, the high bits first."""
        if value == 0:
            return a
        if is_known(a):
            return self._constant(int(a.low) + value)
        if odd_bits(value) > FLOAT32:
            low = (abs(value) & (((1 << FLOAT32) - 1) * (value & -value))) * (1 if value > 0 else -1)
            a, value = self.add_const(a, value - low, lo - low, hi - low), low
        return wires.shifted(a, value, lo, hi)

    def mul_const(self, a: Any, value: int, lo: int, hi: int) -> Any:
        """alkaid multiplies by shifts and sums, whose intervals and factors it must be able to hold."""
        if is_known(a) or value == 0:
            return self._constant(int(a.low) * value if value else 0)
        if odd_bits(value) == 1:
            return (a if value > 0 else wires.negated(a)) * float(abs(value))
        if wires.multiplies(a, value, lo, hi):
            a = a if wires.mixes([abs(value)], [a]) else wires.fresh(a)
            return wires.bounded(a * float(value), lo, hi, a.step * wires.last_bit(value))
        reach = sorted((-(-lo // value), hi // value) if value > 0 else (-(-hi // value), lo // value))
        x = Num(self, a, max(reach[0], ends(a)[0]), min(reach[1], ends(a)[1]), 0)
        digits = wires.signed_digits(value, max(-lo, hi) >> 60 > 0)
        terms = [(sign, x.at(place).with_frac(0)) for sign, place in digits]
        whole = total([t if sign > 0 else -t for sign, t in terms]).wire
        return wires.tightened(whole, lo, hi, a.step * wires.last_bit(value))

    def _num(self, a: Any) -> Num:
        """Return a wire or a constant as a number."""
        if isinstance(a, int) or is_known(a):
            return const(a if isinstance(a, int) else int(a.low), 0)
        return Num(self, a, *ends(a), 0)

    def _constant(self, value: int) -> Any:
        """Return a constant; one that doubles do not hold is added to what alkaid does not know to be 0."""
        if odd_bits(value) <= DOUBLE:
            return FVariable.from_const(float(value), hwconf=HARDWARE)
        pair = (self._inputs[0],) * 2
        zero = FVariable(0.0, 1.0, 1.0, _from=pair, _data=XOR, opr="bit_binary", hwconf=HARDWARE)
        return self.add_const(zero, value, value, value + 1)

    def shift_left(self, a: Any, bits: int) -> Any:
        return a * 2.0**bits

    def shift_right(self, a: Any, bits: int) -> Any:
        if is_known(a):
            return self._constant(int(a.low) >> bits)
        k, i, _ = a.kif
        return a.quantize(k, max(i, bits), -bits, "WRAP", "TRN") * 2.0**-bits

    def wrap(self, a: Any, width: int, signed: bool) -> Any:
        if is_known(a):
            return self._constant(const(int(a.low), 0).wrap(width, signed).lo)
        return a.quantize(signed, width - signed, 0, "WRAP", "TRN")

    def relu(self, a: Any) -> Any:
        if is_known(a):
            return self._constant(max(int(a.low), 0))
        return wires.bounded(a.relu(), 0, max(ends(a)[1], 0), a.step)

    def nonzero(self, a: Any) -> Any:
        return self._constant(int(a.low != 0)) if is_known(a) else a.unary_bit_op("any")

    def largest(self, terms: Sequence[Any], lo: int, hi: int) -> Any:
        found = chosen_largest([self._num(a) for a in terms])
        return self._constant(found.lo) if found.is_const else found.wire

    def select(self, cond: Any, yes: Any, no: Any, lo: int, hi: int) -> Any:
        """Ends of more bits than alkaid multiplies with are chosen in parts."""
        if is_known(cond):
            chosen = yes if cond.low else no
            return self._constant(chosen) if isinstance(chosen, int) else chosen
        both = [int(v.low) if not isinstance(v, int) and is_known(v) else v for v in (yes, no)]
        if any(isinstance(v, int) and odd_bits(v) > SAFE for v in both):
            bit = Num(self, cond, 0, 1, 0)
            parts = [(n.floor_bits(SAFE).with_frac(0), n.wrap(SAFE, False)) for n in map(self._num, both)]
            high, low = (select(bit, *pair) for pair in zip(*parts, strict=True))
            return self._joined(high, low, lo, hi)
        moving = [v for v in both if not isinstance(v, int)]
        wide = is_wide(lo, hi) or any(is_wide(*ends(v)) for v in moving)
        bound = (float(lo), float(hi), 1.0) if moving and min(v.step for v in moving) >= 1 else None
        ready: list[Any] = [float(v) if isinstance(v, int) else v for v in both]
        chosen = _opaque(cond).msb_mux(*ready, qint=None if wide else bound)
        step = min(wires.last_bit(v) if isinstance(v, float) else v.step for v in ready)
        return wires.bounded(chosen, lo, hi, step)

    def _joined(self, high: Num, low: Num, lo: int, hi: int) -> Any:
        """Return high 2^SAFE + low, where `low` has SAFE bits."""
        if high.is_const and low.is_const:
            return self._constant((high.lo << SAFE) + low.lo)
        whole = high.scale(SAFE) + low
        return wires.tightened(whole.wire, lo, hi, whole.wire.step)

    def table(self, a: Any, first: int, entries: Sequence[int]) -> Any:
        """alkaid's interval may be wider than ours; what lies outside ours cannot occur."""
        if is_known(a):
            return self._constant(entries[int(a.low) - first])
        if max(map(abs, ends(a))) >> WIDEST_ADDRESS:
            return self.table(*self._near_zero(a, first, first + len(entries) - 1), entries)
        if max(map(odd_bits, entries)) > SAFE or max(map(abs, entries)) >> 30:
            x = Num(self, a, first, first + len(entries) - 1, 0)
            high, low = (x.lookup(v, 0) for v in zip(*(divmod(e, 1 << SAFE) for e in entries), strict=True))
            return self._joined(high, low, min(entries), max(entries))
        last = first + len(entries) - 1
        before, after = max(first - int(a.low), 0), max(int(a.high) - last, 0)
        values = np.full(before + len(entries) + after, np.nan)
        values[before : before + len(entries)] = entries
        found = a.lookup(values, (float(first - before), float(last + after), 1.0))
        return self._codes.keep(found, entries)

    def _near_zero(self, a: Any, lo: int, hi: int) -> tuple[Any, int]:
        """Return an address of few bits for the values that a wire takes, and its first value."""
        form = Fixed.covering(lo, hi, 0)
        if form.width <= WIDEST_ADDRESS:
            return self.wrap(a, form.width, form.signed), lo
        return self.wrap(self.add_const(a, -lo, 0, hi - lo), (hi - lo).bit_length(), False), 0

    def matvec(self, matrix: Matrix, x: Sequence[Any], spans: Sequence[tuple[int, int]]) -> Sequence[Any]:
        return self._rows(matrix, [Num(self, a, *span, 0) for a, span in zip(x, spans, strict=True)])

    def _rows(self, matrix: Matrix, x: Sequence[Num]) -> list[Any]:
        x = [const(int(n.wire.low), 0) if n.engine and is_known(n.wire) else n for n in x]
        live = [k for k, n in enumerate(x) if not n.is_const]
        spans = [row_span(row, x) for row in matrix]
        if not live:
            return [self._constant(lo) for lo, _ in spans]
        known = [sum(m * n.lo for m, n in zip(row, x, strict=True) if n.is_const) for row in matrix]
        rows = self._mixed([[row[k] for k in live] for row in matrix], [x[k] for k in live])
        return [self.add_const(a, c, *span) for a, c, span in zip(rows, known, spans, strict=True)]

    def _mixed(self, matrix: Matrix, x: list[Num]) -> list[Any]:
        """Matrices and words of more bits than alkaid keeps exactly are cut into digits."""
        most = [max(map(abs, column)) for column in zip(*matrix, strict=True)]
        reach = [max(-lo, hi) for lo, hi in (ends(n.wire) for n in x)]
        wide = is_wide(0, 4 * sum(m * r for m, r in zip(most, reach, strict=True)))
        if max(odd_bits(m) for row in matrix for m in row) > SAFE or (wide and max(most) >> SAFE):
            parts = [(part(matrix, k), x) for k in (0, 1)]
            return self._stacked(matrix, x, parts, MATRIX_BITS)
        if wide:
            at = max(reach).bit_length() // 2
            parts = [(matrix, list(part)) for part in zip(*(self._halves(n, at) for n in x), strict=True)]
            return self._stacked(matrix, x, parts, at)
        plain = [wires.loose(n.wire) if wires.is_narrow(n.wire) else n.wire for n in x]
        return self._plain(matrix, plain if wires.mixes(most, plain) else [wires.fresh(a) for a in plain])

    def _halves(self, x: Num, at: int) -> tuple[Num, Num]:
        """Return the high bits and the `at` low ones, even if alkaid thinks that there are others."""
        low = x.wrap(at, False)
        if not low.is_const:
            low = Num(self, self.wrap(low.wire, at, False), low.lo, low.hi, 0)
        return x.floor_bits(at).with_frac(0), low

    def _stacked(
        self, matrix: Matrix, x: list[Num], parts: Sequence[tuple[Matrix, list[Num]]], at: int
    ) -> list[Any]:
        """Return the rows of a matrix times x from those of its high and its low part."""
        high, low = (self._rows(*part) for part in parts)
        spans = [row_span(row, x) for row in matrix]
        return [
            self.add(self.shift_left(h, at), n, *span) for h, n, span in zip(high, low, spans, strict=True)
        ]

    def _plain(self, matrix: Matrix, x: list[Any]) -> list[Any]:
        """alkaid puts single bits through tables and takes them for 0 and 1, which a signed bit is not."""
        kernel = np.array(matrix, dtype=np.float32)
        signed_bit = any(width(a) == 1 and a.low < 0 for a in x)
        options: Any = {"binary_lut": False} if signed_bit else None
        rows = np.asarray(FVArray(np.array(x, dtype=object), options, hwconf=HARDWARE) @ kernel.T)
        return [r if isinstance(r, FVariable) else self._constant(int(r)) for r in rows]

    @property
    def products(self) -> list[int]:
        """The sizes of the products that were asked for and that need a multiplier, w1 w2 bits."""
        return self._asked.sizes

    def finish(
        self, name: str, inputs: Layout, outputs: Layout, results: Sequence[tuple[Num, Fixed]]
    ) -> Netlist:
        """Optimise and cut, so that no stage takes more than `stage_ns` by estimate unless a single
        operation does; `Netlist.stage_depth_ns` is the depth of the slowest.

        Raises CompileError if a wire needs more than 63 bits.
        """
        nums = [num.at(form.frac) for num, form in results]
        last = [self._constant(n.lo) if n.is_const else n.wire for n in nums]
        with deep_recursion():
            comb = trace(self._inputs, last, optimize=False, keep_dead_inputs=True)
        points = [-form.frac for _, form in results]
        return cut(name, inputs, outputs, comb, points, self._stage_ns, self._stage_price, len(self._whole))


def _opaque(bit: Any) -> Any:
    """Return the OR of one bit. `msb_mux` looks through a wrap for the bit's source and forgets a
    negation on the way; it does not look through this."""
    if is_known(bit):
        return bit
    return FVariable(0.0, 1.0, 1.0, _from=(bit,), _data=1, opr="bit_unary", hwconf=HARDWARE)
