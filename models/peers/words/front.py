"""What the peers read of a jet, made from the trigger's words in integers: the front end that is counted with them.

Per constituent log2 pt in octaves over 1 GeV, and eta and phi relative to the jet's axis, phi around the turn; per event
log2 of the mass squared and the number of constituents. The peers are trained on these very integers.
"""

from __future__ import annotations

import numpy as np

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.requantize import Requantize
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table

CONSTITUENTS = 16
TURN, STEP = 1440, 32
"""LSBs of phi in a turn, and the power of two that divides them: a wrap leaves the bits below it alone."""
WORD_PORTS = {
    "pt": f"S[j:{CONSTITUENTS}]:ufix<14,12>",
    "eta": f"S[j:{CONSTITUENTS}]:fix<12,12>",
    "phi": f"S[j:{CONSTITUENTS}]:fix<11,11>",
    "jet_eta": "S[]:fix<12,12>",
    "jet_phi": "S[]:fix<11,11>",
    "jet_mass2": "S[]:ufix<18,18>",
    "multiplicity": "S[]:ufix<7,7>",
}
NEAR = Fixed(9, 9)
"""Directions relative to the axis, in LSBs of pi / 720; +-1.1 is beyond a cone of 0.8."""
LOG_PT = Log2(1.0, 3, 12 * 8, window=7, step=4)
LOG_MASS2 = Log2(4.0, 5, 16 * 32, window=8, step=4)
PARTICLE = {"log_pt": 0.5, "d_eta": 2.0**-6, "d_phi": 2.0**-6}
EVENT = {"log_mass": 1.0, "multiplicity": 2.0**-5}
"""The features, with the power of two that brings each to a few units for the networks: wires and no logic."""
MIDDLE = 11.0
"""Octaves of mass squared over 4 GeV^2 that count as 0: between those of QCD jets and of tops."""


def front_end() -> Graph:
    """Return the graph from words to features."""
    b = Builder("front_end")
    for name, text in WORD_PORTS.items():
        b.add(name, Input(Type.parse(text)))
    b.add("log_pt", LOG_PT, "pt")
    octaves = np.arange(LOG_PT.codes) * 2.0**-LOG_PT.frac
    _table(b, "filled", "log_pt", octaves, (octaves > 0).astype(float), Fixed(1, 1, False))
    for name in ("eta", "phi"):
        b.add(f"{name}_off", Add((1,)), name, f"jet_{name}")
        b.add(f"d_{name}", Mask(), _near(b, name), "filled")
    b.add("log_mass2", LOG_MASS2, "jet_mass2")
    b.add("middle", Spurion(Type.parse("S[]"), Tensor([MIDDLE])))
    b.add("log_mass", Add((1,)), "log_mass2", "middle")
    return b.graph(*PARTICLE, *EVENT).formatted()


def _near(b: Builder, name: str) -> str:
    """Saturate a difference to `NEAR`, that of phi after a wrap: both change the high bits alone, by one table."""
    span = 4096 if name == "eta" else 2048
    high = np.arange(-span, span, STEP, dtype=float)
    wrapped = high if name == "eta" else (high + TURN // 2 // STEP * STEP) % TURN - TURN // 2 // STEP * STEP
    address = Fixed(
        (2 * span // STEP).bit_length() - 1, (2 * span).bit_length() - 1, True, Rounding.TRN, Overflow.WRAP
    )
    b.add(f"{name}_address", Requantize((address,)), f"{name}_off")
    out = Fixed(NEAR.width - 5, NEAR.integer, True, Rounding.TRN, Overflow.SAT)
    _table(b, f"{name}_high", f"{name}_address", high, wrapped, out)
    b.add(f"{name}_low", Requantize((Fixed(5, 5, False, Rounding.TRN, Overflow.WRAP),)), f"{name}_off")
    return b.add(f"{name}_near", Add(), f"{name}_high", f"{name}_low")


def _table(b: Builder, name: str, source: str, at: np.ndarray, values: np.ndarray, out: Fixed) -> None:
    """Add a table with a knot at every address."""
    b.add(name, Table(Tensor(at), Tensor(values[None]), out=out), source)
