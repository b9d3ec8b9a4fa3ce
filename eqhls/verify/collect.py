"""The evidence of a proof as it grows: written behind every stage, so that a proof that stops can go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from eqhls.errors import CompileError, Interrupted
from eqhls.staging import staging_folder
from eqhls.text import write_file
from eqhls.verify.evidence import Evidence, Stage
from eqhls.verify.resume import EVIDENCE, Content, Taken


def check_writable(folder: Path) -> None:
    """Raise CompileError unless evidence can be written into a project, before hours are spent on it."""
    place = folder / EVIDENCE
    try:
        with staging_folder(place):
            return
    except OSError as error:
        raise CompileError(
            str(place.parent),
            f"cannot be written ({error.strerror}), so there is no place for the evidence",
            f"copy the project to a folder that you may write, and verify the copy: cp -r {folder} COPY",
        ) from None


def collected(
    folder: Path,
    stages: Iterator[Stage],
    labelled: Callable[[], bool],
    about: Content | None = None,
    taken: Taken | None = None,
) -> Evidence:
    """Run stages and write the evidence to report/evidence.json behind each of them, even if one raises;
    `labelled` is asked whether the events have labels. Of the stages, those that are `taken` over keep the
    time at which they were finished. Raises Interrupted, which says where to go on, for Ctrl-C."""
    taken = taken or Taken()
    found, finished = list[Stage](), dict(taken.finished)

    def keep() -> Evidence:
        evidence = Evidence(
            tuple(found),
            labelled(),
            finished={s.name: finished[s.name] for s in found if s.name in finished},
            taken=tuple(s.name for s in found if s.name in taken.names),
            content=about or {},
        )
        write_file(folder / EVIDENCE, json.dumps(evidence.as_json(), indent=1) + "\n")
        return evidence

    try:
        for stage in stages:
            found.append(stage)
            finished.setdefault(stage.name, datetime.now(UTC).isoformat(timespec="seconds"))
            keep()
    except BaseException as error:
        wanted = Evidence(tuple(found), labelled()).missing
        found.append(Stage(wanted[0] if wanted else "end", False, f"did not finish: {_words(error)}"))
        evidence = keep()
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(evidence.next) from None
        raise
    return keep()


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, CompileError) else f"{type(error).__name__} {error}".strip()
