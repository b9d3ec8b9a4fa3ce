"""A netlist as an inline C++ function: a statement for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from eqhls.backends.hls.context import Context
from eqhls.backends.hls.formats import covering
from eqhls.backends.hls.structs import Value
from eqhls.fixed import Fixed
from eqhls.ir.logic import Cell, Kind, Logic, Out, Term
from eqhls.ir.op import Op
from eqhls.names import value_identifier as identifier
from eqhls.ops.circuit import Circuit, form_of
from eqhls.text import Emitter

BITWISE = {Kind.AND: "&", Kind.OR: "|", Kind.XOR: "^"}


def circuit_config(op: Circuit, c: Context) -> dict[str, Value]:
    return {"logic_t": logic_name(c)}


def logic_name(c: Context) -> str:
    """Return the C++ name of the struct that holds the function of a node."""
    return f"{identifier(c.node.name)}logic"


@singledispatch
def generated(op: Op, c: Context) -> str:
    """Return the C++ that only this node has, which its config refers to: none for an op whose header says
    all."""
    return ""


@generated.register
def _(op: Circuit, c: Context) -> str:
    """Return the struct with the function: words are ap_int, and what is formed of them long long, of which a
    word keeps the last bits."""
    out, logic = Emitter(), op.logic
    count = len(op.sizes)
    out(f"struct {logic_name(c)} {{")
    with out.block():
        kinds = ", ".join(f"class X{k}" for k in range(count))
        out(f"template <{kinds}, class Y>")
        takes = ", ".join(f"const X{k}& x{k}" for k in range(count))
        out(f"static void run({takes}, Y& y) {{")
        out("#pragma HLS INLINE")
        with out.block():
            _tables(out, logic)
            places = [(k, n) for k, size in enumerate(op.sizes) for n in range(size)]
            for number, cell in enumerate(logic.cells):
                text = _input(cell, places, c) if cell.kind is Kind.IN else _result(logic, cell)
                out(f"const {_word(cell)} v{number} = {text};")
            form = covering(c.node.type.formats)
            for k, end in enumerate(logic.outputs):
                out(_output(k, end, form))
        out("}")
    out("};")
    return out.text()


def _tables(out: Emitter, logic: Logic) -> None:
    for k, table in enumerate(logic.tables):
        kind = "int" if all(-(1 << 31) <= e < 1 << 31 for e in table) else "long long"
        out(f"static const {kind} t{k}[{len(table)}] = {{{', '.join(map(str, table))}}};")


def _word(cell: Cell) -> str:
    return f"ap_{'' if cell.signed else 'u'}int<{cell.width}>"


def _input(cell: Cell, places: Sequence[tuple[int, int]], c: Context) -> str:
    """Return the bits of an element after an assignment to the format of a cell."""
    form, (k, n) = form_of(cell), places[cell.value]
    source = covering(c.types[k].formats)
    extra = max(1, source.frac - form.frac + 2 - source.width)
    return f"eqhls::circuit_in<{form.cpp}, {extra}>(x{k}.c[0][{n}])"


def _value(term: Term | int) -> str:
    """Return the value of a term with its shift, without its sign."""
    number, shift = (term, 0) if isinstance(term, int) else (term.cell, term.shift)
    value = f"eqhls::circuit_value(v{number})"
    return f"{1 << shift}LL * {value}" if shift else value


def _result(logic: Logic, cell: Cell) -> str:
    whole = _formed(logic, cell)
    return f"({whole}) >> {cell.drop}" if cell.drop else whole


def _formed(logic: Logic, cell: Cell) -> str:
    """Return what a cell forms before it is cut."""
    values = [_value(t) for t in cell.terms]
    match cell.kind:
        case Kind.CONST:
            return f"{cell.value}LL"
        case Kind.SUM:
            terms = [f"{'-' if t.minus else '+'} {v}" for t, v in zip(cell.terms, values, strict=True)]
            return " ".join([*terms, f"+ {cell.value}LL"] if cell.value else terms).removeprefix("+ ")
        case Kind.RELU:
            return f"{values[0]} > 0 ? {values[0]} : 0LL"
        case Kind.MUX:
            word = logic.cells[cell.terms[0].cell]
            top = f"{values[0]} < 0" if word.signed else f"{values[0]} >= {1 << (word.width - 1)}LL"
            return f"{top} ? {values[1]} : {values[2]}"
        case Kind.MUL:
            return f"{values[0]} * {values[1]}"
        case Kind.TABLE:
            low = logic.cells[cell.terms[0].cell].word[0]
            return f"t{cell.value}[{values[0]}{f' + {-low}' if low else ''}]"
        case Kind.NOT:
            return f"~{values[0]}"
        case Kind.ANY:
            return f"{values[0]} != 0"
        case Kind.ALL:
            word = logic.cells[cell.terms[0].cell]
            return f"{values[0]} == {-1 if word.signed else word.word[1]}LL"
        case _:
            return f"({values[0]}) {BITWISE[cell.kind]} ({values[1]})"


def _output(k: int, end: Out, form: Fixed) -> str:
    """Assign a result, whose format has a binary point at the place of the output or behind it."""
    value = _value(Term(end.cell, form.frac - end.frac))
    return f"y.c[0][{k}] = eqhls::from_bits<typename Y::value_t>({value});"
