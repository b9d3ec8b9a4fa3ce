"""The logic of a netlist by value: every LUT counts once, in its stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqhls.frontends.graphfile import load_model
from eqhls.lower.netlist import Netlist
from eqhls.lower.profile import stage_facts
from eqhls.lower.schedule import lower
from eqhls.options import Options
from eqhls.trace.logic import Logic, logic_of
from eqhls.verify.proof import vector_feeds

MODELS = Path(__file__).resolve().parents[2] / "models"
GRAPH = load_model(MODELS / "tag16_small")


@pytest.fixture(scope="module")
def netlist() -> Netlist:
    return lower(GRAPH, Options())


@pytest.fixture(scope="module")
def logic(netlist: Netlist) -> Logic:
    return logic_of(GRAPH, netlist, vector_feeds(GRAPH, netlist))


def test_every_lut_counts_once_in_its_stage(netlist: Netlist, logic: Logic) -> None:
    assert netlist.stages > 3
    for k, stage in enumerate(stage_facts(netlist), 1):
        found = sum(lut for each in logic.values() for at, lut in each if at == k)
        assert found == pytest.approx(stage["lut"], abs=0.05 * (len(logic) + 1))


def test_logic_belongs_to_values_that_compute(netlist: Netlist, logic: Logic) -> None:
    assert set(logic) <= {n.name for n in GRAPH if not n.op.source} and len(logic) > 10
    last = {name: each[-1][0] for name, each in logic.items()}
    assert max(last.values()) == netlist.stages == last[GRAPH.outputs[0]]


def test_a_value_is_not_ready_before_what_it_reads_begins(logic: Logic) -> None:
    """Terms of a value may be computed early, but its last stage is not before the first of any that it reads."""
    for node in GRAPH:
        for name in node.inputs:
            if node.name in logic and name in logic:
                assert logic[node.name][-1][0] >= logic[name][0][0], (node.name, name)
