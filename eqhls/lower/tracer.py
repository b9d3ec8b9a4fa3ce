"""Bodies traced to wires of alkaid: with `stages`, all that knows alkaid. Wires hold raw integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from alkaid.trace import FVArray, trace
from alkaid.trace.fixed_variable import FVariable, HWConfig
from alkaid.trace.passes.surrogate import cost_lat_mul

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, const
from eqhls.lower.netlist import Netlist, Port
from eqhls.lower.stages import cut, deep_recursion

HARDWARE = HWConfig(1, 1, -1)
CONSTANT_BITS = 24
"""alkaid keeps constants and tables as float32."""
SHORTEST_DIGIT = 2
"""Products are not cut into digits of fewer bits: adders would cost more than they save."""


class Tracer:
    """The machine whose wires are hardware."""

    def __init__(self, stage_ns: float) -> None:
        self._inputs: list[FVariable] = []
        self._stage_ns = stage_ns
        self._seen: dict[int, tuple[int, FVariable]] = {}
        self._differences: dict[tuple[int, int], FVariable] = {}
        self._minus: dict[int, tuple[FVariable, FVariable]] = {}

    def input(self, form: Fixed) -> Num:
        """Declare the next element of the packed input word."""
        wire = FVariable(form.lo, form.hi, 1.0, hwconf=HARDWARE)
        self._inputs.append(wire)
        return Num(self, wire, form.lo, form.hi, form.frac)

    def add(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        return a + b

    def sub(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        """b - a is a - b with a sign that costs nothing."""
        first, second = self._rank(a), self._rank(b)
        turned = self._differences.get((second, first))
        if turned is not None:
            return self._negated(turned)
        return self._differences.setdefault((first, second), a - b)

    def _negated(self, wire: Any) -> Any:
        minus = -wire
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
        if _is_known(a) or _is_known(b) or self._fits(a, b):
            return a * b
        form = Fixed.covering(lo, hi, 0)
        step = a.step * b.step
        if a is b:
            whole = self._square(a * (1 / a.step)) * step
        else:
            whole = self._split(a * (1 / a.step), b * (1 / b.step)) * step
        return self.wrap(whole, form.width, form.signed)

    def _rank(self, wire: Any) -> int:
        """Return the place of a wire among all; it is kept, so that its id stays its own."""
        return self._seen.setdefault(id(wire), (len(self._seen), wire))[0]

    def _fits(self, a: Any, b: Any) -> bool:
        delay = cost_lat_mul(a.qint, b.qint, *HARDWARE[:2])[1]
        return delay <= self._stage_ns or min(_width(a), _width(b)) < 2 * SHORTEST_DIGIT

    def _split(self, a: Any, b: Any) -> Any:
        """Digits of the narrower factor, as few and as equal as fit into a stage."""
        a, b = sorted((a, b), key=_width, reverse=True)
        counts = range(2, _width(b) // SHORTEST_DIGIT + 1)
        cuts = (self._digits(b, -(-_width(b) // count)) for count in counts)
        digits = next((d for d in cuts if all(self._fits(a, x) for x, _ in d)), None)
        digits = digits or self._digits(b, SHORTEST_DIGIT)
        return _tree([(a * d) * 2.0**at for d, at in digits])

    def _square(self, a: Any) -> Any:
        """(2^h u + l)^2 needs three products of half the width instead of four."""
        half = _width(a) // 2
        (low, _), (high, at) = self._digits(a, half)[0], (self.shift_right(a, half), half)
        products = [self.mul(x, y, *_corners(x, y)) for x, y in ((low, low), (low, high), (high, high))]
        return _tree([p * 2.0**bits for p, bits in zip(products, (0, at + 1, 2 * at), strict=True)])

    def _digits(self, b: Any, bits: int) -> list[tuple[Any, int]]:
        """No digit is a lone bit: alkaid estimates products with one to take less than no time, and then
        finds them before their factors."""
        cuts = range(0, max(_width(b) - SHORTEST_DIGIT + 1, 1), bits)
        rests = [self.shift_right(b, c) if c else b for c in cuts]
        return [(self.wrap(r, bits, False), c) for r, c in zip(rests[:-1], cuts, strict=False)] + [
            (rests[-1], cuts[-1])
        ]

    def add_const(self, a: Any, value: int, lo: int, hi: int) -> Any:
        """A constant that float32 does not hold is added to low and high bits apart: two sums in a row
        would be merged into one."""
        if _odd_part(value).bit_length() <= CONSTANT_BITS:
            return a + _exact(value)
        low = a + _exact(value % (1 << CONSTANT_BITS))
        high = self.add_const(self.shift_right(low, CONSTANT_BITS), value >> CONSTANT_BITS, lo, hi)
        return high * 2.0**CONSTANT_BITS + self.wrap(low, CONSTANT_BITS, False)

    def mul_const(self, a: Any, value: int, lo: int, hi: int) -> Any:
        return a * _exact(value)

    def shift_left(self, a: Any, bits: int) -> Any:
        return a * 2.0**bits

    def shift_right(self, a: Any, bits: int) -> Any:
        if _is_known(a):
            return _constant(int(a.low) >> bits)
        k, i, _ = a.kif
        return a.quantize(k, max(i, bits), -bits, "WRAP", "TRN") * 2.0**-bits

    def wrap(self, a: Any, width: int, signed: bool) -> Any:
        if _is_known(a):
            return _constant(const(int(a.low), 0).wrap(width, signed).lo)
        return a.quantize(signed, width - signed, 0, "WRAP", "TRN")

    def relu(self, a: Any) -> Any:
        return a.relu()

    def nonzero(self, a: Any) -> Any:
        return a.unary_bit_op("any")

    def select(self, cond: Any, yes: Any, no: Any, lo: int, hi: int) -> Any:
        ends = [float(v) if isinstance(v, int) else v for v in (yes, no)]
        steps = [v.step for v in ends if isinstance(v, FVariable)]
        bound = (float(lo), float(hi), 1.0) if steps and min(steps) >= 1 else None
        return _opaque(cond).msb_mux(*ends, qint=bound)

    def table(self, a: Any, first: int, entries: Sequence[int]) -> Any:
        """alkaid's interval may be wider than ours; what lies outside ours cannot occur."""
        if _is_known(a):
            return _constant(entries[int(a.low) - first])
        last = first + len(entries) - 1
        before, after = max(first - int(a.low), 0), max(int(a.high) - last, 0)
        values = np.full(before + len(entries) + after, np.nan)
        values[before : before + len(entries)] = [_exact(e) for e in entries]
        return a.lookup(values, (float(first - before), float(last + after), 1.0))

    def matvec(self, matrix: Sequence[Sequence[int]], x: Sequence[Any]) -> Sequence[Any]:
        """alkaid puts single bits through tables and takes them for 0 and 1, which a signed bit is not."""
        kernel = np.array([[_exact(m) for m in row] for row in matrix], dtype=np.float32)
        signed_bit = any(_width(a) == 1 and a.low < 0 for a in x)
        options: Any = {"binary_lut": False} if signed_bit else None
        return list(np.asarray(FVArray(np.array(x, dtype=object), options, hwconf=HARDWARE) @ kernel.T))

    def finish(
        self,
        name: str,
        inputs: tuple[Port, ...],
        outputs: tuple[Port, ...],
        results: Sequence[tuple[Num, Fixed]],
    ) -> Netlist:
        """Optimise and cut, so that no stage takes more than `stage_ns` by estimate unless a single
        operation does; `Netlist.stage_depth_ns` is the depth of the slowest.

        Raises CompileError where a wire needs more than 63 bits.
        """
        wires = [_output(num, form) for num, form in results]
        with deep_recursion():
            comb = trace(self._inputs, wires, optimize=False, keep_dead_inputs=True)
        return cut(name, inputs, outputs, comb, [-form.frac for _, form in results], self._stage_ns)


def _output(num: Num, form: Fixed) -> Any:
    num = num.at(form.frac)
    return float(num.lo) if num.is_const else num.wire


def _width(a: Any) -> int:
    return sum(int(v) for v in a.kif)


def _corners(a: Any, b: Any) -> tuple[int, int]:
    ends = [int(x * y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(ends), max(ends)


def _tree(terms: list[Any]) -> Any:
    while len(terms) > 1:
        pairs = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(pairs) * 2 :]
    return terms[0]


def _is_known(a: Any) -> bool:
    """Whether alkaid, which sees x - x, knows the wire to be constant where our intervals do not;
    its own `quantize` gives wrong values for such wires."""
    return a.low == a.high


def _constant(value: int) -> Any:
    return FVariable.from_const(float(value), hwconf=HARDWARE)


def _opaque(bit: Any) -> Any:
    """Return the OR of one bit. `msb_mux` looks through a wrap for the bit's source and forgets a
    negation on the way; it does not look through this."""
    if _is_known(bit):
        return bit
    return FVariable(0.0, 1.0, 1.0, _from=(bit,), _data=1, opr="bit_unary", hwconf=HARDWARE)


def _odd_part(value: int) -> int:
    return abs(value) // (value & -value or 1)


def _exact(value: int) -> float:
    bits = _odd_part(value).bit_length()
    if bits > CONSTANT_BITS:
        raise CompileError(
            "constant",
            f"found {value}, which needs {bits} bits",
            f"quantize constants to at most {CONSTANT_BITS} bits",
        )
    return float(value)
