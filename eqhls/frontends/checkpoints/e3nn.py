"""Two e3nn convolutions with a gate between them (e3nn 0.6.0, arXiv:2207.09453), from their state dict.

Edges go from src j to dst i != j, v = r_j - r_i. With w = silu(e W0 / sqrt(B)) W1 / sqrt(H), e the "smooth
finite" basis of |v| below a radius, each convolution sums over all j and over all products (a, b -> o)

    y_o = c sum_u w_uo w3j(x_au, Y_b(v / |v|)) / sqrt(neighbours),   c^2 = (2 l_o + 1) / sum of mul_a into o

with w3j = kappa * tensor formula and harmonics of norm sqrt(2 l + 1). The gate takes the irreps sorted and
merged, scalars before gates in 0e. All constant factors go into W1, and 1 / |v|^l of the harmonics into the
radial function: no vector is normalised. What no product reaches is zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.events.irreps import Block, names
from eqhls.frontends.checkpoints.e3nn_settings import FAMILY, Convolution, Product, Settings
from eqhls.frontends.checkpoints.fields import Fields
from eqhls.frontends.checkpoints.points import (
    APART,
    AWAY,
    CHANNELS,
    RECEIVERS,
    SENDERS,
    SQUARE,
    VECTOR,
    cloud,
    differences,
)
from eqhls.frontends.radial import PRODUCT, distance, power, smooth_finite
from eqhls.groups.coupling import Path
from eqhls.groups.rep import Basis, Rep, S
from eqhls.groups.rotation.bases import BASES, D5, D6, T5, XYZ, change
from eqhls.groups.rotation.factors import e3nn as kappa
from eqhls.groups.rotation.reps import irrep, spin_of
from eqhls.groups.rotation.tables import formula_factor
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.ops.to_basis import ToBasis

FEATURES, OUTPUT = "x", "out"
"""The stems of the ports and of the outputs, one of each block; an array `x` fills the ports."""
DISTANCE, BASIS = "d", "basis"
AMPLITUDE = 1.14136 * float(np.exp(2.0))
"""Of e3nn's smooth finite functions; their squares sum to about one."""
HARMONICS = {0: 1.0, 1: sqrt(3.0), 2: sqrt(15.0)}
"""The harmonic of a unit vector by l, as a multiple of its symmetric traceless tensor."""
SQUARED = Path(VECTOR, VECTOR, irrep(2, "e"))
READ, SUMMED = T5, D6
"""The bases of l = 2 in which products are cheapest, and in which sums can be rounded under all symmetries of
the lattice."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """`factor` times a value."""

    value: str
    factor: float = 1.0


def recognizes(state: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a state dict has the radial nets of two convolutions, c1 and c2."""
    return {f"c{k}.fc.layer{n}.weight" for k in (1, 2) for n in (0, 1)} <= set(state)


def graph_from(state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the float graph: pos 1o[j:N] and a port [j:N,c] for each block of irreps_in -> an output for
    each block of irreps_out, [i:N,c], or [c] of the mean over points.

    Raises CompileError for tensors and settings that are missing, of another shape, or not supported.
    """
    fields = Fields(FAMILY, state, arguments)
    return _Importer(fields, Settings.of(fields)).graph()


class _Importer:
    """Writes the graph convolution by convolution. A block without a value is zero."""

    def __init__(self, fields: Fields, settings: Settings) -> None:
        self.f, self.s = fields, settings
        self.b = Builder("e3nn")

    def graph(self) -> Graph:
        b, s = self.b, self.s
        differences(b, s.points, outwards=True)
        distance(b, DISTANCE, SQUARE)
        smooth_finite(b, BASIS, DISTANCE, s.basis, s.radius, axis=CHANNELS)
        first, second = s.convolutions
        blocks = first.features
        ports = [self._port(*named) for named in zip(names(FEATURES, blocks), blocks, strict=True)]
        norm = 1 / sqrt(s.neighbours)
        y = self._convolved("c1", first, [Scaled(p) for p in ports], norm)
        gated = self._gated(first.result, y)
        out = self._convolved("c2", second, gated, norm / s.points if s.pooled else norm)
        named = zip(names(OUTPUT, second.result), second.result, out, strict=True)
        return b.graph(*(self._output(*n) for n in named))

    def _port(self, name: str, block: Block) -> str:
        axes = (cloud(SENDERS, self.s.points), Axis(CHANNELS, block.count))
        basis = D5 if block.spin == 2 else block.rep.basis()
        return self.b.add(name, Input(Type(block.rep, axes, basis)))

    def _output(self, name: str, block: Block, x: str | None) -> str:
        b = self.b
        if x is None:
            points = () if self.s.pooled else (cloud(RECEIVERS, self.s.points),)
            basis = D5 if block.spin == 2 else block.rep.basis()
            zero = Type(block.rep, (*points, Axis(CHANNELS, block.count)), basis)
            return b.add(name, Spurion(zero, Tensor(np.zeros(zero.shape))))
        return b.add(name, ParticleSum(RECEIVERS) if self.s.pooled else Add(), x)

    def _stored(self, x: Scaled, basis: Basis) -> Scaled:
        """Return a tensor of l = 2 in a basis, made once; any other value stays."""
        have = self.b.type(x.value).basis
        if have == basis or have not in BASES[2]:
            return x
        name = f"{x.value}_{basis}"
        made = name if self.b.has(name) else self.b.add(name, ToBasis(basis.name), x.value)
        return Scaled(made, x.factor / change(have, basis)[1])

    def _harmonic(self, spin: int) -> Scaled:
        """Return the symmetric traceless tensor of l factors v, [i,j]; made once."""
        if spin < 2:
            return Scaled(AWAY)
        name = f"{AWAY}_{spin}"
        made = name if self.b.has(name) else self.b.add(name, CgSquare(SQUARED), AWAY)
        return Scaled(made, float(formula_factor(SQUARED, XYZ, XYZ)))

    def _convolved(
        self, name: str, irreps: Convolution, features: Sequence[Scaled | None], norm: float
    ) -> list[str | None]:
        """Return what every receiver sums over senders, a value [i,c] for each block of the result."""
        hidden, weights = self._radial_net(name, irreps)
        parts: dict[int, list[str]] = {}
        scalars: dict[tuple[int, int], list[str]] = {}
        for p in irreps.products:
            x = features[p.a]
            if x is not None:
                size = irreps.features[p.a].count, irreps.result[p.o].count
                own = weights[:, p.start : p.start + size[0] * size[1]].reshape(-1, *size) * norm
                made = _Messages(f"{name}_{p.a}{p.b}{p.o}", irreps, p, x, own, hidden)
                if made.by_scalars:
                    scalars.setdefault((p.b, p.o), []).extend(self._weighted(made))
                else:
                    parts.setdefault(p.o, []).extend(self._summed(made))
        for (k, o), terms in scalars.items():
            total = self._total(f"{name}_s{k}{o}", terms)
            tensor = self._stored(self._harmonic(irreps.harmonics[k].spin), SUMMED).value
            parts.setdefault(o, []).append(self.b.add(f"{total}_y", PairSum(SENDERS), total, tensor))
        blocks = range(len(irreps.result))
        return [self._total(f"{name}_{o}", parts[o]) if o in parts else None for o in blocks]

    def _radial_net(self, name: str, irreps: Convolution) -> tuple[str, Floats]:
        """Return the hidden values S[i,j,c], and the weights behind them with their factors, (H, all)."""
        s, at = self.s, f"{name}.fc.layer"
        first = self.f.tensor(f"{at}0.weight", s.basis, s.hidden)
        last = self.f.tensor(f"{at}1.weight", s.hidden, irreps.weights)
        hidden = self._mix(f"{name}_hidden", BASIS, first.T * AMPLITUDE)
        act = self.b.add(f"{name}_act", Table(activation=Activation.SILU), hidden)
        return act, last * (s.constants["silu_fc"] / sqrt(s.hidden))

    def _weighted(self, made: _Messages) -> list[str]:
        """Return the products of radial weights and scalar features, S[i,j,c], one for each channel."""
        factor = made.x.factor * self._harmonic(made.spins[1]).factor
        return [
            self.b.add(f"{name}_x", PRODUCT, radial, self._channel(made.x.value, u))
            for u, (name, radial) in enumerate(self._radials(made, factor))
        ]

    def _summed(self, made: _Messages) -> list[str]:
        """Return the products of features and harmonics, weighted and summed over senders, [i,c]."""
        b, value, factor = self.b, made.x.value, made.x.factor
        if made.spins[1]:
            x, tensor = (self._stored(t, READ) for t in (made.x, self._harmonic(made.spins[1])))
            bases = b.type(x.value).basis, b.type(tensor.value).basis
            factor = x.factor * tensor.factor * float(formula_factor(made.path, *bases))
            value = b.add(f"{made.name}_cg", CgProduct(made.path), x.value, tensor.value)
        value, factor = astuple(self._stored(Scaled(value, factor), SUMMED))
        return [
            b.add(f"{name}_y", PairSum(SENDERS), radial, self._channel(value, u))
            for u, (name, radial) in enumerate(self._radials(made, factor))
        ]

    def _radials(self, made: _Messages, factor: float) -> list[tuple[str, str]]:
        """Return, for each channel of the features, a stem and the radial weights S[i,j,c], 0 where i = j."""
        b, spin, found = self.b, made.spins[1], list[tuple[str, str]]()
        for u in range(made.weights.shape[1]):
            name = f"{made.name}{u}"
            radial = self._mix(f"{name}_w", made.hidden, made.weights[:, u].T * (made.factor * factor))
            if spin:
                inverse = f"d_{spin}"
                if not b.has(inverse):
                    power(b, inverse, DISTANCE, -float(spin))
                radial = b.add(f"{name}_wd", PRODUCT, radial, inverse)
            found.append((name, b.add(f"{name}_radial", Mask(), radial, APART)))
        return found

    def _channel(self, x: str, u: int) -> str:
        """Return one channel of a value without its axis; made once."""
        name = f"{x}_c{u}"
        return name if self.b.has(name) else self.b.add(name, Select(CHANNELS, (u,)), x)

    def _gated(self, blocks: Sequence[Block], y: Sequence[str | None]) -> list[Scaled | None]:
        """Return scalars behind their activation, the others times their gate, over senders."""
        s, taken = self.s, dict[Rep, int]()
        values = {block.rep: x for block, x in zip(blocks, y, strict=True)}

        def take(rep: Rep, count: int) -> str | None:
            x, start = values[rep], taken.get(rep, 0)
            taken[rep] = start + count
            return None if x is None else self._some(x, start, count)

        found: list[Scaled | None] = []
        for k, block in enumerate(s.scalars):
            x = take(block.rep, block.count)
            found.append(None if x is None else self._bent(x, s.constants[f"scalar{k}"]))
        gates = [take(S, block.count) for block in s.gated]
        for block, gate in zip(s.gated, gates, strict=True):
            x = take(block.rep, block.count)
            found.append(None if x is None else self._opened(x, gate))
        return [None if x is None else self._sent(x) for x in found]

    def _bent(self, x: str, constant: float) -> Scaled:
        """Return silu of scalars, and tanh of pseudoscalars, which is x times a function of its square."""
        b, rep = self.b, self.b.type(x).rep
        if rep is S:
            return Scaled(b.add(f"{x}_silu", Table(activation=Activation.SILU), x), constant)
        size = distance(b, f"{x}_size", b.add(f"{x}_square", Invariants(), x))
        bent = b.add(f"{x}_tanh", Table(activation=Activation.TANH), size)
        factor = b.add(f"{x}_factor", PRODUCT, bent, power(b, f"{x}_inverse", size, -1.0))
        return Scaled(b.add(f"{x}_bent", CgProduct(Path(S, rep, rep)), factor, x), constant)

    def _opened(self, x: str, gate: str | None) -> Scaled:
        b, constant = self.b, self.s.constants["gate0"]
        if gate is None:
            return Scaled(x, constant / 2)
        weight = b.add(f"{x}_gate", Table(activation=Activation.SIGMOID), gate)
        rep = b.type(x).rep
        return Scaled(b.add(f"{x}_gated", CgProduct(Path(S, rep, rep)), weight, x), constant)

    def _sent(self, x: Scaled) -> Scaled:
        return Scaled(self.b.add(f"{x.value}_j", Rename(RECEIVERS, SENDERS), x.value), x.factor)

    def _some(self, x: str, start: int, count: int) -> str:
        if count == self.b.type(x).size(CHANNELS):
            return x
        indices = tuple(range(start, start + count))
        return self.b.add(f"{x}_from{start}", Select(CHANNELS, indices, CHANNELS), x)

    def _total(self, name: str, terms: Sequence[str]) -> str:
        return terms[0] if len(terms) == 1 else self.b.add(name, Add(), *terms)

    def _mix(self, name: str, x: str, weight: Floats) -> str:
        return self.b.add(name, ChannelMix(Tensor(weight)), x)


@dataclass(frozen=True, slots=True, eq=False)
class _Messages:
    """One product of a convolution: its weights (H, mul_a, mul_o), and what it reads."""

    name: str
    irreps: Convolution
    product: Product
    x: Scaled
    weights: Floats
    hidden: str

    @property
    def path(self) -> Path:
        p = self.product
        return Path(
            self.irreps.features[p.a].rep, self.irreps.harmonics[p.b].rep, self.irreps.result[p.o].rep
        )

    @property
    def spins(self) -> tuple[int, int, int]:
        return spin_of(self.path.left), spin_of(self.path.right), spin_of(self.path.out)

    @property
    def by_scalars(self) -> bool:
        """Whether features only scale harmonics, which are then multiplied once for all of them."""
        return self.path.left is S and self.spins[1] > 0

    @property
    def factor(self) -> float:
        """All constants of the product but those of what it reads and of stored components."""
        return self.product.coefficient * kappa(*self.spins) * HARMONICS[self.spins[1]]
