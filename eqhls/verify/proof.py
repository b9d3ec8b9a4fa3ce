"""The proof: every engine against every other, the symmetry, the figures of merit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.backends.bench.emit import emit as emit_bench
from eqhls.engines import EXACT, ExactEngine, Ints
from eqhls.errors import CompileError, VerificationError
from eqhls.events.read import Events
from eqhls.events.scores import Prediction, from_raw, predict_floats
from eqhls.events.wordports import word_ports
from eqhls.frontends.graphfile import load_model
from eqhls.ir.graph import Graph
from eqhls.lower.coverage import covering_events
from eqhls.lower.layout import Layout, Words
from eqhls.lower.netlist import Netlist
from eqhls.lower.packets import read_any_events
from eqhls.lower.plan import Plan
from eqhls.options import Options
from eqhls.progress import Report
from eqhls.text import Project, npz
from eqhls.verify.approximate import boost_curve
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.cocotb_run import SimulationResult, bench_is_built, simulate
from eqhls.verify.collect import check_writable, collected
from eqhls.verify.csim import CSim
from eqhls.verify.emulator import Emulator
from eqhls.verify.evidence import LABELLED, STAGES, Evidence, Stage
from eqhls.verify.floatstage import files_stage, given_stage, rewrites_stage
from eqhls.verify.given import Given, Recorded
from eqhls.verify.merit import merit_stages
from eqhls.verify.resume import content, stage_named, taken_over
from eqhls.verify.sampling import Feeds
from eqhls.verify.symmetry_stages import symmetry_stages
from eqhls.verify.tagger import Tagger, tagger_of
from eqhls.verify.wordboosts import word_boosts

VECTORS = "tb_data/vectors.npz"
MANY = 50_000
"""Events from which building the emulator takes less time than it saves."""


@dataclass(frozen=True, slots=True)
class ProjectEngines:
    """The engines of one project folder, on raw integers by port name."""

    folder: Path
    graph: Graph

    def pack(self, feeds: Mapping[str, Ints]) -> Words:
        return Layout.of(self.graph.inputs).pack(feeds)

    def run(self, engine: ExactEngine, feeds: Mapping[str, Ints]) -> dict[str, Ints]:
        """Return the raw integers of every output by name, shape (events, *shape).

        Raises CompileError for an unknown engine or a missing tool.
        """
        match engine:
            case "integer":
                return self.graph.evaluate(feeds)
            case "emulator":
                return Emulator(self.folder).run(self.graph, feeds)
            case "hls":
                words = CSim(self.folder).run(self.pack(feeds))
            case "rtl":
                words = BulkSimulator(self.folder).run(self.pack(feeds))
            case _:
                raise CompileError(
                    "engine", f"found {engine!r}, expected float, {', '.join(EXACT)}", "choose one of these"
                )
        return Layout.of(self.graph.results).unpack(words)

    def is_built(self, engine: ExactEngine) -> bool:
        """Whether nothing has to be built before an engine runs. Raises CompileError for a missing tool."""
        match engine:
            case "emulator":
                return Emulator(self.folder).is_built()
            case "hls":
                return CSim(self.folder).is_built()
            case "rtl":
                return BulkSimulator(self.folder).is_built()
            case _:
                return True

    def predict(self, events: Events, engine: ExactEngine | None) -> Prediction:
        """Return all outputs of events by an exact engine. None is the fastest: NumPy for few events, the
        emulator for many."""
        chosen, notes = self._fastest(len(events)) if engine is None else (engine, ())
        found = from_raw(self.graph, self.run(chosen, events.raw))
        return replace(found, saturated=events.saturated, notes=(*events.notes, *notes))

    def _fastest(self, events: int) -> tuple[ExactEngine, tuple[str, ...]]:
        """Return what computes so many events soonest, and a note if the emulator cannot be built. Raises
        VerificationError if g++ does not take its source: that is not a fault of the machine."""
        if events < MANY:
            return "integer", ()
        try:
            Emulator(self.folder).build()
        except VerificationError:
            raise
        except CompileError as error:
            return "integer", (f"NumPy computes the {events:,} events, not the faster emulator: {error}",)
        return "emulator", ()

    def simulate(self, events: Events | None, waves: str = "") -> SimulationResult:
        """Run the cocotb bench on events, or on the vectors of the project."""
        feeds = events.raw if events else vectors(self.folder, self.graph).raw
        expected = Layout.of(self.graph.results).pack(self.graph.evaluate(feeds))
        return simulate(self.folder, self.pack(feeds), expected, waves=waves)


def vector_feeds(graph: Graph, netlist: Netlist) -> Feeds:
    """Return the events that a project ships, as raw integers by port: words of every kind that reach what
    the netlist holds."""
    return covering_events(graph, netlist, np.random.default_rng(1))


def make_test_vectors(graph: Graph, feeds: Feeds) -> Project:
    """Return tb_data: the events, and the expected outputs.

    The .dat files hold one event per line: the raw integers of all ports in the order of the graph, each
    element by element, component last; so tb_output.dat has as many columns as all outputs have elements.
    """
    expected = graph.evaluate(feeds)
    inputs, outputs = Layout.of(graph.inputs), Layout.of(graph.results)
    return {
        VECTORS: npz({k: v.astype(np.int64) for k, v in feeds.items()}),
        "tb_data/words.npz": npz({"input": inputs.pack(feeds), "expected": outputs.pack(expected)}),
        "tb_data/tb_input.dat": _lines(inputs, feeds),
        "tb_data/tb_output.dat": _lines(outputs, expected),
    }


def verilog_bench(plan: Plan, feeds: Feeds) -> Project:
    """Return sim/verilog: the bench in plain Verilog with the same events as packed words in hexadecimal."""
    return emit_bench(plan, plan.inputs.pack(feeds), plan.outputs.pack(plan.graph.evaluate(feeds)))


def _lines(layout: Layout, raw: Mapping[str, Ints]) -> str:
    """Return one line per event with all elements of all ports."""
    rows = np.stack(layout.columns(raw), axis=1)
    return "".join(" ".join(map(str, row)) + "\n" for row in rows.tolist())


def vectors(folder: Path, graph: Graph) -> Events:
    """Return the events that were shipped with the project. They are words of
    every kind, so nothing is noted of them."""
    return replace(read_any_events(folder / VECTORS, graph), notes=())


def prove_symmetry(folder: Path, graph: Graph, options: Options, report: Report) -> Evidence:
    """Run the symmetry stages alone; nothing is written, a project is verified only by all stages."""
    stages = tuple(symmetry_stages(ProjectEngines(folder, graph), ProjectEngines, options, report))
    report("done", 1.0)
    return Evidence(stages, wanted=tuple(n for n in STAGES if n.startswith("symmetry")))


def prove(
    folder: Path,
    given: Given,
    manifest: Mapping[str, Any],
    events: Path | None,
    report: Report,
    score: str = "",
    start: str = "",
) -> Evidence:
    """Run every stage; the evidence goes to report/evidence.json, with what was found until then even if a
    stage raises. `score` names the output whose AUC is measured (eqhls.verify.tagger). The stages before
    `start` are taken over from the evidence that is there.

    Raises CompileError for events or labels that cannot be used, and for evidence that cannot be taken over,
    before anything is built.
    """
    check_writable(folder)
    graph = load_model(folder / "model")
    files, options = [events] if events else [], {"score": score}
    about = content(folder, files, options)
    ready = read_any_events(events, graph) if events else vectors(folder, graph)
    tagger = tagger_of(graph, score, ready.labels)
    labelled = ready.labels is not None
    taken = taken_over(folder, startable(start, labelled), about)
    engines = ProjectEngines(folder, graph)
    report("files", 0.01)
    stages = chain(
        (files_stage(folder, manifest), *taken.stages),
        given_stages(engines, given, manifest, ready, report, taken.names),
        _stages(engines, ready, given, report, tagger, taken.names),
    )
    evidence = collected(folder, stages, lambda: labelled, about, taken)
    report("done", 1.0)
    return evidence


def startable(start: str, labelled: bool) -> str:
    """Return the stage that --from names. Raises CompileError if these events have no such stage."""
    name = stage_named(start) if start else ""
    if name in LABELLED and not labelled:
        raise CompileError("--from", f"found {name!r}, a stage for events with labels", "name another stage")
    return name


def given_stages(
    engines: ProjectEngines,
    given: Given,
    manifest: Mapping[str, Any],
    events: Events,
    report: Report,
    skip: Collection[str] = (),
) -> Iterator[Stage]:
    """Check the integers against the network as it was given, except the stages to `skip`."""
    if "given network" not in skip:
        report("given network", 0.01)
        recorded = tuple(Recorded(**found) for found in manifest.get("from_given_network", ()))
        shipped = vectors(engines.folder, engines.graph)
        yield given_stage(given, engines.graph, events.raw, shipped.raw, recorded)
    if "rewrites" not in skip:
        report("rewrites", 0.02)
        yield rewrites_stage(given, engines.graph, events.raw)


def _stages(
    engines: ProjectEngines,
    events: Events,
    given: Given,
    report: Report,
    tagger: Tagger,
    skip: Collection[str],
) -> Iterator[Stage]:
    """Run the stages of the engines, the symmetry and the figures of merit, but for those to `skip`."""
    if "inputs" not in skip:
        report("inputs", 0.02)
        yield inputs_stage(engines.graph, events)
    yield from engine_stages(engines, events, report, skip)
    yield from once_stages(engines, events, given, report, skip)
    if events.labels is not None:
        report("auc and working points", 0.97)
        exact = from_raw(engines.graph, engines.run("integer", events.raw))
        given_scores = predict_floats(given.network, events)
        found = merit_stages(engines.folder, engines.graph, tagger, exact, given_scores, events.labels)
        yield from (s for s in found if s.name not in skip)


def once_stages(
    engines: ProjectEngines, events: Events, given: Given, report: Report, skip: Collection[str] = ()
) -> Iterator[Stage]:
    """Run the bench, the symmetry and the boosts, which take some of the events only, but for the stages to
    `skip`."""
    if "cocotb" not in skip:
        how = ", built before" if bench_is_built(engines.folder) else ""
        report(f"cocotb on Verilator: back to back, gaps, reset{how}", 0.3)
        yield cocotb_stage(engines, events)
    yield from symmetry_stages(engines, ProjectEngines, given.options, report, skip)
    if "boosts" not in skip:
        report("boosts and rotations", 0.95)
        words = word_ports(engines.graph)
        if words is None:
            yield boost_curve(engines.graph, events, engines.folder)
        else:
            yield word_boosts(engines.graph, words, events, engines.folder)


def inputs_stage(graph: Graph, events: Events) -> Stage:
    """Count saturation at the ports and inside: it is allowed, never silent."""
    at_ports = int(events.saturated.sum())
    counts: dict[str, int] = {"input": at_ports} | graph.saturation(events.raw)
    total = sum(counts.values())
    return Stage(
        "inputs",
        True,
        f"{len(events)} events, {at_ports} input values saturated, {total - at_ports} inside"
        + "".join(f"; note: {line}" for line in events.notes),
        tuple(counts.items()),
    )


def engine_stages(
    engines: ProjectEngines, events: Events, report: Report, skip: Collection[str] = ()
) -> Iterator[Stage]:
    """Hold every engine against the integers, but for the stages to `skip`."""
    made: tuple[tuple[ExactEngine, float], ...] = (("emulator", 0.06), ("hls", 0.08), ("rtl", 0.15))
    if {"integer", *(engine for engine, _ in made)} <= {*skip}:
        return
    report("integer", 0.05)
    want = engines.run("integer", events.raw)
    if "integer" not in skip:
        yield Stage("integer", True, f"{len(events)} events", (("events", len(events)),))
    for engine, share in made:
        if engine not in skip:
            report(f"{engine}: {'built before' if engines.is_built(engine) else 'build'} and run", share)
            yield _compare(engine, engines.run(engine, events.raw), want)


def _compare(name: str, got: Mapping[str, Ints], want: Mapping[str, Ints]) -> Stage:
    """Compare every output; an event counts once, however many of its outputs differ."""
    events = len(next(iter(want.values())))
    differs = np.zeros(events, dtype=bool)
    for key, values in want.items():
        differs |= (
            (got[key] != values).reshape(events, -1).any(axis=1)
            if key in got and got[key].shape == values.shape
            else True
        )
    wrong = int(differs.sum())
    outputs = f" in {len(want)} outputs" if len(want) > 1 else ""
    return Stage(
        name,
        wrong == 0,
        f"{events} events, {wrong} mismatches{outputs}",
        (("events", events), ("mismatches", wrong)),
    )


def cocotb_stage(engines: ProjectEngines, events: Events) -> Stage:
    result = engines.simulate(events)
    bad = [name for name, passed, _ in result.tests if not passed]
    detail = f"{result.events} events, {len(result.tests)} tests, failed: {', '.join(bad) or 'none'}"
    return Stage(
        "cocotb",
        result.ok,
        detail,
        (("events", result.events), ("events_per_second", result.events_per_second)),
    )
