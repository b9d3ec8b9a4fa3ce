"""What alkaid traced, optimised by its passes and cut into stages of cells.

alkaid's pass `canonicalize_msb_wraps` is left out: in 0.8.2 it drops the shift of a one-bit wrap and
changes results (tests/unit/test_netlist.py shows the case).
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil, floor, inf, nextafter
from typing import Any

import numpy as np
from alkaid.trace.passes import dead_code_elimin, fuse_ternary_adders, null_quant_elimin
from alkaid.trace.passes.canon import canonicalize_outputs
from alkaid.trace.passes.order import canonical_sort
from alkaid.trace.passes.surrogate import add_surrogate
from alkaid.types import QInterval

from eqhls.errors import CompileError
from eqhls.fixed import MAX_WIDTH, Fixed
from eqhls.lower.fill import filled
from eqhls.lower.forms import PRODUCT, Made, made
from eqhls.lower.late import settled
from eqhls.lower.layout import Layout
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
    Product,
    Relu,
    Slice,
    Sum,
)
from eqhls.lower.timing import Draft, arrivals, depths, placed
from eqhls.lower.wires import last_bit
from eqhls.options import STAGE_PRICE

NEGATIVE, INPUT, SUM, CONSTANT, TERNARY = -2, -1, 0, 5, 11
"""alkaid's opcodes of -a, an input, a + b 2^s, a constant, and a sum of three."""


def cut(
    name: str,
    inputs: Layout,
    outputs: Layout,
    comb: Any,
    points: Sequence[int],
    stage_ns: float,
    stage_price: float = STAGE_PRICE,
    dsp: int = 0,
) -> Netlist:
    """Optimise what alkaid traced (a CombLogic) and cut it into stages; result k is that of `comb` times
    2**points[k], and the `dsp` widest products become DSPs. Networks that alkaid traced from other front
    ends come out on the same terms as ours.

    Sums are added anew so that the stages are filled, operations placed as early as they can be, and then
    later if that saves registers."""
    with deep_recursion():
        comb = _optimised(comb, stage_ns)
    draft = filled(_draft(comb, points, stage_ns, made(comb, stage_ns, dsp)), stage_price)
    at = settled(draft, [stage for stage, _ in arrivals(draft)])
    each = depths(draft, at)
    cells = placed(draft, at)
    return Netlist(name, inputs, outputs, cells, draft.results, len(each), max(each), stage_depths_ns=each)


def _draft(comb: Any, points: Sequence[int], stage_ns: float, forms: Mapping[int, Made]) -> Draft:
    """Read the operations as cells with their delays and intervals."""
    cells = _cells(comb, forms)
    results = tuple(
        Operand(i, point + s, bool(n))
        for i, s, n, point in zip(comb.out_idxs, comb.out_shifts, comb.out_negs, points, strict=True)
    )
    assert not any(o.minus for o in results)
    delays = tuple(forms[k].ns if k in forms else _delay(op, comb.ops) for k, op in enumerate(comb.ops))
    return Draft(tuple(cells), delays, tuple(map(_span, comb.ops, cells)), results, stage_ns)


def _span(op: Any, cell: Cell) -> tuple[int, int]:
    """Return the interval of a cell's raw values: alkaid's, which may be rounded outwards, in the word."""
    form, unit = Fixed(cell.width, cell.width, cell.signed), 2.0**cell.frac
    lo, hi = max(floor(op.qint.min * unit), form.lo), min(ceil(op.qint.max * unit), form.hi)
    return (lo, hi) if lo <= hi else (form.lo, form.hi)


@contextmanager
def deep_recursion() -> Generator[None]:
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


def _folded(comb: Any) -> Any:
    """Compute operations on constants, and bound negatives. alkaid's own pass, and whatever else makes
    constants in it, finds their last bit in float32; their interval has their value. The negative of a wide
    wire may be a power of two, and needs a bit more than the wire."""
    ops: list[Any] = []
    for op in comb.ops:
        known = {i: ops[i].qint.min for i in op.addr}
        if op.opcode == CONSTANT:
            op = _constant(op, op.qint.min)
        elif op.opcode != INPUT and all(ops[i].opcode == CONSTANT for i in op.addr):
            op = _constant(op, float(comb.exec_op(op, known, None)))
        elif op.opcode == NEGATIVE:
            op = op._replace(qint=_held(op.qint))
        ops.append(op)
    return comb._replace(ops=ops)


def _held(span: Any) -> Any:
    """Return an interval that gives its largest value its width, if that is a power of two."""
    lost = span.max + span.step == span.max == 2.0**span.kif.integers
    return span._replace(max=nextafter(span.max, inf)) if lost else span


def _constant(op: Any, value: float) -> Any:
    step = last_bit(value) if value else 2.0**127
    return op._replace(
        addr=(), opcode=CONSTANT, data=(int(value / step),), qint=QInterval(value, value, step)
    )


def _clean(comb: Any) -> Any:
    comb = _folded(canonicalize_outputs(_folded(comb)))
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


def _cells(comb: Any, forms: Mapping[int, Made]) -> list[Cell]:
    cells: list[Cell] = []
    for k, op in enumerate(comb.ops):
        signed, integer, frac = (int(v) for v in op.qint.kif)
        width = signed + integer + frac
        if width > MAX_WIDTH:
            raise CompileError(
                "netlist",
                f"an operation needs a wire of {width} bits, more than {MAX_WIDTH} bits",
                "give the widest layers fewer bits by a Precision, or calibrate on events (--calibrate)",
            )
        if width < 1:
            signed, width, frac = 0, 1, 0
        cell = _cell(op, comb, (width, bool(signed), frac, 0, float(op.cost)))
        cells.append(forms[k].cell(cell) if isinstance(cell, Product) and k in forms else cell)
    return cells


def _cell(op: Any, comb: Any, base: tuple[int, bool, int, int, float]) -> Cell:
    """Read one ALIR operation (alkaid's docs, opcode table)."""
    at = [Operand(i) for i in op.addr]
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
            return Product(*base, at[0], at[1])
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
