"""Laws 4 and 5: RTL = body, emulator = body and HLS = body, every bit, for every example of every op."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from designs import together
from machines import MACHINES

from eqhls import ops
from eqhls.backends.emulator.emit import emit as emit_emulator
from eqhls.backends.hls.emit import emit as emit_hls
from eqhls.backends.hls.lint import lint_project
from eqhls.backends.rtl.emit import emit as emit_rtl
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout
from eqhls.lower.netlist import simulate
from eqhls.lower.plan import Plan
from eqhls.lower.schedule import lower
from eqhls.options import Options
from eqhls.text import write_project
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.emulator import Emulator
from eqhls.verify.sampling import Feeds, uniform

EVENTS = 300
PRODUCTS = [e for e in ops.examples() if e.op.name() in ("cg_product", "cg_square", "invariants")]
OTHERS = [e for e in ops.examples() if e not in PRODUCTS and not e.op.source]
BATCHES = {
    "ops": [e for e in OTHERS if not e.op.name().startswith("eq")],
    "pairs": [e for e in OTHERS if e.op.name().startswith("eq")],
    **{f"products{k}": PRODUCTS[k::4] for k in range(4)},
}


@pytest.fixture(scope="module", params=BATCHES)
def design(request: pytest.FixtureRequest) -> tuple[Graph, Feeds]:
    graph = together(f"law_{request.param}", BATCHES[request.param])
    rng = np.random.default_rng(3)
    return graph, {n.name: uniform(n.type, rng, EVENTS) for n in graph.inputs}


def compare(graph: Graph, feeds: Feeds, got: dict[str, np.ndarray]) -> None:
    want = graph.evaluate(feeds)
    wrong = {
        str(BATCHES[graph.name.removeprefix("law_")][int(name[3:])])
        for name in graph.outputs
        if not np.array_equal(got[name], want[name])
    }
    assert not wrong


def test_netlist(design: tuple[Graph, Feeds]) -> None:
    """Our reading of the optimiser's operations, before any Verilog."""
    graph, feeds = design
    netlist = lower(graph, Options())
    out = iter(simulate(netlist, netlist.inputs.columns(feeds)))
    got = {
        n.name: np.stack([next(out) for _ in np.ndindex(n.type.shape)], axis=1).reshape(EVENTS, *n.type.shape)
        for n in graph.results
    }
    compare(graph, feeds, got)


def test_rtl(design: tuple[Graph, Feeds], tmp_path: Path) -> None:
    """Verilator, back to back, with the promised latency checked in every clock."""
    graph, feeds = design
    write_project({**emit_rtl(Plan.of(graph, Options())), "eqhls.json": "{}"}, tmp_path / "p")
    words = BulkSimulator(tmp_path / "p").run(Layout.of(graph.inputs).pack(feeds))
    compare(graph, feeds, Layout.of(graph.results).unpack(words))


@pytest.mark.parametrize("machine", MACHINES)
def test_emulator(design: tuple[Graph, Feeds], machine: str, tmp_path: Path) -> None:
    """The netlist in C++, on lanes of several machines."""
    graph, feeds = design
    write_project({**emit_emulator(Plan.of(graph, Options())), "eqhls.json": "{}"}, tmp_path / "p")
    compare(graph, feeds, Emulator(tmp_path / "p", machine).run(graph, feeds))


def test_hls(design: tuple[Graph, Feeds], tmp_path: Path) -> None:
    """g++ with ap_fixed; the firmware also passes the linter."""
    graph, feeds = design
    project = {**emit_hls(Plan.of(graph, Options())), "eqhls.json": "{}"}
    assert lint_project(project) == []
    write_project(project, tmp_path / "p")
    words = CSim(tmp_path / "p").run(Layout.of(graph.inputs).pack(feeds))
    compare(graph, feeds, Layout.of(graph.results).unpack(words))
