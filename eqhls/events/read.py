"""Events in: files and arrays by name, ready for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events import irreps
from eqhls.events.files import load_arrays
from eqhls.events.notes import momenta_notes, saturation_notes, unread, whole_floats
from eqhls.events.ports import REFERENCES, from_momenta, given_port, particle_axis
from eqhls.events.prepare import finite, to_raw
from eqhls.groups.lorentz.reps import V
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats


@dataclass(frozen=True, slots=True)
class Events:
    """Events ready for every engine: raw integers and unrounded floats by input name, labels, how many input
    values saturated in each event (B,), and a line on everything that looks wrong."""

    raw: dict[str, Ints]
    floats: dict[str, Floats]
    labels: NDArray[Any] | None
    saturated: Ints
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.floats.values())))


def read_events(path: Path, graph: Graph) -> Events:
    """Read events from a file: four-momenta (`p4` in GeV, optional `jet`), ports by name, labels `y`.

    Raises CompileError for missing arrays, wrong shapes, NaN or infinity.
    """
    try:
        return from_mapping(graph, load_arrays(path))
    except CompileError as error:
        raise error if error.where == str(path) else error.at(str(path)) from None


def from_arrays(graph: Graph, p4: Floats, jet: Floats | None = None) -> Events:
    """Return events from four-momenta in GeV: p4 (B, N, 4), jet (B, 4)."""
    return from_mapping(graph, {"p4": p4} if jet is None else {"p4": p4, "jet": jet})


def from_mapping(graph: Graph, arrays: Mapping[str, Any]) -> Events:
    """Return events from arrays by name: `p4` (B, N, 4) and `jet` (B, 4) in GeV fill the four-vectors and the
    flags; any other port takes an array of its name, integers as raw words, floats as real values. An array
    of irreps fills the ports of its blocks.

    A port that is called `y` takes that array, and there are no labels; a port that is called `p4` takes
    integers. Raises CompileError for ports without an array and for arrays that do not fit.
    """
    arrays = irreps.split(graph, arrays)
    ports = {n.name for n in graph.inputs}
    labels = None if "y" in ports else _labels(arrays)
    momenta = "p4" in arrays and not ("p4" in ports and np.asarray(arrays["p4"]).dtype.kind in "iu")
    reserved = ("p4", "jet") if momenta else ()
    named = [n for n in graph.inputs if n.name in arrays and n.name not in reserved]
    filled, notes = (
        {n.name: given_port(n, arrays[n.name], particle_axis(graph) if momenta else "") for n in named},
        unread(arrays, graph),
    )
    notes += [line for n in named for line in whole_floats(n, arrays[n.name])]
    made = from_momenta(arrays, graph, {n.name for n in named}) if momenta else {}
    filled |= made
    missing = [n.name for n in graph.inputs if n.name not in filled]
    if missing:
        raise CompileError(
            "arrays",
            f"found {', '.join(sorted(arrays)) or 'nothing'}",
            f"give p4 in GeV, or raw integers or floats for {', '.join(missing)}",
        )
    sizes = {k: len(v.exact) for k, v in filled.items()} | ({} if labels is None else {"y": len(labels)})
    if len(set(sizes.values())) != 1:
        if labels is not None and len({v for k, v in sizes.items() if k != "y"}) == 1:
            raise CompileError("y", f"has {len(labels)} labels for {next(iter(sizes.values()))} events")
        raise CompileError("arrays", f"have different numbers of events: {sizes}")
    floats = {n.name: filled[n.name].exact for n in graph.inputs}
    over = np.sum([f.over for f in filled.values()], axis=0)
    if momenta:
        notes += momenta_notes(arrays, graph, filled)
    notes += saturation_notes(graph, over, momenta)
    floats |= _moved(arrays, graph, len(over))
    return Events({n.name: filled[n.name].raw for n in graph.inputs}, floats, labels, over, tuple(notes))


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
                node.name, "are constants of a compiled network", "leave them out of the events"
            )
        if np.shape(arrays[found]) != (events, *node.type.shape):
            shape = ", ".join(map(str, node.type.shape))
            raise CompileError(found, f"has shape {np.shape(arrays[found])}, expected (events, {shape})")
        moved[node.name] = finite(found, arrays[found])
    return moved


def sampled(events: Events, size: int, seed: int) -> Events:
    """Return at most `size` events drawn without replacement, in their order."""
    if len(events) <= size:
        return events
    return _picked(events, np.sort(np.random.default_rng(seed).choice(len(events), size, replace=False)))


def halves(events: Events) -> tuple[Events, Events]:
    """Return every second event, from the first, and the others."""
    first, second = (_picked(events, np.arange(k, len(events), 2)) for k in (0, 1))
    return first, second


def _picked(events: Events, rows: Ints) -> Events:
    return Events(
        {k: v[rows] for k, v in events.raw.items()},
        {k: v[rows] for k, v in events.floats.items()},
        None if events.labels is None else events.labels[rows],
        events.saturated[rows],
        events.notes,
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
