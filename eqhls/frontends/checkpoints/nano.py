"""PELICAN-nano checkpoints (abogatskiy/PELICAN-nano, arXiv:2310.16121): products, one Eq2to2, totals.

Six of the fifteen maps are enough for massless particles and symmetric products. Messages are batch
normalisations alone, so the second one folds into the rectifier before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.frontends.checkpoints.fields import Fields
from eqhls.frontends.checkpoints.pairs import (
    ORDERS,
    PLAIN,
    Letters,
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
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Tensor
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.maps import maps_of
from eqhls.ops.table import Activation, Table

EQ = "net2to2.eq_layers.0"
MAPS = tuple(map(Eq2to2.maps.index, maps_of("x@pair c@corner c@column c@row total@all total@diagonal")))
"""Which of the fifteen maps the six are."""


def recognizes(state: Mapping[str, NDArray[Any]]) -> bool:
    """Whether these are the tensors of a PELICAN-nano network."""
    return f"{EQ}.bias" in state and "agg_2to0.bias" in state and "input_encoder.rank2_alphas" not in state


def graph_from(state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the float network: p V[j:nobj] (E, px, py, pz) in GeV and valid S[j:nobj] to logits -w, w.

    Raises CompileError for options that no op computes, with the reason, and for tensors that do not fit.
    """
    fields = Fields("pelican-nano", state, arguments)
    function = _check(fields)
    letters, outer = (read_letters(fields, name, "s") for name in ("config", "config_out"))
    scale = fields.argument("scale", 1.0)
    nodes, products = add_nodes(Builder("pelican_nano"), fields.argument("nobj", 0), _beams(fields) / scale)
    products = without_masses(nodes, products) if fields.argument("massless", False) else products
    x = open_channels(nodes, products, 1)
    gain, shift = read_norm(fields, "net2to2.message_layers.0", 1)
    x = nodes.builder.add("normalised", ChannelMix(Tensor(gain[:, None] * scale**2), Tensor(shift)), x)
    x = nodes.mask("message", x)
    maps = _pair_map(fields, letters)
    x = add_pair_map(nodes, "eq", x, maps, letters, fields.chosen("activate_agg", False, function))
    norm = read_norm(fields, "msg_2to0", nodes.builder.type(x).size("c"))
    hidden = fields.chosen("activate_lin", True, function) or Activation.NONE
    x = nodes.mask("hidden", add_normalised(nodes, "active", x, hidden, *norm))
    head = add_head(nodes, x, fields, outer, fields.chosen("activate_agg_out", False, function))
    if fields.argument("activate_lin_out", False):
        head = nodes.builder.add("head_active", Table(activation=function), head)
    return nodes.builder.graph(nodes.builder.add("logits", ChannelMix(Tensor([[-1.0], [1.0]])), head))


def _check(fields: Fields) -> Activation:
    """Refuse what no op computes; return the activation."""
    if fields.has("net2to2.eq_layers.1.bias") or fields.has("net2to2.message_layers.0.linear.0.weight"):
        raise fields.refused("more than one Eq2to2 or a mix before it", "expected the published layers")
    return check_options(fields, "relu")


def _beams(fields: Fields) -> Floats:
    if not fields.argument("add_beams", True):
        return np.zeros((0, 4))
    energy = np.hypot(1.0, fields.argument("beam_mass", 0.0))
    return np.array([[energy, 0, 0, 1], [energy, 0, 0, -1]])


def _pair_map(fields: Fields, letters: Letters) -> PairMap:
    """Return the six maps among the fifteen."""
    if len(letters.text) != 1:
        raise fields.refused(f"config = {letters.text!r}", "expected one letter")
    six = read_coefficients(fields, EQ, len(MAPS))
    weight = np.zeros((*six.shape[:2], PLAIN + len(ORDERS)))
    weight[..., MAPS] = six
    alphas = read_alphas(fields, EQ, letters, six.shape[1], len(MAPS) - 1)[0]
    if alphas is not None:
        wide = np.zeros((six.shape[1], len(ORDERS)))
        wide[:, [m - PLAIN for m in MAPS[1:]]] = alphas
        alphas = wide
    bias, diagonal = (fields.tensor(f"{EQ}.{n}", len(six)) for n in ("bias", "diag_bias"))
    return PairMap(weight, bias, diagonal, [alphas])
