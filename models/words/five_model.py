"""The network of five.py in JAX, on the integers of its front end: smooth, or with exactly the roundings.

Rounded forward passes give the graph's numbers; gradients go straight through every rounding. In float64 both
are equal bit for bit, which train_five.py demands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from five import CLASSES, DROP_KNOTS, EDGE_KNOTS, FRONT, HIDDEN_KNOTS, LOGIT, Five, front_graph
from five_training import bends, fixed, log_code, nearest, straight

Arrays = Mapping[str, Any]


def inputs(net: Five, words: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what the trained part reads, in real units, from words by port: (B, slots) or (B,)."""
    graph = front_graph(net)
    feeds = {n.name: words[n.name].reshape(len(words["pt"]), *n.type.shape) for n in graph.inputs}
    raw = graph.evaluate(feeds)
    return {
        name: (raw[out] * graph.node(out).type.formats.lsb)[..., 0].astype(np.float32)
        for name, out in zip(FRONT, graph.outputs, strict=True)
    }


def curve(knots: tuple[float, ...], bent: Any, x: Any) -> Any:
    """Return functions (.., functions) of x (..), constant beyond the knots, of bends (functions, knots)."""
    at = np.asarray(knots)
    values = bent @ jnp.asarray(bends(np.array(knots), np.array(knots)), bent.dtype)
    part = jnp.clip((x[..., None] - at[:-1]) / np.diff(at), 0, 1)
    return jnp.tensordot(part, jnp.diff(values, axis=-1), axes=[[-1], [-1]]) + values[..., 0]


def start(net: Five, seed: int) -> dict[str, np.ndarray]:
    """Return the bends of random functions."""
    rng = np.random.default_rng(seed)
    shapes = {f.name: (net.hidden, len(f.knots)) for f in net.features}
    shapes["edge"] = (net.subjets, len(EDGE_KNOTS))
    shapes["drop"] = (net.subjets, len(DROP_KNOTS))
    shapes["out"] = (net.hidden, len(CLASSES), len(HIDDEN_KNOTS))
    return {k: (0.2 * rng.normal(size=s)).astype(np.float32) for k, s in shapes.items()}


def values(net: Five, bent: Arrays) -> dict[str, np.ndarray]:
    """Return the functions' values at their knots, in float64, as five.py reads them."""
    knots = {f.name: f.knots for f in net.features} | {
        "edge": EDGE_KNOTS,
        "drop": DROP_KNOTS,
        "out": HIDDEN_KNOTS,
    }
    return {k: np.asarray(bent[k], np.float64) @ bends(np.array(at), np.array(at)) for k, at in knots.items()}


def probabilities(logits: Any, rounded: bool) -> Any:
    """Return log2 of the probabilities of the classes, of logits to the base 2, (B, classes)."""
    rest = [logits[:, k] for k in range(len(CLASSES))]
    while len(rest) > 1:
        pairs = [rest[k : k + 2] for k in range(0, len(rest), 2)]
        rest = [log_add(*p, rounded) if len(p) == 2 else p[0] for p in pairs]
    return logits - rest[0][:, None]


def log_add(a: Any, b: Any, rounded: bool) -> Any:
    rise = jnp.logaddexp2(a - b, 0.0)
    unit = 2.0**LOGIT.frac
    return b + (straight(rise, jnp.floor(rise * unit + 0.5) / unit) if rounded else rise)


class Model:
    """logits(bent, x, rounded, sharpness) of a network."""

    def __init__(self, net: Five) -> None:
        self.net = net

    def __call__(self, bent: Arrays, x: Arrays, rounded: bool) -> Any:
        net, codes = self.net, dict(x)
        gates = self.gates(bent, x, rounded)
        for v in range(net.subjets):
            codes |= self.subjet(gates[..., v], x, v, rounded)
        cut = (lambda y, form: fixed(y, form)) if rounded else (lambda y, form: y)
        hidden: Any = 0
        for f in net.features:
            hidden = hidden + cut(curve(f.knots, bent[f.name], codes[f.name]), net.read)
        hidden = fixed(hidden, net.sums) if rounded else jnp.clip(hidden, -8, 8)
        rows = (curve(HIDDEN_KNOTS, bent["out"][k], hidden[:, k]) for k in range(net.hidden))
        logits = sum(cut(row, net.out) for row in rows)
        return probabilities(cut(logits, LOGIT), rounded) if net.ports else logits

    def gates(self, bent: Arrays, x: Arrays, rounded: bool) -> Any:
        """Return which words belong to which subjet, (B, slots, subjets), between 0 and 1 if not rounded."""
        edge, drop = (
            curve(*a)
            for a in ((EDGE_KNOTS, bent["edge"], x["g_gate"]), (DROP_KNOTS, bent["drop"], x["t_gate"]))
        )
        if rounded:
            edge, drop = fixed(edge, self.net.edge), fixed(drop, self.net.drop)
        empty = (x["t_gate"] == 0)[..., None]
        z = edge + jnp.where(empty, self.net.drop.lo * self.net.drop.lsb, drop)
        soft = jax.nn.sigmoid(z)
        if not rounded:
            return jnp.where(empty, 0, soft)
        level = nearest(jax.nn.sigmoid(z), self.net.levels)
        return straight(soft, level)

    def subjet(self, gate: Any, x: Arrays, v: int, rounded: bool) -> dict[str, Any]:
        """Return the features of a subjet from which words belong to it."""
        forms = self.net.sums_of
        sums = {k: (gate * x[k]).sum(axis=1) for k in forms}
        if rounded:
            sums = {k: fixed(s, forms[k]) for k, s in sums.items()}
        mass2 = sums["p0"] * sums["p2"] - sums["py"] ** 2 - sums["pz"] ** 2
        found = {"vv": mass2, "sv": sums["p2"], "pv": sums["p0"]}
        return {f"{k}{v}": self.log(k, s, rounded) for k, s in found.items()}

    def log(self, name: str, x: Any, rounded: bool) -> Any:
        op = self.net.logs[name]
        if rounded:
            return log_code(op, x, 0)
        return jnp.clip(jnp.log2(jnp.maximum(x, op.floor) / op.floor), 0, op.top)
