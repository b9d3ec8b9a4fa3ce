"""Events in and scores out: the .npz files of the command line."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.frontends.prepare import InputForm, Prepared, finite, prepare
from eqhls.groups.basis import Basis
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.text import npz, write_file

PARTICLES = "j"
REFERENCES = ("spurions", "beams")
"""What networks call the constant vectors that break the symmetry; either name is understood."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events ready for every engine: raw integers and unrounded floats by input name."""

    raw: dict[str, Ints]
    floats: dict[str, Floats]
    labels: NDArray[Any] | None
    saturated: int

    def __len__(self) -> int:
        return len(next(iter(self.raw.values())))


@dataclass(frozen=True, slots=True)
class Result:
    """One output: scores (B, K) float64; raw (B, K) int64 and its format for the exact engines."""

    scores: Floats
    raw: Ints | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Every output of a network by name, in order; `scores`, `raw` and `format` are those of the first."""

    outputs: Mapping[str, Result]

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


def load_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read an .npz file without pickles. Raises CompileError for a missing or foreign file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {k: file[k] for k in file.files}
    except FileNotFoundError:
        raise CompileError(str(path), "does not exist", "check the path") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise CompileError(
            str(path), f"is not a readable .npz file ({error})", "write it with numpy.savez"
        ) from None


def read_events(path: Path, graph: Graph) -> Events:
    """Read four-momenta (`p4` in GeV, optional `jet`, `y`) or raw integers by input name.

    Raises CompileError for missing arrays, wrong shapes, NaN or infinity.
    """
    arrays = load_npz(path)
    try:
        labels = _labels(arrays)
        if "p4" in arrays:
            return _from_momenta(arrays, labels, graph)
        return _from_integers(arrays, labels, graph)
    except CompileError as error:
        raise error.at(str(path)) from None


def from_arrays(graph: Graph, p4: Floats, jet: Floats | None = None) -> Events:
    """Return events from four-momenta in GeV: p4 (B, N, 4), jet (B, 4)."""
    arrays = {"p4": p4} if jet is None else {"p4": p4, "jet": jet}
    return _from_momenta(arrays, None, graph)


def roles(graph: Graph) -> dict[str, Node]:
    """Return the inputs by what they carry: p (constituents), jet, valid.

    Raises CompileError where the graph has other inputs: then give raw integers by name.
    """
    found: dict[str, Node] = {}
    for node in graph.inputs:
        if node.type.rep is Rep.V:
            role = "p" if node.type.has(PARTICLES) else "jet"
        else:
            role = "valid" if node.type.rep is Rep.S and node.type.has(PARTICLES) else ""
        if not role or role in found:
            raise CompileError(
                graph.name,
                f"has the input %{node.name}: {node.type}, which p4 and jet do not fill",
                "give raw integers by input name instead of p4",
            )
        found[role] = node
    if "p" not in found:
        raise CompileError(
            graph.name, f"has no four-vectors over an axis {PARTICLES!r}", "give raw integers by name"
        )
    return found


def prepared(graph: Graph, p4: Floats, jet: Floats | None) -> Prepared:
    """Prepare momenta for the input formats of this graph."""
    found = roles(graph)
    form = InputForm.JET_LIGHT_CONE if found["p"].type.basis is Basis.LIGHT_CONE else InputForm.LAB_CARTESIAN
    jets = found["jet"].type.formats if "jet" in found else found["p"].type.formats
    return prepare(p4, jet, form, found["p"].type.size(PARTICLES), found["p"].type.formats, jets)


def _from_momenta(arrays: dict[str, NDArray[Any]], labels: NDArray[Any] | None, graph: Graph) -> Events:
    made = prepared(graph, arrays["p4"], arrays.get("jet"))
    if labels is not None and len(labels) != len(made.p):
        raise CompileError("y", f"has {len(labels)} labels for {len(made.p)} events")
    found = roles(graph)
    raw = {found[k].name: getattr(made, k) for k in found}
    floats = {
        found[k].name: getattr(made, f"{k}_exact" if k != "valid" else k).astype(np.float64) for k in found
    }
    return Events(raw, floats | _moved(arrays, graph, len(made.p)), labels, made.saturated)


def _moved(arrays: dict[str, NDArray[Any]], graph: Graph, events: int) -> dict[str, Floats]:
    """Return the constant vectors that the events bring along, (B, *axes, 4) by name: beams that were
    boosted with the particles. Only networks of floats can take them."""
    moved: dict[str, Floats] = {}
    for node in graph:
        names = REFERENCES if node.name in REFERENCES else (node.name,)
        found = next((n for n in names if n in arrays), "")
        if not found or node.type.rep is not Rep.V or node.inputs or node.op.source:
            continue
        if graph.quantized:
            raise CompileError(
                node.name, "are constants of a compiled network", "leave them out of the events"
            )
        if arrays[found].shape != (events, *node.type.shape):
            shape = ", ".join(map(str, node.type.shape))
            raise CompileError(found, f"has shape {arrays[found].shape}, expected (events, {shape})")
        moved[node.name] = finite(found, arrays[found])
    return moved


def _from_integers(arrays: dict[str, NDArray[Any]], labels: NDArray[Any] | None, graph: Graph) -> Events:
    raw: dict[str, Ints] = {}
    for node in graph.inputs:
        if node.name not in arrays:
            raise CompileError(
                "arrays",
                f"found {', '.join(sorted(arrays)) or 'nothing'}",
                f"give p4 in GeV, or raw integers for {', '.join(n.name for n in graph.inputs)}",
            )
        raw[node.name] = _checked(node, arrays[node.name])
    sizes = {len(v) for v in raw.values()} | ({len(labels)} if labels is not None else set())
    if len(sizes) != 1:
        raise CompileError("arrays", f"have different numbers of events: {sorted(sizes)}")
    floats = {n.name: raw[n.name] * steps(n) for n in graph.inputs}
    return Events(raw, floats, labels, 0)


def _checked(node: Node, array: NDArray[Any]) -> Ints:
    if array.dtype.kind not in "iub":
        raise CompileError(
            node.name, f"holds {array.dtype}, expected integers", "give raw integers, or p4 in GeV"
        )
    if array.shape[1:] != node.type.shape:
        raise CompileError(
            node.name, f"has shape {array.shape}, expected (events, {', '.join(map(str, node.type.shape))})"
        )
    values = array.astype(np.int64)
    for c in range(node.type.rep.dim):
        form = node.type.format_of(c)
        bad = np.flatnonzero(
            ((values[..., c] < form.lo) | (values[..., c] > form.hi)).reshape(len(values), -1).any(1)
        )
        if len(bad):
            raise CompileError(node.name, f"event {bad[0]} does not fit {form}", "saturate the input first")
    return values


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
        events.saturated,
    )


def rounded(graph: Graph, events: Events) -> Events:
    """Return the events as integers of another graph's ports: nearest value, saturated."""
    raw = {n.name: fitted(n, events.floats[n.name]) for n in graph.inputs}
    return Events(raw, events.floats, events.labels, events.saturated)


def fitted(node: Node, values: Floats) -> Ints:
    """Return real values as raw integers of a port: nearest value, saturated."""
    forms = [node.type.format_of(c) for c in range(node.type.rep.dim)]
    nearest = np.rint(values / steps(node))
    return np.clip(nearest, [f.lo for f in forms], [f.hi for f in forms]).astype(np.int64)


def steps(node: Node) -> Floats:
    """Return the value of one unit of each component."""
    return np.array([node.type.format_of(c).lsb for c in range(node.type.rep.dim)])


def _labels(arrays: dict[str, NDArray[Any]]) -> NDArray[Any] | None:
    labels = arrays.get("y")
    if labels is not None and labels.ndim != 1:
        raise CompileError("y", f"has shape {labels.shape}, expected (events,)")
    return labels


def predict_floats(graph: Graph, events: Events) -> Prediction:
    """Evaluate the float64 references on unrounded inputs."""
    found = graph.scores(events.floats)
    return Prediction({name: Result(found[name].reshape(len(events), -1)) for name in graph.outputs})


def from_raw(graph: Graph, raw: Mapping[str, Ints]) -> Prediction:
    """Return scores from the raw integers (B, *shape) of every output by name."""
    return Prediction({node.name: _result(node, raw[node.name]) for node in graph.results})


def _result(node: Node, raw: Ints) -> Result:
    scores = raw.astype(np.float64) * steps(node)
    formats = "|".join(map(str, node.type.formats))
    return Result(scores.reshape(len(raw), -1), raw.reshape(len(raw), -1), formats)


def save_predictions(path: Path, prediction: Prediction) -> None:
    """Write OUT.npz whole: `scores`, and for the exact engines `raw` with its `format`. A network with
    several outputs gives them per output: `scores_NAME`, `raw_NAME`, `format_NAME`."""
    arrays: dict[str, Any] = {}
    for name, result in prediction.outputs.items():
        end = f"_{name}" if len(prediction.outputs) > 1 else ""
        arrays[f"scores{end}"] = np.ascontiguousarray(result.scores, dtype=np.float64)
        if result.raw is not None:
            arrays |= {f"raw{end}": result.raw.astype(np.int64), f"format{end}": np.array(result.format)}
    write_file(path, npz(arrays))
