"""The bench is tested: it sees faults in a design, and none in a right one. `make mutants` draws many more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mutants.__main__ import rate
from mutants.faults import KINDS
from mutants.networks import NETWORKS
from mutants.sweep import TESTS, bench, build, drawn, packed, sweep
from mutants.verilog import Mutant, combined, drivers

from eqhls.events.vectors import port_events
from eqhls.flow import Compiled, compile_model

LATENCY = "latency_cycles"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compile_model(NETWORKS["deep_set"](), output=tmp_path_factory.mktemp("mutants") / "project")


@pytest.fixture(scope="module")
def mutants(project: Compiled) -> dict[int, Mutant]:
    return drawn(project, np.random.default_rng(11), 0.2)


def test_faults_of_every_kind_are_seen(project: Compiled, mutants: dict[int, Mutant], tmp_path: Path) -> None:
    """The design without a fault passes all tests (`sweep` demands it), and 99 % of the faults that other
    words can tell apart do not."""
    verdicts, _ = sweep(project, mutants, tmp_path, more=20_000)
    assert rate(verdicts) >= 0.99, [str(v.mutant) for v in verdicts if not v.killed and not v.equivalent]
    assert {v.mutant.kind for v in verdicts if v.killed} >= {
        *KINDS,
        "table entry",
        "latency changed",
        "reset removed",
    }
    assert {v.test for v in verdicts} >= {"back to back", "reset"}


def test_few_words_see_less(project: Compiled, mutants: dict[int, Mutant], tmp_path: Path) -> None:
    """A fault is seen by what the words reach, not by the way it is put in: zeros do not reach much."""
    core = {n: m for n, m in mutants.items() if m.file.endswith("_core.v")}
    function, graph = build(project, core, tmp_path), project.graph
    feeds = port_events(graph, np.random.default_rng(3), 400)
    latency = project.manifest[LATENCY]
    seen = [
        sum(bench(function, n, *packed(graph, words), latency) != TESTS[0] for n in core)
        for words in (feeds, {k: np.zeros_like(v) for k, v in feeds.items()})
    ]
    assert 0 < seen[1] < 0.8 * seen[0]


def test_a_fault_alone_is_the_one_in_the_common_source(project: Compiled, mutants: dict[int, Mutant]) -> None:
    """Alone, a fault is its declaration instead of the right one, and nothing else is selected."""
    name = project.graph.name
    text = (project.folder / "rtl" / f"{name}_core.v").read_text()
    assert combined(text, {}, 0) == text
    for number, m in mutants.items():
        if m.file == f"{name}_core.v":
            source = combined(text, mutants, number)
            changed = [
                k for k, (a, b) in enumerate(zip(text.split("\n"), source.split("\n"), strict=True)) if a != b
            ]
            assert m.line in changed and len(changed) <= 3 and "mutant ==" not in source
            if m.net:
                assert m.after.format(net=f"{m.net}__m{number}") in source


def test_every_wire_and_register_can_be_mutated(project: Compiled) -> None:
    text = (project.folder / "rtl" / f"{project.graph.name}_core.v").read_text()
    found = drivers(text.split("\n"))
    assigned = text.count(" = ") - text.count("data = ") - text.count("use_dsp = ") + text.count(" <= ")
    assert len(found) == assigned and {"word", "out_data"} < {d.net for d in found}
