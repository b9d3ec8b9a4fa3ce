"""Labelled events for training: read from files, split, and prepared for the ports of a network by the
functions that `eqhls predict` uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.events.arrays import arrays_for
from eqhls.events.read import Events, from_mapping
from eqhls.ir.graph import Graph

Arrays = Mapping[str, NDArray[Any]]
LABELS = "y"


@dataclass(frozen=True, slots=True)
class Data:
    """Labelled events as arrays by name (docs/inputs.md: `p4` (B, N, 4) and `jet` (B, 4) in GeV, or ports by
    name; labels `y` (B,), 0 and 1, or 0 to K - 1 of K classes): those that are trained on, those that say
    when to stop, and those that measure what came out. Each of the last two may be missing. `notes` are lines
    on how files were read."""

    train: Arrays
    validation: Arrays | None = None
    test: Arrays | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part, arrays in self.parts.items():
            _events(arrays, part)

    @classmethod
    def read(
        cls,
        graph: Graph,
        files: Sequence[Path | str],
        validation: Sequence[Path | str] = (),
        test: Sequence[Path | str] = (),
        share: float = 0.2,
        seed: int = 1,
    ) -> Data:
        """Read files of events for the ports of a graph, of every kind that `eqhls predict` reads. Without
        files of validation events, `share` of the events are taken out for them, drawn by `seed`. Raises
        CompileError for files that do not hold labelled events."""
        arrays, notes = read_arrays(graph, files)
        held, more = read_arrays(graph, validation) if validation else (None, ())
        measured, most = read_arrays(graph, test) if test else (None, ())
        if held is None and share:
            arrays, held = split(arrays, share, seed)
        return cls(arrays, held, measured, tuple(dict.fromkeys((*notes, *more, *most))))

    @property
    def parts(self) -> dict[str, Arrays]:
        """The parts that are there, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: arrays for name, arrays in named.items() if arrays is not None}

    @property
    def measured(self) -> tuple[str, Arrays]:
        """The events that measure the trained network, and what they are: the test events, otherwise the
        validation events, otherwise those of the training."""
        return list(self.parts.items())[-1]

    @property
    def classes(self) -> int:
        """The number of classes that the labels tell apart."""
        return max(2, *(int(np.max(arrays[LABELS])) + 1 for arrays in self.parts.values()))


def read_arrays(graph: Graph, files: Sequence[Path | str]) -> tuple[Arrays, tuple[str, ...]]:
    """Return the events of all files, one behind the other, and lines on how they were read; shorter lists of
    constituents are padded with zeros. Raises CompileError if the files do not hold the same arrays."""
    read = [arrays_for(Path(file), graph) for file in files]
    found = [arrays for arrays, _ in read]
    lines = tuple(f"{file}: {line}" for file, (_, told) in zip(files, read, strict=True) for line in told)
    names = [set(arrays) for arrays in found]
    for file, other in zip(files, names, strict=True):
        if other != names[0]:
            raise CompileError(
                str(file),
                f"holds {', '.join(sorted(other))}, expected {', '.join(sorted(names[0]))} as in {files[0]}",
                "give files with the same arrays",
            )
    return {name: _joined(name, [arrays[name] for arrays in found]) for name in sorted(names[0])}, lines


def _joined(name: str, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if len(arrays) == 1 or not arrays[0].ndim:
        return arrays[0]
    longest = [max(a.shape[k] for a in arrays) for k in range(1, arrays[0].ndim)]
    if len({a.ndim for a in arrays}) > 1:
        raise CompileError(name, "has another number of axes in each file", "give files of one layout")
    padded = [
        np.pad(a, ((0, 0), *((0, n - s) for n, s in zip(longest, a.shape[1:], strict=True)))) for a in arrays
    ]
    return np.concatenate(padded)


def split(arrays: Arrays, share: float, seed: int) -> tuple[Arrays, Arrays]:
    """Return the events without and with those that are drawn: `share` of each class. Raises CompileError for
    a share that leaves one part without events of a class."""
    events, labels = _events(arrays, "train"), np.ravel(arrays[LABELS])
    rng, drawn = np.random.default_rng(seed), np.zeros(events, dtype=bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        count = round(share * len(rows))
        if not 0 < count < len(rows):
            raise CompileError(
                "share",
                f"found {share:g} of {len(rows)} events of class {label:g}",
                "give a share that leaves events in both parts, or a file of validation events",
            )
        drawn[rows[:count]] = True
    return _rows(arrays, events, ~drawn), _rows(arrays, events, drawn)


def _rows(arrays: Arrays, events: int, rows: NDArray[Any]) -> Arrays:
    return {k: v[rows] if v.ndim and len(v) == events else v for k, v in arrays.items()}


def _events(arrays: Arrays, part: str) -> int:
    """Return the number of events. Raises CompileError if they have no labels."""
    if LABELS not in arrays:
        raise CompileError(
            part,
            f"holds {', '.join(sorted(arrays)) or 'nothing'}",
            "give the labels y: 0 and 1, or 0 to K - 1",
        )
    labels = np.asarray(arrays[LABELS])
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise CompileError(
            f"{part}: {LABELS}",
            f"has shape {labels.shape}, expected (events,)",
            "give one label per event: of one-hot labels take y.argmax(axis=1)",
        )
    return len(labels)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model is trained on: its inputs in their order, float32 of shape (events, ...), and labels
    (events,) as integers."""

    x: tuple[NDArray[Any], ...]
    y: NDArray[Any]

    def __len__(self) -> int:
        return len(self.y)

    def fingerprint(self) -> str:
        """Return a hash of everything that is trained on."""
        found = hashlib.sha256()
        for array in (*self.x, self.y):
            found.update(f"{array.dtype} {array.shape} ".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()


def prepared(graph: Graph, arrays: Arrays, part: str) -> tuple[tuple[NDArray[Any], ...], Events]:
    """Return events as the values of the ports of a graph, float32 of shape (events, *shape), and as every
    engine reads them. A port with a format gets the value of its integer, any other the number as it is.
    Raises CompileError for events that do not fit, and for events without labels."""
    try:
        events = from_mapping(graph, arrays)
    except CompileError as error:
        raise error.at(part) from None
    if events.labels is None:
        raise CompileError(part, f"has no labels, for {LABELS} is a port of the network", "rename the port")
    values = [
        events.raw[n.name] * n.type.formats.lsb if n.type.formats else events.floats[n.name]
        for n in graph.inputs
    ]
    return tuple(v.astype("float32") for v in values), events
