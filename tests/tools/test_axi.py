"""AXI4-Stream around a core that cannot stall, driven by cocotbext-axi against the integer engine."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from streamed import PAIR, drawn, plan_of
from tools_needed import need
from wrapped import Faults, axi_bench, lint, wrapped

from eqhls.backends.package.axi import PACKAGE, address_bits
from eqhls.backends.package.package import Settings
from eqhls.engines import Ints
from eqhls.frontends.graphfile import load_model
from eqhls.lower.plan import Plan
from eqhls.options import Options
from eqhls.text import npz
from eqhls.verify.sampling import random_events

if importlib.util.find_spec("cocotbext") is None and not os.environ.get("CI"):
    pytest.skip("pip install cocotbext-axi==0.1.28", allow_module_level=True)

TESTS = {
    "random_pauses_lose_and_double_nothing",
    "a_beat_per_clock_if_nobody_pauses",
    "a_closed_way_out_fills_up_and_opens_again",
    "a_reset_drops_what_is_inside",
}
USER = 7
MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Words of 76 and 186 bits: neither is a whole number of bytes."""
    found = plan_of(PAIR, "pair")
    assert found.inputs.bits % 8 and found.outputs.bits % 8
    return found


@pytest.fixture(scope="module")
def vectors(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(plan, drawn(plan.inputs, 4096, 5), tmp_path_factory.mktemp("vectors"))


def written(plan: Plan, feeds: Mapping[str, Ints], folder: Path) -> Path:
    """Write the packed words of events and of what the integer engine makes of them."""
    words = plan.outputs.pack(plan.graph.evaluate(feeds))
    (folder / "words.npz").write_bytes(npz({"input": plan.inputs.pack(feeds), "expected": words}))
    return folder / "words.npz"


def test_nothing_is_lost_or_doubled_in_100000_beats(plan: Plan, vectors: Path, tmp_path: Path) -> None:
    """Verilator; random pauses on both sides, the rate, a closed sink, resets under way."""
    design = wrapped(plan, PACKAGE, Settings(token=USER), tmp_path)
    found = axi_bench(design, plan, vectors, "verilator", beats=100_000, user=USER)
    assert found == dict.fromkeys(TESTS, True), (tmp_path / "build_verilator" / "test.log").read_text()[
        -4000:
    ]


def test_the_same_in_icarus_where_bits_may_be_unknown(plan: Plan, vectors: Path, tmp_path: Path) -> None:
    need("iverilog")
    design = wrapped(plan, PACKAGE, Settings(), tmp_path)
    found = axi_bench(design, plan, vectors, "icarus", beats=3000, user=1)
    assert found == dict.fromkeys(TESTS, True), (tmp_path / "build_icarus" / "test.log").read_text()[-4000:]


@pytest.mark.slow
def test_a_shipped_network(tmp_path: Path) -> None:
    """lgn_top_small, whose queue is longer than its core."""
    graph = load_model(MODELS / "lgn_top_small")
    plan = Plan.of(graph, Options())
    design = wrapped(plan, PACKAGE, Settings(token=16), tmp_path)
    assert lint(design) == ""
    vectors = written(plan, random_events(graph, np.random.default_rng(8), 2000), tmp_path)
    found = axi_bench(design, plan, vectors, "verilator", beats=10_000, user=16)
    assert found == dict.fromkeys(TESTS, True), (tmp_path / "build_verilator" / "test.log").read_text()[
        -4000:
    ]


@pytest.mark.parametrize("token", [0, 1, 12])
def test_lint(plan: Plan, token: int, tmp_path: Path) -> None:
    need("iverilog")
    assert lint(wrapped(plan, PACKAGE, Settings(token=token), tmp_path)) == ""


def test_the_queue_holds_the_loop() -> None:
    """As many places as clocks in which an event holds one, to the next power of two."""
    assert [1 << address_bits(n) for n in (1, 2, 3, 6, 7, 30, 31)] == [4, 4, 8, 8, 16, 32, 64]


FAULTS: dict[str, Faults] = {
    "no credits": [("_axi.sv", "assign room = ~used[AddressBits];", "assign room = 1'b1;")],
    "a place too many": [
        ("_axi.sv", "assign room = ~used[AddressBits];", "assign room = used <= (1 << AddressBits);")
    ],
    "credits that never come back": [("_axi.sv", "- { {AddressBits{1'b0}}, leaves}", "- 1'b0")],
    "credits that outlive a reset": [("_axi.sv", "if (rst) used <=", "if (1'b0) used <=")],
    "a queue shorter than the loop": [("_axi.sv", "AddressBits = 3", "AddressBits = 2")],
    "tuser and tlast a clock early": [("_axi.sv", "(8), .Latency(3)", "(8), .Latency(2)")],
    "tlast forgotten": [("_axi.sv", "s_axis_tuser, s_axis_tlast,", "s_axis_tuser, 1'b1,")],
    "bits above the result": [("_axi.sv", "= 6'd0;", "= {6{m_axis_tvalid}};")],
    "a queue that outlives a reset": [("_fifo.sv", "if (rst) begin", "if (1'b0) begin")],
    "a word lost if the way closes": [("_skid.sv", "if (~leaves & accept) spare <= in_data;", "")],
    "always ready": [("_skid.sv", "leaves | ~(spared | accept)", "1'b1")],
    "ready only if empty": [("_skid.sv", "leaves | ~(spared | accept)", "leaves & ~accept")],
    "a word that repeats": [
        ("_skid.sv", "~leaves & (spared | accept);", "spared & ~rst | ~leaves & accept;")
    ],
    "a result that does not wait": [("_skid.sv", "if (leaves) out_data", "out_data")],
    "valid in a reset": [("_skid.sv", "out_valid <= 1'b0;", "out_valid <= out_valid;")],
    "reset taken for its opposite": [("_axi.sv", "rst = ~aresetn", "rst = aresetn")],
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_bench_sees_every_fault(name: str, plan: Plan, vectors: Path, tmp_path: Path) -> None:
    need("iverilog")
    design = wrapped(plan, PACKAGE, Settings(token=USER), tmp_path, FAULTS[name])
    found = axi_bench(design, plan, vectors, "icarus", beats=1500, user=USER)
    assert set(found) == TESTS and not all(found.values())
