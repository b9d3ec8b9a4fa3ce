"""Random legal float networks with names that the compiler would invent itself.

`random_graph` draws single ops and the motifs that rewrites look for; `random_feeds` draws events for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.coupling import Path
from eqhls.groups.lorentz.basis import CARTESIAN, LIGHT_CONE
from eqhls.groups.lorentz.cg import PATHS
from eqhls.groups.lorentz.reps import F, V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Op, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

PARTICLES, CHANNELS = 3, 2
MOST_ELEMENTS, MOST_DEGREE = 160, 4
"""How large a value may be, and how high a power of the momenta it may hold, so that no word outgrows 63 bits."""
STEMS = ("a", "n", "x", "y")
SUFFIXES = (
    "q", "q1", "code", "address", "inner", "inner1", "0", "0.a", "0.b", "1", "a", "b", "bs", "r", "here", "there",
    "bias", "masked", "function", "positive", "factor", "scaled", "unscaled", "whole", "merged", "merged1",
)  # fmt: skip
"""The names that rewrites and quantization give to values of their own."""
BENT = (Activation.NONE, Activation.RELU, Activation.LEAKY_RELU, Activation.TANH, Activation.SIGMOID,
        Activation.SLOG, Activation.SOFTSIGN)  # fmt: skip
S_S, S_V = parse_path("S*S->S"), parse_path("S*V->V")


class Grower:
    """A network that grows by one random op or motif at a time."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.b = rng, Builder("random")
        self.degrees: dict[str, int] = {}
        self.basis = CARTESIAN if rng.random() < 0.6 else LIGHT_CONE

    def name(self) -> str:
        """Return a name that is free, mostly one that a compiler would give to a part of another value."""
        while True:
            known = list(self.b.nodes) or list(STEMS)
            stem = str(self.rng.choice(known if self.rng.random() < 0.6 else STEMS))
            name = f"{stem}.{self.rng.choice(SUFFIXES)}" if self.rng.random() < 0.75 else stem
            if not self.b.has(name) and name.count(".") < 5:
                return name
            if self.rng.random() < 0.05:
                return self.b.fresh(stem)

    def add(self, op: Op, *inputs: str) -> str:
        """Append an op. Raises CompileError where it would be illegal or too large."""
        degree = [self.degrees[n] for n in inputs]
        match op:
            case Input():
                power = 1
            case Gram() | CgSquare() | Invariants() if len(inputs) == 1:
                power = 2 * degree[0]
            case Gram() | CgProduct() | PairSum():
                power = sum(degree)
            case Table() | Radial() | Log2():
                power = 0
            case _:
                power = max(degree, default=0)
        found = op.infer(*(self.b.type(n) for n in inputs))
        if found.elements > MOST_ELEMENTS or power > MOST_DEGREE:
            raise CompileError("random graph", "would be too large")
        name = self.b.add(self.name(), op, *inputs)
        self.degrees[name] = power
        return name

    def pick(self, wanted: Callable[[Type], bool]) -> str:
        """Return a random value of a type. Raises CompileError where there is none."""
        names = [n for n in self.b.nodes if wanted(self.b.type(n))]
        if not names:
            raise CompileError("random graph", "has no such value yet")
        return str(self.rng.choice(names[-8:]))

    def scalar(self) -> str:
        return self.pick(lambda t: t.rep is S)

    def vector(self, *axes: str) -> str:
        return self.pick(lambda t: t.rep is V and tuple(a.name for a in t.axes) == axes)

    def weights(self, *shape: int) -> Tensor:
        """Return weights, some of them zero, dyadic or equal."""
        values = self.rng.normal(size=shape)
        if self.rng.random() < 0.3:
            values = np.rint(values * 4) / 4
        return Tensor(values * (self.rng.random(shape) < 0.9))

    def axis(self, name: str) -> Axis:
        axes = self.b.type(name).axes
        if not axes:
            raise CompileError("random graph", "has no axis there")
        return axes[int(self.rng.integers(len(axes)))]


def _start(g: Grower) -> None:
    """Momenta, and sometimes flags, features and constants."""
    j, c = Axis("j", PARTICLES), Axis("c", CHANNELS)
    g.add(Input(Type(V, (j,), g.basis)))
    if g.rng.random() < 0.5:
        g.add(Input(Type(S, (j,), formats=(Fixed(1, 1, False),))))
    if g.rng.random() < 0.5:
        g.add(Input(Type(S, (j, c) if g.rng.random() < 0.5 else (c,))))
    if g.rng.random() < 0.3:
        g.add(Input(Type(V, (j, c), g.basis)))


def _constant(g: Grower) -> None:
    kind = [Type(S), Type(S, (Axis("c", CHANNELS),)), Type(V, (Axis("j", PARTICLES),), g.basis)]
    kind = kind[int(g.rng.integers(len(kind)))]
    values = g.weights(*kind.shape) if g.rng.random() < 0.7 else Tensor(np.ones(kind.shape))
    g.add(Spurion(kind, values))


def _linear(g: Grower) -> None:
    x = g.pick(lambda t: bool(t.axes))
    axis, type = g.axis(x), g.b.type(x)
    bias = g.weights(3) if type.rep is S and g.rng.random() < 0.5 else None
    dual = g.weights(3, axis.size) if type.rep is F and g.rng.random() < 0.5 else None
    g.add(ChannelMix(g.weights(3, axis.size), bias, dual, axis.name), x)


def _dense(g: Grower) -> None:
    x = g.scalar()
    g.add(Dense(g.weights(CHANNELS, g.b.type(x).elements), g.weights(CHANNELS)), x)


def _structure(g: Grower) -> None:
    x = g.pick(lambda t: bool(t.axes))
    axis = g.axis(x)
    match int(g.rng.integers(5)):
        case 0:
            g.add(ParticleSum(axis.name), x)
        case 1:
            g.add(Rename(axis.name, str(g.rng.choice(["i", "k", "j", "p"]))), x)
        case 2:
            indices = tuple(int(k) for k in g.rng.integers(0, axis.size, int(g.rng.integers(1, 4))))
            g.add(Select(axis.name, indices, axis.name if g.rng.random() < 0.7 else "k"), x)
        case 3:
            g.add(Select(axis.name, (int(g.rng.integers(axis.size)),)), x)
        case _:
            like = g.b.type(x)
            g.add(Concat(axis.name), x, g.pick(lambda t: t == like), x)


def _sum(g: Grower) -> None:
    x = g.pick(lambda t: True)
    type = g.b.type(x)
    others = [g.pick(lambda t: (t.rep, t.basis) == (type.rep, type.basis)) for _ in range(g.rng.integers(3))]
    terms = [x, *others]
    g.add(Add(tuple(k for k in range(len(terms)) if g.rng.random() < 0.3)), *terms)


def _product(g: Grower) -> None:
    path: Path = PATHS[int(g.rng.integers(len(PATHS)))]
    path = path.swapped if g.rng.random() < 0.3 else path
    left, right = (g.pick(lambda t, rep=rep: t.rep is rep) for rep in (path.left, path.right))
    g.add(CgProduct(path), left, right)


def _square(g: Grower) -> None:
    x = g.pick(lambda t: t.rep is not S)
    rep = g.b.type(x).rep
    paths = [p for p in PATHS if p.left is p.right is rep]
    g.add(CgSquare(paths[int(g.rng.integers(len(paths)))]), x)


def _invariants(g: Grower) -> None:
    if g.rng.random() < 0.4:
        g.add(Invariants(), g.pick(lambda t: True))
    elif g.rng.random() < 0.5:
        x = g.vector("j")
        g.add(Gram("j", str(g.rng.choice(["p", "q"]))), x)
    else:
        g.add(Gram(), g.pick(lambda t: t.rep is V), g.pick(lambda t: t.rep is V))


def _function(g: Grower) -> None:
    x = g.scalar()
    match int(g.rng.integers(6)):
        case 0:
            g.add(Relu(), x)
        case 1:
            odd, magnitude = [(False, False), (True, False), (False, True)][int(g.rng.integers(3))]
            g.add(Log2(0.25, 3, 120, odd=odd, magnitude=magnitude), x)
        case 2:
            g.add(Radial(Tensor([0.5, 2.0]), g.weights(CHANNELS, 2), g.weights(CHANNELS)), x)
        case _:
            g.add(_table(g, x), x)


def _table(g: Grower, x: str) -> Table:
    """A function of one row, or of a row for each entry of an axis."""
    type = g.b.type(x)
    axis = g.axis(x) if type.axes and g.rng.random() < 0.5 else Axis("", 1)
    activation = BENT[int(g.rng.integers(len(BENT)))]
    powers = Tensor(g.rng.uniform(0.1, 0.5, (axis.size, 1))) if activation is Activation.SLOG else None
    if g.rng.random() < 0.4:
        line = Tensor([[0.0, 1.0]] * axis.size)
        return Table(values=line, activation=activation, axis=axis.name, parameters=powers)
    knots = Tensor([-1.0, 0.0, 2.0])
    values = g.rng.normal(size=(axis.size, 3))
    if g.rng.random() < 0.3:
        values[:, 0] = values[:, 1]
    return Table(knots, Tensor(values), activation, axis.name, parameters=powers)


def _message(g: Grower) -> None:
    x = g.pick(lambda t: t.has("j"))
    if g.rng.random() < 0.5:
        flags = g.pick(lambda t: bool(t.formats))
        g.add(Mask(), x, flags)
    else:
        g.add(PairSum("j"), g.pick(lambda t: t.rep is S and t.has("j")), x)


def _rounding(g: Grower) -> None:
    x = g.scalar()
    g.add(Requantize((Fixed(18, 10, True, Rounding.RND, Overflow.SAT),)), x)


def _scaled(g: Grower) -> None:
    """A product with a number, which readers pull out of the momenta."""
    x = g.pick(lambda t: t.rep in (S, V) and not t.formats)
    k = g.add(Spurion(Type(S), Tensor([float(g.rng.choice([0.25, 3.0, 1.0, -2.0]))])))
    path = S_S if g.b.type(x).rep is S else S_V
    g.add(CgProduct(path), k, x) if g.rng.random() < 0.5 else g.add(CgProduct(path.swapped), x, k)


def _norm(g: Grower) -> None:
    """Norms of differences beside the products."""
    x = g.vector("j")
    y = g.add(Rename("j", "i"), x)
    if g.rng.random() < 0.8:
        g.add(Gram(), y, x)
    away = g.add(Add((1,)), y, x)
    g.add(Invariants(), away)


def _edges(g: Grower) -> None:
    """A sum over senders of a product with weighted differences, which can be hoisted."""
    p = g.vector("j")
    here = g.add(Rename("j", "i"), p)
    dots = g.add(Gram(), here, p)
    weight = g.add(Radial(Tensor([0.5, 1.0]), g.weights(CHANNELS, 2), g.weights(CHANNELS)), dots)
    y = g.add(CgProduct(S_V), weight, g.add(Add((1,)), here, p))
    x = g.add(CgProduct(parse_path("V*S->V")), p, g.add(Spurion(Type(S, (Axis("c", 2),)), g.weights(2, 1))))
    if g.rng.random() < 0.5:
        y = g.add(Select("c", (0, 0, 1, 1), "c"), y)
        x = g.add(Select("c", (0, 1, 0, 1), "c"), x)
    path = parse_path(str(g.rng.choice(["V*V->S", "V*V->F", "V*V->T"])))
    g.add(ParticleSum("j"), g.add(CgProduct(path), y, x))


def _weighted_sum(g: Grower) -> None:
    """The sum of a product with scalars."""
    w = g.pick(lambda t: t.rep is S and t.has("j"))
    x = g.pick(lambda t: t.rep in (S, V) and t.has("j"))
    g.add(ParticleSum("j"), g.add(CgProduct(S_S if g.b.type(x).rep is S else S_V), w, x))


def _mixed_products(g: Grower) -> None:
    """Products of channels in both orders beside each other, mixed: columns that merge."""
    x = g.pick(lambda t: t.has("c") and t.rep is not S and t.size("c") == CHANNELS)
    rep = g.b.type(x).rep
    left, right = g.add(Select("c", (0, 0, 1, 1), "c"), x), g.add(Select("c", (0, 1, 0, 1), "c"), x)
    paths = [p for p in PATHS if p.left is p.right is rep]
    path = paths[int(g.rng.integers(len(paths)))]
    y = g.add(Concat("c"), *(g.add(CgProduct(path), *pair) for pair in ((left, right), (right, left))))
    if g.b.type(y).has("j") and g.rng.random() < 0.5:
        y = g.add(ParticleSum("j"), y)
    g.add(ChannelMix(g.weights(CHANNELS, 8)), y)


def _radial_mix(g: Grower) -> None:
    """A mix of radial functions, masked or not."""
    x = g.pick(lambda t: t.rep is S and not t.has("c"))
    y = g.add(Radial(Tensor([0.5, 2.0]), g.weights(CHANNELS, 2), g.weights(CHANNELS)), x)
    if g.rng.random() < 0.5:
        y = g.add(Mask(), y, g.pick(lambda t: bool(t.formats)))
    g.add(ChannelMix(g.weights(CHANNELS, CHANNELS), g.weights(CHANNELS) if g.rng.random() < 0.5 else None), y)


def _normalised(g: Grower) -> None:
    """A function and a normalisation of its channels."""
    x = g.pick(lambda t: t.rep is S and t.has("c"))
    size = g.b.type(x).size("c")
    f = g.add(Table(activation=BENT[int(g.rng.integers(5))]), x)
    g.add(ChannelMix(Tensor(np.diag(g.rng.normal(size=size))), g.weights(size)), f)


def _pairs(g: Grower) -> None:
    """PELICAN's maps of pairs: from symmetric ones whose weights tell rows from columns, or do not."""
    p = g.vector("j")
    d = g.add(Gram(), p, g.add(Rename("j", "i"), p))
    unit = g.add(Spurion(Type(S, (Axis("c", CHANNELS),)), Tensor([[1.0], [0.5]])))
    x = g.add(Table(activation=Activation.TANH), g.add(CgProduct(S_S), d, unit))
    k = g.rng.integers(-4, 5, (CHANNELS, CHANNELS, 15)) / 8
    if g.rng.random() < 0.7:
        k[:, :, 4], k[:, :, 7], k[:, :, 10] = k[:, :, 3], k[:, :, 6], k[:, :, 9]
    keep = None if g.rng.random() < 0.5 else 8
    x = g.add(Eq2to2(Tensor(k), g.weights(CHANNELS), g.weights(CHANNELS), keep, row="j", column="i"), x)
    if g.rng.random() < 0.5:
        x = g.add(ChannelMix(g.weights(CHANNELS, CHANNELS), g.weights(CHANNELS)), x)
    if g.rng.random() < 0.6:
        g.add(Eq2to0(g.weights(CHANNELS, CHANNELS, 2), g.weights(CHANNELS)), x)
    else:
        g.add(Eq2to1(g.weights(CHANNELS, CHANNELS, 5), g.weights(CHANNELS), "j"), x)


def _to_pairs(g: Grower) -> None:
    x = g.pick(lambda t: t.rep is S and tuple(a.name for a in t.axes) == ("j", "c"))
    g.add(Eq1to2(g.weights(CHANNELS, g.b.type(x).size("c"), 5), row="j", column="i"), x)


def _twin(g: Grower) -> None:
    """The same op of the same inputs once more."""
    node = g.b.find(g.pick(lambda t: True))
    if not node.op.source:
        g.add(node.op, *node.inputs)


MOVES = (
    _constant, _linear, _linear, _dense, _structure, _structure, _sum, _sum, _product, _square, _invariants,
    _invariants, _function, _function, _message, _rounding, _scaled, _norm, _edges, _weighted_sum, _mixed_products,
    _radial_mix, _normalised, _pairs, _pairs, _to_pairs, _twin, _twin,
)  # fmt: skip


def random_graph(rng: np.random.Generator, steps: int = 0, outputs: int = 0) -> Graph:
    """Return a verified float graph of 3 to 12 random ops and motifs, and with 1 to 3 outputs, unless
    told how many. Some of its values are read by nothing."""
    g = Grower(rng)
    _start(g)
    wanted, computed = steps or int(rng.integers(3, 13)), list[str]()
    while wanted > 0 or not computed:
        try:
            MOVES[int(rng.integers(len(MOVES)))](g)
        except CompileError:
            continue
        wanted -= 1
        computed = [n.name for n in g.b.nodes.values() if n.inputs]
    size = min(outputs or int(rng.integers(1, 4)), len(computed))
    chosen = rng.choice(computed[-(size + 4) :], size, replace=False)
    return g.b.graph(*(str(n) for n in chosen))


def random_feeds(graph: Graph, rng: np.random.Generator, events: int) -> dict[str, Floats]:
    """Return float events for every port, shape (events, *axes, components); flags are 0 or 1."""
    feeds: dict[str, Floats] = {}
    for node in graph.inputs:
        shape = (events, *node.type.shape)
        flags = bool(node.type.formats)
        feeds[node.name] = rng.integers(0, 2, shape).astype(float) if flags else rng.normal(size=shape)
    return feeds
