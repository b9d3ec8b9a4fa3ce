"""Tensor field networks (arXiv:1802.08219) from their variables, with filters and features of l = 0 and 1.

With r_ij = r_i - r_j, d_ij = sqrt(max(|r_ij|^2, eps)), Gaussians e_b = exp(-gamma (d - centre_b)^2) and a
radial net F = W2 act(W1 e + b1) + b2 of its own for each filter, a layer sums over all j

    l = 0 filters, on features of any l:   F_ij V_j        (also of i = j, where d = sqrt(eps))
    l = 1 filters:   F_ij u_ij s_j,   F_ij u_ij . V_j,   F_ij u_ij x V_j        (u = r / d, 0 where r = 0)

joins the results along channels (0x0, 1x1 to l = 0; 0x1, 1x0, 1x1 to l = 1), mixes them, and bends
scalars by act(s), vectors by V act(|V| + b) / |V|. The head is linear in the mean of the scalars over points.

No vector is normalised: the 1 / d of u is part of the radial function. The cross product of two polar vectors
is taken for a polar one, as in the published code: networks of three layers and more may see the handedness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.fields import ACTIVATIONS, Fields
from eqhls.frontends.checkpoints.points import (
    APART,
    AWAY,
    CHANNELS,
    RECEIVERS,
    SENDERS,
    SQUARE,
    cloud,
    differences,
    number,
    number_of_points,
    positive,
    whole,
)
from eqhls.frontends.radial import PRODUCT, affine, distance, gaussians, power
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.table import Activation, Table

EMBEDDING = "embed/self_interaction_layer/weights"
HEAD, HEAD_BIAS = "fully_connected_weights", "output_biases"
DOT, CROSS, SCALE = (CgProduct(parse_path(p)) for p in ("1o*1o->S", "1o*1o->1o~", "S*1o->1o"))
DISTANCE, BASIS, INVERSE = "d", "rbf", "inverse_d"
PATHS = {0: ("F0_to_L/F_0", "F1_to_1/F_1"), 1: ("F0_to_L/F_0", "F1_to_0/F_1", "F1_to_1/F_1")}
"""The filters on features of l = 0 and of l = 1, as the published code names them, in its order."""
SCALARS = "scalars"
"""The port of features, and the array of events that fills it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the variables do not say, and the sizes that they must have."""

    points: int
    scalars: int
    widths: tuple[int, ...]
    hidden: int
    centres: tuple[float, ...]
    gamma: float
    epsilon: float
    radial: Activation
    features: Activation
    classes: int

    @classmethod
    def of(cls, fields: Fields) -> Settings:
        """Read config.json. Raises CompileError for settings that are missing, wrong or not supported."""
        fields.require("pool", "mean", "mean", why="the head reads the mean over points")
        count = whole(fields, "rbf_count")
        low, high = number(fields, "rbf_low"), number(fields, "rbf_high")
        if not low < high:
            raise CompileError("TFN: rbf_high", f"found {high}", f"give a number above rbf_low = {low}")
        default = count / (high - low)
        return cls(
            number_of_points(fields),
            whole(fields, "scalars_in"),
            _widths(fields),
            whole(fields, "hidden_dim"),
            tuple(np.linspace(low, high, count).tolist()),
            positive(fields, "rbf_gamma") if "rbf_gamma" in fields.arguments else default,
            positive(fields, "epsilon") if "epsilon" in fields.arguments else 1e-8,
            _function(fields, "radial_nonlin", "relu"),
            _function(fields, "feature_nonlin", "elu"),
            whole(fields, "classes"),
        )


def _widths(fields: Fields) -> tuple[int, ...]:
    given = fields.arguments.get("layer_dims")
    if not isinstance(given, list) or len(given) < 2 or not all(type(n) is int and n > 0 for n in given):
        raise CompileError(
            "TFN: layer_dims", f"found {given!r}", "give the channels behind the embedding and each layer"
        )
    return tuple(given)


def _function(fields: Fields, name: str, default: str) -> Activation:
    chosen = fields.argument(name, default)
    if chosen not in ACTIVATIONS:
        raise fields.refused(f"{name} = {chosen!r}", f"expected one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[chosen]


def recognizes(state: Mapping[str, NDArray[Any]]) -> bool:
    """Whether variables are those of a tensor field network: an embedding, convolutions, a linear head."""
    return {EMBEDDING, HEAD} <= set(state)


def graph_from(state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the float graph: pos 1o[j:N], scalars S[j:N,c] -> scores S[c:classes].

    Raises CompileError for variables and settings that are missing, of another shape, or not supported.
    """
    fields = Fields("TFN", state, arguments)
    return _Importer(fields, Settings.of(fields)).graph()


@dataclass(frozen=True, slots=True, eq=False)
class _Filter:
    """A filter of l = `order` on features of l = `rank`, and its radial net."""

    name: str
    rank: int
    order: int
    to: int
    first: Floats
    shift: Floats
    second: Floats
    last: Floats

    def __call__(self, settings: Settings, distance: float) -> Floats:
        """Return the radial function at a distance, (channels,)."""
        basis = np.exp(-settings.gamma * (distance - np.array(settings.centres)) ** 2)
        return self.second @ settings.radial(self.first @ basis + self.shift) + self.last


class _Importer:
    """Writes the graph layer by layer. Features are values by l, over receivers i."""

    def __init__(self, fields: Fields, settings: Settings) -> None:
        self.f, self.s = fields, settings
        self.b = Builder("tfn")

    def graph(self) -> Graph:
        b, s = self.b, self.s
        differences(b, s.points, outwards=False)
        distance(b, DISTANCE, SQUARE, least=s.epsilon)
        gaussians(b, BASIS, DISTANCE, s.centres, s.gamma, axis=CHANNELS)
        power(b, INVERSE, distance(b, "d_vector", SQUARE), -1.0)
        port = Type(S, (cloud(SENDERS, s.points), Axis(CHANNELS, s.scalars)))
        embedding = self.f.tensor(EMBEDDING, s.widths[0], s.scalars)
        first = self._mix("embed", b.add(SCALARS, Input(port)), embedding)
        features = {0: b.add("embed_i", Rename(SENDERS, RECEIVERS), first)}
        for layer in range(len(s.widths) - 1):
            features = self._layer(layer, features)
        pooled = b.add("pooled", ParticleSum(RECEIVERS), features[0])
        weight = self.f.tensor(HEAD, s.widths[-1], s.classes).T / s.points
        return b.graph(self._mix("scores", pooled, weight, self.f.tensor(HEAD_BIAS, s.classes)))

    def _layer(self, layer: int, features: Mapping[int, str]) -> dict[int, str]:
        """Return the features behind a layer; behind the last one scalars alone, which the head reads."""
        into, out = self.s.widths[layer : layer + 2]
        last = layer == len(self.s.widths) - 2
        parts: dict[int, list[str]] = {0: [], 1: []}
        for rank, x in features.items():
            for path in PATHS[rank]:
                made = self._filter(layer, rank, path, into)
                if not (last and made.to == 1):
                    parts[made.to].append(self._convolved(made, x))
        channels = {0: into * len(features), 1: into * (2 * len(features) - 1)}
        mixes = {rank: self._interaction(layer, rank, out, channels[rank]) for rank in (0, 1)}
        found: dict[int, str] = {}
        for rank, made in ((rank, p) for rank, p in parts.items() if p):
            weight, shift, bias = mixes[rank]
            joined = self._joined(f"l{layer}_all_{rank}", made)
            found[rank] = self._bent(
                f"l{layer}_{rank}", self._mix(f"l{layer}_mix_{rank}", joined, weight, shift), rank, bias
            )
        return found

    def _filter(self, layer: int, rank: int, path: str, out: int) -> _Filter:
        order = int(path[-1])
        to = rank if order == 0 else int(path.split("/")[0][-1])
        at = f"layer{layer}/convolution/L{rank}/tensor_0/{path}/radial_function"
        hidden, count = self.s.hidden, len(self.s.centres)
        return _Filter(
            f"l{layer}_{rank}x{order}_{to}",
            rank,
            order,
            to,
            self.f.tensor(f"{at}/weights1", hidden, count),
            self.f.tensor(f"{at}/biases1", hidden),
            self.f.tensor(f"{at}/weights2", out, hidden),
            self.f.tensor(f"{at}/biases2", out),
        )

    def _interaction(
        self, layer: int, rank: int, out: int, into: int
    ) -> tuple[Floats, Floats | None, Floats]:
        """Return the mix and bias of features, and the bias of their nonlinearity: that of scalars exists in
        the published code and is used for nothing."""
        at = f"layer{layer}/self_interaction/L{rank}/tensor_0/self_interaction_layer"
        weight = self.f.tensor(f"{at}/weights", out, into)
        bias = self.f.tensor(f"{at}/biases", out) if rank == 0 else None
        return weight, bias, self.f.tensor(f"layer{layer}/nonlinearity/L{rank}/tensor_0/biases", out)

    def _convolved(self, made: _Filter, x: str) -> str:
        """Return what one filter sums over senders, with its own message if it has one."""
        b, name, sender, radial = self.b, made.name, self._sender(x), self._radial(made)
        if made.order == 0:
            others = b.add(f"{name}_others", PairSum(SENDERS), radial, sender)
            own = self._mix(f"{name}_own", x, np.diag(made(self.s, np.sqrt(self.s.epsilon))))
            return b.add(name, Add(), others, own)
        if made.rank == 0:
            weight = b.add(f"{name}_s", PRODUCT, radial, sender)
            return b.add(name, PairSum(SENDERS), weight, AWAY)
        product = b.add(f"{name}_cg", CROSS if made.to else DOT, AWAY, sender)
        return b.add(name, PairSum(SENDERS), radial, product)

    def _sender(self, x: str) -> str:
        """Return features over senders, made once."""
        name = f"{x}_j"
        return name if self.b.has(name) else self.b.add(name, Rename(RECEIVERS, SENDERS), x)

    def _radial(self, made: _Filter) -> str:
        """Return F_ij, or F_ij / d_ij of a vector filter, S[i,j,c], 0 where i = j."""
        b, name = self.b, made.name
        hidden = self._mix(f"{name}_hidden", BASIS, made.first, made.shift)
        hidden = b.add(f"{name}_act", Table(activation=self.s.radial), hidden)
        radial = self._mix(f"{name}_F", hidden, made.second, made.last)
        if made.order:
            radial = b.add(f"{name}_Fd", PRODUCT, radial, INVERSE)
        return b.add(f"{name}_radial", Mask(), radial, APART)

    def _joined(self, name: str, parts: list[str]) -> str:
        return parts[0] if len(parts) == 1 else self.b.add(name, Concat(CHANNELS), *parts)

    def _bent(self, name: str, x: str, rank: int, bias: Floats) -> str:
        """Return features behind their nonlinearity. The factor of vectors grows like 1 / |V| down to the
        smallest length; of vectors of length zero, where it changes nothing, it is zero, so that they do not
        set its range."""
        b, act = self.b, self.s.features
        if rank == 0:
            return b.add(name, Table(activation=act), x)
        square = b.add(f"{name}_norm2", Invariants(), x)
        length = distance(b, f"{name}_norm", square, least=self.s.epsilon)
        bent = b.add(f"{name}_act", affine(np.ones(len(bias)), bias, act, CHANNELS), length)
        ratio = b.add(f"{name}_ratio", PRODUCT, bent, power(b, f"{name}_inverse", length, -1.0))
        some = b.add(f"{name}_some", Table(activation=Activation.STEP), square)
        return b.add(name, SCALE, b.add(f"{name}_factor", PRODUCT, ratio, some), x)

    def _mix(self, name: str, x: str, weight: Floats, shift: Floats | None = None) -> str:
        return self.b.add(name, ChannelMix(Tensor(weight), None if shift is None else Tensor(shift)), x)
