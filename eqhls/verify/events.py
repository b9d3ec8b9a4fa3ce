"""Events in and scores out: the .npz files of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.frontends.prepare import finite, to_raw
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.text import npz, write_file
from eqhls.verify.eventfiles import load_arrays
from eqhls.verify.oddities import LOST, SATURATED, falling, odd_jet, odd_momenta, odd_order
from eqhls.verify.ports import PARTICLES, Filled, from_momenta, given_port, steps

KEPT = ("expected",)
"""Arrays that the models of this repository ship beside their events."""
REFERENCES = ("spurions", "beams")
"""What networks call the constant vectors that break the symmetry; either name is understood."""


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


@dataclass(frozen=True, slots=True)
class Result:
    """One output: scores (B, K) float64; raw (B, K) int64 and its format for the exact engines."""

    scores: Floats
    raw: Ints | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Every output of a network by name, in order; `scores`, `raw` and `format` are those of the first.

    For an exact engine `saturated` (B,) counts the input values of each event that saturated at the ports;
    `notes` has a line on everything that looks wrong with the events.
    """

    outputs: Mapping[str, Result]
    saturated: Ints | None = None
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Result:
        """Return an output by name. Raises CompileError if there is none of that name."""
        if name not in self.outputs:
            raise CompileError("output", f"found {name!r}, expected one of {', '.join(self.outputs)}")
        return self.outputs[name]

    @property
    def first(self) -> Result:
        return next(iter(self.outputs.values()))

    @property
    def scores(self) -> Floats:
        return self.first.scores

    @property
    def raw(self) -> Ints | None:
        return self.first.raw

    @property
    def format(self) -> str:
        return self.first.format


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
    flags; any other port takes an array of its name, integers as raw words, floats as real values.

    A port that is called `y` takes that array, and there are no labels; a port that is called `p4` takes
    integers. Raises CompileError for ports without an array and for arrays that do not fit.
    """
    ports = {n.name for n in graph.inputs}
    labels = None if "y" in ports else _labels(arrays)
    momenta = "p4" in arrays and not ("p4" in ports and np.asarray(arrays["p4"]).dtype.kind in "iu")
    reserved = ("p4", "jet") if momenta else ()
    named = [n for n in graph.inputs if n.name in arrays and n.name not in reserved]
    filled, notes = {n.name: given_port(n, arrays[n.name], momenta) for n in named}, _unread(arrays, graph)
    notes += [line for n in named for line in _whole(n, arrays[n.name])]
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
        notes += _momenta_notes(arrays, graph, filled)
    notes += _saturation_notes(graph, over, momenta)
    floats |= _moved(arrays, graph, len(over))
    return Events({n.name: filled[n.name].raw for n in graph.inputs}, floats, labels, over, tuple(notes))


def _unread(arrays: Mapping[str, Any], graph: Graph) -> list[str]:
    """Return a line on arrays that nothing reads."""
    constants = {n.name for n in graph if not n.inputs}
    known = sorted({n.name for n in graph.inputs} | {"p4", "jet", "y"})
    others = [k for k in sorted(arrays) if k not in {*known, *constants, *REFERENCES, *KEPT}]
    if "p4" not in arrays and "jet" in arrays and "jet" not in {n.name for n in graph.inputs}:
        others.append("jet")
    close = {k: get_close_matches(k, known, 1) for k in others}
    hints = [f"{k} (did you mean {close[k][0]}?)" if close[k] else k for k in others]
    return [f"arrays that nothing reads: {', '.join(hints)}"] if hints else []


def _whole(node: Node, array: Any) -> list[str]:
    """Return a line on a float array that looks like raw integers."""
    values = np.asarray(array)
    if values.dtype.kind != "f" or not node.type.formats or (steps(node) >= 1).all():
        return []
    if (values != np.rint(values)).any() or np.abs(values).max() <= 1:
        return []
    return [
        f"{node.name} holds whole numbers as floats: read as real values; raw words need an integer array"
    ]


def _saturation_notes(graph: Graph, over: Ints, momenta: bool) -> list[str]:
    values = len(over) * sum(n.type.elements for n in graph.inputs)
    if not graph.quantized or over.sum() <= SATURATED * values:
        return []
    return [
        f"{over.sum():,} of {values:,} input values saturate at the ports, in {int((over > 0).sum()):,} of "
        f"{len(over):,} events" + ("; are the momenta in GeV?" if momenta else "")
    ]


def _momenta_notes(arrays: Mapping[str, Any], graph: Graph, filled: Mapping[str, Filled]) -> list[str]:
    """Return lines on four-momenta that look wrong."""
    p4 = finite("p4", arrays["p4"])
    node = next(n for n in graph.inputs if n.type.rep is V and n.type.has(PARTICLES))
    slots, lsb = node.type.size(PARTICLES), float(steps(node).max()) if node.type.formats else 0.0
    lines = odd_momenta("p4", p4, lsb)
    if "jet" in arrays:
        jet = finite("jet", arrays["jet"])
        lines += odd_momenta("jet", jet[:, None], lsb) or odd_jet(p4, jet)
    elif node.type.basis is LIGHT_CONE or any(n is not node and n.type.rep is V for n in graph.inputs):
        lines.append(
            f"jet is missing: the sum of the {p4.shape[1]} given constituents takes its place; give the jet "
            "(E, px, py, pz) that the network was trained with"
        )
    if not any("looks like" in line for line in lines):
        lines += odd_order(p4, slots, partial(_order_matters, graph, filled, p4))
    nonzero = (filled[node.name].exact != 0).any(axis=-1)
    gone = nonzero & (filled[node.name].raw == 0).all(axis=-1)
    if node.type.formats and gone.sum() > LOST * max(nonzero.sum(), 1):
        lines.append(
            f"p4: {int(gone.sum()):,} of {int(nonzero.sum()):,} constituents round to zero at the ports, "
            f"whose step is {lsb:g} GeV; are the momenta in GeV?"
        )
    return lines


def _order_matters(graph: Graph, filled: Mapping[str, Filled], p4: Floats, rows: Ints) -> bool:
    """Whether the outputs of some events change if their particles are sorted by falling pT: by a bit of a
    quantized network, by more than rounding of one of floats."""
    before: dict[str, NDArray[Any]] = {
        k: (v.raw if graph.quantized else v.exact)[rows] for k, v in filled.items()
    }
    after = dict(before)
    for node in graph.inputs:
        if node.type.has(PARTICLES):
            axis, values = node.type.index(PARTICLES) + 1, before[node.name]
            order = falling(p4[rows], node.type.size(PARTICLES))
            shape = (len(rows), *(values.shape[k] if k == axis else 1 for k in range(1, values.ndim)))
            after[node.name] = np.take_along_axis(values, order.reshape(shape), axis=axis)
    run: Callable[[Any], dict[str, NDArray[Any]]] = graph.evaluate if graph.quantized else graph.scores
    first, second = run(before), run(after)
    slack = 0.0 if graph.quantized else 1e-6
    return any((np.abs(first[k] - second[k]) > slack * np.abs(first[k]).max()).any() for k in first)


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


def fitted(node: Node, values: Floats) -> Ints:
    """Return real values as raw integers of a port: nearest value, saturated."""
    return to_raw(values, node.type.formats)[0]


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


def predict_floats(graph: Graph, events: Events) -> Prediction:
    """Evaluate the float64 references on unrounded inputs."""
    found = graph.scores(events.floats)
    results = {name: Result(found[name].reshape(len(events), -1)) for name in graph.outputs}
    return Prediction(results, notes=events.notes)


def from_raw(graph: Graph, raw: Mapping[str, Ints]) -> Prediction:
    """Return scores from the raw integers (B, *shape) of every output by name."""
    return Prediction({node.name: _result(node, raw[node.name]) for node in graph.results})


def _result(node: Node, raw: Ints) -> Result:
    scores = raw.astype(np.float64) * steps(node)
    formats = "|".join(map(str, node.type.formats))
    return Result(scores.reshape(len(raw), -1), raw.reshape(len(raw), -1), formats)


def save_predictions(path: Path, prediction: Prediction) -> None:
    """Write OUT.npz whole: `scores`, and for the exact engines `raw` with its `format`. A network with
    several outputs gives them per output: `scores_NAME`, `raw_NAME`, `format_NAME`. `saturated` (B,) counts
    the input values of each event that saturated, for the exact engines."""
    arrays: dict[str, Any] = {} if prediction.saturated is None else {"saturated": prediction.saturated}
    for name, result in prediction.outputs.items():
        end = f"_{name}" if len(prediction.outputs) > 1 else ""
        arrays[f"scores{end}"] = np.ascontiguousarray(result.scores, dtype=np.float64)
        if result.raw is not None:
            arrays |= {f"raw{end}": result.raw.astype(np.int64), f"format{end}": np.array(result.format)}
    write_file(path, npz(arrays))
