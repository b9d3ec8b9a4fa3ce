"""A bench in plain Verilog, with its words: what simulators without Python run."""

from __future__ import annotations

import numpy as np

from eqhls.backends.package.render import render
from eqhls.events.vectors import port_events
from eqhls.lower.layout import Words
from eqhls.lower.plan import Plan
from eqhls.text import Project

EVENTS, SEED = 256, 15


def bench_file(name: str) -> str:
    """Return the path of the bench below the project folder; its module has the name of the file."""
    return f"ip/fusesoc/{name}_tb.v"


def word_files() -> tuple[str, str]:
    """Return the paths of the words in and of the words that must come out. The bench reads them by their
    last part, from the folder in which it runs."""
    return "ip/fusesoc/input.hex", "ip/fusesoc/expected.hex"


def bench(plan: Plan) -> Project:
    """Return the bench and its words: events of every kind that a wire may carry, and what the exact integers
    make of them."""
    feeds = port_events(plan.graph, np.random.default_rng(SEED), EVENTS)
    words_in, words_out = plan.inputs.pack(feeds), plan.outputs.pack(plan.graph.evaluate(feeds))
    file_in, file_out = word_files()
    return {
        bench_file(plan.name): render("bench.v.j2", plan, events=EVENTS, ii=plan.ii),
        file_in: hex_lines(words_in, plan.inputs.bits),
        file_out: hex_lines(words_out, plan.outputs.bits),
    }


def hex_lines(words: Words, bits: int) -> str:
    """Return packed words as $readmemh takes them, one event per line."""
    digits = -(-bits // 4)
    numbers = [int.from_bytes(row.tobytes(), "little") for row in words.astype("<u4")]
    return "".join(f"{number:0{digits}x}\n" for number in numbers)
