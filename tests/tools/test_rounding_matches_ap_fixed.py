"""Every rounding x overflow mode, against the ap_fixed headers themselves (g++)."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from designs import together

from eqhls.backends.hls.emit import emit
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.rep import S
from eqhls.ir.op import Example
from eqhls.lower.plan import Plan
from eqhls.ops.common import example
from eqhls.ops.requantize import Requantize
from eqhls.options import Options
from eqhls.text import write_project
from eqhls.verify.csim import CSim


def cases() -> list[Example]:
    """Signed and unsigned sources and targets, cutting low bits, high bits, both and none."""
    sources = [Fixed(9, 5), Fixed(8, 4, False)]
    found: list[Example] = []
    for rounding, overflow, source in product(Rounding, Overflow, sources):
        for width, integer, signed in ((5, 3, True), (4, 4, True), (5, 4, False), (11, 6, True)):
            if overflow is Overflow.WRAP_SM and not signed:
                continue
            target = Fixed(width, integer, signed, rounding, overflow)
            found.append(Example(Requantize((target,)), (example(S, "", (source,)),), str(target)))
    return found


def test_all_modes(tmp_path: Path) -> None:
    """All 512 and 256 values of the sources through all modes."""
    examples = cases()
    graph = together("modes", examples)
    feeds = {}
    for node in graph.inputs:
        form = node.type.formats[0]
        feeds[node.name] = np.resize(np.arange(form.lo, form.hi + 1), 512)[:, None]
    plan = Plan.of(graph, Options())
    write_project({**emit(plan), "eqhls.json": "{}"}, tmp_path / "p")
    got = plan.outputs.unpack(CSim(tmp_path / "p").run(plan.inputs.pack(feeds)))
    want = graph.evaluate(feeds)
    wrong = [
        str(e.types[0]) + " to " + e.label
        for k, e in enumerate(examples)
        if not np.array_equal(got[f"out{k}"], want[f"out{k}"])
    ]
    assert wrong == []
