"""Two classes from trigger words: what a tagger computes, as a graph and as a function that can be trained.

Each word has one code, of a few bits of its angle to the seed and a few of its pt: the address of all tables

    S_a = sum over words of s_a[code]                            with scores s_a of a few bits
    M   = sum over words of w[code] (pt, pt d^2, pt d_phi, pt d_eta)   with weights w of one bit
    vv  = M_0 M_2 - M_phi^2 - M_eta^2                            the squared mass of what w chooses, nearly
    logit = sum over features x of f_x[x]

The features are the sums S_a, codes of the jet and of the seed, and logarithms of vv, M_0 and M_2. Since a sum over
words of a table is a product of a histogram of codes with the table, training needs no loop over words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import frontend
import jax
import jax.numpy as jnp
import numpy as np
from frontend import Codes
from numpy.typing import NDArray
from training import Array, Curve, Curves, Weights, bounded, fixed, log_code, logistic_loss, straight

from eqhls.engines import Ints
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.registry import parse_path
from eqhls.ir.graph import Builder, Graph
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.table import Table

MOMENTS = ("p0", "p2", "py", "pz")


@dataclass(frozen=True)
class Vector:
    """How the moments of the words that a weight of one bit chooses are held: formats of pt d (without its sign),
    of pt d^2 and of pt, in GeV and units of 256 steps."""

    across: Fixed = Fixed(8, 9, False, Rounding.RND, Overflow.SAT)
    second: Fixed = Fixed(9, 6, False, Rounding.RND, Overflow.SAT)
    whole: Fixed = Fixed(10, 10, False, Rounding.TRN, Overflow.SAT)
    mass: Log2 = Log2(4.0, 3, 144, 7, 4)
    pt: Log2 = Log2(16.0, 3, 64, 7, 4)
    width: Log2 = Log2(2.0**-2, 2, 48)


@dataclass(frozen=True)
class Tagger:
    """The settings of a network. Codes count the borders that a logarithm has reached."""

    words: int
    angles: Codes = Codes()
    pts: Codes = Codes()
    angle_borders: tuple[float, ...] = tuple(np.arange(1.25, 8.5, 0.5).tolist())
    pt_borders: tuple[float, ...] = tuple(np.arange(0.25, 7.5, 0.5).tolist())
    sums: int = 4
    score: Fixed = Fixed(4, 4, False)
    mass: Log2 = Log2(256.0, 3, 81, 7, 4)
    axis: bool = True
    vector: Vector | None = None
    read: Fixed = Fixed(8, 5, True, Rounding.RND, Overflow.SAT)
    hidden: int = 0
    part: Fixed = Fixed(7, 4, True, Rounding.RND, Overflow.SAT)
    whole: Fixed = Fixed(7, 5, True, Rounding.RND, Overflow.SAT)
    singles: int = 0

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
        top = self.score.hi * self.words
        spread = np.r_[0:0.25:0.025, 0.25:1.01:0.125] * top
        found = {f"sum{a}": _curve(top + 1, 1.0, spread) for a in range(self.sums)}
        found["mass"] = _log_curve(self.mass, np.r_[0:4.5:0.5, 4.5:8:0.125, 8:10.5:0.5])
        found["multiplicity"] = _curve(128, 1.0, np.arange(0, 128, 6))
        found["seed_pt"] = _log_curve(self.pts.log(frontend.PT_OCTAVES), np.r_[0:4, 4:10.1:0.5])
        if self.axis:
            found["axis"] = _log_curve(self.angles.log(frontend.ANGLE_OCTAVES + 0.5), np.r_[0:9:0.5])
        if self.singles:
            for k in range(1, self.singles + 1):
                found[f"word{k}_pt"] = found["seed_pt"]
                found[f"word{k}_angle"] = _log_curve(self.angles.log(frontend.ANGLE_OCTAVES + 0.5), np.r_[0:9:0.5])
        if self.vector is not None:
            found["vector_mass"] = _log_curve(self.vector.mass, np.r_[0:18:0.5])
            found["vector_pt"] = _log_curve(self.vector.pt, np.r_[0:8:0.5])
            found["vector_width"] = _log_curve(self.vector.width, np.r_[0:12:0.5])
        return found

    @property
    def last(self) -> Curve:
        """What becomes of a hidden sum."""
        f = self.whole
        return Curve(f.hi - f.lo + 1, f.lsb, tuple(np.linspace(f.lo * f.lsb, f.hi * f.lsb, 17).tolist()), f.lo)


def _curve(size: int, lsb: float, knots: NDArray[Any]) -> Curve:
    last = (size - 1) * lsb
    inside = [float(k) for k in knots if 0 < k < last]
    return Curve(size, lsb, (0.0, *inside, last))


def _log_curve(op: Log2, knots: NDArray[Any]) -> Curve:
    return _curve(op.codes, 2.0**-op.frac, knots)


# ---- the graph -------------------------------------------------------------------------------------------------


def reach(borders: tuple[float, ...], place: int) -> Callable[[float], float]:
    """Return the code of a logarithm, in units of `place`."""
    return lambda x: float(sum(x >= b for b in borders) * place)


def word_codes(b: Builder, net: Tagger) -> str:
    """Append the front end and the code of every word; return its name."""
    jet = ("jet_mass2", "multiplicity", *(("jet_eta", "jet_phi") if net.axis else ()))
    frontend.add_words(b, net.words, *jet)
    frontend.to_seed(b)
    frontend.difference_logs(b, "deta", "dphi", net.angles)
    frontend.pt_log(b, net.pts)
    place = 1 << net.pt_bits
    for name, source, codes, octaves, borders, unit in (
        ("g_code", "g", net.angles, frontend.ANGLE_OCTAVES + 1, net.angle_borders, place),
        ("t_code", "t", net.pts, frontend.PT_OCTAVES, net.pt_borders, 1),
    ):
        last = int(octaves * 2**codes.frac)
        form = Fixed.covering(0, len(borders) * unit, 0)
        table = frontend.tabled(reach(borders, unit), 0, last, 2.0**-codes.frac, form)
        b.add(name, table, source)
    return b.add("code", Add(), "g_code", "t_code")


def jet_codes(b: Builder, net: Tagger) -> dict[str, str]:
    """Append what is read of the jet and of the seed; return the names by feature."""
    found = {"mass": b.add("mass", net.mass, "jet_mass2"), "multiplicity": "multiplicity"}
    found["seed_pt"] = b.add("seed_pt", Select("j", (0,)), "t")
    for k in range(1, net.singles + 1):
        found[f"word{k}_pt"] = b.add(f"word{k}_pt", Select("j", (k,)), "t")
        found[f"word{k}_angle"] = b.add(f"word{k}_angle", Select("j", (k,)), "g")
    if net.axis:
        for kind in ("eta", "phi"):
            frontend.difference(b, f"daxis_{kind}", kind, f"jet_{kind}", f"{kind}_seed")
        found["axis"] = frontend.difference_logs(b, "daxis_eta", "daxis_phi", net.angles, "axis")[2]
    return found


def vector_terms(b: Builder, net: Tagger) -> tuple[str, ...]:
    assert net.vector is not None
    return frontend.moments(b, net.angles, net.vector.across, net.vector.second, net.vector.whole)


def front_graph(net: Tagger) -> Graph:
    """Return the graph from words to what is trained on."""
    b = Builder("front")
    outputs = [word_codes(b, net), *jet_codes(b, net).values()]
    outputs = [b.add(f"{n}_out", Add(), n) if n == "multiplicity" else n for n in outputs]
    if net.vector is not None:
        outputs += vector_terms(b, net)
    return b.graph(*outputs).formatted()


def vector_graph(b: Builder, net: Tagger, weights: NDArray[Any]) -> dict[str, str]:
    """Append the moments of the chosen words and what is read of them."""
    assert net.vector is not None
    flag = frontend.tabled(lambda c: weights[int(c)], 0, len(weights) - 1, 1.0, Fixed(1, 1, False))
    b.add("weight", flag, "code")
    for name in vector_terms(b, net):
        b.add(f"{name}_chosen", Mask(), name, "weight")
        b.add(f"{name}_sum", ParticleSum("j"), f"{name}_chosen")
    path = parse_path("S*S->S")
    for name, x, y in (("mm", "p0", "p2"), ("yy", "py", "py"), ("zz", "pz", "pz")):
        b.add(name, CgProduct(path), f"{x}_sum", f"{y}_sum")
    b.add("vv", Add((1, 2)), "mm", "yy", "zz")
    logs = {"mass": (net.vector.mass, "vv"), "pt": (net.vector.pt, "p0_sum"), "width": (net.vector.width, "p2_sum")}
    return {f"vector_{k}": b.add(f"vector_{k}", op, source) for k, (op, source) in logs.items()}


def build(net: Tagger, name: str, tables: dict[str, NDArray[Any]]) -> Graph:
    """Return the graph of a network whose tables are known: scores, weights, and read-outs by feature."""
    b = Builder(name)
    word_codes(b, net)
    sources = jet_codes(b, net)
    if net.vector is not None:
        sources |= vector_graph(b, net, tables["weight"])
    for a, values in enumerate(tables["scores"]):
        score = frontend.tabled(lambda c, v=values: v[int(c)], 0, len(values) - 1, 1.0, net.score)
        b.add(f"score{a}", score, "code")
        sources[f"sum{a}"] = b.add(f"sum{a}", ParticleSum("j"), f"score{a}")
    terms = read_outs(b, net, "f", net.read, sources, tables)
    for k in range(net.hidden):
        parts = read_outs(b, net, f"h{k}", net.part, sources, tables)
        b.add(f"h{k}_sum", Add(), *parts)
        b.add(f"h{k}", Requantize((net.whole,)), f"h{k}_sum")
        terms.append(b.add(f"f_h{k}", curve_table(net.last, tables[f"h{k}"], net.read), f"h{k}"))
    b.add("logit", Add(), *terms)
    return b.graph("logit").formatted()


def curve_table(curve: Curve, values: NDArray[Any], out: Fixed) -> Table:
    """Return the table of a read-out whose values are known."""
    last = curve.first + curve.size - 1
    return frontend.tabled(lambda x: values[round(x / curve.lsb) - curve.first], curve.first, last, curve.lsb, out)


def read_outs(
    b: Builder, net: Tagger, prefix: str, out: Fixed, sources: dict[str, str], tables: dict[str, NDArray[Any]]
) -> list[str]:
    """Append one function of each feature; return the names."""
    return [
        b.add(f"{prefix}_{name}", curve_table(curve, tables[f"{prefix}_{name}"], out), sources[name])
        for name, curve in net.curves.items()
    ]


# ---- the same as a function of weights ---------------------------------------------------------------------------


def training_data(net: Tagger, graph: Graph, raw: dict[str, Ints]) -> dict[str, NDArray[Any]]:
    """Return the features, and histograms of codes and of moments over codes, of events: from the integers of
    `front_graph`."""
    values = graph.evaluate(raw)
    events = len(raw["pt"])
    code = values["code"].reshape(events, net.words)
    data = {"count": histogram(code, np.ones_like(code), net.cells)}
    for name in MOMENTS if net.vector is not None else ():
        data[name] = histogram(code, values[name].reshape(events, net.words), net.cells)
    for name in net.curves:
        source = "multiplicity_out" if name == "multiplicity" else name
        if source in values:
            lsb = graph.node(source).type.formats[0].lsb
            data[f"x_{name}"] = (values[source].reshape(events) * lsb).astype(np.float32)
    return data


def histogram(code: Ints, values: Ints, cells: int) -> NDArray[Any]:
    """Return the sums of values (events, words) over the words of each code, (events, cells)."""
    events, words = code.shape
    at = (np.arange(events)[:, None] * cells + code).ravel()
    return np.bincount(at, values.ravel(), events * cells).reshape(events, cells).astype(np.float32)


class Model:
    """The network as a function of its weights."""

    def __init__(self, net: Tagger) -> None:
        self.net = net
        self.curves = Curves(tuple(net.curves.values()) * (1 + net.hidden))
        self.last = Curves((net.last,) * net.hidden) if net.hidden else None
        self.shape = (len(net.angle_borders) + 1, 1 << net.pt_bits)
        self.tables = net.sums + (net.vector is not None)

    def start(self, seed: int) -> Weights:
        """Return first weights: scores that rise or fall smoothly with both codes."""
        rng = np.random.default_rng(seed)
        slope = [np.arange(n) / n - 0.5 for n in self.shape]
        size = (self.tables, 1, 1)
        z = rng.normal(0, 3, size) * slope[0][:, None] + rng.normal(0, 3, size) * slope[1]
        weights = {
            "cell": z + rng.normal(0, 0.1, (self.tables, *self.shape)),
            "angle": rng.normal(0, 0.3, (self.tables, self.shape[0], 1)),
            "pt": rng.normal(0, 0.3, (self.tables, 1, self.shape[1])),
            "bent": self.curves.start(rng, 0.2),
        }
        if self.last is not None:
            weights["last"] = self.last.start(rng, 0.2)
        return {k: jnp.asarray(v, jnp.float32) for k, v in weights.items()}

    def cells(self, w: Weights, rounded: bool) -> Array:
        """Return the scores and the weight by code, (tables, cells); an empty slot counts for nothing."""
        z = w["cell"] + w["angle"] + w["pt"]
        share = jax.nn.sigmoid(z).at[:, :, 0].set(0.0).reshape(self.tables, -1)
        sums = self.net.sums
        top = self.net.score.hi
        score = top * share[:sums]
        if rounded:
            score = straight(score, jnp.floor(score + 0.5))
        weight = straight(share[sums:], (share[sums:] > 0.5) * 1.0) if rounded else share[sums:]
        return jnp.concatenate([score, weight])

    def features(self, w: Weights, data: dict[str, Array], rounded: bool) -> Array:
        """Return the features (events, curves)."""
        net, cells = self.net, self.cells(w, rounded)
        sums = data["count"] @ cells[: net.sums].T
        found = {f"sum{a}": sums[:, a] for a in range(net.sums)}
        if net.vector is not None:
            v = net.vector
            lsb = (v.whole.lsb, v.second.lsb, v.across.lsb, v.across.lsb)
            m0, m2, my, mz = (data[k] @ cells[-1] * u for k, u in zip(MOMENTS, lsb, strict=True))
            vv, point = m0 * m2 - my**2 - mz**2, max(v.second.frac + v.whole.frac, 2 * v.across.frac)
            found["vector_mass"] = log_code(v.mass, vv, point)
            found["vector_pt"] = log_code(v.pt, m0, v.whole.frac)
            found["vector_width"] = log_code(v.width, m2, v.second.frac)
        return jnp.stack([found[k] if k in found else data[f"x_{k}"] for k in net.curves], -1)

    def logit(self, w: Weights, data: dict[str, Array], rounded: bool) -> Array:
        net, x = self.net, self.features(w, data, rounded)
        count = x.shape[1]
        x = jnp.tile(x, (1, 1 + net.hidden))
        direct = self.curves(w["bent"], x, net.read, rounded)[:, :count].sum(-1)
        if self.last is None:
            return direct
        parts = self.curves(w["bent"], x, net.part, rounded)[:, count:]
        hidden = parts.reshape(len(x), net.hidden, count).sum(-1)
        hidden = (fixed if rounded else bounded)(hidden, net.whole)
        return direct + self.last(w["last"], hidden, net.read, rounded).sum(-1)

    def loss(self, w: Weights, data: dict[str, Array], rounded: bool) -> Array:
        return logistic_loss(self.logit(w, data, rounded), data["label"])

    def tables_of(self, w: Weights) -> dict[str, NDArray[Any]]:
        """Return what `build` reads."""
        net, cells = self.net, np.asarray(self.cells(w, True))
        found: dict[str, Any] = {"scores": cells[: net.sums], "weight": cells[-1]}
        names = [(p, k, c) for p in ("f", *map("h{}".format, range(net.hidden))) for k, c in net.curves.items()]
        for row, (prefix, name, curve) in enumerate(names):
            form = net.read if prefix == "f" else net.part
            found[f"{prefix}_{name}"] = np.asarray(self.curves.tables(w["bent"], form))[row, : curve.size]
        if self.last is not None:
            for k, values in enumerate(np.asarray(self.last.tables(w["last"], net.read))):
                found[f"h{k}"] = values
        return found
