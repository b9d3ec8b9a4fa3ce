"""PELICAN checkpoints (abogatskiy/PELICAN, arXiv:2211.00454): the classifier, whole.

Products of pairs, encoded; labels of particles and spurions spread over pairs; blocks of a message (mix,
rectifier, batch normalisation) and an Eq2to2; a head of totals and traces. Labels depend on the kind of
pair and on n alone, so they enter the first message as tables of n, and normalisation after a rectifier is a
rectifier with other slopes; padding is silenced once in each message.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed.ordered import ordered_einsum, rounded_once
from eqhls.frontends.checkpoints.fields import Fields
from eqhls.frontends.checkpoints.pairs import (
    PLAIN,
    TIMES,
    Letters,
    Nodes,
    PairMap,
    add_head,
    add_nodes,
    add_normalised,
    add_pair_map,
    check_options,
    open_channels,
    read_alphas,
    read_coefficients,
    read_letters,
    read_norm,
    without_masses,
)
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.gram import Gram
from eqhls.ops.maps import at, sums
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.rename import Rename
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

SPURIONS: dict[str, list[list[float]]] = {
    "so13": [],
    "so3": [[1, 0, 0, 0]],
    "so12": [[0, 0, 0, 1]],
    "se2": [[1, 0, 0, -1]],
    "so2": [[1, 0, 0, 0], [0, 0, 0, 1]],
    "so2_0": [[1, 0, 0, 1], [1, 0, 0, -1]],
    "R": [[0, 1, 0, 0], [0, 0, 1, 0]],
    "1": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    "11": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    "1_0": [[1, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, -1]],
    "11_0": [[1, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, -1]],
}
"""The constant vectors that break the Lorentz group to a subgroup, by its name."""
COMPONENTS = SPURIONS | {"1_0": [[1, 0, 0, 1], [1, -1, 0, 0], [1, 0, -1, 0], [1, 0, 0, -1]]}
"""Which sums of (E, px, py, pz) of a particle enter in their place if the method is `input`."""
LABELS = Eq1to2.maps
"""The maps of the one-hot labels of particles."""


def recognizes(state: Mapping[str, NDArray[Any]]) -> bool:
    """Whether these are the tensors of a PELICAN network."""
    return "input_encoder.rank2_alphas" in state and "net2to2.eq_layers.0.bias" in state


def graph_from(state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the float network: p V[j:nobj] (E, px, py, pz) in GeV and valid S[j:nobj] to logits S[c].

    Raises CompileError for options that no op computes, with the reason, and for tensors that do not fit.
    """
    fields = Fields("pelican", state, arguments)
    function = _check(fields)
    active = Table(activation=function)
    letters, outer = (read_letters(fields, name, "M") for name in ("config", "config_out"))
    nodes, x, labels = _add_inputs(fields, outer, function)
    for k in count():
        prefix = f"net2to2.eq_layers.{k}"
        if not fields.has(f"{prefix}.bias"):
            break
        x = _add_message(nodes, f"message{k}", x, fields, f"net2to2.message_layers.{k}", function, labels)
        labels = None
        maps, inner = _pair_map(fields, prefix, letters), fields.chosen("activate_agg", False, function)
        x = add_pair_map(nodes, f"eq{k}", x, maps, letters, inner)
        if fields.argument("activate_lin", True):
            x = nodes.builder.add(f"hidden{k}", active, x)
    x = _add_message(nodes, "message_out", x, fields, "msg_2to0", function, labels)
    x = add_head(nodes, x, fields, outer, fields.chosen("activate_agg_out", True, function))
    if fields.argument("activate_lin_out", False):
        x = nodes.builder.add("head_active", active, x)
    for k in range(_depth(fields, "mlp_out")):
        x = nodes.builder.add(f"mlp{k}", _linear(fields, f"mlp_out.linear.{k}"), x)
        x = nodes.builder.add(f"mlp{k}_active", active, x)
    return nodes.builder.graph(x)


def _add_inputs(fields: Fields, outer: Letters, function: Activation) -> tuple[Nodes, str, Floats | None]:
    """Add what the first message mixes: encoded invariants of pairs, and labels if there are spurions."""
    scale, stabilizer = fields.argument("scale", 1.0), fields.argument("stabilizer", "so2")
    apart = fields.argument("method", "spurions").startswith("s")
    spurions = np.array(SPURIONS[stabilizer] if apart else []).reshape(-1, 4) / scale
    nodes, products = add_nodes(Builder("pelican"), fields.argument("nobj", 0), spurions)
    products = without_masses(nodes, products) if fields.argument("massless", False) else products
    if not apart and COMPONENTS[stabilizer]:
        return nodes, _add_component_encoder(nodes, products, fields, scale), None
    labels = _labels(fields, nodes, outer, function) if apart and fields.has("eq1to2.bias") else None
    return nodes, _add_encoder(nodes, products, fields, scale), labels


def _check(fields: Fields) -> Activation:
    """Refuse what no op computes; return the activation."""
    if not fields.has("agg_2to0.bias"):
        raise fields.refused(
            "another head than agg_2to0", "only the classifier is read, no regression of vectors"
        )
    method = fields.argument("method", "spurions")
    if not method.startswith(("s", "i")):
        raise fields.refused(f"method = {method!r}", "expected spurions or input")
    fields.require("stabilizer", "so2", *SPURIONS, why="others have no constant vectors")
    fields.require("read_pid", False, False, why="particle identities have no port")
    fields.require("dataset", "", "", why="the scalars of its particles have no port")
    return check_options(fields, "leakyrelu")


def _add_component_encoder(nodes: Nodes, products: str, fields: Fields, scale: float) -> str:
    """Add slog of lines of the products of components and, unless these are all, of <p_i, p_j>."""
    b, stabilizer = nodes.builder, fields.argument("stabilizer", "so2")
    directions = np.array(COMPONENTS[stabilizer], dtype=np.float64) * [1, -1, -1, -1]
    type = Type(V, (Axis("c", len(directions)),))
    constant = b.add("directions", Spurion(type, Tensor(directions)))
    own = b.add("components", Gram(), "particles", constant)
    place = Type(S, (Axis("i", nodes.size), Axis("j", nodes.size)))
    every = b.add("every_pair", Spurion(place, Tensor(np.ones(place.shape))))
    receivers = b.add("components_i", TIMES, every, own)
    pairs = b.add("components_ij", TIMES, receivers, b.add("components_j", Rename("i", "j"), own))
    if stabilizer not in ("1", "1_0"):
        pairs = b.add("invariants", Concat("c"), pairs, open_channels(nodes, products, 1))
    alphas = fields.tensor("input_encoder.rank2_alphas", -1)
    weight = fields.tensor("linear.weight", len(alphas), b.type(pairs).size("c"))
    line = ChannelMix(Tensor(weight * scale**2), Tensor(fields.tensor("linear.bias", len(alphas))))
    return b.add("encoded", _slog(alphas, np.tile([0.0, 1.0], (len(alphas), 1))), b.add("lines", line, pairs))


def _slog(alphas: Floats, values: Floats) -> Table:
    """Return the encoding of PELICAN, behind a line of every channel: its values at 0 and 1."""
    powers = Tensor((1e-6 + alphas**2)[:, None])
    return Table(values=Tensor(values), activation=Activation.SLOG, axis="c", parameters=powers)


def _add_encoder(nodes: Nodes, products: str, fields: Fields, scale: float) -> str:
    """Add slog of a line of the products, S[i,j,c]. Products of scaled momenta are scale**2 larger."""
    alphas = fields.tensor("input_encoder.rank2_alphas", -1)
    channels = len(alphas)
    slope, offset = np.full(channels, 1.0), np.zeros(channels)
    if fields.has("linear.weight"):
        slope, offset = (
            fields.tensor("linear.weight", channels, 1)[:, 0],
            fields.tensor("linear.bias", channels),
        )
    values = np.stack([offset, offset + slope * scale**2], axis=1)
    encode = _slog(alphas, values)
    return nodes.builder.add("encoded", encode, open_channels(nodes, products, channels))


def _pair_map(fields: Fields, prefix: str, letters: Letters) -> PairMap:
    weight = read_coefficients(fields, prefix, PLAIN + 10 * len(letters.text))
    bias, diagonal = (fields.tensor(f"{prefix}.{n}", len(weight)) for n in ("bias", "diag_bias"))
    return PairMap(weight, bias, diagonal, read_alphas(fields, prefix, letters, weight.shape[1], 10))


def _depth(fields: Fields, prefix: str) -> int:
    return next(k for k in count() if not fields.has(f"{prefix}.linear.{k}.weight"))


def _linear(fields: Fields, prefix: str) -> ChannelMix:
    weight = fields.tensor(f"{prefix}.weight", -1, -1)
    return ChannelMix(Tensor(weight), Tensor(fields.tensor(f"{prefix}.bias", len(weight))))


def _add_message(
    nodes: Nodes, name: str, x: str, fields: Fields, prefix: str, function: Activation, labels: Floats | None
) -> str:
    """Add mixes of channels, a function behind each, and behind the last one, or if there is none, a
    normalisation, without padding.

    `labels` (kinds of pairs, counts, channels) are further channels of the first mix.
    """
    depth = _depth(fields, prefix)
    if not depth:
        return nodes.mask(name, _add_norm(nodes, name, x, fields, prefix, labels))
    for k in range(depth):
        mix = _linear(fields, f"{prefix}.linear.{k}")
        x = _add_mix(nodes, f"{name}_mix{k}", x, mix, labels if k == 0 else None)
        channels = mix.weight.shape[0]
        norm = (
            read_norm(fields, prefix, channels) if k == depth - 1 else (np.ones(channels), np.zeros(channels))
        )
        x = add_normalised(nodes, f"{name}_active{k}", x, function, *norm)
    return nodes.mask(name, x)


def _add_norm(nodes: Nodes, name: str, x: str, fields: Fields, prefix: str, labels: Floats | None) -> str:
    """Add the normalisation of a message without layers, behind the labels as channels of their own."""
    if labels is not None and labels.shape[2]:
        named = _add_kinds(nodes, labels.transpose(0, 2, 1))
        x = nodes.builder.add(f"{name}_labelled", Concat("c"), x, named)
    scale, shift = read_norm(fields, prefix, nodes.builder.type(x).size("c"))
    return nodes.builder.add(f"{name}_norm", ChannelMix(Tensor(np.diag(scale)), Tensor(shift)), x)


def _add_mix(nodes: Nodes, name: str, x: str, mix: ChannelMix, labels: Floats | None) -> str:
    """Add a mix of channels and labels; these are a bias that depends on the kind of pair and on n."""
    channels = nodes.builder.type(x).size("c")
    have = channels + (0 if labels is None else labels.shape[2])
    if mix.weight.shape[1] != have:
        raise CompileError(f"pelican: {name}", f"mixes {mix.weight.shape[1]} channels", f"expected {have}")
    if labels is None or mix.bias is None:
        return nodes.builder.add(name, mix, x)
    weight = mix.weight.array
    rows = ordered_einsum("knd,cd->kcn", labels, weight[:, channels:]) + mix.bias.array[:, None]
    encoded = nodes.builder.add(f"{name}_encoded", ChannelMix(Tensor(weight[:, :channels])), x)
    return nodes.builder.add(name, Add(), encoded, _add_kinds(nodes, rows))


def _kinds(nodes: Nodes) -> NDArray[np.int64]:
    """Return the kind of every pair (n, n): of labels a, b off the diagonal, of one label on it. Labels are 0
    for particles, then 1, 2, .. for the spurions."""
    labels = [*range(1, nodes.spurions + 1), *[0] * nodes.particles]
    several = nodes.spurions + 1
    kind = np.array([[a * several + b for b in labels] for a in labels])
    np.fill_diagonal(kind, [several**2 + a for a in labels])
    return kind


def _labels(fields: Fields, nodes: Nodes, letters: Letters, function: Activation) -> Floats:
    """Return eq1to2 of the one-hot labels, activated: (kinds of pairs, counts, channels)."""
    several = nodes.spurions + 1
    size, orders = len(LABELS), np.array(sums(LABELS))
    own, column, row = (at(LABELS, place)["v"] for place in ("corner", "column", "row"))
    mix = read_coefficients(fields, "eq1to2", len(LABELS) * len(letters.text))
    out, inputs, _ = mix.shape
    if inputs != several:
        raise fields.refused(
            f"{inputs} scalars a particle", f"expected the {several} labels of particle and spurions"
        )
    alphas = read_alphas(fields, "eq1to2", letters, inputs, size)
    n = nodes.counts
    totals = np.concatenate([[n - nodes.spurions], np.ones((nodes.spurions, len(n)))])
    values = np.zeros((several**2 + several, len(n), out))
    for k, (letter, exponents) in enumerate(zip(letters.text, alphas, strict=True)):
        factor = np.broadcast_to(letters.factor(letter, orders, exponents, n), (inputs, size, len(n)))
        maps = ordered_einsum("sdb,dbn->bdns", mix[..., size * k : size * (k + 1)], factor)
        everywhere, diagonal = (
            ordered_einsum("dns,dn->ns", maps[b], totals)
            for b in (at(LABELS, "all")["whole"], at(LABELS, "diagonal")["whole"])
        )
        for a in range(several):
            for b in range(several):
                values[a * several + b] += maps[column, b] + maps[row, a] + everywhere
            values[several**2 + a] += maps[[own, column, row], a].sum(0) + everywhere + diagonal
    return rounded_once(function, values + fields.tensor("eq1to2.bias", out))


def _add_kinds(nodes: Nodes, rows: Floats) -> str:
    """Add S[i,j,c] from functions of n (kinds, channels, counts), by sums with constants: wires only."""
    kinds, channels, counts = rows.shape
    b = nodes.builder
    flat = nodes.functions("labels_flat", rows.reshape(-1, counts))
    shape = Type(S, (Axis("k", kinds), Axis("d", channels), Axis("c", kinds * channels)))
    fold = np.eye(kinds * channels).reshape(*shape.shape)
    folded = b.add("labels_kinds", PairSum("c"), b.add("labels_fold", Spurion(shape, Tensor(fold))), flat)
    place = Type(S, (Axis("i", nodes.size), Axis("j", nodes.size), Axis("k", kinds)))
    one_hot = np.eye(kinds)[_kinds(nodes)][..., None]
    where = b.add("labels_where", Spurion(place, Tensor(one_hot)))
    pairs = b.add("labels_pairs", PairSum("k"), where, folded)
    return b.add("labels", Rename("d", "c"), pairs)
