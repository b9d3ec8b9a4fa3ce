"""A product in Verilog: `*` for LUTs or for a DSP, or rows on carry chains."""

from __future__ import annotations

from collections.abc import Iterator

from eqhls.backends.rtl.verilog import Scope, signed
from eqhls.lower.multipliers import Factor, Rows
from eqhls.lower.netlist import Form, Product


def product(name: str, cell: Product, scope: Scope) -> Iterator[str]:
    """Declare the wire of a product."""
    if cell.form is not Form.ROWS:
        use = "yes" if cell.form is Form.DSP else "no"
        value = f"{signed(scope, cell.a)} * {signed(scope, cell.b)}"
        yield f'(* use_dsp = "{use}" *) wire signed [{cell.width - 1}:0] {name} = {value};'
        return
    a, b = (scope.cells[o.cell] for o in (cell.a, cell.b))
    form = Rows(Factor(a.width, a.signed), Factor(b.width, b.signed))
    yield f"// {form.count} rows of {scope.name(cell.a.cell)}'s digits times {scope.name(cell.b.cell)}"
    yield from row_lines(name, form, scope.name(cell.a.cell), scope.name(cell.b.cell))
    yield f"wire [{cell.width - 1}:0] {name} = {_cut(f'{name}_all', form.bits, cell.width)};"


def row_lines(name: str, form: Rows, recoded: str, word: str) -> Iterator[str]:
    """Declare NAME_all, the product of two names, and what it is made of."""
    width, word_form = form.width, form.word
    fill = f"{word}[{word_form.width - 1}]" if word_form.signed else "1'b0"
    yield f"wire [{width - 1}:0] {name}_b = {_extended(word, word_form.width, width, fill)};"
    for d in range(form.count):
        yield f"wire [{width - 1}:0] {name}_m{d} = {_multiple(name, form, recoded, d)};"
        yield from _row(name, form, recoded, d)
    low = [f"{name}_p{d}" for d in reversed(range(form.count - 1))]
    last = f"{name}_s{form.count - 1}"
    if form.count == 1 and not form.recoded.signed:
        raise AssertionError(form)
    yield f"wire [{form.bits - 1}:0] {name}_all = {{{', '.join([last, *low])}}};"


def _multiple(name: str, form: Rows, recoded: str, d: int) -> str:
    """0, b or 2b, inverted if the digit is negative."""
    lowest, middle, negative = (_bit(form.recoded, recoded, 2 * d + k) for k in (-1, 0, 1))
    width, b = form.width, f"{name}_b"
    one = f"({{{width}{{{middle} ^ {lowest}}}}} & {b})"
    two = f"({{{width}{{({negative} ^ {middle}) & ~({middle} ^ {lowest})}}}} & {{{b}[{width - 2}:0], 1'b0}})"
    return f"({one} | {two}) ^ {{{width}{{{negative}}}}}"


def _row(name: str, form: Rows, recoded: str, d: int) -> Iterator[str]:
    """The sum behind row d: NAME_s, without the two bits NAME_p below it that are final."""
    width, last = form.width, d == form.count - 1
    multiple, before = f"{name}_m{d}", f"{name}_s{d - 1}"
    if form.recoded.signed:
        bits, low = width + 1, 0 if last else 2
        negative = _bit(form.recoded, recoded, 2 * d + 1)
        terms = [_sign_extended(multiple, width, bits), f"{{{bits - 1}'b0, {negative}}}"]
        if d:
            terms.insert(0, _sign_extended(before, bits - 2, bits))
        yield f"wire [{bits - 1}:0] {name}_r{d} = {' + '.join(terms)};"
        if not last:
            yield f"wire [1:0] {name}_p{d} = {name}_r{d}[1:0];"
        yield f"wire [{bits - low - 1}:0] {name}_s{d} = {name}_r{d}[{bits - 1}:{low}];"
    elif d == 0:
        yield f"wire [{width - 1}:0] {name}_s0 = {multiple};"
    else:
        bits, held = width + 3, width if d == 1 else width + 1
        added = f"{{{multiple}[{width - 1}], {multiple}, 1'b0, {_bit(form.recoded, recoded, 2 * d - 1)}}}"
        yield f"wire [{bits - 1}:0] {name}_r{d} = {_sign_extended(before, held, bits)} + {added};"
        yield f"wire [1:0] {name}_p{d - 1} = {name}_r{d}[1:0];"
        yield f"wire [{bits - 3}:0] {name}_s{d} = {name}_r{d}[{bits - 1}:2];"


def _bit(form: Factor, name: str, place: int) -> str:
    if place < 0 or (place >= form.width and not form.signed):
        return "1'b0"
    return f"{name}[{min(place, form.width - 1)}]"


def _sign_extended(name: str, have: int, width: int) -> str:
    return _extended(name, have, width, f"{name}[{have - 1}]")


def _extended(name: str, have: int, width: int, fill: str) -> str:
    return f"{{{{{width - have}{{{fill}}}}}, {name}}}" if width > have else name


def _cut(name: str, have: int, width: int) -> str:
    """The low bits of a word in two's complement."""
    return f"{name}[{width - 1}:0]" if width <= have else _sign_extended(name, have, width)
