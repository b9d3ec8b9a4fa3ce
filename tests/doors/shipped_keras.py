"""Keras models that the project trained: equivariant networks made of eqhls.layers, and their HGQ2 peers on
jets and on the trigger's words. Every bit of the integers is that of Keras on the shipped events."""

from __future__ import annotations

import runpy
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.layers import TypedInput

from doors import Door, Floats, Made

MODELS = Path(__file__).resolve().parents[2] / "models"
EVENTS = 200
EQUIVARIANT = (
    *("lgn_top", "lgn_top_small", "lgn_top_lab"),
    *("pelican_top", "pelican_nano", "pelican_nano_published"),
)
PEERS = tuple(sorted(path.stem for path in (MODELS / "peers").glob("*.keras")))
WORD_PEERS = tuple(sorted(path.stem for path in (MODELS / "peers" / "words").glob("*.keras")))
USUAL = ("lgn_top_small", "pelican_nano_published", "deepset_s", "deepset_top_s")
"""What `make test` reads; the others take long to quantize or to trace, and are left to `make test-all`."""


def computed(file: Path, events: Mapping[str, Floats]) -> Made:
    """Return a door of a model, whose numbers are those of Keras. Events come in the order of the ports."""
    model = keras.saving.load_model(file, compile=False)
    given = [np.asarray(v, dtype="float32") for v in events.values()]
    found = keras.ops.convert_to_numpy(model(given if len(given) > 1 else given[0], training=False))
    name = model.outputs[0]._keras_history.operation.name
    return Made(file, events, {name: np.asarray(found)}, exact=True)


def equivariant(name: str) -> Callable[[Path], Made]:
    """Return what makes the door of a network of eqhls.layers: its events are words, which are put into GeV by the
    formats that its TypedInput layers say."""

    def make(folder: Path) -> Made:
        file = MODELS / name / "model.keras"
        model = keras.saving.load_model(file, compile=False)
        ports = [part for part in model.layers if isinstance(part, TypedInput)]
        with np.load(MODELS / name / "events.npz") as arrays:
            events = {p.name: arrays[p.name][:EVENTS] * p.kind.formats.lsb for p in ports}
        return computed(file, events)

    return make


def peer(name: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        ports = ("x", "m") if "mass" in name else ("x",)
        with np.load(MODELS / "peers" / "jets.npz") as arrays:
            return computed(MODELS / "peers" / f"{name}.keras", {p: arrays[p][:EVENTS] for p in ports})

    return make


def word_peer(name: str) -> Callable[[Path], Made]:
    """Return what makes the door of a peer that reads the integers of a front end."""

    def make(folder: Path) -> Made:
        jets = runpy.run_path(str(MODELS / "peers" / "words" / "jets.py"))
        words, _ = jets["load"]("five" if "five" in name else "top")
        x, event = jets["features"]({k: v[:EVENTS] for k, v in words.items()})
        return computed(MODELS / "peers" / "words" / f"{name}.keras", {"x": x, "event": event})

    return make


DOORS = [
    Door(name, make(name), slow=name not in USUAL)
    for names, make in ((EQUIVARIANT, equivariant), (PEERS, peer), (WORD_PEERS, word_peer))
    for name in names
]
