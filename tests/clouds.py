"""Clouds of points for tests: golden folders with the transformations that they were made for, and random ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
GOLDEN = Path(__file__).resolve().parents[1].parent / "shared" / "golden2"
MOVED = ("base", "rot", "rot3", "oct", "inv", "shift", "perm")
"""How the events of a folder are moved."""
BOUND = 1e-10
"""The largest difference, relative to the largest output."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A folder of golden outputs; `features` is the array beside positions, `vectors` how many of its first
    columns are scalars, the others vectors in threes."""

    folder: Path
    features: str
    scalars: int | None = None

    @property
    def config(self) -> dict[str, Any]:
        return json.loads((self.folder / "config.json").read_text())

    @property
    def state(self) -> Arrays:
        return dict(np.load(self.folder / "weights.npz"))

    def want(self, moved: str) -> NDArray[np.float64]:
        """Return the outputs (events, -1) of moved events."""
        found = np.load(self.folder / "outputs.npz")[f"out_{moved}"]
        return found.reshape(len(found), -1)

    def events(self, moved: str) -> Arrays:
        """Return positions and features, moved."""
        given = dict(np.load(self.folder / "inputs.npz"))
        pos, x = given["pos"], given[self.features]
        if moved == "shift":
            pos = pos + given["shift"]
        elif moved == "perm":
            pos, x = pos[:, given["perm"]], x[:, given["perm"]]
        elif moved != "base":
            element = -np.eye(3) if moved == "inv" else given[moved]
            pos, x = turned(element, pos), self._turned(element, x)
        return {"pos": pos, self.features: x}

    def _turned(self, element: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
        if self.scalars is None:
            return x
        return np.concatenate([x[..., : self.scalars], turned(element, x[..., self.scalars :])], axis=-1)


def turned(element: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """Return vectors in threes (events, points, 3 n) turned by one element or by one of each event."""
    threes = x.reshape(*x.shape[:2], -1, 3)
    each = np.broadcast_to(element, (len(x), 3, 3))
    return np.einsum("bxy,bncy->bncx", each, threes).reshape(x.shape)


def random_points(rng: np.random.Generator, events: int, points: int) -> NDArray[np.float64]:
    """Return positions (events, points, 3) about one apart; two points of the first event coincide."""
    pos = rng.normal(size=(events, points, 3))
    pos[0, 0] = pos[0, -1]
    return pos


def distance(got: NDArray[Any], want: NDArray[Any]) -> float:
    assert got.shape == want.shape
    return float(np.abs(got - want).max() / np.abs(want).max())
