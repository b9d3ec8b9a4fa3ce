"""LUTs of products by Yosys: `python docs/product_forms.py`.

Whole products as they are compiled, and digits as an array (`*`) and as rows, which decide into what digits a
wide product is cut (ADR 24). LUT raw / packed; the depth of rows in ns by alkaid's adders.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from eqhls.backends.rtl.emit import core
from eqhls.backends.rtl.products import row_lines
from eqhls.fixed import Fixed
from eqhls.lower.layout import Layout, Port
from eqhls.lower.multipliers import Factor, Rows
from eqhls.lower.netlist import Netlist
from eqhls.lower.tracer import Tracer
from eqhls.verify.synth import Counts, mapping, read_counts

WHOLE = (
    (Factor(8, False), Factor(10, False)),
    (Factor(9, True), Factor(9, True)),
    (Factor(16, True), Factor(14, True)),
)
CODES = (0, 1, 2, 4) * 16
"""A table of 6 bits whose entries have one bit set at most."""
DIGITS = (
    Factor(2, False),
    Factor(2, True),
    Factor(3, False),
    Factor(3, True),
    Factor(4, False),
    Factor(4, True),
    Factor(8, False),
)
WORDS = (Factor(10, False), Factor(9, True))


def module(form: Rows, as_rows: bool) -> str:
    """A product without registers."""
    bits = form.recoded.width + form.word.width
    ports = (
        f"input [{form.recoded.width - 1}:0] a, input [{form.word.width - 1}:0] b, output [{bits - 1}:0] y"
    )
    if as_rows:
        body = "\n".join(row_lines("y", form, "a", "b")) + "\nassign y = $signed(y_all);"
    else:
        a, b = (f"$signed({n if f.signed else f'{{1{chr(39)}b0, {n}}}'})" for n, f in _named(form))
        body = f"wire signed [{bits - 1}:0] all = {a} * {b};\nassign y = all;"
    return f"module product({ports});\n{body}\nendmodule\n"


def _named(form: Rows) -> tuple[tuple[str, Factor], ...]:
    return ("a", form.recoded), ("b", form.word)


def compiled(a: Factor, b: Factor, entries: tuple[int, ...] = ()) -> Netlist:
    """A product of two ports, or of an entry of a table and a port, as `eqhls compile` makes it."""
    tracer, forms = Tracer(2.5), [Fixed(f.width, f.width, f.signed) for f in (a, b)]
    x, y = (tracer.input(form) for form in forms)
    out = (x.lookup(entries, 0) if entries else x) * y
    form = Fixed.covering(out.lo, out.hi, 0)
    ports = Layout(tuple(Port(n, (1,), (f,)) for n, f in zip("ab", forms, strict=True)))
    return tracer.finish("product", ports, Layout((Port("y", (1,), (form,)),)), [(out, form)])


def counted(text: str, top: str = "product") -> Counts:
    """Synthesize and count."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "product.v").write_text(text)
        passes = ["read_verilog -sv product.v", *mapping(top), "write_json product.json"]
        lines = ["from pyosys import libyosys as ys", "design = ys.Design()"]
        lines += [f"ys.run_pass({p!r}, design)" for p in passes]
        command = [sys.executable, "-c", "\n".join(lines)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return read_counts(json.loads((Path(folder) / "product.json").read_text()), top)


def both(counts: Counts) -> str:
    return f"{counts.lut + counts.srl} / {counts.packed + counts.srl}"


def name(factor: Factor) -> str:
    return f"{'s' if factor.signed else 'u'}{factor.width}"


def whole_line(title: str, netlist: Netlist) -> str:
    counts = counted(core(netlist), "product_core")
    return f"| {title} | {netlist.lut_estimate:.0f} | {netlist.stages} | {both(counts)} | {counts.ff} |"


if __name__ == "__main__":
    print("| product | alkaid | stages | LUT raw / packed | FF |\n|---|---|---|---|---|")
    for a, b in WHOLE:
        print(whole_line(f"{name(a)} x {name(b)}", compiled(a, b)), flush=True)
    word = Factor(10, False)
    print(whole_line(f"code x {name(word)}", compiled(Factor(6, False), word, CODES)), flush=True)
    print("\n| digit | alkaid | array | rows | ns of the rows |\n|---|---|---|---|---|")
    for word in WORDS:
        for digit in DIGITS:
            form = Rows(digit, word)
            found = " | ".join(both(counted(module(form, as_rows))) for as_rows in (False, True))
            area = 0.75 * digit.width * word.width
            print(f"| {name(digit)} x {name(word)} | {area:g} | {found} | {form.ns:.2f} |", flush=True)
