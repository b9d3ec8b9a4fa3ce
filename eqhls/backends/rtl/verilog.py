"""One rule per cell: an expression in Verilog. Every operand is aligned and extended explicitly,
so that no rule depends on Verilog's sign and width propagation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from eqhls.backends.rtl.counts import rule_count
from eqhls.backends.rtl.scope import Scope, bit_range, literal
from eqhls.lower.netlist import (
    Bits,
    Bitwise,
    Cell,
    Constant,
    Count,
    Input,
    Lookup,
    Mux,
    Operand,
    Product,
    Relu,
    Slice,
    Sum,
    sum_frac,
)

PREFIX: dict[type[Cell], str] = {
    Input: "in",
    Constant: "const",
    Sum: "sum",
    Count: "ones",
    Slice: "bits",
    Relu: "relu",
    Mux: "mux",
    Product: "mul",
    Lookup: "tab",
    Bits: "flag",
    Bitwise: "gate",
}


def signed(scope: Scope, o: Operand) -> str:
    cell = scope.cells[o.cell]
    name = scope.name(o.cell)
    return f"$signed({name})" if cell.signed else f"$signed({{1'b0, {name}}})"


def rule_constant(cell: Constant, scope: Scope) -> str:
    return literal(cell.raw, cell.width)


def rule_sum(cell: Sum, scope: Scope) -> str:
    frac = sum_frac(cell, scope.cells)
    width = cell.width + frac - cell.frac
    text = ""
    for o in cell.terms:
        term = scope.aligned(o, frac, width)
        sign = "-" if o.minus else "+"
        text += f" {sign} {term}" if text else (f"-{term}" if o.minus else term)
    if cell.offset:
        raw = cell.offset << (frac - cell.offset_frac)
        text += f" {'-' if raw < 0 else '+'} {literal(abs(raw), width)}"
    return text


def rule_slice(cell: Slice, scope: Scope) -> str:
    return scope.aligned(cell.a, cell.frac, cell.width)


def rule_relu(cell: Relu, scope: Scope) -> str:
    source = scope.cells[cell.a.cell]
    value = scope.aligned(cell.a, cell.frac, cell.width)
    if not source.signed:
        return value
    return f"{value} & {{{cell.width}{{~{scope.name(cell.a.cell)}[{source.width - 1}]}}}}"


def rule_mux(cell: Mux, scope: Scope) -> str:
    cond = scope.cells[cell.cond.cell]
    bit = bit_range(scope.name(cell.cond.cell), cond.width - 1, cond.width - 1, cond.width)
    yes = scope.aligned(cell.yes, cell.frac, cell.width)
    return f"{bit} ? {yes} : {scope.aligned(cell.no, cell.frac, cell.width)}"


def rule_lookup(cell: Lookup, scope: Scope) -> str:
    return f"{scope.table(cell)} ({scope.name(cell.a.cell)})"


def rule_bits(cell: Bits, scope: Scope) -> str:
    name = scope.name(cell.a.cell)
    return {"not": "~", "any": "|", "all": "&"}[cell.function] + name


def rule_bitwise(cell: Bitwise, scope: Scope) -> str:
    sign = {"and": "&", "or": "|", "xor": "^"}[cell.function]
    a, b = (scope.aligned(o, cell.frac, cell.width) for o in (cell.a, cell.b))
    return f"{a} {sign} {b}"


RULES: dict[type[Cell], Callable[..., str]] = {
    Constant: rule_constant,
    Sum: rule_sum,
    Count: rule_count,
    Slice: rule_slice,
    Relu: rule_relu,
    Mux: rule_mux,
    Lookup: rule_lookup,
    Bits: rule_bits,
    Bitwise: rule_bitwise,
}
"""Every cell but Input, a slice of the registered input word, and Product, whose lines stand in
`products.py`."""


def table_name(prefix: str, cell: Lookup, address_bits: int) -> str:
    """Return a name by content, so that equal tables are one and bytes do not depend on order."""
    text = f"{address_bits},{cell.width},{cell.entries}"
    return f"{prefix}_table_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def table_module(name: str, cell: Lookup, address_bits: int) -> str:
    """Return the ROM of a table: a case over the address, made for look-up tables."""
    rows = "\n".join(
        f"    {literal(a, address_bits)}: data = {literal(e, cell.width)};"
        for a, e in enumerate(cell.entries)
    )
    return (
        f"module {name} (\n  input  wire [{address_bits - 1}:0] address,\n"
        f"  output reg  [{cell.width - 1}:0] data\n);\n  always @* case (address)\n{rows}\n"
        f"    default: data = {literal(0, cell.width)};\n  endcase\nendmodule\n"
    )
