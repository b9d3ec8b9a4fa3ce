"""predict, verify and quantize on many files of events (docs/many-files.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import Steps, show
from eqhls.engines import Engine
from eqhls.errors import CompileError
from eqhls.events.read import Events
from eqhls.flow import Compiled, open_project
from eqhls.many.join import drawn_many
from eqhls.many.paths import matched, several
from eqhls.many.predict import Source, predict_many
from eqhls.many.table import FileTable
from eqhls.many.tasks import Failed, Pool
from eqhls.many.verify import verify_many
from eqhls.tune import SEARCH_EVENTS
from eqhls.verify.evidence import Evidence

FilesArg = Annotated[
    list[Path],
    typer.Argument(help="EVENTS.npz with p4 (B,N,4) in GeV, optional jet, y; several, or patterns in quotes"),
]
OptionalFilesArg = Annotated[
    list[Path] | None,
    typer.Argument(help="EVENTS.npz, several, or patterns in quotes (default: the shipped vectors)"),
]
WorkersOption = Annotated[int, typer.Option(help="processes for many files; 0: one per processor")]
SchedulerOption = Annotated[str, typer.Option(help="address of a Dask cluster for many files")]


def pool_of(workers: int, scheduler: str) -> Pool:
    """Return what does the work. Raises CompileError for options that contradict each other."""
    if workers < 0 or (workers and scheduler):
        found = f"found {workers}" + (f" beside --scheduler {scheduler}" if scheduler else "")
        raise CompileError("--workers", found, "give a number of processes of this machine, or a cluster")
    return Pool(workers, scheduler)


def are_many(events: Sequence[Path], pool: Pool) -> bool:
    """Whether files go to processes: several, a pattern, or because the user says where to."""
    return several(events) or pool != Pool()


def predict_files(
    source: Path, events: Sequence[Path], output: Path, engine: Engine | None, config: Path | None, pool: Pool
) -> None:
    """Score many files into a folder. Raises CompileError at the end if a file could not be scored."""
    if not Compiled.is_project(source) and engine != "float":
        raise CompileError(
            "--engine",
            f"found {engine or 'integer'!r} for a model file, expected float",
            "compile the model first and give the project folder",
        )
    files, shown = matched(events), list[FileTable]()
    failed = predict_many(Source.of(source, engine, config), files, output, pool, shown.append)
    for table in shown:
        show({"wrote": output, "total": table.total()}, f"wrote {output}: {table.total()}")
    complain(failed)


def verify_files(
    folder: Path, events: Sequence[Path], score: str, pool: Pool, start: str = ""
) -> tuple[Evidence, list[Failed]]:
    """Verify on many files; return the evidence, and the files that could not be used."""
    files = matched(events)
    with Steps() as progress:
        evidence, failed = verify_many(open_project(folder).folder, files, pool, progress, score, start)
    return evidence, failed


def events_drawn(model: Path, events: Sequence[Path], seed: int, pool: Pool) -> Path | Events:
    """Return a file as it is, or the events that a search draws from many."""
    if not are_many(events, pool):
        return events[0]
    return drawn_many(model, matched(events), SEARCH_EVENTS, seed, pool)


def complain(failed: Sequence[Failed]) -> None:
    """Raise CompileError naming the files that failed, if there are some."""
    if failed:
        listed = "; ".join(f.reason if str(f.file) in f.reason else f"{f.file}: {f.reason}" for f in failed)
        raise CompileError(
            "events",
            f"{len(failed)} file{'s' * (len(failed) > 1)} failed: {listed}",
            "the others are done; correct these and run again",
        )
