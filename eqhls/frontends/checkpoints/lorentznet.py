"""LorentzNet (arXiv:2201.08187) from its state dict, written from the equations of the paper.

With psi(z) = sign(z) log(1 + |z|), edges i != j between valid nodes (two beams first) and s_i = psi of
the mass on the channel of the node's kind, h_i^0 = W s_i + b:

    m_ij = phi_e(h_i, h_j, psi |x_i - x_j|^2, psi <x_i, x_j>),  gated by sigmoid(w m_ij + b)
    x_i += c / (valid - 1) * sum_j clamp((x_i - x_j) phi_x(m_ij))      not in the last layer
    h_i += phi_h(h_i, sum_j m_ij, s_i)
    logits = head(sum_i h_i / divisor)

Batch normalisation in evaluation mode is folded into the linear layer before it, ln 2 into the weights
of psi (the ops count octaves), the divisor into the head.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats, Overflow, Rounding
from eqhls.frontends.checkpoints.fields import MAX_CONSTITUENTS, flattened
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.clamp import Clamp
from eqhls.ops.concat import Concat
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

ROUNDED = Fixed(20, 14, True, Rounding.RND_CONV, Overflow.SAT_SYM)
"""Updated vectors where they are rounded: oddly, with an LSB of 1/64 GeV."""
PRODUCTS = Fixed(24, 20, True, Rounding.RND, Overflow.SAT)
"""What an update adds to <x_i, x_j> where only products are carried: with an LSB of 1/16 GeV^2."""
BEAMS = ((2.0**0.5, 0.0, 0.0, 1.0), (2.0**0.5, 0.0, 0.0, -1.0))
CLAMP = 100.0
EPSILON = 1e-5
"""Added to the variance by batch normalisation."""
LOGARITHM = Log2(1.0, 4, 640, 9, 4, odd=True)
"""psi / ln 2 in sixteenths of an octave, up to 2^40 GeV^2."""
SCALE = parse_path("S*V->V")
PRODUCT = parse_path("S*S->S")
ONLY = Select("c", (0,))
"""The channel of a layer with one output, without its axis."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the state dict does not say.

    `constituents` is the number of particle slots, `divisor` what the mean over nodes divides by: in the
    published code the padded width of the batch, beams included, so that outputs depend on the batch.
    `vectors` is "odd" (as published, with the clamp; hardware rounds components oddly) or "gram":
    only the products <x_i, x_j> are carried from layer to layer, so that no component is ever rounded and
    the integer network keeps the whole exact group; the clamp, which no product knows, is left out.
    `masses` is "computed" (psi of sqrt |<p, p>|, on hardware by a table of the integer product) or
    "massless": constants, for inputs whose <p, p> is nothing but rounding. `beams` are the two vectors that
    stand before the particles.
    """

    constituents: int
    divisor: float
    c_weight: float
    vectors: str = "odd"
    masses: str = "computed"
    beams: tuple[tuple[float, ...], ...] = BEAMS

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Settings:
        """Read config.json's keys (nobj, n_nodes, args.c_weight) or the same at the top level."""
        given = flattened(arguments)
        constituents = _number(given, "nobj", "the slots for constituents")
        if constituents != int(constituents) or constituents > MAX_CONSTITUENTS:
            remedy = f"give a whole number up to {MAX_CONSTITUENTS}"
            raise CompileError("LorentzNet: nobj", f"found {constituents}", remedy)
        return cls(
            int(constituents),
            _number(given, "n_nodes", "what the mean over nodes divides by, the padded width with beams"),
            _number(given, "c_weight", "the weight of the vector update"),
            _choice(given, "vectors", ("odd", "gram")),
            _choice(given, "masses", ("computed", "massless")),
            _beams(given.get("beams_p4", BEAMS)),
        )


def _number(given: Mapping[str, Any], key: str, what: str) -> float:
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise CompileError(f"LorentzNet: {key}", f"found {value!r}", f"give a positive number: {what}")
    return value


def _beams(given: Any) -> tuple[tuple[float, ...], ...]:
    try:
        beams = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise CompileError("LorentzNet: beams_p4", f"found {given!r}", "give two four-vectors") from None
    if beams.shape != (2, 4):
        raise CompileError("LorentzNet: beams_p4", f"have shape {beams.shape}", "give (2, 4)")
    return tuple(map(tuple, beams.tolist()))


def _choice(given: Mapping[str, Any], key: str, known: tuple[str, str]) -> str:
    value = given.get(key, known[0])
    if value not in known:
        raise CompileError(f"LorentzNet: {key}", f"found {value!r}", f"choose {' or '.join(known)}")
    return value


def recognizes(state: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a state dict is LorentzNet's: blocks with an edge gate between embedding and decoder."""
    return {"embedding.weight", "LGEBs.0.phi_m.0.weight", "graph_dec.0.weight"} <= set(state)


def graph_from(state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the float graph: p V[j:N] in GeV (E, px, py, pz) in the laboratory, valid S[j:N] -> S[c:2].

    `arguments` are those of `Settings.of`. Raises CompileError for missing or misshapen tensors and
    settings.
    """
    return _Importer(_Weights.of(state), Settings.of(arguments)).graph()


@dataclass(frozen=True, slots=True)
class _Weights:
    """A state dict, and the sizes that follow from it. Tensors are read one by one, in float64."""

    tensors: Mapping[str, NDArray[Any]]
    hidden: int
    layers: int

    @classmethod
    def of(cls, state: Mapping[str, NDArray[Any]]) -> _Weights:
        numbers = {int(m[1]) for k in state if (m := re.match(r"LGEBs\.(\d+)\.", k))}
        if not numbers or numbers != set(range(len(numbers))) or "embedding.weight" not in state:
            raise CompileError(
                "LorentzNet", f"found blocks {sorted(numbers)}", "expected embedding and LGEBs.0 to LGEBs.L-1"
            )
        return cls(state, len(state["embedding.weight"]), len(numbers))

    def get(self, name: str, *shape: int) -> Floats:
        if name not in self.tensors:
            raise CompileError(f"LorentzNet: {name}", "is missing", "the file is not a whole LorentzNet")
        found = np.asarray(self.tensors[name], dtype=np.float64)
        if found.shape != shape:
            raise CompileError(
                f"LorentzNet: {name}",
                f"has shape {found.shape}, expected {shape}",
                "the checkpoint is of another network: correct its arguments in config.json",
            )
        return found

    def linear(self, name: str, out: int, into: int, bias: bool = True) -> tuple[Floats, Floats]:
        """Return weight and bias, zero if the layer has none."""
        shift = self.get(f"{name}.bias", out) if bias else np.zeros(out)
        return self.get(f"{name}.weight", out, into), shift

    def normalised(self, name: str, into: int, bias: bool) -> tuple[Floats, Floats]:
        """Return the linear layer `name`.0 with the batch normalisation `name`.1 behind it folded in."""
        weight, shift = self.linear(f"{name}.0", self.hidden, into, bias)
        gamma, beta, mean, variance = (
            self.get(f"{name}.1.{k}", self.hidden) for k in ("weight", "bias", "running_mean", "running_var")
        )
        if (variance < 0).any():
            raise CompileError(f"LorentzNet: {name}.1.running_var", "is negative", "the file is damaged")
        scale = gamma / np.sqrt(variance + EPSILON)
        return weight * scale[:, None], (shift - mean) * scale + beta


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Names of x as receivers V[i] and as senders V[j], and of <x_i, x_j> and |x_i - x_j|^2, S[i,j]."""

    receivers: str
    senders: str
    dots: str
    norms: str


class _Importer:
    """Writes the graph layer by layer."""

    def __init__(self, weights: _Weights, settings: Settings) -> None:
        self.w, self.s = weights, settings
        self.b = Builder("lorentznet")
        self.nodes = settings.constituents + len(BEAMS)

    def graph(self) -> Graph:
        b = self.b
        self._inputs()
        self._rate()
        x = self._geometry("l0", "x")
        h = self._mix("h", "s", *self.w.linear("embedding", self.w.hidden, 2))
        for layer in range(self.w.layers):
            m = self._messages(layer, x, h)
            if layer < self.w.layers - 1:
                x = self._update(layer, x, m)
            h = self._features(layer, h, m)
        return b.graph(self._head(h))

    def _inputs(self) -> None:
        """Nodes x V[i], flags `on` S[i] and `edge` S[i,j] of ordered pairs, node scalars s S[i,c]."""
        b, slots = self.b, Axis("j", self.s.constituents)
        two, all_ = Axis("i", len(BEAMS)), Axis("i", self.nodes)
        p = b.add("p", Input(Type(V, (slots,))))
        valid = b.add("valid", Input(Type(S, (slots,), formats=Formats((Fixed(1, 1, False),)))))
        beams = b.add("beams", Spurion(Type(V, (two,)), Tensor(self.s.beams)))
        b.add("x", Concat("i"), beams, b.add("p_i", Rename("j", "i"), p))
        always = self._constant("always", (two,), np.ones(len(BEAMS)))
        b.add("on", Concat("i"), always, b.add("valid_i", Rename("j", "i"), valid))
        pairs = self._constant("pairs", (all_, Axis("j", self.nodes)), 1 - np.eye(self.nodes))
        b.add("edge", Mask(), pairs, b.add("on_j", Rename("i", "j"), "on"))
        self._constant("one", (Axis("c", 1),), np.ones(1))
        self._constant("same", (all_, Axis("j", self.nodes)), np.eye(self.nodes))
        kinds = np.array([[0.0, 1.0]] * len(BEAMS) + [[1.0, 0.0]] * self.s.constituents)
        if self.s.masses == "massless":
            self._constant("s", (all_, Axis("c", 2)), kinds * [0.0, np.log(2.0)])
            return
        octaves = b.add("mass_log", LOGARITHM, b.add("mass2", Invariants(), "x"))
        mass = b.add("mass", Table(activation=Activation.LOG_ROOT), octaves)
        b.add("s", CgProduct(PRODUCT), mass, self._constant("kinds", (all_, Axis("c", 2)), kinds))

    def _rate(self) -> None:
        """c / (number of valid nodes - 1), S[]."""
        counts = np.arange(2.0, self.nodes + 1)
        rate = Table(Tensor(counts), Tensor([self.s.c_weight / (counts - 1)]))
        self.b.add("rate", rate, self.b.add("count", ParticleSum("i"), "on"))

    def _geometry(self, at: str, x: str) -> _Geometry:
        b = self.b
        senders = b.add(f"{at}_x_j", Rename("i", "j"), x)
        dots = b.add(f"{at}_dot", Gram(), x, senders)
        away = b.add(f"{at}_away", Add((1,)), x, senders)
        return _Geometry(x, senders, dots, b.add(f"{at}_norm", Invariants(), away))

    def _messages(self, layer: int, x: _Geometry, h: str) -> str:
        """Return the gated messages m S[i,j,c], zero where there is no edge."""
        b, at, n = self.b, f"l{layer}", self.w.hidden
        block = f"LGEBs.{layer}"
        weight, shift = self.w.normalised(f"{block}.phi_e", 2 * n + 2, bias=False)
        receiver, sender, products = np.split(weight, [n, 2 * n], axis=1)
        parts = [
            self._mix(f"{at}_to", h, receiver, shift),
            b.add(f"{at}_from_j", Rename("i", "j"), self._mix(f"{at}_from", h, sender, None)),
            self._mix(f"{at}_pair", self._products(at, x), products * np.log(2.0), None),
        ]
        hidden = b.add(f"{at}_e0_relu", Relu(), b.add(f"{at}_e0", Add(), *parts))
        m = b.add(
            f"{at}_e1_relu", Relu(), self._mix(f"{at}_e1", hidden, *self.w.linear(f"{block}.phi_e.3", n, n))
        )
        logit = self._mix(f"{at}_gate_logit", m, *self.w.linear(f"{block}.phi_m.0", 1, n))
        gate = b.add(f"{at}_gate", Table(activation=Activation.SIGMOID), b.add(f"{at}_gate_c", ONLY, logit))
        return b.add(f"{at}_m", Mask(), b.add(f"{at}_gated", CgProduct(PRODUCT), m, gate), "edge")

    def _products(self, at: str, x: _Geometry) -> str:
        """Return the logarithms of |x_i - x_j|^2 and of <x_i, x_j>, S[i,j,c]."""
        b = self.b
        logs = [b.add(f"{at}_log_{k}", LOGARITHM, name) for k, name in (("norm", x.norms), ("dot", x.dots))]
        return b.add(
            f"{at}_logs", Concat("c"), *(b.add(f"{n}_c", CgProduct(PRODUCT), n, "one") for n in logs)
        )

    def _update(self, layer: int, x: _Geometry, m: str) -> _Geometry:
        """Return x + rate * sum_j clamp((x_i - x_j) phi_x(m_ij))."""
        b, at, n = self.b, f"l{layer}", self.w.hidden
        block = f"LGEBs.{layer}.phi_x"
        hidden = b.add(f"{at}_x0_relu", Relu(), self._mix(f"{at}_x0", m, *self.w.linear(f"{block}.0", n, n)))
        last, _ = self.w.linear(f"{block}.2", 1, n, bias=False)
        weight = b.add(f"{at}_x_c", ONLY, self._mix(f"{at}_x1", hidden, last, None))
        weight = b.add(f"{at}_edge_x", Mask(), weight, "edge")
        following = f"l{layer + 1}"
        if self.s.vectors == "gram":
            return self._evolved(following, x, weight)
        moved = b.add(f"{at}_moved", CgProduct(SCALE), weight, f"{at}_away")
        total = b.add(f"{at}_total", ParticleSum("j"), b.add(f"{at}_bound", Clamp(CLAMP), moved))
        step = b.add(f"{at}_step", CgProduct(SCALE), "rate", total)
        new = b.add(f"{at}_sum", Add(), x.receivers, step)
        return self._geometry(following, b.add(f"{following}_x", Requantize((ROUNDED,)), new))

    def _evolved(self, at: str, x: _Geometry, w: str) -> _Geometry:
        """Return the products of x_i + u_i, u_i = rate * sum_j w_ij (x_i - x_j), from those of x alone:

        <u_i, x_j> = r_ij = rate * (W_i <x_i, x_j> - sum_k w_ik <x_k, x_j>) with W_i = sum_j w_ij, likewise
        <u_i, u_j> = q_ij = rate * (W_j r_ij - sum_k w_jk r_ik).
        """
        b = self.b
        total = b.add(f"{at}_W", ParticleSum("j"), w)
        w_k = b.add(f"{at}_w_k", Rename("j", "k"), w)
        r = self._pulled(f"{at}_r", total, w_k, x.dots, b.add(f"{at}_dot_k", Rename("i", "k"), x.dots))
        total_j, w_jk = (b.add(f"{n}_j", Rename("i", "j"), n) for n in (total, w_k))
        q = self._pulled(f"{at}_q", total_j, w_jk, r, b.add(f"{at}_r_k", Rename("j", "k"), r))
        turned = b.add(f"{at}_r_ji", Rename("k", "i"), b.add(f"{at}_r_jk", Rename("i", "j"), f"{at}_r_k"))
        dots = b.add(f"{at}_dot", Add(), x.dots, r, turned, q)
        own = b.add(f"{at}_self", ParticleSum("j"), b.add(f"{at}_diagonal", Mask(), dots, "same"))
        own_j = b.add(f"{at}_self_j", Rename("i", "j"), own)
        return replace(x, dots=dots, norms=b.add(f"{at}_norm", Add((2, 3)), own, own_j, dots, dots))

    def _pulled(self, name: str, total: str, w: str, products: str, summed: str) -> str:
        """Return rate * (total * products - sum_k w * summed), rounded: it is invariant."""
        b = self.b
        own = b.add(f"{name}_own", CgProduct(PRODUCT), total, products)
        others = b.add(f"{name}_others", PairSum("k"), w, summed)
        away = b.add(f"{name}_away", Add((1,)), own, others)
        return b.add(name, Requantize((PRODUCTS,)), b.add(f"{name}_full", CgProduct(PRODUCT), "rate", away))

    def _features(self, layer: int, h: str, m: str) -> str:
        """Return h_i + phi_h(h_i, sum_j m_ij, s_i)."""
        b, at, n = self.b, f"l{layer}", self.w.hidden
        total = b.add(f"{at}_m_sum", ParticleSum("j"), m)
        joined = b.add(f"{at}_joined", Concat("c"), h, total, "s")
        weight, shift = self.w.normalised(f"LGEBs.{layer}.phi_h", 2 * n + 2, bias=True)
        hidden = b.add(f"{at}_h0_relu", Relu(), self._mix(f"{at}_h0", joined, weight, shift))
        change = self._mix(f"{at}_h1", hidden, *self.w.linear(f"LGEBs.{layer}.phi_h.3", n, n))
        return b.add(f"{at}_h", Add(), h, change)

    def _head(self, h: str) -> str:
        b, n = self.b, self.w.hidden
        pooled = b.add("pooled", ParticleSum("i"), b.add("h_on", Mask(), h, "on"))
        weight, shift = self.w.linear("graph_dec.0", n, n)
        hidden = b.add("dec_relu", Relu(), self._mix("dec", pooled, weight / self.s.divisor, shift))
        return self._mix("logits", hidden, *self.w.linear("graph_dec.3", 2, n))

    def _mix(self, name: str, x: str, weight: Floats, shift: Floats | None) -> str:
        return self.b.add(name, ChannelMix(Tensor(weight), None if shift is None else Tensor(shift)), x)

    def _constant(self, name: str, axes: tuple[Axis, ...], values: Floats) -> str:
        return self.b.add(name, Spurion(Type(S, axes), Tensor(np.asarray(values)[..., None])))
