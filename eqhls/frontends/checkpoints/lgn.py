"""Checkpoints of the Lorentz group network (Bogatskiy et al., ICML 2020) as float graphs.

The network is complex; `complexform` carries it in real representations. What is written here is the
plain form, equation by equation: scaled momenta, one product for every pair of particles and every
ordered pair of irreps, and the radial basis before its linear layer. The passes of `eqhls.passes.ALGEBRA`
make it small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.fixed.ordered import ordered_product
from eqhls.frontends.checkpoints.complexform import (
    ComplexTensor,
    each,
    interleaved,
    joined,
    mix,
    product,
    standard,
)
from eqhls.frontends.checkpoints.lgn_settings import (
    WHERE,
    Settings,
    Weights,
    feature_order,
    mixing_key,
    read_settings,
    set_order,
)
from eqhls.groups.lorentz.complexcg import complex_tables
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import Rep, S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.rename import Rename
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

FLAG = Fixed(1, 1, False)
TIMES = parse_path("S*S->S")
Features = dict[str, ComplexTensor]


def recognizes(state: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the tensors are those of this network."""
    return "rad_funcs.rad_funcs.0.a" in state and any(k.startswith("lgn_cg.atom_levels.") for k in state)


def graph_from(state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the network as a float graph: p V[j] in GeV (E, px, py, pz) and flags valid S[j] to two
    logits S[c:2].

    `arguments` are those of the training, and `set_order` (py37 or py38, the default), `mask_mode`
    (reference, the default: zero rows take part as they did in training; strict: they contribute
    nothing) and `constituents` (default `nobj`). Raises CompileError for options that have no
    blocks, and for keys that are missing or have other shapes than the options say.
    """
    return _Network(read_settings(arguments), Weights(state)).graph()


@dataclass(frozen=True, slots=True)
class _Rows:
    """Values over all rows: beams, constituents, and the one that stands for further zero rows."""

    momenta: str
    flags: str
    difference: str
    invariant: str
    edge: str
    count: int


class _Network:
    """One conversion: settings and weights to a graph."""

    def __init__(self, settings: Settings, weights: Weights) -> None:
        self.settings, self.weights = settings, weights
        self.b = Builder(settings.name)

    def graph(self) -> Graph:
        rows = self._rows()
        features = self._embedding(rows)
        levels = [features]
        for level in range(self.weights.levels):
            features = self._level(level, features, rows)
            levels.append(features)
        return self.b.graph(self._readout(levels, rows))

    def _rows(self) -> _Rows:
        b, s = self.b, self.settings
        p = b.add("p", Input(Type(V, (Axis("j", s.constituents),))))
        valid = b.add("valid", Input(Type(S, (Axis("j", s.constituents),), formats=Formats((FLAG,)))))
        momenta, flags = [p], [valid]
        if s.beam_mass is not None:
            energy = sqrt(1 + s.beam_mass**2)
            momenta.insert(0, self._constant("beams", V, "j", [[energy, 0, 0, 1], [energy, 0, 0, -1]]))
            flags.insert(0, self._constant("beam_flags", S, "j", [[1], [1]]))
        if s.ghosts:
            momenta.append(self._constant("ghost", V, "j", [[0, 0, 0, 0]]))
            flags.append(self._constant("ghost_flag", S, "j", [[0]]))
        given, live = b.add("given", Concat("j"), *momenta), b.add("live", Concat("j"), *flags)
        unit = b.add("scale", Spurion(Type(S), Tensor([s.scale])))
        senders = b.add("senders", CgProduct(parse_path("S*V->V")), unit, given)
        receivers, live_i = (
            b.add("receivers", Rename("j", "i"), senders),
            b.add("live_i", Rename("j", "i"), live),
        )
        count = b.type(senders).size("j")
        difference = b.add("difference", Add((1,)), receivers, senders)
        both = b.add("both_live", CgProduct(TIMES), live_i, live)
        others = Spurion(Type(S, (Axis("i", count), Axis("j", count))), Tensor(1 - np.eye(count)[..., None]))
        edge = b.add("edge", CgProduct(TIMES), both, b.add("others", others))
        invariant = b.add("invariant", Gram(), difference, difference)
        return _Rows(receivers, live_i, difference, invariant, edge, count)

    def _constant(self, name: str, rep: Rep, axis: str, values: Any) -> str:
        array = np.asarray(values, dtype=np.float64)
        return self.b.add(name, Spurion(Type(rep, (Axis(axis, len(array)),)), Tensor(array)))

    def _embedding(self, rows: _Rows) -> Features:
        """Scalars from (mass, label), vectors from momenta if the network takes them (section 5.2)."""
        b, w = self.b, self.weights
        scalars, inputs = self._node_scalars(rows), 1 if self.settings.beam_mass is None else 2
        if not w.pmu_in:
            weight = w.get("input_func_atom.lin.weight", -1, inputs)
            bias = w.get("input_func_atom.lin.bias", len(weight))
            plain = b.add("embedded", ChannelMix(Tensor(weight), Tensor(bias)), scalars)
            return {"00": standard("00", b.add("x0.00", Mask(), plain, rows.flags), len(weight) // 2)}
        weight = w.complex("input_func_atom.weights.(0, 0)", -1, inputs)
        op = ChannelMix(Tensor(interleaved(weight.real, weight.imag)))
        vector = w.complex("input_func_atom.weights.(1, 1)", len(weight), 1)[:, 0]
        parts = self._constant("momentum_weight", S, "c", interleaved(vector.real, vector.imag)[:, None])
        momenta = b.add("x0.11", CgProduct(parse_path("V*S->V")), rows.momenta, parts)
        return {
            "00": standard("00", b.add("x0.00", op, scalars), len(weight)),
            "11": standard("11", momenta, len(weight)),
        }

    def _node_scalars(self, rows: _Rows) -> str:
        """Append sqrt|m^2| and, if there are beams, the label: +1 for beams, -1 for all others."""
        b = self.b
        square = b.add("mass_squared", Gram(), rows.momenta, rows.momenta)
        root = b.add("mass", Table(activation=Activation.ROOT), square)
        unit = self._constant("unit", S, "c", [[1]])
        mass = b.add("mass.c", CgProduct(TIMES), root, unit)
        if self.settings.beam_mass is None:
            return mass
        labels = np.full((rows.count, 1, 1), -1.0)
        labels[:2] = 1.0
        type = Type(S, (Axis("i", rows.count), Axis("c", 1)))
        return b.add("scalars", Concat("c"), mass, b.add("labels", Spurion(type, Tensor(labels))))

    def _level(self, level: int, features: Features, rows: _Rows) -> Features:
        """X' = W [ sum_j CG(X_j, R_ij Y_ij) | X | CG(X, X) ], then the scalar network (5.5, 5.6).

        Beyond the level's own maxdim nothing comes out, and nothing enters.
        """
        b, order = self.b, feature_order(self.settings, self.weights, level)
        if set(order) != set(features):
            raise CompileError(
                WHERE,
                f"has features {sorted(features)} at level {level}, found {order}",
                "the checkpoint is of another network: correct its arguments in config.json",
            )
        irreps = self.weights.irreps(level)
        order = tuple(k for k in order if k in irreps)
        edges = self._edges(level, features["00"].channels, rows)
        edges = {k: y for k, y in edges.items() if k in irreps}
        senders = {k: each(b, f"{features[k].value}.j", Rename("i", "j"), features[k]) for k in order}
        mixed: Features = {}
        for out in sorted(irreps):
            name = f"x{level + 1}.{out}"
            blocks = [
                [each(b, f"{t.value}.sum", ParticleSum("j"), t) for t in terms]
                for r in order
                for y in edges
                for terms in self._path(f"{name}.ag", senders[r], edges[y], out)
            ]
            blocks += [[features[out]]] if out in features else []
            blocks += [
                terms
                for r in order
                for y in order
                for terms in self._path(f"{name}.sq", features[r], features[y], out)
            ]
            incoming = sum(block[0].channels for block in blocks)
            weight = self.weights.complex(mixing_key(level, out), -1, incoming)
            mixed[out] = mix(b, name, weight, blocks)
        return {**mixed, "00": self._scalar_network(level, mixed["00"])}

    def _path(
        self, name: str, left: ComplexTensor, right: ComplexTensor, out: str
    ) -> list[list[ComplexTensor]]:
        """Return the product as the only block, or no block if the path does not exist."""
        if (left.irrep, right.irrep, out) not in complex_tables():
            return []
        return [product(self.b, f"{name}.{left.irrep}.{right.irrep}", left, right, out)]

    def _edges(self, level: int, channels: int, rows: _Rows) -> dict[str, ComplexTensor]:
        """R_ij Y_ij with Y = 1 + i for scalars and p_i - p_j for vectors (sections 5.3, 5.4).

        The mask silences the basis functions, not the bias: of an edge to itself or to a zero row the
        bias remains.
        """
        b, w = self.b, self.weights
        head, name = f"rad_funcs.rad_funcs.{level}", f"radial{level}"
        a, scale, c = (w.get(f"{head}.{k}", 1, 1, 1, -1).ravel() for k in "abc")
        basis = Radial(Tensor(c**2), Tensor(np.diag(scale)), Tensor(a))
        phi = b.add(f"{name}.phi", Mask(), b.add(f"{name}.basis", basis, rows.invariant), rows.edge)
        found: dict[str, str] = {}
        for irrep, unit in (("00", 1 + 1j), ("11", 1.0)):
            linear = f"{head}.linear.{irrep[0]}"
            weight = w.get(f"{linear}.weight", 2 * channels, len(a))
            bias = w.get(f"{linear}.bias", 2 * channels)
            op = ChannelMix(Tensor(_times(unit, weight)), Tensor(_times(unit, bias)))
            found[irrep] = self._weighted(b.add(f"{name}.{irrep}", op, phi), rows)
        vectors = b.add(f"{name}.y", CgProduct(parse_path("S*V->V")), found["11"], rows.difference)
        return {"00": standard("00", found["00"], channels), "11": standard("11", vectors, channels)}

    def _weighted(self, radial: str, rows: _Rows) -> str:
        """Silence zero senders (strict), or count the one that stands for several."""
        if self.settings.strict:
            return self.b.add(f"{radial}.live", Mask(), radial, "live")
        if not self.settings.ghosts:
            return radial
        return self.b.add(f"{radial}.counted", CgProduct(TIMES), radial, self._counts("j", rows))

    def _counts(self, axis: str, rows: _Rows) -> str:
        """Return how many rows each node stands for."""
        name, counts = f"counts_{axis}", np.ones((rows.count, 1))
        counts[-1] = self.settings.ghosts
        return name if self.b.has(name) else self._constant(name, S, axis, counts)

    def _scalar_network(self, level: int, x: ComplexTensor) -> ComplexTensor:
        """Linear layers on (re, im) of all scalars with an activation between them (section 5.6)."""
        value, layers = x.value, self.weights.mlp_layers(level)
        for layer in range(layers):
            head = f"lgn_cg.mlp_levels.{level}.linear.{layer}"
            weight = self.weights.get(f"{head}.weight", -1, self.b.type(value).size("c"))
            bias = self.weights.get(f"{head}.bias", len(weight))
            name = f"mlp{level}.{layer}"
            value = self.b.add(name, ChannelMix(Tensor(weight), Tensor(bias)), value)
            if layer < layers - 1:
                value = self.b.add(f"{name}.act", Table(activation=self.settings.activation), value)
        return standard("00", value, x.channels)

    def _readout(self, levels: list[Features], rows: _Rows) -> str:
        """Scalars and squares of all levels, summed over all rows, through one linear layer (5.7, 5.8)."""
        b, w = self.b, self.weights
        blocks = [[x["00"]] for x in levels]
        for irrep in self._invariant_order():
            blocks += [
                product(b, f"{x[irrep].value}.square", x[irrep], x[irrep], "00", normed=False)
                for x in levels
                if irrep in x
            ]
        count = sum(block[0].channels for block in blocks)
        weight = w.get("output_layer_atom.lin.weight", -1, 2 * count)
        bias = w.get("output_layer_atom.lin.bias", len(weight))
        parts = [p for block in blocks for p in block]
        columns, start = list[NDArray[Any]](), 0
        for block in blocks:
            re, im = (weight[:, 2 * start + k : 2 * (start + block[0].channels) : 2] for k in (0, 1))
            columns += [
                ordered_product(re, p.coefficients.real) + ordered_product(im, p.coefficients.imag)
                for p in block
            ]
            start += block[0].channels
        total = self._total(joined(b, "invariants", parts), rows)
        return b.add("logits", ChannelMix(Tensor(np.concatenate(columns, axis=1)), Tensor(bias)), total)

    def _invariant_order(self) -> tuple[str, ...]:
        """Order the irreps of all levels: that of the last one, unless an earlier one has more."""
        first = frozenset(feature_order(self.settings, self.weights, 0))
        found = first.union(*map(self.weights.irreps, range(self.weights.levels)))
        recorded = self.settings.key_orders.get(f"level{self.weights.levels}_keys", ())
        order = recorded if set(recorded) >= found else set_order(self.settings, found)
        return tuple(k for k in order if k != "00")

    def _total(self, x: str, rows: _Rows) -> str:
        if self.settings.ghosts:
            return self.b.add("total", PairSum("i"), self._counts("i", rows), x)
        if self.settings.strict:
            x = self.b.add("invariants.live", Mask(), x, rows.flags)
        return self.b.add("total", ParticleSum("i"), x)


def _times(unit: complex, interleaved_rows: NDArray[Any]) -> NDArray[np.float64]:
    """Multiply complex rows, stored as re, im, re, im, .., by a number."""
    z = (interleaved_rows[0::2] + 1j * interleaved_rows[1::2]) * unit
    return interleaved(z.real, z.imag)
