"""The only module that knows alkaid: bodies traced to wires, optimised, cut into stages.

Wires hold raw integers. alkaid's pass `canonicalize_msb_wraps` is left out: in 0.8.2 it drops the
shift of a one-bit wrap and changes results (tests/unit/test_tracer.py shows the case).
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from alkaid.trace import FVArray, trace
from alkaid.trace.fixed_variable import FVariable, HWConfig
from alkaid.trace.passes import dead_code_elimin, fuse_ternary_adders, null_quant_elimin
from alkaid.trace.passes.canon import canonicalize_outputs, const_propagation
from alkaid.trace.passes.order import canonical_sort
from alkaid.trace.passes.surrogate import add_surrogate, cost_lat_mul

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, const
from eqhls.lower.netlist import (
    Bits,
    Bitwise,
    Cell,
    Constant,
    Input,
    Lookup,
    Mux,
    Netlist,
    Operand,
    Port,
    Product,
    Relu,
    Slice,
    Sum,
)

HARDWARE = HWConfig(1, 1, -1)
CONSTANT_BITS = 24
"""alkaid keeps constants and tables as float32."""
SUM, PRODUCT, TERNARY = 0, 7, 11
"""alkaid's opcodes of a + b 2^s, a b, and a sum of three."""
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
        with _deep_recursion():
            comb = trace(self._inputs, wires, optimize=False, keep_dead_inputs=True)
        return cut(name, inputs, outputs, comb, [-form.frac for _, form in results], self._stage_ns)


def cut(
    name: str,
    inputs: tuple[Port, ...],
    outputs: tuple[Port, ...],
    comb: Any,
    points: Sequence[int],
    stage_ns: float,
) -> Netlist:
    """Optimise what alkaid traced (a CombLogic) and cut it into stages; result k is that of `comb` times
    2**points[k]. Networks that alkaid traced from other front ends come out on the same terms as ours."""
    with _deep_recursion():
        comb = _optimised(comb, stage_ns)
    at, depth = _stages(comb, stage_ns)
    cells, index = _cells(comb, at)
    out = tuple(
        Operand(index[i], point + s, bool(n))
        for i, s, n, point in zip(comb.out_idxs, comb.out_shifts, comb.out_negs, points, strict=True)
    )
    assert not any(o.minus for o in out)
    return Netlist(name, inputs, outputs, tuple(cells), out, max(at) + 1, depth)


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


def _stages(comb: Any, stage_ns: float) -> tuple[list[int], float]:
    """Return the stage of every operation, as early as it can be, and the depth of the deepest stage."""
    stage: list[int] = []
    arrival: list[float] = []
    for op in comb.ops:
        delay = _delay(op, comb.ops)
        at = max((stage[i] for i in op.addr), default=0)
        start = max((arrival[i] for i in op.addr if stage[i] == at), default=0.0)
        if delay > 0 and start > 0 and start + delay > stage_ns + 1e-9:
            at, start = at + 1, 0.0
        stage.append(at)
        arrival.append(start + delay)
    return stage, max(arrival)


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


@contextmanager
def _deep_recursion() -> Generator[None]:
    """alkaid gathers a network by recursion over its depth."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 100_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _share(comb: Any) -> Any:
    """Compute equal operations once, whatever the order of their factors or terms. alkaid's own pass also
    intersects the intervals of the operations that it merges, and so moves the addresses of a table that
    reads one of them."""
    kept: dict[tuple[Any, ...], int] = {}
    ops: list[Any] = []
    to: list[int] = []
    for op in comb.ops:
        addr = tuple(to[i] for i in op.addr)
        op = op._replace(addr=tuple(sorted(addr)) if _commutes(op) else addr)
        to.append(kept.setdefault((op.addr, op.opcode, op.data, op.qint), len(ops)))
        ops.append(op)
    return comb._replace(ops=ops, out_idxs=[to[i] if i >= 0 else i for i in comb.out_idxs])


def _commutes(op: Any) -> bool:
    """Whether the operands may change places: those of a product, and of a sum without a shift."""
    return op.opcode == PRODUCT or (op.opcode == SUM and op.data[0] == 0)


def _clean(comb: Any) -> Any:
    comb = canonicalize_outputs(const_propagation(comb))
    for step in (_share, null_quant_elimin):
        comb = dead_code_elimin(step(dead_code_elimin(comb, keep_dead_inputs=True)), keep_dead_inputs=True)
    return comb


def _optimised(comb: Any, stage_ns: float) -> Any:
    """alkaid's optimisation without the faulty passes, then ternary adders, costs and delays."""
    for _ in range(2):
        comb = canonical_sort(_clean(comb))
    comb = dead_code_elimin(_ternary(comb, stage_ns), keep_dead_inputs=True)
    return canonical_sort(add_surrogate(comb))


def _ternary(comb: Any, stage_ns: float) -> Any:
    """Fuse pairs of adders into ternary ones, but for those that would not fit into a stage."""
    fused = add_surrogate(fuse_ternary_adders(comb))
    ops = list(fused.ops)
    for k, op in enumerate(fused.ops):
        if op.opcode == TERNARY and _delay(op, fused.ops) > stage_ns:
            ops[k] = comb.ops[k]
    return fused._replace(ops=ops)


def _delay(op: Any, ops: Sequence[Any]) -> float:
    """Return the delay of one operation; `latency` is that of its inputs plus its own."""
    return op.latency - max((ops[i].latency for i in op.addr), default=0.0) if op.addr else 0.0


def _cells(comb: Any, stages: list[int]) -> tuple[list[Cell], dict[int, int]]:
    cells: list[Cell] = []
    index: dict[int, int] = {}
    for k, op in enumerate(comb.ops):
        signed, integer, frac = (int(v) for v in op.qint.kif)
        width = signed + integer + frac
        if width > 63:
            raise CompileError("netlist", f"found a wire of {width} bits", "requantize earlier")
        if width < 1:
            signed, width, frac = 0, 1, 0
        index[k] = len(cells)
        cells.append(_cell(op, comb, index, (width, bool(signed), frac, stages[k], float(op.cost))))
    return cells, index


def _cell(op: Any, comb: Any, index: dict[int, int], base: tuple[int, bool, int, int, float]) -> Cell:
    """Read one ALIR operation (alkaid's docs, opcode table)."""
    at = [Operand(index[i]) for i in op.addr]
    match op.opcode:
        case -2:
            return Sum(*base, (Operand(at[0].cell, 0, True),), 0, 0)
        case -1:
            return Input(*base, op.data[0])
        case 0 | 1:
            return Sum(*base, (at[0], Operand(at[1].cell, op.data[0], op.opcode == 1)), 0, 0)
        case 2:
            return Relu(*base, at[0])
        case 3:
            return Slice(*base, Operand(at[0].cell, op.data[0]))
        case 4:
            return Sum(*base, (at[0],), op.data[0], op.data[1])
        case 5:
            return Constant(*base, int(op.data[0]))
        case 6:
            return Mux(*base, at[2], at[0], Operand(at[1].cell, op.data[0]))
        case 7:
            return Product(*base, *at)
        case 8:
            padded = comb.lookup_tables[op.data[0]].padded_table(comb.ops[op.addr[0]].qint)
            return Lookup(*base, at[0], tuple(int(v) for v in np.nan_to_num(padded)))
        case 9:
            return Bits(*base, at[0], ("not", "any", "all")[op.data[0]])
        case 10:
            return Bitwise(*base, at[0], Operand(at[1].cell, op.data[0]), ("and", "or", "xor")[op.data[1]])
        case 11:
            terms = tuple(Operand(o.cell, op.data[2 * k + 1], not op.data[2 * k]) for k, o in enumerate(at))
            return Sum(*base, terms, 0, 0)
        case _:
            raise AssertionError(f"unknown operation {op.opcode}")
