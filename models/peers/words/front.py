"""What the peers read of a jet, made from the trigger's words: the front end that is counted with them.

Per constituent log2 pt in octaves over 1 GeV, and eta and phi relative to the jet's axis, phi around the
turn; per event log2 of the mass squared and the number of constituents. Constituents below 1 GeV count as
empty slots, of which all features are 0. The peers are trained on these very integers.
"""

from __future__ import annotations

import numpy as np

from eqhls.fixed import Fixed
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.ops.wrap import Wrap

CONSTITUENTS = 16
AROUND, STEP = {"eta": 4096, "phi": 1440}, 32
"""LSBs after which a difference counts as none: those of a turn, and of eta more than differences reach. A
power of two divides both, so that one table of the high bits wraps and saturates."""
WORD_PORTS = {
    "pt": f"S[j:{CONSTITUENTS}]:ufix<14,12>",
    "eta": f"S+eta[j:{CONSTITUENTS}]:fix<12,12>",
    "phi": f"S+phi%1440[j:{CONSTITUENTS}]:fix<11,11>",
    "jet_eta": "S+eta[]:fix<12,12>",
    "jet_phi": "S+phi%1440[]:fix<11,11>",
    "jet_mass2": "S[]:ufix<18,18>",
    "multiplicity": "S[]:ufix<7,7>",
}
NEAR = Fixed(9, 9)
"""Directions relative to the axis, in LSBs of pi / 720; +-1.1 is beyond a cone of 0.8."""
LOG_PT = Log2(1.0, 3, 12 * 8, window=7, step=4)
LOG_MASS2 = Log2(4.0, 5, 16 * 32, window=8, step=4)
PARTICLE = {"log_pt": 0.5, "d_eta": 2.0**-6, "d_phi": 2.0**-6}
EVENT = {"log_mass": 1.0, "multiplicity": 2.0**-5}
"""The features, with the power of two that brings each to a few units for the networks: no logic."""
MIDDLE = 11.0
"""Octaves of mass squared over 4 GeV^2 that count as 0: between those of QCD jets and of tops."""


def front_end() -> Graph:
    """Return the graph from words to features."""
    b = Builder("front_end")
    for name, text in WORD_PORTS.items():
        b.add(name, Input(Type.parse(text)))
    b.add("log_pt", LOG_PT, "pt")
    octaves = np.arange(LOG_PT.codes) * 2.0**-LOG_PT.frac
    flags = (octaves > 0).astype(float)[None]
    b.add("filled", Table(Tensor(octaves), Tensor(flags), out=Fixed(1, 1, False)), "log_pt")
    for name, modulus in AROUND.items():
        b.add(f"{name}_off", Add((1,)), name, f"jet_{name}")
        b.add(f"{name}_near", Wrap(modulus, STEP, NEAR), f"{name}_off")
        b.add(f"d_{name}", Mask(), f"{name}_near", "filled")
    b.add("log_mass2", LOG_MASS2, "jet_mass2")
    b.add("middle", Spurion(Type.parse("S[]"), Tensor([MIDDLE])))
    b.add("log_mass", Add((1,)), "log_mass2", "middle")
    return b.graph(*PARTICLE, *EVENT).formatted()
