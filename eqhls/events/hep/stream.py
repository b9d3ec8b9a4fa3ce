"""Files of events as a stream of jets, chunk by chunk, with what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.events.hep import hdf5, parquet, root
from eqhls.events.hep.choose import groups, known
from eqhls.events.hep.columns import Columns, Lists
from eqhls.events.hep.convert import Batch, columns_of, converted
from eqhls.events.hep.layouts import Layout
from eqhls.events.hep.sources import Source
from eqhls.progress import Report, silent

STEPS = 20
"""How often progress is told, at most."""
MAGICS = (hdf5.MAGIC, parquet.MAGIC, root.MAGIC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: constituents per jet (None: as many as the largest has), the entries from `first` up to
    `behind`, and other columns by the name under which they are wanted."""

    constituents: int | None = None
    first: int = 0
    behind: int | None = None
    beside: Mapping[str, str] = field(default_factory=dict[str, str])


def is_columns(start: bytes) -> bool:
    """Whether a file that starts so is of ROOT or Parquet, or of HDF5."""
    return start.startswith(MAGICS)


def split_tree(path: Path) -> tuple[Path, str]:
    """Return a file and the tree in it, of FILE or FILE:TREE."""
    name, colon, tree = path.name.rpartition(":")
    if not colon or path.exists() or not path.with_name(name).exists():
        return path, ""
    return path.with_name(name), tree


def open_source(path: Path, tree: str = "") -> Source:
    """Open a file of ROOT, Parquet or HDF5, by what it starts with. Raises CompileError for others, and if
    it has several trees of which none is named."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise CompileError(str(path), f"cannot be read ({error.strerror})", "check the path") from None

    def fits(source: Source) -> bool:
        return bool(known(source.columns) or groups(source.columns, lists=True))

    if start.startswith(root.MAGIC):
        return root.open_root(path, tree, fits)
    if start.startswith(parquet.MAGIC):
        return parquet.open_parquet(path)
    if start.startswith(hdf5.MAGIC):
        return hdf5.open_hdf5(path, tree, fits)
    raise CompileError(
        str(path), "is not a ROOT, Parquet or HDF5 file", "give one of these; .npz files need no conversion"
    )


def batches(source: Source, layout: Layout, wanted: Wanted, report: Report = silent) -> Iterator[Batch]:
    """Read the jets of a file, chunk by chunk. Raises CompileError for a file without events, and for events
    that cannot be used, by their number in the file."""
    names = [*columns_of(layout, source.columns), *wanted.beside.values()]
    for at, read in chunks(source, names, wanted, report):
        yield converted(layout, read, at, wanted.constituents, wanted.beside)


def chunks(
    source: Source, names: Sequence[str], wanted: Wanted, report: Report = silent
) -> Iterator[tuple[int, Columns]]:
    """Read columns chunk by chunk, each with the number of its first entry."""
    first, behind = wanted.first, source.entries if wanted.behind is None else wanted.behind
    if first >= min(behind, source.entries):
        none = f"has {source.entries} events, none in {first}:{behind}" if source.entries else "has no events"
        raise CompileError(source.kind, none, "give a file with events, or another range")
    behind = min(behind, source.entries)
    at, told = first, 0
    for read in source.chunks(list(dict.fromkeys(names)), first, behind):
        yield at, read
        column = next(iter(read.values()))
        at += len(column.counts if isinstance(column, Lists) else column)
        share = (at - first) / (behind - first)
        if int(STEPS * share) > told:
            told = int(STEPS * share)
            report(f"{at - first:,} of {behind - first:,} entries", share)


def arrays_of(batch: Batch) -> dict[str, NDArray[Any]]:
    """Return the arrays of a batch as they fill ports and stand in files."""
    jets = batch.jets
    labels = {} if batch.y is None else {"y": batch.y}
    more = {**jets.beside, **{k: np.asarray(v, dtype=np.float64) for k, v in batch.numbers.items()}}
    return (
        {"p4": jets.p4, "jet": jets.jet, "n": jets.n.astype(np.float64), "entry": batch.entry} | labels | more
    )


def widened(array: NDArray[Any], width: int) -> NDArray[Any]:
    """Return constituents (B, N, ..) padded with zeros to a width."""
    return np.pad(array, ((0, 0), (0, width - array.shape[1]), *((0, 0),) * (array.ndim - 2)))


def padded_names(batch: Batch) -> frozenset[str]:
    """Return the names of the arrays of a batch that have a row per constituent."""
    return frozenset(("p4", *batch.jets.beside))
