"""Five classes (q, g, W, Z, t) from trigger words: what the network computes, and how its graph is built.

The seed is the hardest word. Each word is known by logarithms, t of its pt and g of its angle to the seed,
and by its moments about the seed: pt, pt d^2, pt d_phi, pt d_eta. Gates share the words out to two subjets,
whose moments give a squared mass (vv), a mass with the seed (sv, without a product) and a pt (pv) each. These
numbers, mass and multiplicity of the jet, the seed's pt and the angle of the jet's axis to it are features x:

    w_v = level(E_v[g] + U_v[t])     for each word and subjet v: 0, 1/4, 1/2 or 1
    h_k = sum over x of F_xk[x]      hidden sums
    l_c = sum over k of H_kc[h_k]    five logits
    log2 p_c = l_c - log2 sum over c of 2^l_c      if every port is to be cut on

Every bracket is a table of a trained piecewise linear function. `models/words/five_model.py` trains the same
network on the integers of this front end, with the same roundings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from frontend import Codes, difference, difference_logs, front_end, moments

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.registry import parse_path
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.concat import Concat
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.mask import Mask
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

CLASSES = ("q", "g", "W", "Z", "t")
PRODUCT = parse_path("S*S->S")

WHOLE = Fixed(10, 10, False, Rounding.TRN, Overflow.SAT)
SECOND = Fixed(9, 4, False, Rounding.RND, Overflow.SAT)
ACROSS = Fixed(10, 8, False, Rounding.RND, Overflow.SAT)
WHOLE_SUM = Fixed(11, 12, False, Rounding.RND, Overflow.SAT)
SECOND_SUM = Fixed(12, 7, False, Rounding.RND, Overflow.SAT)
ACROSS_SUM = Fixed(12, 10, True, Rounding.RND, Overflow.SAT)
EDGE = Fixed(5, 3, True, Rounding.RND, Overflow.SAT)
DROP = Fixed(6, 4, True, Rounding.RND, Overflow.SAT)
READ = Fixed(6, 3, True, Rounding.RND, Overflow.SAT)
SUMS = Fixed(7, 4, True, Rounding.RND, Overflow.SAT)
OUT = Fixed(8, 5, True, Rounding.RND, Overflow.SAT)
LOGIT = Fixed(8, 5, True, Rounding.RND, Overflow.SAT)
"""Formats: of the moments of a word and of their sums, of the two tables of a gate, of what enters the hidden
sums, of these, of what they give to a class, and of the logits from which probabilities are made."""

EDGE_KNOTS = (0.0, 1.5, 2.5, 3.5, 4.5, 5.25, 6.0, 7.0, 8.0)
DROP_KNOTS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0)
HIDDEN_KNOTS = (-7.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0)


def _grid(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(np.arange(first, last + step / 2, step).tolist())


@dataclass(frozen=True)
class Feature:
    """A number per event that enters the hidden sums: its codes are multiples of `step` from 0 to `top`."""

    name: str
    step: float
    top: float
    knots: tuple[float, ...]


@dataclass(frozen=True)
class Five:
    """Sizes and formats of the network."""

    slots: int = 20
    subjets: int = 2
    hidden: int = 8
    levels: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    gate_frac: int = 2
    moment_frac: int = 3
    whole: Fixed = WHOLE
    second: Fixed = SECOND
    across: Fixed = ACROSS
    whole_sum: Fixed = WHOLE_SUM
    second_sum: Fixed = SECOND_SUM
    across_sum: Fixed = ACROSS_SUM
    edge: Fixed = EDGE
    drop: Fixed = DROP
    read: Fixed = READ
    sums: Fixed = SUMS
    out: Fixed = OUT
    ports: bool = False

    @property
    def gate(self) -> Table:
        """The nearest of the levels to the sigmoid of a score."""
        frac = max(int(-np.log2(self.levels[1])), 0)
        form = Fixed(frac + 1, 1, False)
        return Table(activation=Activation.SIGMOID, out=form, levels=Tensor(self.levels))

    @property
    def logs(self) -> dict[str, Log2]:
        """The logarithms of what is known of a subjet. Floors put W and Z where a window has narrow cells."""
        return {"vv": Log2(2.0, 3, 128), "sv": Log2(2.0**-5, 3, 96), "pv": Log2(8.0, 3, 64)}

    @property
    def sums_of(self) -> dict[str, Fixed]:
        """The formats of the moments of a subjet."""
        return {"p0": self.whole_sum, "p2": self.second_sum, "py": self.across_sum, "pz": self.across_sum}

    @property
    def mass(self) -> Log2:
        return Log2(64.0, 4, 192)

    @property
    def features(self) -> tuple[Feature, ...]:
        """Every feature in the order of the terms."""
        step = 2.0**-self.gate_frac
        vv = (0.0, 2.0, 4.0, *_grid(5.0, 9.5, 0.5), *_grid(9.75, 14.25, 0.25), 15.0, 16.0)
        each = (("vv", vv), ("sv", _grid(0.0, 12.0, 0.5)), ("pv", (0.0, 2.0, *_grid(3.0, 8.0, 0.25))))
        mass = (
            0.0,
            2.0,
            3.0,
            *_grid(4.0, 6.0, 0.5),
            *_grid(6.125, 8.5, 0.125),
            *_grid(8.75, 9.5, 0.25),
            10.0,
            12.0,
        )
        return (
            *(Feature(f"{n}{v}", 0.125, self.logs[n].top, k) for v in range(self.subjets) for n, k in each),
            Feature("mass", 1 / 16, self.mass.top, mass),
            Feature("multiplicity", 1.0, 127.0, (0.0, 16, 24, 32, 40, 48, 56, 64, 80, 96, 127)),
            Feature("seed_pt", step, 12.0, (0.0, 3, 4, 5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 10, 12)),
            Feature("axis", step, 8.5, (0.0, 1, 2, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8.5)),
        )


FRONT = ("t_gate", "g_gate", "p0", "p2", "py", "pz", "mass", "multiplicity", "seed_pt", "axis")
"""What the trained part reads of the front end, by name."""


def words_to_codes(b: Builder, net: Five) -> None:
    """Add everything from the words to FRONT; nothing in it is trained."""
    fine, coarse = Codes(net.moment_frac, net.moment_frac + 4), Codes(net.gate_frac, net.gate_frac + 4)
    front_end(b, net.slots, fine, "jet_eta", "jet_phi", "jet_mass2", "multiplicity")
    moments(b, fine, net.across, net.second, net.whole)
    form = Fixed(4 + net.gate_frac, 4, False, Rounding.RND, Overflow.SAT)
    for name in ("t", "g"):
        b.add(f"{name}_gate", Requantize((form,)), name)
    b.add("mass", net.mass, "jet_mass2")
    b.add("seed_pt", Select("j", (0,)), "t_gate")
    for kind in ("eta", "phi"):
        difference(b, f"daxis_{kind}", kind, f"jet_{kind}", f"{kind}_seed")
    difference_logs(b, "daxis_eta", "daxis_phi", coarse, "axis")


def front_graph(net: Five) -> Graph:
    """Return the front end alone; its outputs are FRONT."""
    b = Builder("front")
    words_to_codes(b, net)
    for name in FRONT:
        if b.find(name).op.source:
            b.add(f"{name}_word", Add(), name)
    return b.graph(*(f"{n}_word" if b.find(n).op.source else n for n in FRONT)).formatted()


Values = Mapping[str, np.ndarray]
"""Trained functions: the values at the knots, (functions, knots), of `edge` and `drop` of the subjets, of
each feature by its name, (hidden, knots), and of `out`, (hidden, classes, knots)."""


def table(
    knots: tuple[float, ...], values: np.ndarray, grid: np.ndarray, form: Fixed, axis: str = ""
) -> Table:
    """Return the table of functions on all its addresses, already rounded."""
    y = np.stack([np.interp(grid, knots, row) for row in np.atleast_2d(values)])
    raw = np.clip(np.floor(y / form.lsb + 0.5), form.lo, form.hi)
    return Table(Tensor(grid), Tensor(raw * form.lsb), axis=axis, out=form)


def drop_values(knots: tuple[float, ...], values: np.ndarray, grid: np.ndarray, form: Fixed) -> Table:
    """Return the table of log pt: an empty slot, code 0, belongs to no subjet whatever its angle."""
    made = table(knots, values, grid, form)
    entries = made.values.array.copy()
    entries[:, 0] = form.lo * form.lsb
    return Table(made.knots, Tensor(entries), out=form)


def subjet(b: Builder, net: Five, v: int, values: Values) -> None:
    """Add the gate of a subjet, its moments and the codes of what they give."""
    codes = np.arange(1 << (4 + net.gate_frac)) * 2.0**-net.gate_frac
    b.add(f"edge{v}", table(EDGE_KNOTS, values["edge"][v], codes, net.edge), "g_gate")
    b.add(f"drop{v}", drop_values(DROP_KNOTS, values["drop"][v], codes, net.drop), "t_gate")
    b.add(f"z{v}", Add(), f"edge{v}", f"drop{v}")
    b.add(f"in{v}", net.gate, f"z{v}")
    for name, form in net.sums_of.items():
        share = Mask() if len(net.levels) == 2 else CgProduct(PRODUCT)
        b.add(f"{name}_in{v}", share, name, f"in{v}")
        b.add(f"{name}_sum{v}", ParticleSum("j"), f"{name}_in{v}")
        b.add(f"{name}_{v}", Requantize((form,)), f"{name}_sum{v}")
    factors = (("p0", "p2"), ("py", "py"), ("pz", "pz"))
    terms = [b.add(f"{x}{y}_{v}", CgProduct(PRODUCT), f"{x}_{v}", f"{y}_{v}") for x, y in factors]
    b.add(f"mass2_{v}", Add((1, 2)), *terms)
    for name, source in (("vv", f"mass2_{v}"), ("sv", f"p2_{v}"), ("pv", f"p0_{v}")):
        b.add(f"{name}{v}", net.logs[name], source)


def read_out(b: Builder, net: Five, values: Values) -> str:
    """Add the hidden sums and the logits; return the name of the logits."""
    b.add("no_h", Spurion(Type.parse(f"S[h:{net.hidden}]"), Tensor(np.zeros((net.hidden, 1)))))
    b.add("no_c", Spurion(Type.parse("S[c:1]"), Tensor(np.zeros((1, 1)))))
    terms: list[str] = []
    for f in net.features:
        grid = np.arange(round(f.top / f.step) + 1) * f.step
        b.add(f"{f.name}_h", Add(), f.name, "no_h")
        terms.append(
            b.add(f"of_{f.name}", table(f.knots, values[f.name], grid, net.read, "h"), f"{f.name}_h")
        )
    b.add("hidden_sum", Add(), *terms)
    b.add("hidden", Requantize((net.sums,)), "hidden_sum")
    grid = np.arange(net.sums.lo, net.sums.hi + 1) * net.sums.lsb
    for c, name in enumerate(CLASSES):
        b.add(f"to_{name}", table(HIDDEN_KNOTS, values["out"][:, c], grid, net.out, "h"), "hidden")
        b.add(f"logit_{name}", ParticleSum("h"), f"to_{name}")
    found = probabilities(b) if net.ports else [f"logit_{name}" for name in CLASSES]
    return b.add("logits", Concat("c"), *(b.add(f"{k}_c", Add(), k, "no_c") for k in found))


def probabilities(b: Builder) -> list[str]:
    """Add log2 of the probability of every class: the logarithm of a sum is one of pairs of logarithms."""
    logits = [b.add(f"in_{name}", Requantize((LOGIT,)), f"logit_{name}") for name in CLASSES]
    rest, add = logits, LogAdd(1, LOGIT.frac)
    while len(rest) > 1:
        pairs = [rest[k : k + 2] for k in range(0, len(rest), 2)]
        rest = [b.add(f"sum_{'_'.join(p)}", add, *p) if len(p) == 2 else p[0] for p in pairs]
    return [b.add(f"log_p_{name}", Add((1,)), k, rest[0]) for name, k in zip(CLASSES, logits, strict=True)]


def build(net: Five, values: Values, name: str) -> Graph:
    """Return the graph from words to logits."""
    b = Builder(name)
    words_to_codes(b, net)
    for v in range(net.subjets):
        subjet(b, net, v, values)
    return b.graph(read_out(b, net, values)).formatted()


def random_values(net: Five, seed: int) -> dict[str, np.ndarray]:
    """Return functions of no meaning, to count what a network costs."""
    rng = np.random.default_rng(seed)
    made = {f.name: rng.normal(size=(net.hidden, len(f.knots))) * 2 for f in net.features}
    made["edge"] = rng.normal(size=(net.subjets, len(EDGE_KNOTS))) * 2
    made["drop"] = rng.normal(size=(net.subjets, len(DROP_KNOTS))) * 4
    made["out"] = rng.normal(size=(net.hidden, len(CLASSES), len(HIDDEN_KNOTS))) * 4
    return made
