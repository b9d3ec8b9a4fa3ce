"""Scores out: what an engine says of events, and the .npz file that keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events import irreps
from eqhls.events.read import Events
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.text import npz, write_file


@dataclass(frozen=True, slots=True)
class Result:
    """One output: scores (B, K) float64; raw (B, K) int64 and its format for the exact engines."""

    scores: Floats
    raw: Ints | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Every output of a network by name, in order; `raw` and `format` are those of the first. So are
    `scores`, unless the outputs are blocks of irreps: then they are all of them, `joined` in e3nn's layout.

    For an exact engine `saturated` (B,) counts the input values of each event that saturated at the ports;
    `notes` has a line on everything that looks wrong with the events.
    """

    outputs: Mapping[str, Result]
    saturated: Ints | None = None
    notes: tuple[str, ...] = ()
    joined: Floats | None = None

    def __getitem__(self, name: str) -> Result:
        """Return an output by name. Raises CompileError if the network has no output of that name."""
        if name not in self.outputs:
            raise CompileError(
                "output",
                f"found {name!r}, expected one of {', '.join(self.outputs)}",
                "name one of these outputs",
            )
        return self.outputs[name]

    @property
    def first(self) -> Result:
        return next(iter(self.outputs.values()))

    @property
    def scores(self) -> Floats:
        return self.first.scores if self.joined is None else self.joined

    @property
    def raw(self) -> Ints | None:
        return self.first.raw

    @property
    def format(self) -> str:
        return self.first.format


def predict_floats(graph: Graph, events: Events) -> Prediction:
    """Evaluate the float64 references on unrounded inputs."""
    found = graph.scores(events.floats)
    results = {name: Result(found[name].reshape(len(events), -1)) for name in graph.outputs}
    joined = irreps.joined(graph.results, [found[name] for name in graph.outputs])
    return Prediction(results, notes=events.notes, joined=joined)


def from_raw(graph: Graph, raw: Mapping[str, Ints]) -> Prediction:
    """Return scores from the raw integers (B, *shape) of every output by name."""
    results = {node.name: _result(node, raw[node.name]) for node in graph.results}
    values = [
        r.scores.reshape(len(r.scores), *n.type.shape)
        for r, n in zip(results.values(), graph.results, strict=True)
    ]
    return Prediction(results, joined=irreps.joined(graph.results, values))


def _result(node: Node, raw: Ints) -> Result:
    scores = raw.astype(np.float64) * node.type.formats.lsb
    formats = "|".join(map(str, node.type.formats))
    return Result(scores.reshape(len(raw), -1), raw.reshape(len(raw), -1), formats)


def save_predictions(path: Path, prediction: Prediction) -> None:
    """Write OUT.npz whole: `scores`, and for the exact engines `raw` with its `format`. A network with
    several outputs gives them per output: `scores_NAME`, `raw_NAME`, `format_NAME`; if they are blocks of
    irreps, `scores` has them all in e3nn's layout. `saturated` (B,) counts the input values of each event
    that saturated, for the exact engines."""
    arrays: dict[str, Any] = {} if prediction.saturated is None else {"saturated": prediction.saturated}
    if prediction.joined is not None:
        arrays["scores"] = np.ascontiguousarray(prediction.joined, dtype=np.float64)
    for name, result in prediction.outputs.items():
        end = f"_{name}" if len(prediction.outputs) > 1 else ""
        arrays[f"scores{end}"] = np.ascontiguousarray(result.scores, dtype=np.float64)
        if result.raw is not None:
            arrays |= {f"raw{end}": result.raw.astype(np.int64), f"format{end}": np.array(result.format)}
    write_file(path, npz(arrays))
