"""From the words of the trigger to codes: the parts of the graph of five classes (five.py).

The taggers of two classes have the same front end in layers (eqhls/frontends/layers/words.py).

Every part appends values to a Builder and returns their names. The seed is the first word, which has the
highest pt. A difference of two angles does not change when both turn, nor one of two pseudorapidities when
both are boosted; only differences enter functions, so that the types prove what is exact.

    deta, dphi      differences to the seed in steps of pi/720, saturated to 9 bits: |d| < 1.12
    leta, lphi      log2 |d|, no less than 0
    g               log2 sqrt(d_eta^2 + d_phi^2), by a sum of logarithms
    t               log2 of pt in GeV, no less than 0, so that an empty slot and one below 1 GeV look alike
"""

from __future__ import annotations

from dataclasses import dataclass

from eqhls.fixed import Fixed
from eqhls.ir.graph import Builder
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.exp2 import Exp2
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.sign_select import SignSelect
from eqhls.ops.wrap import Wrap

TURN, CELL = 1440, 32
"""Steps of phi in a turn, and the largest power of two that divides it: what lies below it never wraps."""
REACH = 1024
"""Steps of eta that are told apart, 4.5: no jet is that wide."""
NEAR = Fixed(9, 9)
"""What is left of a difference."""
PORTS = {
    "jet_pt": "S[]:ufix<14,12>",
    "jet_eta": "S+eta[]:fix<12,12>",
    "jet_phi": f"S+phi%{TURN}[]:fix<11,11>",
    "jet_mass2": "S[]:ufix<18,18>",
    "multiplicity": "S[]:ufix<7,7>",
}
"""Ports of the jet: pt in 0.25 GeV, angles in pi/720, mass squared in GeV^2, its number of constituents."""


@dataclass(frozen=True)
class Codes:
    """How fine logarithms are: fraction bits, and windows of that many bits, `stride` apart, as tables."""

    frac: int = 2
    window: int = 6
    stride: int = 4

    def log(self, octaves: float, floor: float = 1.0) -> Log2:
        """Return the logarithm up to so many octaves above the floor."""
        codes = int(octaves * 2**self.frac) + 1
        return Log2(floor, self.frac, codes, self.window, self.stride, centred=True)


PT_OCTAVES, ANGLE_OCTAVES = 10.0, 8.0
"""A pt of 1 TeV, and the 256 steps of NEAR."""


def add_words(b: Builder, words: int, *jet: str) -> None:
    """Append the ports of `words` constituents and those of the jet that are named."""
    b.add("pt", Input(Type.parse(f"S[j:{words}]:ufix<14,12>")))
    b.add("eta", Input(Type.parse(f"S+eta[j:{words}]:fix<12,12>")))
    b.add("phi", Input(Type.parse(f"S+phi%{TURN}[j:{words}]:fix<11,11>")))
    for name in jet:
        b.add(name, Input(Type.parse(PORTS[name])))


def difference(b: Builder, name: str, kind: str, of: str, origin: str) -> str:
    """Append `of` - `origin` of a kind, eta or phi, as a plain number."""
    off = b.add(f"{name}_off", Add((1,)), of, origin)
    return b.add(name, Wrap(TURN if kind == "phi" else REACH, CELL, NEAR), off)


def to_seed(b: Builder, *kinds: str) -> None:
    """Append the differences deta, dphi of all words to the seed."""
    for kind in kinds or ("eta", "phi"):
        seed = b.add(f"{kind}_seed", Select("j", (0,)), kind)
        difference(b, f"d{kind}", kind, kind, seed)


def difference_logs(b: Builder, eta: str, phi: str, codes: Codes, g: str = "g") -> tuple[str, str, str]:
    """Append the logarithms of two differences and that of their root of squares; return the three names."""
    logs: list[str] = []
    for source in (eta, phi):
        size = b.add(f"{source}_size", Magnitude(), source)
        logs.append(b.add(f"l{source.removeprefix('d')}", codes.log(ANGLE_OCTAVES), size))
    return logs[0], logs[1], b.add(g, LogAdd(2, codes.frac), *logs)


def pt_log(b: Builder, codes: Codes, name: str = "t") -> str:
    """Append log2 of the pt of every word."""
    return b.add(name, codes.log(PT_OCTAVES), "pt")


def front_end(b: Builder, words: int, codes: Codes, *jet: str) -> None:
    """Append the ports, and deta, dphi, leta, lphi, g and t of every word."""
    add_words(b, words, *jet)
    to_seed(b)
    difference_logs(b, "deta", "dphi", codes)
    pt_log(b, codes)


def moments(b: Builder, codes: Codes, across: Fixed, second: Fixed, whole: Fixed) -> tuple[str, ...]:
    """Append pt, pt d^2, pt d_phi and pt d_eta of every word, in GeV and units of 256 steps, which is nearly
    a radian: products are sums of logarithms. `across`, `second` and `whole` are their formats, the first
    without the sign. Return the four names."""
    b.add("p0", Requantize((whole,)), "pt")
    b.add("g2", Add(), "g", "g")
    b.add("q_log", Add(), "t", "g2")
    b.add("p2", Exp2(-16, second, codes.frac + 6), "q_log")
    for name, kind in (("py", "phi"), ("pz", "eta")):
        b.add(f"{name}_log", Add(), "t", f"l{kind}")
        b.add(f"{name}_size", Exp2(-8, across, codes.frac + 6), f"{name}_log")
        b.add(name, SignSelect(), f"{name}_size", f"d{kind}")
    return "p0", "p2", "py", "pz"
