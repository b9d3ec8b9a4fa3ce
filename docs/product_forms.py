"""LUTs of products by Yosys, as an array (`*`) and as rows: `python docs/product_forms.py`.

What decides which digits a wide product is cut into (ADR 24). LUT raw / packed, depth of the rows in ns.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from eqhls.backends.rtl.products import row_lines
from eqhls.lower.multipliers import Factor, Rows
from eqhls.verify.synth import mapping, read_counts

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


def counted(text: str) -> str:
    """Synthesize and return LUT raw / packed."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "product.v").write_text(text)
        passes = ["read_verilog -sv product.v", *mapping("product"), "write_json product.json"]
        lines = ["from pyosys import libyosys as ys", "design = ys.Design()"]
        lines += [f"ys.run_pass({p!r}, design)" for p in passes]
        command = [sys.executable, "-c", "\n".join(lines)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        counts = read_counts(json.loads((Path(folder) / "product.json").read_text()), "product")
    return f"{counts.lut} / {counts.packed}"


def name(factor: Factor) -> str:
    return f"{'s' if factor.signed else 'u'}{factor.width}"


if __name__ == "__main__":
    print("| product | alkaid | array | rows | ns of the rows |\n|---|---|---|---|---|")
    for word in WORDS:
        for digit in DIGITS:
            form = Rows(digit, word)
            both = " | ".join(counted(module(form, as_rows)) for as_rows in (False, True))
            area = 0.75 * digit.width * word.width
            print(f"| {name(digit)} x {name(word)} | {area:g} | {both} | {form.ns:.2f} |", flush=True)
