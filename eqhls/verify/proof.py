"""The proof: every engine against every other, the symmetry, the figures of merit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from eqhls.backends.hls.emit import emit as emit_hls
from eqhls.backends.rtl.emit import emit as emit_rtl
from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.groups.exact import lattice_group
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.lower.schedule import lower
from eqhls.lower.words import Words, pack, unpack
from eqhls.options import Options
from eqhls.text import MANIFEST, Project, asset, npz, write_file
from eqhls.verify.approximate import boost_curve, mean_change
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.cocotb_run import SimulationResult, simulate
from eqhls.verify.controls import CUTS, FAULTS, faulty
from eqhls.verify.csim import CSim
from eqhls.verify.events import Events, Prediction, from_raw, predict_floats, read_events, steps
from eqhls.verify.evidence import STAGES, Evidence, Stage
from eqhls.verify.metrics import auc, discriminant
from eqhls.verify.sampling import Feeds, lattice_events, random_events
from eqhls.verify.symmetry import (
    Symmetry,
    SymmetryResult,
    check_boosts,
    check_group,
    check_permutations,
    derive,
    lattice_change,
)
from eqhls.verify.testbuild import guarded
from eqhls.verify.workspace import scratch_project

Report = Callable[[str, float], None]
VECTORS = "tb_data/vectors.npz"
GUARD_BITS = 5
SYMMETRY_EVENTS, LATTICE_EVENTS = 600, 60
EXACT = ("integer", "hls", "rtl")


@dataclass(frozen=True, slots=True)
class Machines:
    """The engines of one project folder, on raw integers by port name."""

    folder: Path
    graph: Graph

    def pack(self, feeds: Mapping[str, Ints]) -> Words:
        return pack(self.graph.inputs, feeds)

    def run(self, engine: str, feeds: Mapping[str, Ints]) -> Ints:
        """Return the raw integers of the first output, shape (events, *shape).

        Raises CompileError for an unknown engine or a missing tool.
        """
        match engine:
            case "integer":
                return self.graph.evaluate(feeds)[self.graph.outputs[0]]
            case "hls":
                words = CSim(self.folder).run(self.pack(feeds))
            case "rtl":
                words = BulkSimulator(self.folder).run(self.pack(feeds))
            case _:
                raise CompileError("engine", f"found {engine!r}, expected float, {', '.join(EXACT)}")
        return unpack(self.graph.results, words)[self.graph.outputs[0]]

    def predict(self, events: Events, engine: str) -> Prediction:
        """Score events with an exact engine."""
        return from_raw(self.graph, self.run(engine, events.raw))

    def simulate(self, events: Events | None, waves: str = "") -> SimulationResult:
        """Run the cocotb bench on events, or on the vectors of the project."""
        feeds = events.raw if events else vectors(self.folder, self.graph).raw
        out = {n.name: self.graph.evaluate(feeds, (n.name,))[n.name] for n in self.graph.results}
        return simulate(self.folder, self.pack(feeds), pack(self.graph.results, out), waves=waves)


def test_vectors(graph: Graph) -> Project:
    """Return tb_data: inputs over the whole range of the ports, and the expected outputs."""
    feeds = random_events(graph, np.random.default_rng(1), 1000)
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
    stages = _symmetry(Machines(folder, graph), options, report)
    report("done", 1.0)
    return Evidence(tuple(stages), wanted=tuple(n for n in STAGES if n.startswith("symmetry")))


def prove(folder: Path, graph: Graph, options: Options, events: Path | None, report: Report) -> Evidence:
    """Run every stage; the evidence goes to report/evidence.json and into the manifest."""
    machines = Machines(folder, graph)
    ready = read_events(events, graph) if events else vectors(folder, graph)
    stages: list[Stage] = []
    report("inputs", 0.02)
    stages.append(_inputs(graph, ready))
    stages += _engines(machines, ready, report)
    report("cocotb on Verilator: back to back, gaps, reset", 0.3)
    stages.append(_cocotb(machines, ready))
    stages += _symmetry(machines, options, report)
    report("boosts and rotations", 0.95)
    stages.append(boost_curve(graph, ready, folder))
    if ready.labels is not None:
        stages.append(_auc(machines, ready))
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
    want = machines.run("integer", events.raw)
    stages = [Stage("integer", True, f"{len(want)} events", (("events", len(want)),))]
    for engine, share in (("hls", 0.08), ("rtl", 0.15)):
        report(f"{engine}: build and run", share)
        stages.append(_compare(engine, machines.run(engine, events.raw), want))
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


def _symmetry(machines: Machines, options: Options, report: Report) -> list[Stage]:
    """Test the derived symmetry on the float reference and on every exact engine."""
    graph, rng = machines.graph, np.random.default_rng(2)
    symmetry = derive(graph)
    test = guarded(graph, GUARD_BITS)
    report("symmetry: build the test design", 0.4)
    folder = scratch_project(machines.folder, "symmetry", _test_project(test, options))
    twin = Machines(folder, test)
    lattice = lattice_events(graph, test, rng, SYMMETRY_EVENTS)
    plain = random_events(graph, rng, SYMMETRY_EVENTS)
    stages: list[Stage] = []
    for engine, share in (("float", 0.45), ("integer", 0.5), ("hls", 0.55), ("rtl", 0.7)):
        report(f"symmetry of {engine}", share)
        results: list[SymmetryResult] = []
        if symmetry.group is not None:
            run = partial(twin.run, engine) if engine != "float" else partial(_float_values, test)
            results.append(check_group(symmetry, test, lattice, run, engine, np.random.default_rng(3)))
            if symmetry.group == lattice_group(symmetry.group.basis):
                results.append(check_boosts(symmetry, test, lattice, run, engine, np.random.default_rng(5)))
        if len(symmetry.permutable) > 1:
            run = partial(machines.run, engine) if engine != "float" else partial(_float_values, graph)
            results.append(check_permutations(symmetry, graph, plain, run, engine, np.random.default_rng(4)))
        stages.append(_symmetry_stage(engine, symmetry.describe(), results))
    report("symmetry: faults that must be caught", 0.93)
    stages.append(_controls(symmetry, twin, lattice))
    return stages


def equivariance_error(graph: Graph, events: Events, proven: bool = False) -> float:
    """Return the mean change of the output under transformations, over its spread; 0 for networks without
    four-vectors. An exact network is measured on lattice events, which the ports hold exactly
    (`lattice_change`), or, where what is `proven` is enough, taken as 0; any other is measured on the given
    events, turned and boosted (`mean_change`)."""
    vectors = [n for n in graph.inputs if n.type.rep is Rep.V]
    if not vectors:
        return 0.0
    group = derive(graph).group
    if group is None or group != lattice_group(group.basis):
        return mean_change(graph, events)
    if proven:
        return 0.0
    test = guarded(graph, GUARD_BITS)
    lattice = lattice_events(graph, test, np.random.default_rng(2), LATTICE_EVENTS)
    return lattice_change(group, test, lattice, np.random.default_rng(3))


def _controls(symmetry: Symmetry, twin: Machines, lattice: Feeds) -> Stage:
    """Run the same test on networks with one fault each, on the integer model, which the hardware has
    been found to equal; every fault must be caught."""
    if symmetry.group is None:
        return Stage("symmetry controls", True, f"none: {symmetry.describe()}", ())
    caught: dict[str, int] = {}
    for fault, cut in product(FAULTS, CUTS):
        if not caught.get(fault):
            run = partial(replace(twin, graph=faulty(twin.graph, fault, cut)).run, "integer")
            rng = np.random.default_rng(3)
            caught[fault] = check_group(symmetry, twin.graph, lattice, run, fault, rng).mismatches
    detail = "; ".join(f"{fault}: {count} transformed events differ" for fault, count in caught.items())
    return Stage("symmetry controls", all(caught.values()), detail, tuple(caught.items()))


def _symmetry_stage(engine: str, what: str, results: list[SymmetryResult]) -> Stage:
    tried = sum(r.transformed for r in results)
    wrong = sum(r.mismatches for r in results)
    caught = all(r.control_changed > 0 for r in results)
    detail = (
        "; ".join(
            f"{r.transform}: {r.transformed} transformed, {r.mismatches} differ, "
            f"control changed {r.control_changed}"
            for r in results
        )
        or what
    )
    return Stage(
        f"symmetry {engine}",
        all(r.ok for r in results),
        detail,
        (("transformed", tried), ("mismatches", wrong), ("controls_caught", caught)),
    )


def _float_values(graph: Graph, feeds: Mapping[str, Ints]) -> Floats:
    """Return the float64 reference on raw integers, in steps of the output."""
    floats = {n.name: feeds[n.name] * steps(n) for n in graph.inputs}
    return graph.reference(floats)[graph.outputs[0]] / steps(graph.results[0])


def _test_project(test: Graph, options: Options) -> Project:
    netlist = lower(test, options.model_copy(update={"ProjectName": test.name}))
    files: dict[str, str | bytes] = dict(emit_rtl(netlist, options.clock_mhz))
    files |= emit_hls(test, options.model_copy(update={"ProjectName": test.name}))
    bench = {f"sim/{p.name}": p.read_bytes() for p in sorted(asset("sim").iterdir()) if p.is_file()}
    return files | bench | {MANIFEST: json.dumps({"name": test.name, "test_build": True}) + "\n"}


def _auc(machines: Machines, events: Events) -> Stage:
    assert events.labels is not None
    fixed = auc(discriminant(machines.predict(events, "integer").scores), events.labels)
    floating = auc(discriminant(predict_floats(machines.graph, events).scores), events.labels)
    return Stage(
        "auc",
        True,
        f"float {floating:.4f}, fixed {fixed:.4f} on {len(events)} events",
        (("float", floating), ("fixed", fixed)),
    )
