"""Four-vectors from the coordinates that files keep: pure functions of arrays, in float64 and GeV.

A particle is said by three coordinates of its momentum, (px, py, pz) or (pt, eta, phi), and by E or by its
mass. Names are those of the library vector, which physicists use for the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from eqhls.ir.op import Floats

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "px": ("px", "x"),
        "py": ("py", "y"),
        "pz": ("pz", "z"),
        "pt": ("pt", "rho"),
        "eta": ("eta",),
        "phi": ("phi",),
        "E": ("E", "energy", "e", "t"),
        "mass": ("mass", "m", "M", "tau"),
    }
)
"""Every coordinate with the names by which files and the library vector call it, the usual one first."""
PLANES, ALONG, TIMES = (("px", "py"), ("pt", "phi")), (("pz",), ("eta",)), (("E",), ("mass",))
"""Coordinates across the beam, along it, and of the energy: one choice of each makes a four-vector."""


def coordinates(names: Collection[str]) -> dict[str, str]:
    """Return the coordinates of a four-vector by their names among `names`: {"px": "x", ..}. It is empty if
    they do not make one; if they make several, Cartesian ones are taken."""
    found = {k: next((n for n in said if n in names), "") for k, said in NAMES.items()}
    chosen = [
        next((c for c in choices if all(found[k] for k in c)), ()) for choices in (PLANES, ALONG, TIMES)
    ]
    made = {k for choice in chosen for k in choice} if all(chosen) else set[str]()
    return {k: found[k] for k in NAMES if k in made}


def four_vectors(parts: Mapping[str, Any]) -> Floats:
    """Return (E, px, py, pz), shape (.., 4), from the coordinates of a four-vector, each of shape (..).

    Without E it is sqrt(p^2 + m |m|), at least 0: files write masses that are rounded below 0. A pt of 0 has
    no pseudorapidity, so its pz is 0.
    """
    given = {k: np.asarray(v, dtype=np.float64) for k, v in parts.items()}
    if "px" in given:
        px, py = given["px"], given["py"]
        pt = np.hypot(px, py)
    else:
        pt = given["pt"]
        px, py = pt * np.cos(given["phi"]), pt * np.sin(given["phi"])
    pz = given["pz"] if "pz" in given else pt * np.sinh(np.where(pt == 0, 0.0, given["eta"]))
    if "E" in given:
        return np.stack(np.broadcast_arrays(given["E"], px, py, pz), axis=-1)
    square = px**2 + py**2 + pz**2 + given["mass"] * np.abs(given["mass"])
    return np.stack(np.broadcast_arrays(np.sqrt(np.maximum(square, 0.0)), px, py, pz), axis=-1)
