"""Jets as the peers take them: words, then the front end's integers, then floats that need no rounding."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eqhls.events.words import TRIGGER, words_of_momenta

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from peers.words.front import CONSTITUENTS, EVENT, PARTICLE, front_end  # noqa: E402

FILES = {"top": "toptag", "five": "jets5"}
"""Tasks, and how the files of their jets begin."""
SHIPPED = 2000

Jets = tuple[dict[str, np.ndarray], np.ndarray]
"""Words by port, pt, eta and phi (events, slots, 1) and the others (events, 1), and labels (events,)."""


def read(folder: Path, task: str, part: str, slots: int = CONSTITUENTS) -> Jets:
    """Return the jets of FOLDER. The files hold up to 32 constituents per jet and beside them, as `n`, how
    many the whole jet has: that is the multiplicity that the trigger would count."""
    with np.load(folder / f"{FILES[task]}_{part}.npz") as file:
        raw = dict(words_of_momenta(file["p4"], file["jet"], slots).raw)
        raw["multiplicity"] = np.minimum(file["n"].astype(np.int64), TRIGGER["multiplicity"].hi)
        return {k: v[..., None] for k, v in raw.items()}, file["y"].astype(np.int64)


def ship(folder: Path, task: str) -> None:
    """Write the words of the first test jets."""
    words, y = read(folder, task, "test")
    kept = {k: v[:SHIPPED].astype(np.int32 if k == "jet_mass2" else np.int16) for k, v in words.items()}
    np.savez_compressed(HERE / f"jets_{task}.npz", y=y[:SHIPPED].astype(np.uint8), **kept)


def load(task: str, folder: Path | None = None, slots: int = CONSTITUENTS) -> Jets:
    """Return the test jets of FOLDER, or without one the shipped ones, which have `CONSTITUENTS` slots."""
    if folder:
        return read(folder, task, "test", slots)
    with np.load(HERE / f"jets_{task}.npz") as file:
        return {k: file[k].astype(np.int64) for k in file.files if k != "y"}, file["y"].astype(np.int64)


def features(words: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return x (events, constituents, 3) and event (events, 2): the front end's integers, scaled."""
    graph = front_end()
    raw = graph.evaluate({n.name: words[n.name] for n in graph.inputs}, graph.outputs)

    def scaled(name: str, scale: float) -> np.ndarray:
        return raw[name] * (scale * graph.node(name).type.formats[0].lsb)

    x = np.concatenate([scaled(*item) for item in PARTICLE.items()], axis=-1)
    event = np.concatenate([scaled(*item) for item in EVENT.items()], axis=-1)
    return [x.astype("float32"), event.astype("float32")]
