"""The proof over many files: engines are built once, events stream by file, counts are added."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from eqhls.errors import CompileError
from eqhls.events.scores import Prediction, Result, from_raw, predict_floats
from eqhls.flow import Compiled, open_project
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.lower.packets import read_any_events
from eqhls.many.evidence import one_stage
from eqhls.many.table import FileTable, Row
from eqhls.many.tasks import Failed, Pool, client_of, run_each
from eqhls.progress import Report, silent
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.collect import check_writable, collected
from eqhls.verify.csim import CSim
from eqhls.verify.emulator import Emulator
from eqhls.verify.evidence import STAGES, Evidence, Stage
from eqhls.verify.floatstage import files_stage
from eqhls.verify.given import Given
from eqhls.verify.merit import merit_stages
from eqhls.verify.proof import ProjectEngines, engine_stages, given_stages, inputs_stage, once_stages
from eqhls.verify.resume import Taken, content, stage_named, taken_over
from eqhls.verify.tagger import tagger_of

PER_FILE = STAGES[STAGES.index("given network") : STAGES.index("rtl") + 1]
"""The stages that take every event, and run file by file."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the stages that run on every event found in one file, and what the figures of merit need of it:
    scores of the integers and of the given network, and labels."""

    stages: tuple[Stage, ...]
    events: int
    notes: tuple[str, ...]
    seconds: float
    exact: Prediction
    floating: Prediction
    labels: Floats | None


@dataclass(slots=True)
class _Found:
    """The files as they were done, in their order."""

    parts: dict[Path, Part] = field(default_factory=dict[Path, Part])
    failed: list[Failed] = field(default_factory=list[Failed])

    @property
    def labelled(self) -> bool:
        return bool(self.parts) and all(p.labels is not None for p in self.parts.values())


def verify_many(
    folder: Path, files: Sequence[Path], pool: Pool, report: Report, score: str = "", start: str = ""
) -> tuple[Evidence, list[Failed]]:
    """Run every stage on the events of all files, one file at a time in each process; return the evidence,
    which is also written, and the files that could not be read: with one of these it does not hold.

    The bench of cocotb, the boosts and the ranges of values take their events from the first file. The stages
    before `start` are taken over from the evidence that is there. Raises CompileError for a `score` that is
    not an output, and for evidence that cannot be taken over, before anything is built, and for labels that
    cannot be used.
    """
    project = open_project(folder)
    check_writable(project.folder)
    tagger_of(project.graph, score, None)
    about = content(project.folder, files, {"score": score})
    taken = taken_over(project.folder, _startable(start), about)
    found = _Found()
    stages = _stages(project, tuple(files), pool, report, score, found, taken)
    evidence = collected(project.folder, stages, lambda: found.labelled, about, taken)
    project.measure_values(next(iter(found.parts)), report)
    return evidence, found.failed


def _startable(start: str) -> str:
    """Return the stage that --from names. Raises CompileError for one between those that run together."""
    name = stage_named(start) if start else ""
    if name in PER_FILE[1:]:
        raise CompileError(
            "--from",
            f"found {name!r}, and of several files the stages {PER_FILE[0]} to {PER_FILE[-1]} run together",
            f"name '{PER_FILE[0]}', or a stage behind {PER_FILE[-1]}",
        )
    return name


def _stages(
    project: Compiled,
    files: tuple[Path, ...],
    pool: Pool,
    report: Report,
    score: str,
    found: _Found,
    taken: Taken,
) -> Iterator[Stage]:
    graph, given, folder = project.graph, project.given, project.folder
    report("files", 0.01)
    yield files_stage(folder, project.manifest)
    yield from taken.stages
    whole = not taken.stages
    if whole:
        report("builds of the engines", 0.02)
        for engine in (Emulator(folder), CSim(folder), BulkSimulator(folder)):
            engine.build()
    report(f"{len(files)} files of events", 0.1)
    _run(folder, files, pool, found, whole)
    if not found.parts:
        raise CompileError(str(files[0]), found.failed[0].reason, "none of the files can be used")
    if found.failed and not whole:
        raise CompileError(str(found.failed[0].file), found.failed[0].reason, "verify without --from")
    names = [s.name for s in next(iter(found.parts.values())).stages]
    for k, name in enumerate(names):
        notes = tuple(dict.fromkeys(n for p in found.parts.values() for n in p.notes)) * (name == "inputs")
        stage = one_stage({f: p.stages[k] for f, p in found.parts.items()}, notes)
        yield _with_failures(stage, found.failed) if name == "inputs" else stage
    first = read_any_events(next(iter(found.parts)), graph)
    yield from once_stages(ProjectEngines(folder, graph), first, given, report, taken.names)
    if found.labelled:
        merit = _merit(folder, graph, score, tuple(found.parts.values()))
        yield from (s for s in merit if s.name not in taken.names)


def _run(folder: Path, files: Sequence[Path], pool: Pool, found: _Found, whole: bool) -> None:
    done = dict[Path, Part]()
    with FileTable(files) as table, client_of(pool, len(files)) as client:
        for file, result in run_each(
            client, verify_file, files, lambda _: (folder.resolve(), whole), table.running
        ):
            if isinstance(result, Failed):
                found.failed.append(result)
                table.ended(file, Row(f"failed: {result.reason}"))
            else:
                done[file] = result
                ok = all(s.ok for s in result.stages)
                table.ended(file, Row("done" if ok else "MISMATCH", result.events, result.seconds))
    found.parts |= {f: done[f] for f in files if f in done}


def _with_failures(stage: Stage, failed: Sequence[Failed]) -> Stage:
    """Return the stage of the inputs, which does not hold if a file was not read."""
    bad = "".join(f"; not read: {f.reason}" for f in failed)
    return replace(stage, ok=stage.ok and not failed, detail=stage.detail + bad)


def _merit(folder: Path, graph: Graph, score: str, parts: tuple[Part, ...]) -> Iterator[Stage]:
    """Yield the figures of merit of all events at once."""
    labels = np.concatenate([p.labels for p in parts if p.labels is not None])
    tagger = tagger_of(graph, score, labels)
    exact, floating = _joined([p.exact for p in parts]), _joined([p.floating for p in parts])
    yield from merit_stages(folder, graph, tagger, exact, floating, labels)


def _joined(found: Sequence[Prediction]) -> Prediction:
    """Return predictions behind each other as one."""

    def result(name: str) -> Result:
        results = [p.outputs[name] for p in found]
        raw = [r.raw for r in results if r.raw is not None]
        whole = np.concatenate(raw) if raw else None
        return Result(np.concatenate([r.scores for r in results]), whole, results[0].format)

    return Prediction({name: result(name) for name in found[0].outputs})


def verify_file(file: Path, folder: Path, whole: bool = True) -> Part | Failed:
    """Run the stages that take every event on one file; if they are taken over, it is not the `whole` of a
    part that is wanted, but what the figures of merit need. A worker calls this: nothing is raised."""
    begin = time.monotonic()
    try:
        project, graph, given = _opened(folder)
        events, engines = read_any_events(file, graph), ProjectEngines(folder, graph)
        stages = (
            ()
            if not whole
            else (
                *given_stages(engines, given, project.manifest, events, silent),
                _counted(inputs_stage(graph, events), len(events)),
                *engine_stages(engines, events, silent),
            )
        )
        exact = from_raw(graph, engines.run("integer", events.raw))
        floating = predict_floats(given.network, events)
        plain = [replace(p, notes=(), joined=None) for p in (exact, floating)]
        seconds = time.monotonic() - begin
        return Part(stages, len(events), events.notes, seconds, plain[0], plain[1], events.labels)
    except (CompileError, OSError) as error:
        return Failed(file, str(error))


def _counted(stage: Stage, events: int) -> Stage:
    return replace(stage, numbers=(("events", events), *stage.numbers))


@lru_cache(maxsize=1)
def _opened(folder: Path) -> tuple[Compiled, Graph, Given]:
    """Return a project with its graph and the given network; a process reads them once."""
    project = open_project(folder)
    return project, project.graph, project.given
