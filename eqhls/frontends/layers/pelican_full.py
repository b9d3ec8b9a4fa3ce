"""PELICAN as published, trainable: all fifteen maps on full pair tensors, label channels, messages, and
either a score or a covariant four-momentum at the end.

The tied network of `pelican.py` needs half the logic in every stage; this one keeps separate weights for rows
and columns, as the published network does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from eqhls.frontends.layers.geometry import CgProductLayer, ChannelMixLayer, GramLayer, PairSumLayer
from eqhls.frontends.layers.networks import Inputs, heads, logits, network, ports
from eqhls.frontends.layers.pairs import Eq1to2Layer, Eq2to0Layer, Eq2to1Layer, Eq2to2Layer
from eqhls.frontends.layers.pelican import (
    BENDS,
    KNOTS,
    READ,
    PelicanConfig,
    if_quantized,
    node_flags,
    node_vectors,
    trained_function,
)
from eqhls.frontends.layers.scalar import Log2Layer, RequantizeLayer, TableLayer
from eqhls.frontends.layers.structure import (
    ConcatLayer,
    MaskLayer,
    ParticleSumLayer,
    RenameLayer,
    SpurionLayer,
)


@dataclass(frozen=True, slots=True)
class FullConfig(PelicanConfig):
    """As `PelicanConfig`; `messages` are the channels C of each block's message (`blocks` are what the
    maps make of them, M), `labels` the channels made of one-hot labels, `weight` the format of the
    weights of the four-momentum, where `momentum` asks for one instead of a score."""

    messages: tuple[int, ...] = (3,)
    labels: int = 1
    weight: str = "fix<6,2,RND,SAT>"
    momentum: bool = False


def full_pelican(config: FullConfig, name: str, quantized: bool) -> keras.Model:
    """Return the network: encoded products and labels, blocks of message and Eq2to2, then totals and
    traces and a trained function of each (a score S[]), or one weight for each node by Eq2to1 and the sum
    of the weighted nodes (a four-momentum V[]).

    A message is a mix of channels and a trained function, which absorbs the batch normalisation that
    the published network puts behind its activation.
    """
    p, jet, valid = ports(config.inputs, config.constituents)
    nodes, flags = node_vectors(config, p, jet), node_flags(config, valid)
    others = RenameLayer("i", "j", name="flag_columns")(flags)

    def masked(x: Any, label: str) -> Any:
        return MaskLayer(name=label)(MaskLayer(name=f"{label}_rows")(x, flags), others)

    x = masked(_encoded(config, nodes, quantized), "encoded")
    weights = if_quantized(quantized, config.weights)
    for k, (inner, outer) in enumerate(zip(config.messages, config.blocks, strict=True)):
        mixed = ChannelMixLayer(inner, bias=True, quantizer=weights, name=f"mix{k}")(x)
        message = masked(
            trained_function(config, mixed, f"_message{k}", BENDS, config.hidden, quantized), f"message{k}"
        )
        keep = config.keep if quantized else None
        y = Eq2to2Layer(outer, keep, quantizer=weights, name=f"eq{k}")(message)
        x = masked(trained_function(config, y, f"{k}", BENDS, config.hidden, quantized), f"hidden{k}")
    out = _momentum(config, x, nodes, flags, quantized) if config.momentum else _score(config, x, quantized)
    return network(name, (p, jet, valid), out)


def _encoded(config: FullConfig, nodes: Any, quantized: bool) -> Any:
    """Return log2 of all products through trained functions, and labels of rows and columns, S[i,j,c]."""
    products = GramLayer(name="gram")(nodes, RenameLayer("i", "j", name="columns")(nodes))
    codes = Log2Layer(config.floor, config.frac, config.codes, quantized, config.log_step, name="log")(
        products
    )
    unit = SpurionLayer(f"S[c:{config.encoders}]", [[1.0]] * config.encoders, name="unit")(codes)
    opened = CgProductLayer("S*S->S", name="opened")(codes, unit)
    encoded = TableLayer(KNOTS, "c", out=config.encoded, name="encode", quantized=quantized)(opened)
    kinds = np.eye(1 + config.spurions)[[0] * config.constituents + list(range(1, 1 + config.spurions))]
    shape = f"S[i:{len(kinds)}, c:{1 + config.spurions}]"
    labels = SpurionLayer(shape, kinds[..., None].tolist(), name="labels")(codes)
    weights = if_quantized(quantized, config.weights)
    spread = Eq1to2Layer(config.labels, quantizer=weights, name="label_pairs")(labels)
    return ConcatLayer("c", name="features")(encoded, spread)


def _score(config: FullConfig, x: Any, quantized: bool) -> Any:
    weights = if_quantized(quantized, config.weights)
    pooled = Eq2to0Layer(config.readouts, quantizer=weights, name="pool")(x)
    if config.classes <= 2:
        read = trained_function(config, pooled, "_read", READ, config.readout, quantized)
        return ParticleSumLayer("c", name="logit")(read)
    totals: list[list[Any]] = []
    for tail in heads(config.classes):
        read = trained_function(config, pooled, f"_read{tail}", READ, config.readout, quantized)
        totals.append([ParticleSumLayer("c", name=f"read_sum{tail}")(read)])
    return logits(totals)


def _momentum(config: FullConfig, x: Any, nodes: Any, flags: Any, quantized: bool) -> Any:
    """Return sum_i w_i p_i over constituents, jet and beams; only the weights are rounded."""
    w = Eq2to1Layer(1, quantizer=if_quantized(quantized, config.weights), name="pool")(x)
    w = ParticleSumLayer("c", name="weight_exact")(w)
    if quantized:
        w = RequantizeLayer([config.weight], name="weight")(w)
    return PairSumLayer("i", name="momentum")(MaskLayer(name="weight_valid")(w, flags), nodes)


TWELVE_BITS = Inputs("xyz", "fix<12,11>", "fix<12,11>", ((1.0, 0.0, 0.0, 1.0), (1.0, 0.0, 0.0, -1.0)))
"""Cartesian components in the laboratory, with an LSB of 0.5 GeV."""


@dataclass(frozen=True, slots=True)
class NanoConfig:
    """PELICAN-nano as published (arXiv:2310.16121): hidden channels, and the formats of nPELICAN's
    quantized form: 12-bit momenta in the laboratory, products of 4 to 6 bits, weights of 6, activations
    of 9. `classes` is the number of classes that it tells apart: two by one score, three and more by a score
    each."""

    hidden: int = 2
    constituents: int = 16
    classes: int = 2
    inputs: Inputs = TWELVE_BITS
    products: str = "fix<6,10,RND,SAT>"
    weights: str = "fix<6,1,RND,SAT>"
    address: str = "fix<9,7,RND,SAT>"
    activation: str = "ufix<9,7,RND,SAT>"


NANO_MAPS = (0, 5, 6, 7, 13, 14)
"""x_ij, D c_i, c_j, c_i, total, D total: what massless particles and symmetric products leave."""


def published_nano(config: NanoConfig, name: str, quantized: bool) -> keras.Model:
    """Return products of constituents and beams, one Eq2to2 with six maps, ReLU, Eq2to0, one logit.

    Without batch normalisation (10 h + 1 trained values). Products are
    saturated while the network trains in floating point, too.
    """
    p, _, valid = ports(config.inputs, config.constituents)
    beams = SpurionLayer(f"V.{config.inputs.basis}[i:2]", config.inputs.beams, name="beams")(p)
    nodes = ConcatLayer("i", name="nodes")(RenameLayer("j", "i", name="particles")(p), beams)
    always = SpurionLayer("S[i:2]", [[1.0]] * 2, name="always")(valid)
    flags = ConcatLayer("i", name="flags")(RenameLayer("j", "i", name="valid_particles")(valid), always)
    others = RenameLayer("i", "j", name="flag_columns")(flags)
    products = GramLayer(name="gram")(nodes, RenameLayer("i", "j", name="columns")(nodes))
    unit = SpurionLayer("S[c:1]", [[1.0]], name="unit")(products)
    x = CgProductLayer("S*S->S", name="opened")(products, unit)
    weights = if_quantized(quantized, config.weights)
    x = RequantizeLayer([config.products], name="narrow")(x)
    y = Eq2to2Layer(config.hidden, quantizer=weights, maps=NANO_MAPS, name="eq")(x)
    y = RequantizeLayer([config.address], name="address")(y) if quantized else y
    relu = TableLayer(
        (-1.0, 1.0),
        activation="relu",
        out=config.activation,
        trainable_values=False,
        quantized=quantized,
        name="relu",
    )
    y = relu(y)
    y = MaskLayer(name="valid_columns")(MaskLayer(name="valid_rows")(y, flags), others)
    if config.classes > 2:
        return network(name, (p, valid), Eq2to0Layer(config.classes, quantizer=weights, name="logit")(y))
    pooled = Eq2to0Layer(1, quantizer=weights, name="pool")(y)
    return network(name, (p, valid), ParticleSumLayer("c", name="logit")(pooled))
