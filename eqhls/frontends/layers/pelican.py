"""PELICAN from the layers: triangular pairs, encoders by the kind of pair, tied blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from eqhls.frontends.layers.geometry import CgProductLayer, GramLayer
from eqhls.frontends.layers.networks import JET_FRAME, Inputs, heads, logits, network, ports
from eqhls.frontends.layers.pairs import Eq2to0Layer, Eq2to2SymmetricLayer
from eqhls.frontends.layers.scalar import Log2Layer, RequantizeLayer, TableLayer
from eqhls.frontends.layers.structure import (
    ConcatLayer,
    MaskLayer,
    ParticleSumLayer,
    RenameLayer,
    SelectLayer,
    SpurionLayer,
)
from eqhls.groups.permutation import pairs_of


@dataclass(frozen=True, slots=True)
class PelicanConfig:
    """Channels of the encoders and of each tied block, of the read-out, and the formats.

    `encoded` is the format of an encoded product, `address` that of the argument of an activation,
    `hidden` that of an activation, `readout` that of the read-out's functions. `floor`, `frac`, `codes` and
    `log_step` are those of the logarithm (Log2). `keep` is the number of fraction bits of the mixes of a
    tied block (all if None). Without `beams` only the jet is a spurion. `classes` is the number of classes
    that the network tells apart: two by one score, three and more by a score each.
    """

    encoders: int = 3
    blocks: tuple[int, ...] = (3,)
    readouts: int = 4
    constituents: int = 16
    classes: int = 2
    inputs: Inputs = JET_FRAME
    floor: float = 0.25
    frac: int = 1
    codes: int = 48
    log_step: int = 4
    encoded: str = "fix<6,3,RND,SAT>"
    weights: str = "fix<6,2,RND,SAT>"
    address: str = "fix<8,5,RND,SAT>"
    hidden: str = "fix<6,3,RND,SAT>"
    readout: str = "fix<9,6,RND,SAT>"
    keep: int | None = None
    beams: bool = True

    @property
    def spurions(self) -> int:
        """The jet, and the two beams if any, behind the constituents."""
        return 3 if self.beams else 1


KNOTS = (2.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0)
BENDS = (-8.0, -2.0, 0.0, 2.0, 8.0)
READ = (-12.0, -6.0, -3.0, 0.0, 3.0, 6.0, 12.0)
MASS = tuple(12.0 + 0.5 * k for k in range(9))


def kinds_of(constituents: int, spurions: int) -> dict[str, list[int]]:
    """Return the places of each kind of pair in triangular storage. Kinds are what labels of
    constituents, jet and beams can tell apart, so tables of their own replace label channels."""
    jet = constituents

    def kind(i: int, j: int) -> str:
        if j < jet:
            return "self" if i == j else "pair"
        if i < jet:
            return "jet" if j == jet else "beam"
        return "mass" if i == j == jet else "fixed"

    found: dict[str, list[int]] = {}
    for place, (i, j) in enumerate(pairs_of(constituents + spurions)):
        found.setdefault(kind(i, j), []).append(place)
    return found


def pelican(config: PelicanConfig, name: str, quantized: bool) -> keras.Model:
    """Return PELICAN on triangular pairs of constituents, jet and beams.

    log2 of all products; one trained function for each channel and kind of pair; tied blocks of
    messages (Eq2to2Symmetric, then a trained function a channel); totals and traces, a trained
    function of each, and one of the jet's mass. Padded slots are silenced after every function,
    which also absorbs any batch normalisation.
    """
    p, jet, valid = ports(config.inputs, config.constituents)
    codes = _codes(config, p, jet, quantized)
    flags = _flags(config, valid)
    x = MaskLayer(name="encoded")(_encoded(config, codes, quantized), flags)
    for k, channels in enumerate(config.blocks):
        keep = config.keep if quantized else None
        tied = Eq2to2SymmetricLayer(
            channels, keep, quantizer=if_quantized(quantized, config.weights), name=f"eq{k}"
        )
        y = tied(x)
        x = MaskLayer(name=f"hidden{k}")(
            trained_function(config, y, f"{k}", BENDS, config.hidden, quantized), flags
        )
    pooled = Eq2to0Layer(config.readouts, quantizer=if_quantized(quantized, config.weights), name="pool")(x)
    mass = SelectLayer("p", kinds_of(config.constituents, config.spurions)["mass"], "m", name="mass")(codes)
    parts: list[list[Any]] = []
    for tail in heads(config.classes):
        read = trained_function(config, pooled, f"_read{tail}", READ, config.readout, quantized)
        weighed = TableLayer(MASS, out=config.readout, name=f"mass_read{tail}", quantized=quantized)(mass)
        total = ParticleSumLayer("c", name=f"read_sum{tail}")(read)
        parts.append([total, ParticleSumLayer("m", name=f"mass_sum{tail}")(weighed)])
    return network(name, (p, jet, valid), logits(parts))


def if_quantized(quantized: bool, form: str) -> str:
    """Return a format, or none while the network trains in floating point."""
    return form if quantized else ""


def node_vectors(config: PelicanConfig, p: Any, jet: Any) -> Any:
    """Return constituents, jet and beams, V[i]."""
    nodes = [RenameLayer("j", "i", name="particles")(p), jet]
    if config.beams:
        nodes.append(SpurionLayer(f"V.{config.inputs.basis}[i:2]", config.inputs.beams, name="beams")(p))
    return ConcatLayer("i", name="nodes")(*nodes)


def node_flags(config: PelicanConfig, valid: Any) -> Any:
    """Return 1 for valid particles and spurions, S[i]."""
    always = SpurionLayer(f"S[i:{config.spurions}]", [[1.0]] * config.spurions, name="always")(valid)
    return ConcatLayer("i", name="flags")(RenameLayer("j", "i", name="valid_particles")(valid), always)


def _codes(config: PelicanConfig, p: Any, jet: Any, quantized: bool) -> Any:
    """Return log2 of all products of constituents, jet and beams, S[p]."""
    products = GramLayer("i", "p", name="gram")(node_vectors(config, p, jet))
    log = Log2Layer(config.floor, config.frac, config.codes, quantized, config.log_step, name="log")
    return log(products)


def _flags(config: PelicanConfig, valid: Any) -> Any:
    """Return 1 for pairs of valid particles and spurions, S[p]."""
    nodes = node_flags(config, valid)
    pairs = pairs_of(config.constituents + config.spurions)
    left = SelectLayer("i", [i for i, _ in pairs], "p", name="flag_left")(nodes)
    right = SelectLayer("i", [j for _, j in pairs], "p", name="flag_right")(nodes)
    return MaskLayer(name="flag_pairs")(left, right)


def _encoded(config: PelicanConfig, codes: Any, quantized: bool) -> Any:
    """Return the encoded products S[p,c], back in triangular order."""
    unit = SpurionLayer(f"S[c:{config.encoders}]", [[1.0]] * config.encoders, name="unit")(codes)
    parts: list[Any] = []
    order: list[int] = []
    for kind, places in kinds_of(config.constituents, config.spurions).items():
        opened = CgProductLayer("S*S->S", name=f"open_{kind}")(
            SelectLayer("p", places, "p", name=f"take_{kind}")(codes), unit
        )
        encode = TableLayer(KNOTS, "c", out=config.encoded, name=f"encode_{kind}", quantized=quantized)
        parts.append(encode(opened))
        order += places
    back = [order.index(k) for k in range(len(order))]
    return SelectLayer("p", back, "p", name="ordered")(ConcatLayer("p", name="kinds")(*parts))


def trained_function(config: PelicanConfig, x: Any, label: str, knots: Any, out: str, quantized: bool) -> Any:
    """Return a trained function of every channel."""
    if quantized:
        x = RequantizeLayer([config.address], name=f"address{label}")(x)
    return TableLayer(knots, "c", out=out, name=f"function{label}", quantized=quantized)(x)
