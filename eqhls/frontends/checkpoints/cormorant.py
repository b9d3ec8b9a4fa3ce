"""Checkpoints of Cormorant (Anderson, Hy, Kondor, NeurIPS 2019) as float graphs: CormorantMD17, CormorantQM9.

The network is complex; `rotationpairs` carries it in pairs of real tensors. Everything that depends on the
distance of two points alone is written down as in `eqhls.frontends.radial`, for a pass to make tables of.
Columns of a mix that are zero (antisymmetric products of a tensor with itself) are left out, and those of
(l1, l2) and (l2, l1) are put together; the rest is the network equation by equation.

Weights of pairs with an absent point need no mask: absent senders have features 0, and absent receivers are
silenced as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.frontends.checkpoints.cormorant_settings import (
    SOFT,
    WHERE,
    Settings,
    Tensors,
    known,
    least,
    read_settings,
)
from eqhls.frontends.checkpoints.fields import Fields
from eqhls.frontends.checkpoints.points import POSITIONS, VECTOR, cloud
from eqhls.frontends.checkpoints.rotationpairs import (
    C,
    Coefficients,
    Pair,
    RealTensor,
    channels,
    coupled,
    dot,
    each,
    harmonics,
    mix,
    natural,
    norms,
    product,
    split,
    square,
)
from eqhls.frontends.radial import PRODUCT, distance, hard_cut, soft_cuts, waves
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.input import Input
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.ops.table import Activation, Table

FLAG = Formats([Fixed(1, 1, False)])
LEAKY = Activation.LEAKY_RELU
OTHER = "the checkpoint is of another network: correct its arguments in config.json"
"""What to do if the tensors do not fit the arguments."""
"""What is between the layers of a message-passing input, whatever the activation of the output."""


def recognizes(state: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the tensors are those of this network."""
    return any(k.startswith("cormorant_cg.atom_levels.") for k in state)


def graph_from(state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the network as a float graph: pos 1o[j], charges S[j], one_hot S[j, c] and the flags atom_mask
    S[j] to score S[c].

    `arguments` are those of the published config: n_atoms, num_species, charge_power, charge_scale,
    cutoff_type and its radii. Raises CompileError for options that cannot be compiled, and for tensors that
    are missing or have other shapes than the options say.
    """
    tensors = Tensors(Fields(WHERE, state, arguments))
    return _Network(read_settings(tensors, arguments), tensors).graph()


@dataclass(frozen=True, slots=True)
class _Points:
    """Values over points i, and over pairs i, j: flags, r_i - r_j, its harmonics, its length."""

    flags: str
    zonal: list[RealTensor | None]
    distance: str


class _Network:
    """One conversion: settings and tensors to a graph."""

    def __init__(self, settings: Settings, tensors: Tensors) -> None:
        self.settings, self.tensors = settings, tensors
        self.b = Builder("cormorant")

    def graph(self) -> Graph:
        points = self._points()
        features, edges, levels = [self._input(points)], list[Pair](), list[list[Pair]]()
        for level in range(self.tensors.levels):
            senders = [each(self.b, ".j", Rename("i", "j"), x) for x in features]
            edges = self._edges(level, edges, features, senders, points)
            features = self._level(level, features, senders, edges, points)
            levels.append(features)
        return self.b.graph(self._output(levels, points))

    def _points(self) -> _Points:
        b, axes = self.b, (cloud("j", self.settings.points),)
        pos = b.add(POSITIONS, Input(Type(VECTOR, axes)))
        flags = b.add("atom_mask", Input(Type(S, axes, formats=FLAG)))
        vectors = b.add("r", Add((1,)), b.add("pos.i", Rename("j", "i"), pos), pos)
        square = b.add("r2", CgSquare(natural(1, 1, 0)), vectors)
        most = max(self.tensors.spins("edge", k)[-1] for k in range(self.tensors.levels))
        live = b.add("live", Rename("j", "i"), flags)
        return _Points(live, harmonics(b, "y", vectors, most), distance(b, "d", square))

    def _scalars(self) -> str:
        """Append one_hot * charge^n over i, n slow; the scale of charges waits for the weights."""
        b, s = self.b, self.settings
        axes = (cloud("j", s.points),)
        kinds = b.add("one_hot", Input(Type(S, (*axes, Axis(C, s.species)), formats=FLAG)))
        powers, parts = [b.add("charges", Input(Type(S, axes)))], [kinds]
        for n in range(1, s.charge_power + 1):
            if n > 1:
                powers.append(b.add(f"charges{n}", PRODUCT, powers[-1], powers[0]))
            parts.append(b.add(f"species{n}", PRODUCT, kinds, powers[-1]))
        return b.add("scalars", Rename("j", "i"), b.add("scalars.j", Concat(C), *parts))

    def _order(self) -> NDArray[np.int64]:
        """Return which scalars of the checkpoint, species slow, those of the graph are."""
        count = self.settings.species * (self.settings.charge_power + 1)
        return np.arange(count).reshape(self.settings.species, -1).T.ravel()

    def _columns(self, weight: Floats) -> Floats:
        """Return the columns of a matrix on one or more sets of scalars for those of the graph."""
        s, order = self.settings, self._order()
        powers = np.repeat(np.arange(s.charge_power + 1.0), s.species)
        sets = weight.reshape(len(weight), -1, len(order))[:, :, order] / s.charge_scale**powers
        return sets.reshape(len(weight), -1)

    def _input(self, points: _Points) -> Pair:
        b, t, scalars = self.b, self.tensors, self._scalars()
        if t.message_layers:
            return split(b, self._messages(scalars, points), 0)
        weight, bias = t.linear("input_func_atom.lin", b.type(scalars).size(C))
        order = _halves(len(bias))
        op = ChannelMix(Tensor(self._columns(weight)[order]), Tensor(bias[order]))
        return split(b, b.add("x0", Mask(), b.add("x0.open", op, scalars), points.flags), 0)

    def _messages(self, scalars: str, points: _Points) -> str:
        """Append layers of sum_j f_ij s_j beside s_i, and a network: real parts, then imaginary parts."""
        b, cut = self.b, self._first_cut(points)
        value = b.add("scalars.live", Mask(), scalars, points.flags)
        for layer in range(self.tensors.message_layers):
            name, last = f"input{layer}", layer == self.tensors.message_layers - 1
            f = b.add(f"{name}.f", PRODUCT, self._filter(layer, b.type(value).size(C), points), cut)
            sent = b.add(f"{name}.sent", PairSum("j"), f, b.add(f"{value}.j", Rename("i", "j"), value))
            both = b.add(f"{name}.both", Concat(C), sent, value)
            columns, rows = None if layer else self._columns, _halves if last else None
            value = self._network(f"input_func_atom.mlps.{layer}", name, both, LEAKY, columns, rows)
            value = b.add(f"{name}.live", Mask(), value, points.flags)
        return value

    def _filter(self, layer: int, size: int, points: _Points) -> str:
        """Append a linear layer on waves, a function of the distance for each feature."""
        b, head = self.b, f"input_func_atom.rad_filts.{layer}"
        scales, phases = self.tensors.waves(head)
        weight, bias = self.tensors.linear(f"{head}.linear.0", -1)
        if len(weight) != size:
            raise CompileError(f"{WHERE}: {head}", f"has {len(weight)} functions, expected {size}", OTHER)
        order = np.arange(size) if layer else self._order()
        flat = self._waves(f"input{layer}.waves", scales, phases, weight.shape[1], points)
        return b.add(f"input{layer}.radial", ChannelMix(Tensor(weight[order]), Tensor(bias[order])), flat)

    def _first_cut(self, points: _Points) -> str:
        """Append the cut of the messages: hard and soft, by the settings of the first level."""
        b, s, d = self.b, self.settings, points.distance
        radius, width = (known(k, v[0]) for k, v in (("soft_cut_rad", s.soft), ("soft_cut_width", s.width)))
        hard = hard_cut(b, "input.hard", d, known("hard_cut_rad", s.hard[0]))
        soft = soft_cuts(b, "input.soft", d, [least(radius)], [least(width)], "one")
        return b.add("input.cut", PRODUCT, b.add("input.soft1", Select("one", (0,)), soft), hard)

    def _waves(self, name: str, scales: Floats, phases: Floats, count: int, points: _Points) -> str:
        """Append the real functions of a radial basis, powers of the distance fast."""
        powers, rest = divmod(count, len(scales))
        if rest or not powers:
            found = f"has {count} radial functions for {len(scales)} frequencies"
            raise CompileError(f"{WHERE}: {name}", found, "expected one for each frequency and power")
        wave, phase = (np.repeat(v, powers).tolist() for v in (scales, phases))
        falling = np.tile(-np.arange(float(powers)), len(scales)).tolist()
        return waves(self.b, name, points.distance, wave, phase, falling, C)

    def _network(
        self,
        key: str,
        name: str,
        x: str,
        curve: Activation,
        columns: Callable[[Floats], Floats] | None = None,
        rows: Callable[[int], NDArray[np.int64]] | None = None,
    ) -> str:
        """Append linear layers with a function between them. `columns` turns the first matrix into one for
        the features of the graph; `rows` orders what comes out."""
        b, count = self.b, self.tensors.layers(key)
        for layer in range(count):
            last = layer == count - 1
            weight, bias = self.tensors.linear(f"{key}.linear.{layer}", -1)
            weight = columns(weight) if columns and not layer else weight
            if rows and last:
                weight, bias = weight[rows(len(bias))], bias[rows(len(bias))]
            x = b.add(f"{name}.{layer}", ChannelMix(Tensor(weight), Tensor(bias)), x)
            x = x if last else b.add(f"{name}.{layer}.active", Table(activation=curve), x)
        return x

    # levels

    def _edges(
        self, level: int, before: list[Pair], x: list[Pair], senders: list[Pair], points: _Points
    ) -> list[Pair]:
        """Append e^l = cut * (W [e^l before, d] + W R): complex numbers for each pair, spin and channel.

        d are the bilinear products of features of i and j, R the radial functions.
        """
        b, t, size = self.b, self.tensors, channels(self.b, x[0])
        dots = [dot(b, f"d{level}.{k}", *pair) for k, pair in enumerate(zip(x, senders, strict=True))]
        scales, phases = t.waves(f"rad_funcs.rad_funcs.{level}")
        inputs = t.edge_inputs(level, 0) - sum(channels(b, v) for v in (*before[:1], *dots))
        flat = self._waves(f"waves{level}", scales, phases, 2 * inputs, points)
        cut = self._cut(level, size, points)
        return [
            self._edge(level, spin, before[spin : spin + 1], dots if spin < len(x) else [], flat, cut)
            for spin in t.spins("edge", level)
        ]

    def _edge(self, level: int, spin: int, before: list[Pair], dots: list[Pair], flat: str, cut: str) -> Pair:
        b, name = self.b, f"e{level}.{spin}"
        sizes = [sum(channels(b, v) for v in part) for part in (before, dots)]
        weight = self.tensors.mixing("edge", level, spin, sum(sizes) + b.type(flat).size(C) // 2)
        carried, bilinear, radial = np.split(weight, np.cumsum(sizes), axis=1)
        columns = np.repeat(radial, 2, axis=1) * np.tile([1, 1j], radial.shape[1])
        op = ChannelMix(Tensor(np.concatenate([columns.real, columns.imag])))
        value = b.add(f"{name}.radial", op, flat)
        value = b.add(f"{name}.table", PRODUCT, value, cut) if cut else value
        rest = [mix(b, f"{name}.before", carried, before)] if before else []
        rest += [mix(b, f"{name}.dots", bilinear, dots)] if dots else []
        if rest:
            other = rest[0] if len(rest) == 1 else b.add(f"{name}.others", Add(), *rest)
            other = b.add(f"{name}.others.cut", PRODUCT, cut, other) if cut else other
            value = b.add(name, Add(), value, other)
        return split(b, value, 0)

    def _cut(self, level: int, size: int, points: _Points) -> str:
        """Append the cut of a level, real and imaginary parts alike; nothing if there is none."""
        b, s, name, parts = self.b, self.settings, f"cut{level}", list[str]()
        if s.cuts & set(SOFT):
            radii, widths = (
                np.tile(
                    self.tensors.cut(level, k, v[level], size, bool(s.cuts & {"learn", f"learn_{k}"})), 2
                ).tolist()
                for k, v in (("rad", s.soft), ("width", s.width))
            )
            parts.append(soft_cuts(b, f"{name}.soft", points.distance, radii, widths, C))
        if "hard" in s.cuts:
            radius = known("hard_cut_rad", s.hard[level])
            parts.append(hard_cut(b, f"{name}.hard", points.distance, radius))
        return b.add(name, PRODUCT, *parts) if len(parts) == 2 else "".join(parts)

    def _level(
        self, level: int, x: list[Pair], senders: list[Pair], edges: list[Pair], points: _Points
    ) -> list[Pair]:
        """Append X' = W [ sum_j e_ij Y(r_ij) X_j ; X ; X X ] for each spin, the l of the left factor slow."""
        b, size, found = self.b, channels(self.b, x[0]), list[Pair]()
        for spin in self.tensors.spins("atom", level):
            name = f"x{level + 1}.{spin}"
            blocks = [
                self._sent(f"{name}.sent{a}{c}", (edges[a], points.zonal[a]), senders[c], spin)
                for a, c in _couples(len(edges), len(x), spin)
            ]
            blocks += x[spin : spin + 1]
            couples, given = _couples(len(x), len(x), spin), size * len(blocks)
            weight = self.tensors.mixing("atom", level, spin, given + size * len(couples))
            own = _merged(weight[:, given:], couples, spin)
            blocks += [self._own(f"{name}.own{a}{c}", x[a], x[c], spin) for a, c in own]
            columns = np.concatenate([weight[:, :given], *own.values()], axis=1)
            value = mix(b, f"{name}.open", columns, blocks)
            found.append(split(b, b.add(name, Mask(), value, points.flags), spin))
        return found

    def _sent(self, name: str, edge: tuple[Pair, RealTensor | None], x: Pair, spin: int) -> Pair:
        """Append sum_j CG(e_ij Y(r_ij), X_j), the factor with fewer components multiplied first."""
        b, (weight, zonal) = self.b, edge
        if zonal is None or x.spin == 0:
            sent = product(b, f"{name}.weighted", weight, x, x.spin)
            sent = coupled(b, name, zonal, sent, spin) if zonal else sent
        else:
            sent = product(b, f"{name}.weighted", weight, coupled(b, name, zonal, x, spin), spin)
        return each(b, ".sum", ParticleSum("j"), sent)

    def _own(self, name: str, left: Pair, right: Pair, spin: int) -> Pair:
        if left is right:
            return square(self.b, name, left, spin)
        return product(self.b, name, left, right, spin)

    # output

    def _output(self, levels: list[list[Pair]], points: _Points) -> str:
        b, t, (value, columns) = self.b, self.tensors, self._invariants(levels)
        if not t.message_layers:
            total = b.add("total", ParticleSum("i"), value)
            weight, bias = t.linear("output_layer_atom.lin", -1)
            return b.add("score", ChannelMix(Tensor(columns(weight)), Tensor(bias)), total)
        curve = self.settings.activation
        each_point = self._network("output_layer_atom.mlp1", "point", value, curve, columns)
        live = b.add("point.live", Mask(), each_point, points.flags)
        return self._network("output_layer_atom.mlp2", "score", b.add("total", ParticleSum("i"), live), curve)

    def _invariants(self, levels: list[list[Pair]]) -> tuple[str, Callable[[Floats], Floats]]:
        """Append (re, im) of the scalars of all levels, then re.re and im.im of all spins and levels; also
        return what turns columns for the invariants of the checkpoint into columns for these."""
        b, values = self.b, [v for x in levels for v in (x[0].re, x[0].im)]
        every = [x[spin] for spin in range(max(map(len, levels))) for x in levels if spin < len(x)]
        squares = list[tuple[int, float]]()
        for x in every:
            rr, ii, factor = norms(b, x)
            values += [rr, ii]
            squares.append((channels(b, x), factor))
        sizes = [channels(b, x[0]) for x in levels]

        def columns(weight: Floats) -> Floats:
            return _invariant_columns(weight, sizes, squares)

        return b.add("invariants", Concat(C), *values), columns


def _invariant_columns(weight: Floats, scalars: list[int], squares: list[tuple[int, float]]) -> Floats:
    """Return columns for re and im of scalars, and re.re and im.im of tensors, of columns for (re, im) and
    for (Re x.x, |x|^2), where x.x is a factor times (re + i im).(re + i im). Channels are slow in what is
    given, fast in what is returned.

    Raises CompileError for another number of columns.
    """
    total = 2 * (sum(scalars) + sum(size for size, _ in squares))
    if weight.shape[1] != total:
        raise CompileError(
            f"{WHERE}: output_layer_atom", f"reads {weight.shape[1]} values, expected {total}", OTHER
        )
    pairs, found = weight.reshape(len(weight), -1, 2), list[Floats]()
    for size in scalars:
        found += [pairs[:, :size, 0], pairs[:, :size, 1]]
        pairs = pairs[:, size:]
    for size, factor in squares:
        form, norm = pairs[:, :size, 0], pairs[:, :size, 1]
        found += [factor * (norm + form), factor * (norm - form)]
        pairs = pairs[:, size:]
    return np.concatenate(found, axis=1)


def _couples(left: int, right: int, spin: int) -> list[tuple[int, int]]:
    """Return the spins below `left` and `right` that couple to a spin."""
    every = [(a, c) for a in range(left) for c in range(right)]
    return [(a, c) for a, c in every if abs(a - c) <= spin <= a + c]


def _merged(
    weight: Coefficients, couples: list[tuple[int, int]], spin: int
) -> dict[tuple[int, int], Coefficients]:
    """Return the columns of products of features with themselves. Those of (c, a) are added to those of
    (a, c), with the sign of the exchange; antisymmetric squares, which are zero, are left out."""
    parts = np.split(weight, len(couples), axis=1) if couples else []
    columns = dict(zip(couples, parts, strict=True))
    signs = {(a, c): (-1) ** (a + c - spin) for a, c in couples}
    return {
        (a, c): columns[a, c] if a == c else columns[a, c] + signs[a, c] * columns[c, a]
        for a, c in couples
        if a < c or (a == c and signs[a, c] > 0)
    }


def _halves(count: int) -> NDArray[np.int64]:
    """Return the order of re, im, re, im, .. that has all real parts first."""
    return np.concatenate([np.arange(0, count, 2), np.arange(1, count, 2)])
