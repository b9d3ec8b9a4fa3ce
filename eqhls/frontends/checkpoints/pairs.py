"""Networks of pairs, as the PELICAN family writes them: the pieces that its checkpoints share.

Aggregations are sums times functions of the count n of particles and spurions: (1/Nbar)**k for `s`, n**-k
for `m`, with k sums over particles, and (n/Nbar)**alpha beside them for capital letters. Where such a factor
depends on n it is a table of the count; all others are folded into weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.fixed.ordered import power
from eqhls.frontends.checkpoints.fields import ACTIVATIONS, MAX_CONSTITUENTS, Fields
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.maps import Map, at, sums
from eqhls.ops.mask import Mask
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

TIMES = CgProduct(parse_path("S*S->S"))
SLOPES = {Activation.LEAKY_RELU: 0.01, Activation.RELU: 0.0, Activation.NONE: 1.0}
"""Rectifiers by their slope for negative arguments: a normalisation behind one folds into it."""
NORM_EPSILON = 1e-5
PLAIN = sums(Eq2to2.maps).count(0)
"""How many of the 15 maps of pairs do not aggregate; they are the first."""
ORDERS = np.array(sums(Eq2to2.maps)[PLAIN:])
"""How many sums over particles each of the other ten is."""
HEAD_ORDERS = np.array(sums(Eq2to0.maps))
"""The same of the maps of Eq2to0."""
SPREAD = {"all": "row", "diagonal": "corner"}
"""How Eq1to2 spreads numbers of the event that Eq2to1 gave to every particle."""


def _in_two_steps(whole: Map) -> tuple[int, int]:
    """Return which map of Eq2to1 sums what a map of pairs aggregates, and which one of Eq1to2 spreads it."""
    first = [m.source for m in Eq2to1.maps].index(whole.source)
    return first, at(Eq1to2.maps, SPREAD.get(whole.place, whole.place))["v"]


AGGREGATES = tuple(map(_in_two_steps, Eq2to2.maps[PLAIN:]))


@dataclass(frozen=True, slots=True)
class Nodes:
    """The particles of a network and what stands for them: values of the graph by name."""

    builder: Builder
    particles: int
    spurions: int
    flags: str
    count: str

    @property
    def size(self) -> int:
        return self.particles + self.spurions

    @property
    def counts(self) -> Floats:
        """The numbers of particles and spurions that occur."""
        return np.arange(max(self.spurions, 1), self.size + 1, dtype=np.float64)

    def mask(self, name: str, x: str) -> str:
        """Silence pairs with padding."""
        return self.builder.add(name, Mask(), x, self.flags)

    def functions(self, name: str, values: Floats) -> str:
        """Return functions of n, S[c]: `values` (functions, counts)."""
        rows = len(values)
        spread = Dense(Tensor(np.ones((rows, 1))), Tensor(np.full(rows, self.spurions)))
        n = self.builder.add(f"{name}_n", spread, self.count)
        return self.builder.add(name, Table(Tensor(self.counts), Tensor(values), axis="c"), n)


def add_nodes(builder: Builder, particles: int, spurions: Floats) -> tuple[Nodes, str]:
    """Add the ports p V[j] and valid S[j], and the products of all pairs S[i,j], spurions first.

    `spurions` are constant four-vectors (count, 4), possibly none.
    """
    j = Axis("j", particles)
    p = builder.add("p", Input(Type(V, (j,))))
    valid = builder.add("valid", Input(Type(S, (j,), formats=Formats((Fixed(1, 1, False),)))))
    nodes = builder.add("particles", Rename("j", "i"), p)
    present = builder.add("particles_valid", Rename("j", "i"), valid)
    if len(spurions):
        i = (Axis("i", len(spurions)),)
        fixed = builder.add("spurions", Spurion(Type(V, i), Tensor(spurions)))
        always = builder.add("spurions_valid", Spurion(Type(S, i), Tensor(np.ones((len(spurions), 1)))))
        nodes = builder.add("nodes", Concat("i"), fixed, nodes)
        present = builder.add("nodes_valid", Concat("i"), always, present)
    flags = builder.add("pairs_valid", TIMES, present, builder.add("flags", Rename("i", "j"), present))
    count = builder.add("count", ParticleSum("j"), valid)
    products = builder.add("products", Gram(), nodes, builder.add("senders", Rename("i", "j"), nodes))
    return Nodes(builder, particles, len(spurions), flags, count), products


def without_masses(nodes: Nodes, products: str) -> str:
    """Return the products with those of a particle and itself exactly zero, as they are for massless
    particles: of rounded momenta they would be noise, of the order of energy times LSB."""
    pairs = 1.0 - np.diag([0.0] * nodes.spurions + [1.0] * nodes.particles)
    type = Type(S, (Axis("i", nodes.size), Axis("j", nodes.size)))
    different = nodes.builder.add("different", Spurion(type, Tensor(pairs[..., None])))
    return nodes.builder.add("massless", Mask(), products, different)


def open_channels(nodes: Nodes, x: str, channels: int) -> str:
    """Return S[i,j] as S[i,j,c] with equal channels."""
    ones = Spurion(Type(S, (Axis("c", channels),)), Tensor(np.ones((channels, 1))))
    return nodes.builder.add("channels", TIMES, x, nodes.builder.add("ones", ones))


@dataclass(frozen=True, slots=True)
class Letters:
    """The aggregations of a network: its letters, and Nbar."""

    text: str
    average: float

    def factor(self, letter: str, orders: NDArray[np.int64], alphas: Floats | None, n: Floats) -> Floats:
        """Return the factors (*alphas, counts) of sums of these orders; alphas end with those of `orders`."""
        base = np.full_like(n, self.average) if letter in "sS" else n
        factor = power(base, -orders[:, None])
        return factor if alphas is None else factor * power(n / self.average, alphas[..., None])


def check_options(fields: Fields, default: str) -> Activation:
    """Refuse what no op computes; return the activation, `default` if the arguments name none.

    Any norm other than b, i and l is ignored, as in the training code.
    """
    norm = fields.arguments.get("batchnorm")
    if str(norm).startswith(("i", "l")):
        raise fields.refused(f"batchnorm = {norm!r}", "its norm depends on the event, with divisions")
    if any(".normlayer." in name for name in fields.state):
        fields.require("masked", True, True, why="normalised padding would enter the sums")
    fields.require("irc_safe", False, False, why="its angles and weights are divisions by sums")
    slots = fields.argument("nobj", 0)
    if not 2 <= slots <= MAX_CONSTITUENTS:
        raise CompileError(f"{fields.family}: nobj", f"found {slots}", f"give 2 to {MAX_CONSTITUENTS}")
    for name in ("scale", "nobj_avg"):
        if fields.argument(name, 1.0) <= 0:
            raise CompileError(
                f"{fields.family}: {name}", f"found {fields.argument(name, 1.0)}", "expected > 0"
            )
    name = fields.argument("activation", default).lower()
    if name not in ACTIVATIONS:
        raise fields.refused(f"activation = {name!r}", f"expected one of {', '.join(ACTIVATIONS)}")
    found = ACTIVATIONS[name]
    if fields.argument("activate_agg", False) and found(np.zeros(1)).any():
        why = "it is not 0 at 0, so that diagonal maps would spread"
        raise fields.refused(f"activate_agg and activation = {name!r}", why)
    return found


def read_letters(fields: Fields, name: str, default: str) -> Letters:
    """Read an aggregation such as `s` or `sM`. Raises CompileError for those that do not add."""
    text = fields.argument(name, default)
    for letter in text:
        if letter not in "sSmM":
            raise fields.refused(
                f"{name} = {text!r}",
                f"{letter!r} is a maximum or minimum, which is not supported; train with s, S, m or M",
            )
    if not text:
        raise fields.refused(f"{name} = ''", "expected letters of s, S, m and M")
    return Letters(text, fields.argument("nobj_avg", 49.0))


def read_alphas(
    fields: Fields, prefix: str, letters: Letters, channels: int, ops: int
) -> list[Floats | None]:
    """Return the exponents (channels, ops) of every capital letter, None for the others."""
    found: list[Floats | None] = []
    for k, letter in enumerate(letters.text):
        name = f"{prefix}.alphas.{k}"
        if letter.islower():
            if fields.has(name):
                raise fields.refused(f"the letter {letter!r}", f"{name} is of a capital letter")
            found.append(None)
            continue
        tensor = fields.state.get(name, np.zeros(0))
        if tensor.size != channels * ops:
            fields.tensor(name, 1, channels, ops)
        found.append(tensor.astype(np.float64).reshape(channels, ops))
    return found


def read_coefficients(fields: Fields, prefix: str, basis: int) -> Floats:
    """Return weights (out, in, basis), the factorized ones expanded."""
    if fields.has(f"{prefix}.coefs"):
        dense = fields.tensor(f"{prefix}.coefs", -1, -1, basis)
    else:
        left, right = (fields.tensor(f"{prefix}.coefs0{k}", -1, basis) for k in (0, 1))
        mixes = [fields.tensor(f"{prefix}.coefs1{k}", len(left), len(right)) for k in (0, 1)]
        dense = left[:, None] * mixes[0][..., None] + right[None] * mixes[1][..., None]
    return dense.swapaxes(0, 1)


def read_norm(fields: Fields, prefix: str, channels: int) -> tuple[Floats, Floats]:
    """Return scale and shift of a batch normalisation; of none, 1 and 0."""
    names = [f"{prefix}.normlayer.{n}" for n in ("weight", "bias", "running_mean", "running_var")]
    if not any(fields.has(n) for n in names):
        return np.ones(channels), np.zeros(channels)
    weight, bias, mean, variance = (fields.tensor(n, channels) for n in names)
    scale = weight / np.sqrt(variance + NORM_EPSILON)
    return scale, bias - mean * scale


def add_normalised(
    nodes: Nodes, name: str, x: str, function: Activation, scale: Floats, shift: Floats
) -> str:
    """Add scale * function(x) + shift of every channel: one table if the function is a rectifier."""
    if function in SLOPES:
        values = np.stack([shift - SLOPES[function] * scale, shift, shift + scale], axis=1)
        table = Table(Tensor([-1.0, 0.0, 1.0]), Tensor(values), axis="c")
        return nodes.builder.add(name, table, x)
    curve = nodes.builder.add(f"{name}_curve", Table(activation=function), x)
    return nodes.builder.add(name, ChannelMix(Tensor(np.diag(scale)), Tensor(shift)), curve)


@dataclass(frozen=True, slots=True)
class PairMap:
    """One Eq2to2 of a checkpoint: weights (out, in, 15 + 10 for each further letter), exponents (in, 10)."""

    weight: Floats
    bias: Floats
    diagonal: Floats
    alphas: list[Floats | None]


def add_pair_map(
    nodes: Nodes, name: str, x: str, layer: PairMap, letters: Letters, active: Activation | None = None
) -> str:
    """Add an Eq2to2. Sums whose factor is a constant go into its weights; the others become sums of
    particles, times their functions of n, spread over pairs. `active` is a function of every map before
    they are mixed; then no sum goes into the weights.
    """
    weight = np.zeros((*layer.weight.shape[:2], PLAIN + len(ORDERS)))
    weight[..., :PLAIN] = layer.weight[..., :PLAIN]
    factors: list[Floats] = []
    spreads: list[Floats] = []
    for k, (letter, alphas) in enumerate(zip(letters.text, layer.alphas, strict=True)):
        start = PLAIN + k * len(ORDERS)
        mixes = layer.weight[..., start : start + len(ORDERS)]
        factor = letters.factor(letter, ORDERS, alphas, nodes.counts)
        if letter in "sS" and not np.any(alphas) and active is None:
            weight[..., PLAIN:] += mixes * factor[..., 0]
        else:
            factors.append(np.broadcast_to(factor, (*mixes.shape[1:], len(nodes.counts))))
            spreads.append(mixes)
    op = Eq2to2(Tensor(weight), Tensor(layer.bias), Tensor(layer.diagonal))
    own = x if active is None else nodes.builder.add(f"{name}_own", Table(activation=active), x)
    pairs = nodes.builder.add(name if not factors else f"{name}_pairs", op, own)
    if not factors:
        return pairs
    return nodes.builder.add(name, Add(), pairs, _add_counted(nodes, name, x, factors, spreads, active))


def _add_counted(
    nodes: Nodes, name: str, x: str, factors: list[Floats], mixes: list[Floats], active: Activation | None
) -> str:
    """Add the sums of every letter, channel and map, their factors, and the mix that spreads them."""
    channels = mixes[0].shape[1]
    rows = [(d, b) for _ in mixes for d in range(channels) for b in range(len(ORDERS))]
    gather = np.zeros((len(rows), channels, len(Eq2to1.maps)))
    spread = np.zeros((len(mixes[0]), len(rows), len(Eq1to2.maps)))
    for r, (d, b) in enumerate(rows):
        source, target = AGGREGATES[b]
        gather[r, d, source] = 1.0
        spread[:, r, target] = mixes[r // (channels * len(ORDERS))][:, d, b]
    values = np.concatenate([f.reshape(-1, len(nodes.counts)) for f in factors])
    sums = nodes.builder.add(f"{name}_sums", Eq2to1(Tensor(gather)), x)
    scaled = nodes.builder.add(f"{name}_scaled", TIMES, sums, nodes.functions(f"{name}_factor", values))
    if active is not None:
        scaled = nodes.builder.add(f"{name}_active", Table(activation=active), scaled)
    return nodes.builder.add(f"{name}_spread", Eq1to2(Tensor(spread)), scaled)


def add_head(nodes: Nodes, x: str, fields: Fields, letters: Letters, active: Activation | None) -> str:
    """Add agg_2to0: totals and traces, their factors, a function of them if there is one, a mix."""
    basis = 2 * len(letters.text)
    mix = read_coefficients(fields, "agg_2to0", basis)
    out, channels, _ = mix.shape
    alphas = read_alphas(fields, "agg_2to0", letters, channels, 2)
    gather = np.tile(np.eye(2 * channels).reshape(2 * channels, channels, 2), (len(letters.text), 1, 1))
    parts = [
        np.broadcast_to(letters.factor(t, HEAD_ORDERS, a, nodes.counts), (channels, 2, len(nodes.counts)))
        for t, a in zip(letters.text, alphas, strict=True)
    ]
    factors = np.concatenate([f.reshape(2 * channels, -1) for f in parts])
    if (factors == factors[:, :1]).all():
        pooled = nodes.builder.add("pooled", Eq2to0(Tensor(gather * factors[:, :1, None])), x)
    else:
        sums = nodes.builder.add("pooled_sums", Eq2to0(Tensor(gather)), x)
        pooled = nodes.builder.add("pooled", TIMES, sums, nodes.functions("pooled_factor", factors))
    if active is not None:
        pooled = nodes.builder.add("pooled_active", Table(activation=active), pooled)
    weight = mix.reshape(out, channels, len(letters.text), 2).transpose(0, 2, 1, 3).reshape(out, -1)
    op = ChannelMix(Tensor(weight), Tensor(fields.tensor("agg_2to0.bias", 1, out)[0]))
    return nodes.builder.add("head", op, pooled)
