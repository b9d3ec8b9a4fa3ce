"""From the columns of a layout to jets: a pure function of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.hep.columns import Column, Columns, Lists, series
from eqhls.events.hep.kinematics import four_vectors
from eqhls.events.hep.layouts import Index, Layout
from eqhls.events.hep.particles import Jets, Particles, demand_finite, jets_of
from eqhls.ir.op import Floats


@dataclass(frozen=True, slots=True)
class Batch:
    """Jets with labels y (B,), or None, and the entry of the file that each comes from, (B,). Columns that
    were asked for by name are in `jets.beside`, those of events or jets in `numbers`, (B, ..)."""

    jets: Jets
    y: NDArray[Any] | None
    entry: Ints
    numbers: Mapping[str, NDArray[Any]]


def columns_of(layout: Layout, present: Mapping[str, str]) -> list[str]:
    """Return the columns of a file that a layout reads."""
    index = [layout.index.jet, layout.index.particle, layout.index.jets] if layout.index else []
    wanted = [*layout.particles.values(), *layout.jet.values(), *layout.labels, *index]
    rows = series(present)
    names = [n for w in wanted for n in rows.get(w, (w,))]
    return [n for n in dict.fromkeys(names) if n in present]


def converted(
    layout: Layout, read: Columns, first: int, constituents: int | None, beside: Mapping[str, str]
) -> Batch:
    """Return the jets of some entries of a file, the number of whose first is `first`.

    `beside` names columns: lists of numbers of the particles, or numbers of the events. Raises CompileError
    for lists of different lengths, NaN, infinity, indices that lead nowhere and labels of no class.
    """
    rows = series(read)
    lists = {k: _list(name, read, rows) for k, name in layout.particles.items()}
    found = _particles(layout, lists, first)
    more = {k: _rows(read[name]) for k, name in beside.items()}
    aligned = {k: v.values for k, v in more.items() if isinstance(v, Lists) and _same(v.counts, found.counts)}
    entry = np.arange(len(found.counts))
    if layout.index is not None:
        jets = _lists(read, layout.index.jets)
        found, order = _indexed(layout.index, read, found, jets.counts, first)
        aligned = {k: v[order] for k, v in aligned.items()}
        entry = jets.events
    made = jets_of(found, constituents, _jet(layout, read, entry, first), aligned)
    numbers = {k: _number(beside[k], read[beside[k]], entry) for k in more if k not in aligned}
    return Batch(made, _labels(layout, read, entry, first), entry + first, numbers)


def _particles(layout: Layout, lists: Mapping[str, Lists | float], first: int) -> Particles:
    """Return the particles of lists by coordinate."""
    names = layout.particles
    given = {k: v for k, v in lists.items() if isinstance(v, Lists)}
    (one, whole), *others = given.items()
    for k, v in given.items():
        demand_finite(names[k], v.values, v.events, first)
    for k, v in others:
        if not _same(v.counts, whole.counts):
            event = first + int(np.flatnonzero(v.counts != whole.counts)[0])
            raise CompileError(
                names[k],
                f"has another length than {names[one]} in event {event}",
                "name lists of the same particles",
            )
    p = four_vectors({k: v.values if isinstance(v, Lists) else v for k, v in lists.items()})
    return Particles(p * layout.gev, whole.counts)


def _list(name: str, read: Columns, rows: Mapping[str, tuple[str, ...]]) -> Lists | float:
    """Return a column as lists: lists, rows of equal length, a series of columns, or a number for all."""
    if name in rows:
        return _padded(np.stack([np.asarray(read[n], dtype=np.float64) for n in rows[name]], axis=-1))
    if name not in read:
        return float(name)
    return _lists(read, name)


def _lists(read: Columns, name: str) -> Lists:
    column = read[name]
    if isinstance(column, Lists):
        return column
    if column.ndim != 2:
        raise CompileError(name, "holds one number per event", "name a column with a list per event")
    return _padded(column.astype(np.float64))


def _padded(values: Floats) -> Lists:
    """Return rows of equal length as lists; zeros of padding are taken out with their four-vectors."""
    return Lists(values.reshape(-1), np.full(len(values), values.shape[1], dtype=np.int64))


def _same(a: Ints, b: Ints) -> bool:
    return a.shape == b.shape and bool((a == b).all())


def _indexed(
    index: Index, read: Columns, shared: Particles, jets: Ints, first: int
) -> tuple[Particles, Ints]:
    """Return the particles of each jet of all events, and their places among those of the events."""
    jet, place = _lists(read, index.jet), _lists(read, index.particle)
    if not _same(jet.counts, place.counts):
        raise CompileError(
            index.particle, f"has another length than {index.jet}", "name indices of one collection"
        )
    events = jet.events
    whose, which = jet.values.astype(np.int64), place.values.astype(np.int64)
    for name, at, size in ((index.jet, whose, jets), (index.particle, which, shared.counts)):
        bad = at >= size[events]
        if bad.any():
            event = int(events[bad][0])
            raise CompileError(
                name,
                f"leads to entry {at[bad][0]} of {size[event]} in event {first + event}",
                "write the file again",
            )
    on = (whose >= 0) & (which >= 0)
    number = whose[on] + (np.cumsum(jets) - jets)[events[on]]
    places = which[on] + (np.cumsum(shared.counts) - shared.counts)[events[on]]
    order = np.argsort(number, kind="stable")
    counts = np.bincount(number, minlength=int(jets.sum()))
    return Particles(shared.p[places[order]], counts), places[order]


def _jet(layout: Layout, read: Columns, entry: Ints, first: int) -> Floats | None:
    """Return the jets of the file (B, 4), or None."""
    if not layout.jet:
        return None
    parts = {
        k: _number(name, read[name], entry).astype(np.float64) if name in read else float(name)
        for k, name in layout.jet.items()
    }
    for k, v in parts.items():
        if isinstance(v, np.ndarray):
            demand_finite(layout.jet[k], v, entry, first)
    return four_vectors(parts) * layout.gev


def _labels(layout: Layout, read: Columns, entry: Ints, first: int) -> NDArray[Any] | None:
    """Return the number of the class of each jet. Raises CompileError for events of none or of several."""
    if not layout.labels:
        return None
    flat = [_number(k, read[k], entry) for k in layout.labels]
    for k, v in zip(layout.labels, flat, strict=True):
        demand_finite(k, v.astype(np.float64), entry, first)
    if len(flat) == 1:
        return flat[0].astype(np.int64) if (flat[0] == np.rint(flat[0])).all() else flat[0]
    on = np.stack(flat, axis=-1) != 0
    bad = np.flatnonzero(on.sum(axis=1) != 1)
    if len(bad):
        said = "none" if not on[bad[0]].any() else "several"
        raise CompileError(
            ", ".join(layout.labels),
            f"event {first + entry[bad[0]]} is of {said} of these classes",
            "name the columns of all classes by --label, or --label none",
        )
    return on.argmax(axis=1)


def _rows(column: Column) -> Column:
    """Return rows of equal length as lists, and any other column as it is."""
    if isinstance(column, Lists) or column.ndim != 2:
        return column
    return _padded(column.astype(np.float64))


def _number(name: str, column: Column, entry: Ints) -> NDArray[Any]:
    """Return numbers of events, or of the jets of all events, one for each jet."""
    if not isinstance(column, Lists):
        return column[entry]
    if len(column.values) != len(entry) or _same(entry, np.arange(len(column.counts))):
        raise CompileError(name, "holds lists, expected one number per jet", "name another column")
    return column.values
