"""The proof: every engine against every other, the symmetry, the figures of merit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.frontends.graphfile import load_model
from eqhls.ir.graph import Graph
from eqhls.lower.words import Words, pack, unpack
from eqhls.options import Options
from eqhls.text import Project, npz, write_file
from eqhls.verify.approximate import boost_curve
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.cocotb_run import SimulationResult, simulate
from eqhls.verify.csim import CSim
from eqhls.verify.events import Events, Prediction, from_raw, predict_floats, read_events
from eqhls.verify.evidence import STAGES, Evidence, Stage
from eqhls.verify.floatstage import files_stage, given_stage, rewrites_stage
from eqhls.verify.given import Given, Recorded
from eqhls.verify.metrics import auc, discriminant
from eqhls.verify.sampling import random_events
from eqhls.verify.symmetry_stages import symmetry_stages

Report = Callable[[str, float], None]
VECTORS = "tb_data/vectors.npz"
EXACT = ("integer", "hls", "rtl")


@dataclass(frozen=True, slots=True)
class Machines:
    """The engines of one project folder, on raw integers by port name."""

    folder: Path
    graph: Graph

    def pack(self, feeds: Mapping[str, Ints]) -> Words:
        return pack(self.graph.inputs, feeds)

    def run(self, engine: str, feeds: Mapping[str, Ints]) -> dict[str, Ints]:
        """Return the raw integers of every output by name, shape (events, *shape).

        Raises CompileError for an unknown engine or a missing tool.
        """
        match engine:
            case "integer":
                return self.graph.evaluate(feeds)
            case "hls":
                words = CSim(self.folder).run(self.pack(feeds))
            case "rtl":
                words = BulkSimulator(self.folder).run(self.pack(feeds))
            case _:
                raise CompileError("engine", f"found {engine!r}, expected float, {', '.join(EXACT)}")
        return unpack(self.graph.results, words)

    def predict(self, events: Events, engine: str) -> Prediction:
        """Score events with an exact engine."""
        return from_raw(self.graph, self.run(engine, events.raw)[self.graph.outputs[0]])

    def simulate(self, events: Events | None, waves: str = "") -> SimulationResult:
        """Run the cocotb bench on events, or on the vectors of the project."""
        feeds = events.raw if events else vectors(self.folder, self.graph).raw
        out = {n.name: self.graph.evaluate(feeds, (n.name,))[n.name] for n in self.graph.results}
        return simulate(self.folder, self.pack(feeds), pack(self.graph.results, out), waves=waves)


def vector_feeds(graph: Graph) -> Feeds:
    """Return the events that a project ships, as raw integers by port."""
    return random_events(graph, np.random.default_rng(1), 1000)


def test_vectors(graph: Graph, feeds: Feeds) -> Project:
    """Return tb_data: inputs over the whole range of the ports, and the expected outputs."""
    buffer = npz({k: v.astype(np.int32) for k, v in feeds.items()})
    expected = graph.evaluate(feeds)[graph.outputs[0]].reshape(1000, -1)
    flat = [np.concatenate([feeds[n.name][k].ravel() for n in graph.inputs]) for k in range(1000)]
    return {
        VECTORS: buffer,
        "tb_data/words.npz": npz(
            {"input": pack(graph.inputs, feeds), "expected": pack(graph.results, graph.evaluate(feeds))}
        ),
        "tb_data/tb_input.dat": "".join(" ".join(map(str, row)) + "\n" for row in flat),
        "tb_data/tb_output.dat": "".join(" ".join(map(str, row)) + "\n" for row in expected),
    }


def vectors(folder: Path, graph: Graph) -> Events:
    """Return the events that were shipped with the project."""
    return read_events(folder / VECTORS, graph)


def prove_symmetry(folder: Path, graph: Graph, options: Options, report: Report) -> Evidence:
    """Run the symmetry stages alone; nothing is written, a project is verified only by all stages."""
    stages = symmetry_stages(Machines(folder, graph), Machines, options, report)
    report("done", 1.0)
    return Evidence(tuple(stages), wanted=tuple(n for n in STAGES if n.startswith("symmetry")))


def prove(
    folder: Path, given: Given, manifest: Mapping[str, Any], events: Path | None, report: Report
) -> Evidence:
    """Run every stage; the evidence goes to report/evidence.json."""
    graph = load_model(folder / "model")
    machines = Machines(folder, graph)
    shipped = vectors(folder, graph)
    ready = read_events(events, graph) if events else shipped
    report("files and given network", 0.01)
    stages = [files_stage(folder, manifest)]
    recorded = tuple(Recorded(**found) for found in manifest["from_given_network"])
    stages.append(given_stage(given, graph, ready.raw, shipped.raw, recorded))
    stages.append(rewrites_stage(given, graph, ready.raw))
    report("inputs", 0.03)
    stages.append(_inputs(graph, ready))
    stages += _engines(machines, ready, report)
    report("cocotb on Verilator: back to back, gaps, reset", 0.3)
    stages.append(_cocotb(machines, ready))
    stages += symmetry_stages(machines, Machines, given.options, report)
    report("boosts and rotations", 0.95)
    stages.append(boost_curve(graph, ready, folder))
    if ready.labels is not None:
        stages.append(_auc(machines, given.network, ready))
    evidence = Evidence(tuple(stages), ready.labels is not None)
    write_file(folder / "report" / "evidence.json", json.dumps(evidence.as_json(), indent=1) + "\n")
    report("done", 1.0)
    return evidence


def _inputs(graph: Graph, events: Events) -> Stage:
    """Count saturation at the ports and inside: it is allowed, never silent."""
    counts: dict[str, int] = {"input": events.saturated} | graph.saturation(events.raw)
    total = sum(counts.values())
    return Stage(
        "inputs",
        True,
        f"{len(events)} events, {events.saturated} input values saturated, {total - events.saturated} inside",
        tuple(counts.items()),
    )


def _engines(machines: Machines, events: Events, report: Report) -> list[Stage]:
    report("integer model", 0.05)
    first = machines.graph.outputs[0]
    want = machines.run("integer", events.raw)[first]
    stages = [Stage("integer", True, f"{len(want)} events", (("events", len(want)),))]
    for engine, share in (("hls", 0.08), ("rtl", 0.15)):
        report(f"{engine}: build and run", share)
        stages.append(_compare(engine, machines.run(engine, events.raw)[first], want))
    return stages


def _compare(name: str, got: Ints, want: Ints) -> Stage:
    wrong = int((got != want).reshape(len(want), -1).any(axis=1).sum())
    return Stage(
        name,
        wrong == 0 and got.shape == want.shape,
        f"{len(got)} events, {wrong} mismatches",
        (("events", len(got)), ("mismatches", wrong)),
    )


def _cocotb(machines: Machines, events: Events) -> Stage:
    result = machines.simulate(events)
    bad = [name for name, passed, _ in result.tests if not passed]
    detail = f"{result.events} events, {len(result.tests)} tests, failed: {', '.join(bad) or 'none'}"
    return Stage(
        "cocotb",
        result.ok,
        detail,
        (("events", result.events), ("events_per_second", result.events_per_second)),
    )


def _auc(machines: Machines, network: Graph, events: Events) -> Stage:
    assert events.labels is not None
    fixed = auc(discriminant(machines.predict(events, "integer").scores), events.labels)
    floating = auc(discriminant(predict_floats(network, events).scores), events.labels)
    return Stage(
        "auc",
        True,
        f"float {floating:.4f}, fixed {fixed:.4f} on {len(events)} events",
        (("float", floating), ("fixed", fixed)),
    )
