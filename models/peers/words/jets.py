"""Jets as the peers take them: words, then the front end's integers, then float features without a rounding."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from peers.words.front import CONSTITUENTS, EVENT, PARTICLE, front_end  # noqa: E402
sys.path.insert(0,"/tmp/peers_scratch")
from words0 import words

FILES = {"top": "toptag", "five": "jets5"}


def read(folder: Path, task: str, part: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the words of the jets of FOLDER and their labels."""
    with np.load(folder / f"{FILES[task]}_{part}.npz") as file:
        return words(file["p4"], file["jet"], file["n"], CONSTITUENTS), file["y"].astype(np.int64)


def features(words: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return x (events, constituents, 3) and event (events, 2): the front end's integers times their scales."""
    graph = front_end()
    raw = graph.evaluate(dict(words), graph.outputs)

    def scaled(name: str, scale: float) -> np.ndarray:
        return raw[name] * (scale * graph.node(name).type.formats[0].lsb)

    x = np.concatenate([scaled(*item) for item in PARTICLE.items()], axis=-1)
    event = np.concatenate([scaled(*item) for item in EVENT.items()], axis=-1)
    return [x.astype("float32"), event.astype("float32")]
