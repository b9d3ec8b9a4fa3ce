"""eqhls verify: the proof of a project; eqhls report: its page."""

from __future__ import annotations

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
from eqhls.commands.shell import FolderArg, ScoreOption, Steps, show
from eqhls.errors import VerificationError
from eqhls.flow import open_project
from eqhls.many.tasks import Failed
from eqhls.report.tables import evidence_table, summary_lines


def verify(
    folder: FolderArg,
    events: OptionalFilesArg = None,
    symmetry: Annotated[bool, typer.Option("--symmetry", help="only the exact symmetry tests")] = False,
    score: ScoreOption = "",
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = "",
) -> None:
    """Prove a project: every bit, and every exact symmetry.

    All engines are compared bit for bit, also with the network as it was given; if the events have
    labels, the AUC is measured. The exit status is 1 unless every stage passes.
    """
    project, pool = open_project(folder), pool_of(workers, scheduler)
    failed, files = list[Failed](), events or []
    if files and not symmetry and are_many(files, pool):
        evidence, failed = verify_files(folder, files, score, pool)
    else:
        with Steps() as progress:
            file = files[0] if files else None
            evidence = (
                project.verify_symmetry(progress) if symmetry else project.verify(file, progress, score)
            )
    show(
        {"project": project.folder, **evidence.as_json()},
        evidence_table(project.manifest, evidence),
        *summary_lines(project.manifest, evidence),
        f"project      {project.folder}",
    )
    if all(s.ok for s in evidence.stages if s.name != "inputs"):
        complain(failed)
    if not evidence.ok:
        lost = ", ".join(evidence.missing) or ", ".join(s.name for s in evidence.stages if not s.ok)
        raise VerificationError(str(folder), f"not verified: {lost}", "the project must not be used")
