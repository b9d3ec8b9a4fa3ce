"""Events of many files as one sample, of which no more is held than is drawn, and one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from eqhls.errors import CompileError
from eqhls.events.read import Events, picked
from eqhls.ir.graph import Graph
from eqhls.lower.packets import read_any_events


def drawn(files: Sequence[Path], graph: Graph, size: int, seed: int) -> Events:
    """Return at most `size` events of all files, drawn without replacement, in their order: those that
    `eqhls.events.read.sampled` draws from all files behind each other.

    Each file is read twice, once for the number of its events. Raises CompileError if some files have labels
    and others have none.
    """
    counts = [len(read_any_events(f, graph)) for f in files]
    total, ends = sum(counts), np.cumsum(counts)
    rows = np.arange(total)
    if total > size:
        rows = np.sort(np.random.default_rng(seed).choice(total, size, replace=False))
    parts = list[Events]()
    for file, end, count in zip(files, ends, counts, strict=True):
        own = rows[(rows >= end - count) & (rows < end)] - (end - count)
        if len(own):
            parts.append(picked(read_any_events(file, graph), own))
    return _behind(files, parts)


def _behind(files: Sequence[Path], parts: Sequence[Events]) -> Events:
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
