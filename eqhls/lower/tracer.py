"""The only module that knows alkaid: bodies traced to wires, optimised, cut into stages.

Wires hold raw integers. alkaid's pass `canonicalize_msb_wraps` is left out: in 0.8.2 it drops the
shift of a one-bit wrap and changes results (tests/unit/test_tracer.py shows the case).
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import Any

import numpy as np
from alkaid.trace import FVArray, trace
from alkaid.trace.fixed_variable import FVariable, HWConfig
from alkaid.trace.passes import (
    common_subexpr_elimin,
    dead_code_elimin,
    fuse_ternary_adders,
    null_quant_elimin,
)
from alkaid.trace.passes.canon import canonicalize_outputs, const_propagation
from alkaid.trace.passes.order import canonical_sort
from alkaid.trace.passes.surrogate import add_surrogate

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num
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


class Tracer:
    """The machine whose wires are hardware."""

    def __init__(self) -> None:
        self._inputs: list[FVariable] = []

    def input(self, form: Fixed) -> Num:
        """Declare the next element of the packed input word."""
        wire = FVariable(form.lo, form.hi, 1.0, hwconf=HARDWARE)
        self._inputs.append(wire)
        return Num(self, wire, form.lo, form.hi, form.frac)

    def add(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        return a + b

    def sub(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        return a - b

    def mul(self, a: Any, b: Any, lo: int, hi: int) -> Any:
        return a * b

    def add_const(self, a: Any, value: int, lo: int, hi: int) -> Any:
        return a + _exact(value)

    def mul_const(self, a: Any, value: int, lo: int, hi: int) -> Any:
        return a * _exact(value)

    def shift_left(self, a: Any, bits: int) -> Any:
        return a * 2.0**bits

    def shift_right(self, a: Any, bits: int) -> Any:
        k, i, _ = a.kif
        return a.quantize(k, max(i, bits - int(k)), -bits, "WRAP", "TRN") * 2.0**-bits

    def wrap(self, a: Any, width: int, signed: bool) -> Any:
        return a.quantize(signed, width - signed, 0, "WRAP", "TRN")

    def relu(self, a: Any) -> Any:
        return a.relu()

    def nonzero(self, a: Any) -> Any:
        return a.unary_bit_op("any")

    def select(self, cond: Any, yes: Any, no: Any, lo: int, hi: int) -> Any:
        ends = [float(v) if isinstance(v, int) else v for v in (yes, no)]
        steps = [v.step for v in ends if isinstance(v, FVariable)]
        bound = (float(lo), float(hi), 1.0) if steps and min(steps) >= 1 else None
        return cond.msb_mux(*ends, qint=bound)

    def table(self, a: Any, first: int, entries: Sequence[int]) -> Any:
        """alkaid's interval may be wider than ours; what lies outside ours cannot occur."""
        last = first + len(entries) - 1
        before, after = max(first - int(a.low), 0), max(int(a.high) - last, 0)
        values = np.full(before + len(entries) + after, np.nan)
        values[before : before + len(entries)] = [_exact(e) for e in entries]
        return a.lookup(values, (float(first - before), float(last + after), 1.0))

    def matvec(self, matrix: Sequence[Sequence[int]], x: Sequence[Any]) -> Sequence[Any]:
        kernel = np.array([[_exact(m) for m in row] for row in matrix], dtype=np.float32)
        return list(np.asarray(FVArray(np.array(x, dtype=object), hwconf=HARDWARE) @ kernel.T))

    def finish(
        self,
        name: str,
        inputs: tuple[Port, ...],
        outputs: tuple[Port, ...],
        results: Sequence[tuple[Num, Fixed]],
        stage_ns: float,
    ) -> Netlist:
        """Optimise and cut; every stage is estimated to take at most `stage_ns`.

        Raises CompileError where a wire needs more than 63 bits.
        """
        wires = [_output(num, form) for num, form in results]
        with _deep_recursion():
            comb = _optimised(trace(self._inputs, wires, optimize=False, keep_dead_inputs=True))
        depth = max(op.latency for op in comb.ops)
        stages = max(ceil(depth / stage_ns), 1)
        cells, index = _cells(
            comb,
            [
                min(int(np.ceil(op.latency * stages / depth - 1e-9)) - 1, stages - 1) if op.latency > 0 else 0
                for op in comb.ops
            ],
        )
        out = tuple(
            Operand(index[i], -form.frac + s, bool(n))
            for i, s, n, (_, form) in zip(comb.out_idxs, comb.out_shifts, comb.out_negs, results, strict=True)
        )
        assert not any(o.minus for o in out)
        return Netlist(name, inputs, outputs, tuple(cells), out, stages, depth / stages)


def _output(num: Num, form: Fixed) -> Any:
    num = num.at(form.frac)
    return float(num.lo) if num.is_const else num.wire


def _exact(value: int) -> float:
    odd = abs(value)
    while odd and odd % 2 == 0:
        odd //= 2
    if odd.bit_length() > CONSTANT_BITS:
        raise CompileError(
            "constant",
            f"found {value}, which needs {odd.bit_length()} bits",
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


def _clean(comb: Any) -> Any:
    comb = canonicalize_outputs(const_propagation(comb))
    for step in (common_subexpr_elimin, null_quant_elimin):
        comb = dead_code_elimin(step(dead_code_elimin(comb, keep_dead_inputs=True)), keep_dead_inputs=True)
    return comb


def _optimised(comb: Any) -> Any:
    """alkaid's optimisation without the faulty pass, then ternary adders, costs and delays."""
    for _ in range(2):
        comb = canonical_sort(_clean(comb))
    comb = dead_code_elimin(fuse_ternary_adders(comb), keep_dead_inputs=True)
    return canonical_sort(add_surrogate(comb))


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
        stage = max([stages[k], *(cells[index[i]].stage for i in op.addr)])
        cells.append(_cell(op, comb, index, (width, bool(signed), frac, stage, float(op.cost))))
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
