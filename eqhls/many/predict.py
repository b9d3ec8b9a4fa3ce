"""Scores of many files, one OUT for each, whole or not at all; what is there already is left as it is."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eqhls.engines import Engine
from eqhls.errors import CompileError
from eqhls.events.scores import Prediction, save_predictions
from eqhls.flow import Compiled, open_project, predict_float, read_model
from eqhls.frontends.open import source_files
from eqhls.lower.packets import read_any_events
from eqhls.many.table import FileTable, Row
from eqhls.many.tasks import Failed, Pool, client_of, run_each
from eqhls.text import MANIFEST, sums, write_file
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.emulator import Emulator
from eqhls.version import VERSION


@dataclass(frozen=True, slots=True)
class Source:
    """What scores: a project, or a model by its float reference, with the config of a checkpoint; and which
    engine (none: the fastest one of the firmware's numbers). `key` is the same if, and only if, the same
    numbers come out."""

    path: Path
    engine: Engine | None
    config: Path | None
    key: str

    @classmethod
    def of(cls, path: Path, engine: Engine | None, config: Path | None) -> Source:
        path = path.resolve()
        if Compiled.is_project(path):
            files = {MANIFEST: open_project(path).folder.joinpath(MANIFEST).read_bytes()}
        else:
            files = source_files(path) | ({} if config is None else {"config": config.read_bytes()})
        text = json.dumps([VERSION, engine or "integer", sums(files)])
        return cls(
            path, engine, config.resolve() if config else None, hashlib.sha256(text.encode()).hexdigest()
        )


@dataclass(frozen=True, slots=True)
class Scored:
    """The record of one file, as it lies beside its scores: SHA-256 of events, source and scores."""

    file: str
    events: int
    saturated: int
    notes: tuple[str, ...]
    seconds: float
    events_sha256: str
    source: str
    scores_sha256: str


def targets(files: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Return where the scores of each file go: NAME.npz in the folder. Raises CompileError for two files of
    one name, and if scores would take the place of events or of a file that is not eqhls's."""
    found = {f: folder / f"{f.stem}.npz" for f in files}
    by_target: dict[Path, Path] = {}
    inputs = {f.resolve() for f in files}
    for file, out in found.items():
        other = by_target.setdefault(out, file)
        if other != file:
            raise CompileError(
                str(file),
                f"and {other} would both give {out}",
                "give each folder a run and an output of its own",
            )
        if out.resolve() in inputs:
            raise CompileError(
                str(out), "holds events, which the scores would replace", "name another folder"
            )
        if out.exists() and not _record(out).is_file():
            raise CompileError(str(out), "was not written by eqhls predict", "name another folder")
    return found


def predict_many(
    source: Source, files: Sequence[Path], folder: Path, pool: Pool, start: Callable[[FileTable], None]
) -> list[Failed]:
    """Score every file that is not scored yet; return those that could not be. `start` is given the table,
    which it shows. Raises CompileError before anything runs if the output cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise CompileError(
            str(folder), "is a file, expected a folder for the scores of many files", "name another"
        )
    outs = targets(files, folder.resolve())
    failed = list[Failed]()
    with FileTable(files) as table:
        start(table)
        build(source)
        with client_of(pool, len(files)) as client:
            found = run_each(client, score_file, files, lambda f: (source, outs[f]), table.running)
            for file, result in found:
                if isinstance(result, Failed):
                    failed.append(result)
                    table.ended(file, Row(f"failed: {result.reason}"))
                else:
                    record, new = result
                    table.ended(
                        file, Row("done" if new else "up to date", record.events, record.seconds * new)
                    )
    return sorted(failed, key=lambda f: f.file)


def build(source: Source) -> None:
    """Build an engine once, before many processes want it. Raises CompileError if a tool is missing."""
    builders = {"emulator": Emulator, "hls": CSim, "rtl": BulkSimulator}
    if source.engine in builders:
        builders[source.engine](open_project(source.path).folder).build()


def score_file(file: Path, source: Source, out: Path) -> tuple[Scored, bool] | Failed:
    """Score one file unless its scores are there; return the record and whether it is new. A worker calls
    this: nothing is raised, and the record is complete only behind the scores, so that a killed worker leaves
    no half result."""
    begin = time.monotonic()
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        old = _kept(out)
        if (
            old
            and (old.events_sha256, old.source) == (digest, source.key)
            and old.scores_sha256 == _sha256(out)
        ):
            return old, False
        write_file(_record(out), json.dumps({"file": str(file), "state": "begun"}) + "\n")
        record = _scored(file, source, out, digest, begin)
        write_file(_record(out), json.dumps(asdict(record), indent=1) + "\n")
        return record, True
    except (CompileError, OSError) as error:
        return Failed(file, str(error))


def _scored(file: Path, source: Source, out: Path, digest: str, begin: float) -> Scored:
    scorer = _scorer(source)
    found = scorer(file)
    save_predictions(out, found)
    lost = 0 if found.saturated is None else int(found.saturated.sum())
    events = len(found.first.scores)
    seconds = time.monotonic() - begin
    return Scored(str(file), events, lost, found.notes, seconds, digest, source.key, _sha256(out))


@lru_cache(maxsize=2)
def _scorer(source: Source) -> Callable[[Path], Prediction]:
    """Return what scores a file; a process reads a model once."""
    if Compiled.is_project(source.path):
        project = open_project(source.path)
        return lambda file: project.prediction(file, source.engine)
    graph = read_model(source.path, source.config)
    return lambda file: predict_float(graph, read_any_events(file, graph))


def _record(out: Path) -> Path:
    return out.with_suffix(".json")


def _kept(out: Path) -> Scored | None:
    """Return the record of scores that are there, or None."""
    try:
        found: dict[str, Any] = json.loads(_record(out).read_text())
        found["notes"] = tuple(found["notes"])
        return Scored(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or "" if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
