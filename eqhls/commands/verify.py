"""eqhls verify: the proof of a project, and its page."""

from __future__ import annotations

import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.many import (
    OptionalFilesArg,
    SchedulerOption,
    WorkersOption,
    are_many,
    complain,
    pool_of,
    verify_files,
)
from eqhls.commands.shell import FolderArg, ScoreOption, Steps, show, told
from eqhls.errors import CompileError, Interrupted, VerificationError
from eqhls.flow import Compiled, open_project
from eqhls.many.tasks import Failed, Pool
from eqhls.many.verify import PER_FILE
from eqhls.report.page import write_report
from eqhls.report.tables import evidence_table, summary_lines
from eqhls.verify.evidence import Evidence
from eqhls.verify.resume import before


def verify(
    folder: FolderArg,
    events: OptionalFilesArg = None,
    symmetry: Annotated[bool, typer.Option("--symmetry", help="only the exact symmetry tests")] = False,
    start: Annotated[
        str,
        typer.Option(
            "--from", metavar="STAGE", help="take the stages before this one over from the last evidence"
        ),
    ] = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="take no build from before")] = False,
    score: ScoreOption = "",
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = "",
) -> None:
    """Prove a project: every bit, and every exact symmetry.

    All engines are compared bit for bit, also with the network as it was given; if the events have
    labels, the AUC is measured. The page of the project is written at the end (report). The exit
    status is 1 unless every stage passes. What was built before of the same content is taken again.
    """
    project, pool = open_project(folder), pool_of(workers, scheduler)
    if symmetry and start:
        raise CompileError("--from", "found beside --symmetry, which keeps no evidence", "give one of them")
    if rebuild:
        project.forget_builds()
    try:
        evidence, failed = _proved(project, events or [], symmetry, score, pool, start)
    except (CompileError, Interrupted) as stopped:
        if isinstance(stopped, Interrupted):
            told.again = _again(stopped.stage, are_many(events or [], pool))
        with suppress(CompileError):  # what was found until then; the first error is the one to tell
            write_report(folder)
        raise
    page = None if symmetry else write_report(folder)
    show(
        {"project": project.folder, **evidence.as_json()},
        evidence_table(project.manifest, evidence),
        *summary_lines(project.manifest, evidence),
        *([f"report       {page}"] if page else []),
        f"project      {project.folder}",
    )
    if all(s.ok for s in evidence.stages if s.name != "inputs"):
        complain(failed)
    if not evidence.ok:
        lost = ", ".join(evidence.missing) or ", ".join(s.name for s in evidence.stages if not s.ok)
        raise VerificationError(str(folder), f"not verified: {lost}", "the project must not be used")


def _again(stage: str, many: bool) -> str:
    """Return how a proof goes on that was stopped in a stage, or nothing if no stage would be taken over."""
    if not stage or not before(stage) or (many and stage in PER_FILE):
        return ""
    words = iter(sys.argv[1:])
    kept: list[str] = []
    for word in words:
        if word == "--from":
            next(words, "")
        elif word != "--rebuild" and not word.startswith("--from="):
            kept.append(word)
    return f"the stages that passed are kept: go on with {shlex.join(['eqhls', *kept, '--from', stage])}"


def _proved(
    project: Compiled, files: list[Path], symmetry: bool, score: str, pool: Pool, start: str
) -> tuple[Evidence, list[Failed]]:
    """Run the proof on no events, one file or many; return the evidence, and files that could not be read."""
    if files and not symmetry and are_many(files, pool):
        return verify_files(project.folder, files, score, pool, start)
    with Steps() as progress:
        if symmetry:
            return project.verify_symmetry(progress), []
        return project.verify(files[0] if files else None, progress, score, start), []
