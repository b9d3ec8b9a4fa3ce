"""Small networks for tests: the structure of the real ones with random tables."""

from __future__ import annotations

import numpy as np

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.ops.wrap import Wrap

CONE = (Fixed(10, 11, False), Fixed(8, 5, False), Fixed(9, 8), Fixed(9, 8))
JET = (Fixed(10, 11, False), Fixed(10, 7, False), Fixed(9, 8), Fixed(9, 8))
EDGE = Fixed(5, 3, True, Rounding.RND, Overflow.SAT)
READOUT = Fixed(8, 6, True, Rounding.RND, Overflow.SAT)
KNOTS = Tensor(np.arange(0.0, 17.0, 2.0))


def seeded(
    rng: np.random.Generator, particles: int = 4, levels: int = 1, rounding: tuple[Fixed, ...] = ()
) -> Graph:
    """A seeded Lorentz network with random tables; `rounding` rounds its vectors."""
    b = Builder("seeded")
    cone = LIGHT_CONE
    p = b.add("p", Input(Type(V, (Axis("j", particles),), cone, CONE)))
    jet = b.add("jet", Input(Type(V, (Axis("i", 1),), cone, JET)))
    valid = b.add("valid", Input(Type(S, (Axis("j", particles),), formats=(Fixed(1, 1, False),))))
    beams = b.add("beams", Spurion(Type(V, (Axis("i", 2),), cone), Tensor([[2.0, 2, 0, 2], [2, 2, 0, -2]])))
    b.add("tb", Gram(), beams, p)
    b.add("tl", Log2(2.0, 1, 64), "tb")
    t = b.add("t", ParticleSum("i"), "tl")
    nodes, scores, query = [jet], list[str](), b.add("seed", Select("j", (0,), "i"), p)
    for k in range(levels):
        query, score = _level(b, rng, k, (query, p, t, valid))
        if rounding:
            query = b.add(f"vq{k}", Requantize(rounding), query)
        nodes.append(query)
        scores.append(score)
    b.add("nodes", Concat("i"), *nodes)
    b.add("gram", Gram("i", "q"), "nodes")
    b.add("lg", Log2(1.0, 2, 128), "gram")
    pairs = b.type("lg").size("q")
    b.add("f", Table(KNOTS, _values(rng, pairs, 3.0), axis="q", out=READOUT), "lg")
    scores.append(b.add("fs", ParticleSum("q"), "f"))
    total = b.add("logit", Add(), *scores)
    return b.graph(total).formatted()


def two_outputs() -> Graph:
    """Three logits `score`, and the squared mass of two particles."""
    b = Builder("two")
    forms = (Fixed(9, 8, False), Fixed(9, 8), Fixed(9, 8), Fixed(9, 8))
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=forms)))
    g = b.add("g", Gram("j", "q"), p)
    r = b.add("r", Requantize((Fixed(8, 12, True, Rounding.RND, Overflow.SAT),)), g)
    score = b.add("score", Dense(Tensor([[0.25, -0.5, 1.0], [0.5, 0.25, -0.75], [-1.0, 0.5, 0.25]])), r)
    return b.graph(score, b.add("mass", ParticleSum("q"), g)).formatted()


def _level(b: Builder, rng: np.random.Generator, k: int, wires: tuple[str, ...]) -> tuple[str, str]:
    query, p, t, valid = wires
    b.add(f"d{k}", Gram(), query, p)
    b.add(f"dl{k}", Log2(0.25, 2, 64), f"d{k}")
    b.add(f"edge{k}", Table(KNOTS, _values(rng, 1, 3.0), out=EDGE), f"dl{k}")
    b.add(f"drop{k}", Table(KNOTS, _values(rng, 1, 3.0), out=EDGE), t)
    b.add(f"z{k}", Add(), f"edge{k}", f"drop{k}")
    shifts = Tensor([0.0, 0.25, 0.5, 1.0])
    b.add(f"w{k}", Table(activation=Activation.SIGMOID, out=Fixed(3, 1, False), levels=shifts), f"z{k}")
    b.add(f"s{k}", Table(activation=Activation.SIGMOID, out=Fixed(4, 0, False)), f"z{k}")
    b.add(f"sm{k}", Mask(), f"s{k}", valid)
    b.add(f"ss{k}", ParticleSum("j"), f"sm{k}")
    b.add(f"g{k}", Table(KNOTS, _values(rng, 1, 3.0), out=READOUT), f"ss{k}")
    vector = b.add(f"v{k}", PairSum("j"), f"w{k}", p)
    score = b.add(f"gs{k}", ParticleSum("i"), f"g{k}")
    return vector, score


def _values(rng: np.random.Generator, rows: int, scale: float) -> Tensor:
    return Tensor(rng.uniform(-scale, scale, (rows, len(KNOTS.array))))


def words_network(
    turn: int = 1440, pt: str = "S[j:4]:ufix<14,12>", phi: str = "", feature: bool = False
) -> Graph:
    """Reads words of the trigger: the sum over four of log2 pt, its root, and log2 of the distances to the jet in
    eta and to the first in phi, plus log2 pt of the first and the number of words. `phi` is another type of
    that port, which is then left aside."""
    b = Builder("words")
    b.add("pt", Input(Type.parse(pt)))
    b.add("eta", Input(Type.parse("S+eta[j:4]:fix<12,12>")))
    b.add("phi", Input(Type.parse(phi or f"S+phi%{turn}[j:4]:fix<11,11>")))
    b.add("jet_eta", Input(Type.parse("S+eta[]:fix<12,12>")))
    b.add("multiplicity", Input(Type.parse("S[]:ufix<7,7>")))
    b.add("d", Add((1,)), "eta", "jet_eta")
    b.add("ld", Log2(1.0, 2, 64, magnitude=True), "d")
    b.add("t", Log2(1.0, 2, 48), "pt")
    first = b.add("t0", Select("j", (0,), "i"), "t")
    curve = Tensor(np.sqrt(KNOTS.array)[None])
    terms = [
        "t",
        "ld",
        b.add("u", Table(KNOTS, curve, out=Fixed(8, 4, True, Rounding.RND, Overflow.SAT)), "t"),
    ]
    if not phi:
        b.add("phi0", Select("j", (0,)), "phi")
        b.add("turned", Add((1,)), "phi", "phi0")
        b.add("dphi", Wrap(turn, 16, Fixed(9, 9)), "turned")
        terms.append(b.add("lphi", Log2(1.0, 2, 40, magnitude=True), "dphi"))
    if feature:
        terms.append(b.add("charge", Input(Type.parse("S[j:4]:ufix<1,1>"))))
    b.add("terms", Add(), *terms)
    b.add("sum", ParticleSum("j"), "terms")
    b.add("seed", ParticleSum("i"), first)
    return b.graph(b.add("score", Add(), "sum", "seed", "multiplicity")).formatted()
