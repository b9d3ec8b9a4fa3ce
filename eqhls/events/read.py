"""Events in: files and arrays by name, ready for every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events import irreps
from eqhls.events.arrays import arrays_for
from eqhls.events.notes import momenta_notes, saturation_notes, unread, whole_floats
from eqhls.events.ports import REFERENCES, Filled, from_momenta, given_port, particle_axis
from eqhls.events.prepare import finite, to_raw
from eqhls.events.wordnotes import word_notes
from eqhls.events.wordports import (
    LAYOUT,
    PUPPI,
    WordPorts,
    from_words,
    given_words,
    made_words,
    word_ports,
    words_given,
)
from eqhls.events.words import TriggerWords
from eqhls.groups.lorentz.reps import V
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats


@dataclass(frozen=True, slots=True)
class Events:
    """Events ready for every engine: raw integers and unrounded floats by input name, labels, how many input
    values saturated in each event (B,), and a line on everything that looks wrong. `unscaled` are ports that
    were given integers and have no format, so that nothing but a format to come says what these mean."""

    raw: dict[str, Ints]
    floats: dict[str, Floats]
    labels: NDArray[Any] | None
    saturated: Ints
    notes: tuple[str, ...] = ()
    unscaled: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.floats.values())))


def read_events(path: Path, graph: Graph) -> Events:
    """Read events from a file: four-momenta (`p4` in GeV, optional `jet`), ports by name, labels `y`; or jets
    of ROOT, Parquet and HDF5 files by the names of their columns.

    Raises CompileError for missing arrays, wrong shapes, NaN or infinity.
    """
    try:
        arrays, lines = arrays_for(path, graph)
        events = from_mapping(graph, arrays)
        return replace(events, notes=(*lines, *events.notes))
    except CompileError as error:
        raise error if error.where == str(path) else error.at(str(path)) from None


def from_arrays(graph: Graph, p4: Floats, jet: Floats | None = None) -> Events:
    """Return events from four-momenta in GeV: p4 (B, N, 4), jet (B, 4)."""
    return from_mapping(graph, {"p4": p4} if jet is None else {"p4": p4, "jet": jet})


def from_mapping(graph: Graph, arrays: Mapping[str, Any]) -> Events:
    """Return events from arrays by name: `p4` (B, N, 4) and `jet` (B, 4) in GeV fill the four-vectors and the
    flags, or the words of the trigger, which `puppi` (B, N) fills, too; any other port takes an array of its
    name, integers as raw words, floats as real values. An array of irreps fills the ports of its blocks.

    A port that is called `y` takes that array, and there are no labels; a port that is called `p4` takes
    integers. Raises CompileError for ports without an array and for arrays that do not fit.
    """
    words = word_ports(graph)
    arrays = irreps.split(graph, arrays if words is None else words_given(arrays))
    source = _source(arrays, graph, words)
    labels = None if any(n.name == "y" for n in graph.inputs) else _labels(arrays)
    named = [n for n in graph.inputs if n.name in arrays and n.name not in source]
    made = made_words(arrays, words) if words and source else None
    filled = _named(arrays, graph, named, words, made, bool(source))
    notes = unread(arrays, graph, source) + [line for n in named for line in whole_floats(n, arrays[n.name])]
    if words and made:
        filled |= from_words(made, words, set(filled))
    vectors = "p4" in source and (words is None or any(n.name not in filled for n in graph.inputs))
    if vectors:
        filled |= from_momenta(arrays, graph, set(filled))
    _demand_all(arrays, graph, filled, labels, "p4 in GeV, puppi" if words else "p4 in GeV")
    floats = {n.name: filled[n.name].exact for n in graph.inputs}
    over = np.sum([f.over for f in filled.values()], axis=0)
    if vectors:
        notes += momenta_notes(arrays, graph, filled)
    if words:
        notes += word_notes(arrays, graph, words, filled, made)
    notes += saturation_notes(graph, over, "p4" in source)
    floats |= _moved(arrays, graph, len(over))
    raw = {n.name: filled[n.name].raw for n in graph.inputs}
    unscaled = _unscaled(arrays, named)
    notes += [f"{k} holds integers: taken as real values, for the port has no format" for k in unscaled]
    return Events(raw, floats, labels, over, tuple(notes), unscaled)


def _unscaled(arrays: Mapping[str, Any], named: Sequence[Node]) -> tuple[str, ...]:
    """Return the ports without a format that were given integers."""
    free = [n.name for n in named if not n.type.formats]
    return tuple(k for k in free if np.asarray(arrays[k]).dtype.kind in "iu")


def _source(arrays: Mapping[str, Any], graph: Graph, words: WordPorts | None) -> tuple[str, ...]:
    """Return the names of the arrays that fill ports of other names; none if all ports go by name."""
    ports = {n.name for n in graph.inputs}
    if words and PUPPI in arrays and PUPPI not in ports:
        return (PUPPI, LAYOUT, "jet")
    momenta = "p4" in arrays and not ("p4" in ports and np.asarray(arrays["p4"]).dtype.kind in "iu")
    return ("p4", "jet") if momenta else ()


def _named(
    arrays: Mapping[str, Any],
    graph: Graph,
    named: Sequence[Node],
    words: WordPorts | None,
    made: TriggerWords | None,
    beside: bool,
) -> dict[str, Filled]:
    """Return the ports that arrays of their names fill, cut and padded if they stand beside constituents."""
    axis = "" if not beside else words.axis if words else particle_axis(graph)
    if made and "p4" in arrays and made.reordered and any(n.type.has(axis) for n in named):
        raise CompileError(
            "p4", "does not fall in pT beside arrays for its constituents", "sort all of them by falling pT"
        )
    return {
        n.name: given_words(n, arrays[n.name], words)
        if words and n.name in words
        else given_port(n, arrays[n.name], axis)
        for n in named
    }


def _demand_all(
    arrays: Mapping[str, Any],
    graph: Graph,
    filled: Mapping[str, Filled],
    labels: NDArray[Any] | None,
    sources: str,
) -> None:
    """Raise CompileError if a port has no array, or if arrays have different numbers of events; `sources`
    fill several ports."""
    missing = [n.name for n in graph.inputs if n.name not in filled]
    if missing:
        raise CompileError(
            "arrays",
            f"found {', '.join(sorted(arrays)) or 'nothing'}",
            f"give {sources}, or raw integers or floats for {', '.join(missing)}",
        )
    sizes = {k: len(v.exact) for k, v in filled.items()} | ({} if labels is None else {"y": len(labels)})
    if len(set(sizes.values())) != 1:
        if labels is not None and len({v for k, v in sizes.items() if k != "y"}) == 1:
            raise CompileError(
                "y",
                f"has {len(labels)} labels for {next(iter(sizes.values()))} events",
                "give one label per event",
            )
        raise CompileError(
            "arrays", f"have different numbers of events: {sizes}", "give every array the same events"
        )


def _moved(arrays: Mapping[str, Any], graph: Graph, events: int) -> dict[str, Floats]:
    """Return the constant vectors that the events bring along, (B, *axes, 4) by name: beams that were
    boosted with the particles. Only networks of floats can take them."""
    moved: dict[str, Floats] = {}
    for node in graph:
        names = REFERENCES if node.name in REFERENCES else (node.name,)
        found = next((n for n in names if n in arrays), "")
        if not found or node.type.rep is not V or node.inputs or node.op.source:
            continue
        if graph.quantized:
            raise CompileError(
                node.name,
                "is a constant of a compiled network, which events cannot change",
                "leave it out of the events",
            )
        if np.shape(arrays[found]) != (events, *node.type.shape):
            shape = ", ".join(map(str, node.type.shape))
            raise CompileError(
                found,
                f"has shape {np.shape(arrays[found])}, expected (events, {shape})",
                "give the array this shape",
            )
        moved[node.name] = finite(found, arrays[found])
    return moved


def sampled(events: Events, size: int, seed: int) -> Events:
    """Return at most `size` events drawn without replacement, in their order."""
    if len(events) <= size:
        return events
    return picked(events, np.sort(np.random.default_rng(seed).choice(len(events), size, replace=False)))


def halves(events: Events) -> tuple[Events, Events]:
    """Return every second event, from the first, and the others."""
    first, second = (picked(events, np.arange(k, len(events), 2)) for k in (0, 1))
    return first, second


def picked(events: Events, rows: Ints) -> Events:
    """Return some rows of all arrays of events, in the order of `rows`."""
    return Events(
        {k: v[rows] for k, v in events.raw.items()},
        {k: v[rows] for k, v in events.floats.items()},
        None if events.labels is None else events.labels[rows],
        events.saturated[rows],
        events.notes,
        events.unscaled,
    )


def rounded(graph: Graph, events: Events) -> Events:
    """Return the events as integers of another graph's ports: nearest value, saturated."""
    raw = {n.name: to_raw(events.floats[n.name], n.type.formats) for n in graph.inputs}
    over = np.sum([lost for _, lost in raw.values()], axis=0)
    return Events({k: v for k, (v, _) in raw.items()}, events.floats, events.labels, over, events.notes)


def _labels(arrays: Mapping[str, Any]) -> NDArray[Any] | None:
    """Return the labels (events,), or None. Which classes they may name depends on the network and is checked
    where they are used."""
    if "y" not in arrays:
        return None
    labels = np.asarray(arrays["y"])
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        onehot = labels.ndim == 2 and labels.dtype.kind in "iubf"
        remedy = "of one-hot labels take y.argmax(axis=1)" if onehot else "give one label per event"
        raise CompileError("y", f"has shape {labels.shape}, expected (events,)", remedy)
    if labels.dtype.kind not in "iubf":
        raise CompileError("y", f"does not hold numbers but {labels.dtype}", "give 0, 1, .. per event")
    return labels
