"""The plain Verilog bench of a project and its vectors, for Icarus or Verilator without Python and cocotb."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.lower.layout import Words
from eqhls.lower.plan import Plan
from eqhls.text import Project

FOLDER = "sim/verilog"
INPUT, EXPECTED = f"{FOLDER}/input.hex", f"{FOLDER}/expected.hex"


def emit(plan: Plan, words: Words, expected: Words) -> Project:
    """Return sim/verilog/: the bench, its Makefile, and the packed input and output words of all events."""
    environment = Environment(
        loader=PackageLoader("eqhls.backends.bench", "."),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    facts = {
        "name": plan.name,
        "events": len(words),
        "in_bits": plan.inputs.bits,
        "out_bits": plan.outputs.bits,
        "latency": plan.latency_cycles,
        "ii": plan.ii,
        "folder": FOLDER,
    }
    files = {f"{FOLDER}/{plan.name}_tb.v": "tb.v.j2", f"{FOLDER}/Makefile": "Makefile.j2"}
    return {path: environment.get_template(name).render(facts) for path, name in files.items()} | {
        INPUT: readmemh(words, plan.inputs.bits),
        EXPECTED: readmemh(expected, plan.outputs.bits),
    }


def readmemh(words: Words, bits: int) -> str:
    """Return packed words as `$readmemh` reads them: a line of hexadecimal digits per event."""
    digits = -(-bits // 4)
    rows = (int.from_bytes(row.astype("<u4").tobytes(), "little") for row in words)
    return "".join(f"{row:0{digits}x}\n" for row in rows)
