"""Two classes from trigger words: the settings of a tagger, and its graph.

Every word has one code, a few bits of its angle to the seed beside a few of its pt. It is the address of all
tables of words:

    S_a   = sum over words of s_a[code]        with scores s_a of a few bits
    h_k   = sum over features x of h_kx[x]     hidden sums
    logit = sum over features x of f_x[x] + sum over k of f_k[h_k]

The features are the sums S_a, the squared mass and the multiplicity of the jet, the pt of the first words and
their angles to the seed, and the angle of the jet's axis to the seed. Every bracket is a table, so that
there is no product anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import frontend
import numpy as np
from frontend import Codes
from numpy.typing import NDArray
from training import Curve

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ops.add import Add
from eqhls.ops.log2 import Log2
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.table import Table

Values = NDArray[Any]


QUARTERS = Codes()
SCORE = Fixed(4, 4, False)
STEEP = 64
"""How many times a step of a code is steeper than a line from one logarithm to the next."""
MASS = Log2(256.0, 3, 81, 7, 4)
"""Squared masses from 16 GeV on, in eighths of octaves."""


def entries(width: int, integers: int) -> Fixed:
    """Return the format of the entries of a read-out."""
    return Fixed(width, integers, True, Rounding.RND, Overflow.SAT)


READ, PART, WHOLE = entries(8, 5), entries(7, 4), entries(7, 5)


@dataclass(frozen=True)
class Tagger:
    """The settings of a network. A code counts the borders that a logarithm has reached."""

    words: int
    sums: int = 4
    hidden: int = 0
    singles: int = 0
    """How many words after the seed have read-outs of their own."""
    axis: bool = True
    angles: Codes = QUARTERS
    pts: Codes = QUARTERS
    angle_borders: tuple[float, ...] = tuple(np.arange(1.25, 8.5, 0.5).tolist())
    pt_borders: tuple[float, ...] = tuple(np.arange(0.25, 7.5, 0.5).tolist())
    score: Fixed = SCORE
    mass: Log2 = MASS
    read: Fixed = READ
    part: Fixed = PART
    whole: Fixed = WHOLE

    @property
    def pt_bits(self) -> int:
        return len(self.pt_borders).bit_length()

    @property
    def cells(self) -> int:
        """How many codes a word can have."""
        return (len(self.angle_borders) + 1) << self.pt_bits

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """The read-outs by feature, in the order of the sum."""
        pt = _log_curve(self.pts.log(frontend.PT_OCTAVES), np.r_[0:4, 4:10.1:0.5])
        angle = _log_curve(self.angles.log(frontend.ANGLE_OCTAVES + 0.5), np.r_[0:9:0.5])
        top = self.score.hi * self.words
        spread = np.r_[0:0.25:0.025, 0.25:1.01:0.125] * top
        found = {f"sum{a}": _curve(top + 1, 1.0, spread) for a in range(self.sums)}
        found["mass"] = _log_curve(self.mass, np.r_[0:4.5:0.5, 4.5:8:0.125, 8:10.5:0.5])
        found["multiplicity"] = _curve(128, 1.0, np.arange(0, 128, 6))
        found["seed_pt"] = pt
        if self.axis:
            found["axis"] = angle
        for k in range(1, self.singles + 1):
            found |= {f"word{k}_pt": pt, f"word{k}_angle": angle}
        return found

    @property
    def last(self) -> Curve:
        """What becomes of a hidden sum."""
        f = self.whole
        return Curve(
            f.hi - f.lo + 1, f.lsb, tuple(np.linspace(f.lo * f.lsb, f.hi * f.lsb, 17).tolist()), f.lo
        )


def _curve(size: int, lsb: float, knots: Values) -> Curve:
    last = (size - 1) * lsb
    return Curve(size, lsb, (0.0, *(float(k) for k in knots if 0 < k < last), last))


def _log_curve(op: Log2, knots: Values) -> Curve:
    return _curve(op.codes, 2.0**-op.frac, knots)


def count_borders(borders: tuple[float, ...], unit: int, lsb: float) -> Table:
    """Return the table that counts the borders a logarithm has reached, in multiples of `unit`. It steps half
    a LSB before each border, so that an unrounded logarithm has the code of the rounded one."""
    steps = [b - lsb / 2 + side * lsb / STEEP for b in borders for side in (-1, 1)]
    counts = [float((k + side) * unit) for k in range(len(borders)) for side in (0, 1)]
    knots = (borders[0] - 1, *steps, borders[-1] + 1)
    values = (0.0, *counts, counts[-1])
    return Table(Tensor(knots), Tensor([values]), out=Fixed.covering(0, len(borders) * unit, 0))


def add_codes(b: Builder, net: Tagger) -> str:
    """Append the front end and the code of every word, angle bits above pt bits; return its name."""
    jet = ("jet_mass2", "multiplicity", *(("jet_eta", "jet_phi") if net.axis else ()))
    frontend.add_words(b, net.words, *jet)
    frontend.to_seed(b)
    frontend.difference_logs(b, "deta", "dphi", net.angles)
    frontend.pt_log(b, net.pts)
    place = 1 << net.pt_bits
    for name, source, codes, borders, unit in (
        ("g_code", "g", net.angles, net.angle_borders, place),
        ("t_code", "t", net.pts, net.pt_borders, 1),
    ):
        b.add(name, count_borders(borders, unit, 2.0**-codes.frac), source)
    return b.add("code", Add(), "g_code", "t_code")


def add_features(b: Builder, net: Tagger) -> dict[str, str]:
    """Append what is read of the jet and of single words; return the names by feature."""
    found = {"mass": b.add("mass", net.mass, "jet_mass2"), "multiplicity": "multiplicity"}
    found["seed_pt"] = b.add("seed_pt", Select("j", (0,)), "t")
    for k in range(1, net.singles + 1):
        for kind, source in (("pt", "t"), ("angle", "g")):
            found[f"word{k}_{kind}"] = b.add(f"word{k}_{kind}", Select("j", (k,)), source)
    if net.axis:
        for kind in ("eta", "phi"):
            frontend.difference(b, f"daxis_{kind}", kind, f"jet_{kind}", f"{kind}_seed")
        frontend.difference_logs(b, "daxis_eta", "daxis_phi", net.angles, "axis")
        found["axis"] = "axis"
    return found


def front_graph(net: Tagger) -> Graph:
    """Return the graph from words to what is trained on: the code of every word, and the features."""
    b = Builder("front")
    code, found = add_codes(b, net), add_features(b, net)
    outputs = [b.add(f"{name}_out", Add(), source) for name, source in found.items()]
    return b.graph(code, *outputs).formatted()


def curve_table(curve: Curve, values: Values, out: Fixed) -> Table:
    """Return the table of a read-out whose values are known."""
    last = curve.first + curve.size - 1
    return frontend.tabled(
        lambda x: values[round(x / curve.lsb) - curve.first], curve.first, last, curve.lsb, out
    )


def add_read_outs(
    b: Builder, net: Tagger, prefix: str, out: Fixed, sources: Mapping[str, str], tables: Mapping[str, Values]
) -> list[str]:
    """Append one function of each feature; return the names."""
    return [
        b.add(f"{prefix}_{name}", curve_table(curve, tables[f"{prefix}_{name}"], out), sources[name])
        for name, curve in net.curves.items()
    ]


def build(net: Tagger, name: str, tables: Mapping[str, Values]) -> Graph:
    """Return the graph of a network whose tables are known: `score` (sums, codes), those of every feature by
    prefix and name, and h0, h1, .. of the hidden sums."""
    b = Builder(name)
    add_codes(b, net)
    sources = add_features(b, net)
    for a, values in enumerate(tables["score"]):
        score = frontend.tabled(lambda c, v=values: v[int(c)], 0, net.cells - 1, 1.0, net.score)
        b.add(f"score{a}", score, "code")
        sources[f"sum{a}"] = b.add(f"sum{a}", ParticleSum("j"), f"score{a}")
    terms = add_read_outs(b, net, "f", net.read, sources, tables)
    for k in range(net.hidden):
        parts = add_read_outs(b, net, f"h{k}", net.part, sources, tables)
        b.add(f"h{k}_sum", Add(), *parts)
        b.add(f"h{k}", Requantize((net.whole,)), f"h{k}_sum")
        terms.append(b.add(f"f_h{k}", curve_table(net.last, tables[f"h{k}"], net.read), f"h{k}"))
    b.add("logit", Add(), *terms)
    return b.graph("logit").formatted()
