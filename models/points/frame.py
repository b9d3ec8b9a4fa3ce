"""Jets as points: momenta of constituents in the rest frame of their jet, on one lattice.

In the frame in which a jet is at rest its decay knows no direction, so that rotations are its symmetry, and
positions in a tensor field network or a molecule become momenta.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
STEP = 1.0
"""GeV. Momenta and energies are rounded to whole steps."""
UNIT = 32
"""Steps: about a quarter of the mass of a jet, the unit of length of the networks."""
LEAST_MASS = 1.0


def at_rest(p4: Floats) -> Floats:
    """Boost momenta (B, N, 4), (E, px, py, pz), to the frame in which their sum is at rest."""
    total = p4.sum(axis=1)
    energy, momentum = total[:, 0], total[:, 1:]
    mass = np.sqrt(np.maximum(energy**2 - (momentum**2).sum(axis=-1), LEAST_MASS**2))
    along = np.einsum("bx,bjx->bj", momentum, p4[..., 1:])
    shift = along / (mass * (mass + energy))[:, None] - p4[..., 0] / mass[:, None]
    boosted = p4[..., 1:] + shift[..., None] * momentum[:, None]
    energies = (energy[:, None] * p4[..., 0] - along) / mass[:, None]
    return np.concatenate([energies[..., None], boosted], axis=-1)


def read(folder: Path, part: str, slots: int) -> tuple[Floats, Floats, Floats]:
    """Return points (B, slots, 3) and energies (B, slots) in steps, whole numbers, and labels.

    The last slot holds the sum of all constituents but the slots - 1 of highest pT.
    """
    with np.load(folder / f"toptag_{part}.npz") as file:
        p4, y = at_rest(file["p4"].astype(np.float64)), file["y"].astype(np.int64)
    rest = p4[:, slots - 1 :].sum(axis=1, keepdims=True)
    steps = np.rint(np.concatenate([p4[:, : slots - 1], rest], axis=1) / STEP)
    return steps[..., 1:], steps[..., 0], y
