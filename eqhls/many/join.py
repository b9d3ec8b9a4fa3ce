"""Events of many files as one sample: no more is held than is drawn, and one file in each process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.read import Events, picked
from eqhls.flow import read_model
from eqhls.ir.graph import Graph
from eqhls.lower.packets import read_any_events
from eqhls.many.predict import Source
from eqhls.many.table import FileTable, Row
from eqhls.many.tasks import Failed, Pool, client_of, run_each

T = TypeVar("T")


def drawn(files: Sequence[Path], graph: Graph, size: int, seed: int) -> Events:
    """Return at most `size` events of all files, drawn without replacement, in their order: those that
    `eqhls.events.read.sampled` draws from all files behind each other.

    Each file is read twice, once for the number of its events. Raises CompileError if some files have labels
    and others have none.
    """
    wanted = rows_of({f: len(read_any_events(f, graph)) for f in files}, size, seed)
    return _behind([picked(read_any_events(f, graph), own) for f, own in wanted.items()], files)


def drawn_many(model: Path, files: Sequence[Path], size: int, seed: int, pool: Pool) -> Events:
    """Return what `drawn` does, of files that processes read. Raises CompileError as `drawn` does, and for
    the first file that cannot be read or that no worker survives."""
    begin, source = time.monotonic(), Source.of(model, "float", None)
    with FileTable(files) as table, client_of(pool, len(files)) as client:
        counts = dict[Path, int]()
        for file, count in run_each(client, count_file, files, lambda _: (source,), table.running):
            counts[file] = _or_raise(file, count)
        wanted = rows_of({f: counts[f] for f in files}, size, seed)
        parts = dict[Path, Events]()
        for file, part in run_each(
            client, pick_file, tuple(wanted), lambda f: (source, wanted[f]), table.running
        ):
            parts[file] = _or_raise(file, part)
        for file in files:
            table.ended(file, Row("read", counts[file], time.monotonic() - begin))
    return _behind([parts[f] for f in wanted], files)


def rows_of(counts: Mapping[Path, int], size: int, seed: int) -> dict[Path, Ints]:
    """Return which events of each file are drawn, without files of which there are none."""
    total, begin = sum(counts.values()), 0
    rows = np.arange(total)
    if total > size:
        rows = np.sort(np.random.default_rng(seed).choice(total, size, replace=False))
    found = dict[Path, Ints]()
    for file, count in counts.items():
        own = rows[(rows >= begin) & (rows < begin + count)] - begin
        if len(own):
            found[file] = own
        begin += count
    return found


def count_file(file: Path, model: Source) -> int | Failed:
    """Return how many events a file holds. A worker calls this: nothing is raised."""
    try:
        return len(read_any_events(file, _graph(model)))
    except (CompileError, OSError) as error:
        return Failed(file, str(error))


def pick_file(file: Path, model: Source, rows: Ints) -> Events | Failed:
    """Return some events of a file. A worker calls this: nothing is raised."""
    try:
        return picked(read_any_events(file, _graph(model)), rows)
    except (CompileError, OSError) as error:
        return Failed(file, str(error))


@lru_cache(maxsize=2)
def _graph(model: Source) -> Graph:
    """Read a model, once in a process, and again if it has changed."""
    return read_model(model.path)


def _or_raise(file: Path, found: T | Failed) -> T:
    if isinstance(found, Failed):
        raise CompileError(
            str(file), found.reason.removeprefix(f"{file}: "), "correct the file, or leave it out of --events"
        )
    return found


def _behind(parts: Sequence[Events], files: Sequence[Path]) -> Events:
    """Return events behind each other."""
    labels = [p.labels for p in parts if p.labels is not None]
    if labels and len(labels) < len(parts):
        raise CompileError(
            ", ".join(map(str, files)),
            "have labels in some files and none in others",
            "give all of them y, or none",
        )
    first = parts[0]
    return replace(
        first,
        raw={k: np.concatenate([p.raw[k] for p in parts]) for k in first.raw},
        floats={k: np.concatenate([p.floats[k] for p in parts]) for k in first.floats},
        labels=np.concatenate(labels) if labels else None,
        saturated=np.concatenate([p.saturated for p in parts]),
        notes=tuple(dict.fromkeys(n for p in parts for n in p.notes)),
    )
