"""The result of a training: the network, its figures, and the folder that holds them."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.read import Events, rounded
from eqhls.events.scores import Prediction, from_raw, predict_floats
from eqhls.events.wordports import COUNT
from eqhls.frontends.graphfile import graph_files
from eqhls.ir.graph import Graph
from eqhls.text import MANIFEST, npz, write_file
from eqhls.train.checkpoint import Epoch
from eqhls.train.data import LABELS, Arrays
from eqhls.train.settings import Settings
from eqhls.verify.metrics import rejection, tagger_auc
from eqhls.verify.tagger import Tagger

SHIPPED, SAMPLE = 4000, 500
"""Events that a model folder holds as integers, and as four-momenta."""
MOMENTA = ("p4", "jet", COUNT, LABELS)
"""What stands in a file of four-momenta, beside ports that were given by name."""


@dataclass(frozen=True, slots=True)
class Merit:
    """What a tagger is worth on `events` events: the AUC (of several classes the mean of one against the
    rest) of the network in float64 on unrounded inputs and of its integers, and, of one score, 1 / background
    efficiency at 30 % signal efficiency of the integers, otherwise nan."""

    events: int
    float_auc: float
    fixed_auc: float
    rejection: float

    def __str__(self) -> str:
        more = "" if math.isnan(self.rejection) else f", rejection at 30 % signal {self.rejection:.0f}"
        return f"AUC float {self.float_auc:.4f} fixed {self.fixed_auc:.4f}{more} ({self.events} events)"


def merit(given: Graph, graph: Graph, events: Events, tagger: Tagger) -> Merit:
    """Return what a network and its integers are worth on labelled events."""
    assert events.labels is not None
    floating = tagger.scores(predict_floats(given, events))
    fixed = tagger.scores(integers(graph, events))
    lost = rejection(fixed.ravel(), events.labels) if fixed.shape[1] == 1 else math.nan
    return Merit(len(events), tagger_auc(floating, events.labels), tagger_auc(fixed, events.labels), lost)


def integers(graph: Graph, events: Events) -> Prediction:
    """Return the integers of a quantized graph."""
    raw = rounded(graph, events).raw
    return from_raw(graph, graph.evaluate(raw, graph.outputs))


@dataclass(frozen=True, slots=True)
class Run:
    """A trained network: the Keras `model`; the `graph` that is read from it, and `quantized`, the same with
    a format for every value (its own, or those that calibration finds on the events of the training); the
    `history` of the training; and by part of the data what the tagger is `worth`. `agreement` is the share of
    the measured events on which the model and the integers give the same number, nan if formats were
    calibrated, as nothing was rounded in the model then. `notes` has a line on everything that looks wrong
    with the events."""

    model: Any
    graph: Graph
    quantized: Graph
    settings: Settings
    history: Sequence[Epoch]
    worth: Mapping[str, Merit]
    agreement: float
    values: int
    measured: Events
    arrays: Arrays
    notes: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return the summary of a training as lines of text."""
        last = self.history[-1]
        told = [
            f"{self.graph.name}: {self.values} values, {len(self.history)} epochs, loss {last.loss:.4f}",
            *(f"{self.graph.name} {part}: {found}" for part, found in self.worth.items()),
        ]
        if not math.isnan(self.agreement):
            told.append(
                f"{self.graph.name}: Keras model equal to the integer model on {self.agreement:.2%} of the "
                f"{len(self.measured)} events"
            )
        return tuple(told)

    def record(self) -> dict[str, Any]:
        """Return the figures as JSON holds them: what is not a number is null."""
        return {
            "name": self.graph.name,
            "values": self.values,
            "settings": self.settings.record(),
            "worth": {part: _fields(found) for part, found in self.worth.items()},
            "agreement": _number(self.agreement),
            "history": [_fields(e) for e in self.history],
        }

    def files(self) -> dict[str, str | bytes]:
        """Return the files of the model folder by name."""
        found: dict[str, str | bytes] = dict(graph_files(self.quantized))
        found["model.keras"] = keras_file(self.model)
        found["events.npz"] = npz(self.events())
        if "p4" in self.arrays:
            read = {*MOMENTA, *(n.name for n in self.quantized.inputs)} & {*self.arrays}
            few = {k: np.asarray(self.arrays[k])[:SAMPLE] for k in sorted(read)}
            found["jets_p4.npz"] = npz({k: _small(v) for k, v in few.items()})
        found["metrics.json"] = json.dumps(self.record(), indent=1) + "\n"
        return found

    def events(self) -> dict[str, NDArray[Any]]:
        """Return the first measured events as `eqhls verify` reads them: raw integers by port, labels `y`,
        and of a network with one output its raw integers, `expected`."""
        ready = rounded(self.quantized, self.measured)
        found: dict[str, NDArray[Any]] = {k: narrow(v[:SHIPPED]) for k, v in ready.raw.items()}
        if self.measured.labels is not None:
            found[LABELS] = self.measured.labels[:SHIPPED].astype(np.uint8)
        if len(self.quantized.outputs) == 1 and not {LABELS, "expected"} & {*ready.raw}:
            raw = self.quantized.evaluate({k: v[:SHIPPED] for k, v in ready.raw.items()})
            scores = narrow(raw[self.quantized.outputs[0]]).reshape(len(found[LABELS]), -1)
            found["expected"] = scores.ravel() if scores.shape[1] == 1 else scores
        return found

    def save(self, folder: Path | str) -> tuple[str, ...]:
        """Write model.keras, graph.eq and graph.npz, events.npz, jets_p4.npz if there are four-momenta, and
        metrics.json, each whole or not at all, and return their names. Raises CompileError for a folder that
        holds a compiled project, and for one that cannot be written."""
        check_folder(Path(folder))
        files = self.files()
        for name, content in files.items():
            write_file(Path(folder) / name, content)
        return tuple(files)


def check_folder(folder: Path) -> None:
    """Raise CompileError if a model cannot be written there."""
    if folder.exists() and not folder.is_dir():
        raise CompileError(str(folder), "is a file, expected a folder", "name another folder")
    if (folder / MANIFEST).exists():
        raise CompileError(str(folder), "holds a compiled project", "name another folder for the model")


def keras_file(model: Any) -> bytes:
    """Return a model as a .keras file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def narrow(raw: Ints) -> NDArray[Any]:
    """Return integers in the narrowest of 16, 32 and 64 bits that holds them."""
    for kind in (np.int16, np.int32):
        info = np.iinfo(kind)
        if not raw.size or (info.min <= raw.min() and raw.max() <= info.max):
            return raw.astype(kind)
    return raw


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in float32, or in the narrowest integers that hold it."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return array.astype(np.uint8) if ((array >= 0) & (array < 256)).all() else narrow(array)


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fields(found: Merit | Epoch) -> dict[str, Any]:
    return {name: _number(getattr(found, name)) for name in found.__slots__}
