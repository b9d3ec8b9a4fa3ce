"""Files of ROOT, Parquet and HDF5 as the arrays that fill the ports of one network."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.events.hep.choose import Choice, chosen
from eqhls.events.hep.columns import Column, Lists
from eqhls.events.hep.layouts import Layout
from eqhls.events.hep.particles import placed_lists
from eqhls.events.hep.sources import Source
from eqhls.events.hep.stream import Wanted, arrays_of, batches, chunks, open_source, padded_names, widened
from eqhls.events.hep.tell import Told, cutting, reading

Arrays = dict[str, NDArray[Any]]
REMEDY = "say so to eqhls events, and give the .npz file that it writes"


def load_columns(
    path: Path, tree: str, momenta: bool, slots: int | None, ports: Sequence[str]
) -> tuple[Arrays, list[str]]:
    """Return the arrays of a file by name, and lines on how they were read: `p4`, `jet` and `n` if the
    network reads `momenta`, `y`, and the columns of the names of `ports`, in the order of the constituents.

    `slots` is how many constituents are kept, None for all. All numbers are real values. Raises CompileError
    if the columns do not say what they are: then `eqhls events` may be told.
    """
    with closing(open_source(path, tree)) as source:
        beside = {k: k for k in ports if k in source.columns}
        try:
            layout = chosen(source, Choice())
        except CompileError as error:
            if momenta or not beside:
                raise CompileError(error.where, error.problem, f"{error.remedy}; {REMEDY}") from None
            return _plain(source, Wanted(slots, beside=beside)), []
        arrays, told = joined(source, layout, Wanted(slots, beside=beside))
    if momenta:
        return arrays, [reading(layout), *cutting(told, slots)]
    return {k: v for k, v in arrays.items() if k in (*beside, "y")}, [reading(layout)]


def joined(source: Source, layout: Layout, wanted: Wanted) -> tuple[Arrays, Told]:
    """Return the arrays of all chunks as one, and what is to be said of them."""
    told, parts, rows = Told(), list[dict[str, NDArray[Any]]](), frozenset[str]()
    for batch in batches(source, layout, wanted):
        told, rows = told.add(batch), padded_names(batch)
        parts.append(arrays_of(batch))
    width = max(p["p4"].shape[1] for p in parts)
    return {
        k: np.concatenate([widened(p[k], width) if k in rows else p[k] for p in parts]) for k in parts[0]
    }, told


def _plain(source: Source, wanted: Wanted) -> Arrays:
    """Return columns by name, lists in the order of the file, cut and padded to the slots."""
    parts: dict[str, list[NDArray[Any]]] = {k: [] for k in wanted.beside}
    for _, read in chunks(source, list(wanted.beside.values()), wanted):
        for k, name in wanted.beside.items():
            parts[k].append(_rows(read[name], wanted.constituents))
    width = {k: max(a.shape[1] if a.ndim > 1 else 0 for a in v) for k, v in parts.items()}
    return {
        k: np.concatenate([widened(a, width[k]) if a.ndim > 1 else a for a in v]) for k, v in parts.items()
    }


def _rows(column: Column, slots: int | None) -> NDArray[Any]:
    if isinstance(column, Lists):
        return placed_lists(column.values, column.counts, slots)
    return np.asarray(column, dtype=np.float64)
