"""Jets of seeded toy physics, and small ROOT files of them as a user's own analysis writes them.

A background jet is one prong; a signal jet has two or three that share its momentum, so that it has a mass. A
prong fragments into pions of falling momentum around its direction. Nothing is drawn from the clock or the
machine, so a seed gives one file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

Floats = np.ndarray
PION = 0.13957


@dataclass(frozen=True, slots=True)
class ToyJets:
    """Constituents of jets one behind the other, pt, eta, phi, mass (T,) in GeV and radians, in no order of
    pT; the number of each jet's, (B,); and labels y (B,), 1 for signal."""

    pt: Floats
    eta: Floats
    phi: Floats
    mass: Floats
    counts: Floats
    y: Floats

    def column(self, name: str) -> ak.Array:
        """Return a coordinate as a list per jet."""
        return ak.unflatten(getattr(self, name), self.counts)


def toy_jets(jets: int, seed: int = 1) -> ToyJets:
    """Return jets of 300 to 500 GeV, every second one signal on average."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, jets)
    made = [_jet(rng, bool(label)) for label in y]
    counts = np.array([len(jet) for jet in made])
    pt, eta, phi = np.concatenate(made).T
    phi = (phi + np.pi) % (2 * np.pi) - np.pi
    single = [v.astype(np.float32) for v in (pt, eta, phi, np.full(len(pt), PION))]
    return ToyJets(*single, counts, y)


def write_root(
    path: Path, jets: int = 200, seed: int = 1, tree: str = "jets", rntuple: bool = False
) -> ToyJets:
    """Write jets as a tree (or an RNTuple) with lists pt, eta, phi, mass and a number y, and return them."""
    toy = toy_jets(jets, seed)
    columns = {k: toy.column(k) for k in ("pt", "eta", "phi", "mass")} | {"y": toy.y.astype(np.int32)}
    with uproot.recreate(path) as file:
        if rntuple:
            file.mkrntuple(tree, columns)
        else:
            file.mktree(tree, {k: v.type if k != "y" else np.int32 for k, v in columns.items()})
            file[tree].extend(columns)
    return toy


def _jet(rng: np.random.Generator, signal: bool) -> Floats:
    """Return (pt, eta, phi) of the constituents of one jet, shuffled."""
    pt, eta, phi = rng.uniform(300, 500), rng.uniform(-1.5, 1.5), rng.uniform(-np.pi, np.pi)
    prongs = int(rng.integers(2, 4)) if signal else 1
    shares = rng.dirichlet(np.full(prongs, 6.0))
    around = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(prongs) / prongs
    apart = rng.uniform(0.1, 0.4) if signal else 0.0
    width = 0.08 * rng.lognormal(0.0, 0.6)
    parts = []
    for share, angle in zip(shares, around, strict=True):
        number = int(rng.integers(6, 14))
        fractions = rng.dirichlet(0.6 * np.ones(number))
        spread = 0.01 + width * rng.exponential(1.0, (2, number)) * (1 - fractions)
        side = rng.choice([-1.0, 1.0], (2, number))
        parts.append(
            np.stack(
                [
                    np.maximum(pt * share * fractions, 0.3),
                    eta + apart * np.cos(angle) + side[0] * spread[0],
                    phi + apart * np.sin(angle) + side[1] * spread[1],
                ],
                axis=1,
            )
        )
    return rng.permutation(np.concatenate(parts))
