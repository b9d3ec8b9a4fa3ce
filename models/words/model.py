"""A tagger as a function of its weights, to be trained on the integers of its front end.

The sum over words of a table is the product of a histogram of codes with the table: training meets no word.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tagger import Tagger, Values
from training import Array, Curves, Weights, bounded, fixed, logistic_loss, straight

from eqhls.engines import Ints
from eqhls.ir.graph import Graph


def training_data(net: Tagger, graph: Graph, raw: dict[str, Ints]) -> dict[str, Values]:
    """Return the features and the histograms of codes of events, from the integers of `front_graph`."""
    values = graph.evaluate(raw)
    events = len(raw["pt"])
    data = {"count": histogram(values["code"].reshape(events, net.words), net.cells)}
    for name in net.curves:
        if f"{name}_out" in values:
            lsb = graph.node(f"{name}_out").type.formats[0].lsb
            data[name] = (values[f"{name}_out"].reshape(events) * lsb).astype(np.float32)
    return data


def histogram(code: Ints, cells: int) -> Values:
    """Return how many words of each event have each code, (events, cells)."""
    events = len(code)
    at = (np.arange(events)[:, None] * cells + code).ravel()
    return np.bincount(at, minlength=events * cells).reshape(events, cells).astype(np.float32)


class Model:
    """The network as a function of its weights."""

    def __init__(self, net: Tagger) -> None:
        self.net = net
        self.curves = Curves(tuple(net.curves.values()) * (1 + net.hidden))
        self.last = Curves((net.last,) * net.hidden) if net.hidden else None
        self.shape = (len(net.angle_borders) + 1, 1 << net.pt_bits)

    def start(self, seed: int) -> Weights:
        """Return first weights: scores that rise or fall smoothly with both codes."""
        rng, sums = np.random.default_rng(seed), self.net.sums
        slope = [np.arange(n) / n - 0.5 for n in self.shape]
        z = sum(rng.normal(0, 3, (sums, 1, 1)) * s for s in (slope[0][:, None], slope[1]))
        weights = {
            "cell": z + rng.normal(0, 0.1, (sums, *self.shape)),
            "angle": rng.normal(0, 0.3, (sums, self.shape[0], 1)),
            "pt": rng.normal(0, 0.3, (sums, 1, self.shape[1])),
            "bent": self.curves.start(rng, 0.2),
        }
        if self.last is not None:
            weights["last"] = self.last.start(rng, 0.2)
        return {k: jnp.asarray(v, jnp.float32) for k, v in weights.items()}

    def scores(self, w: Weights, rounded: bool) -> Array:
        """Return the scores by code, (sums, cells); an empty slot counts for nothing."""
        share = jax.nn.sigmoid(w["cell"] + w["angle"] + w["pt"]).at[:, :, 0].set(0.0)
        score = self.net.score.hi * share.reshape(self.net.sums, -1)
        return straight(score, jnp.floor(score + 0.5)) if rounded else score

    def features(self, w: Weights, data: dict[str, Array], rounded: bool) -> Array:
        """Return the features (events, features)."""
        sums = data["count"] @ self.scores(w, rounded).T
        found = {f"sum{a}": sums[:, a] for a in range(self.net.sums)}
        return jnp.stack([found[k] if k in found else data[k] for k in self.net.curves], -1)

    def logit(self, w: Weights, data: dict[str, Array], rounded: bool) -> Array:
        net, x = self.net, self.features(w, data, rounded)
        count = x.shape[1]
        x = jnp.tile(x, (1, 1 + net.hidden))
        direct = self.curves(w["bent"], x, net.read, rounded)[:, :count].sum(-1)
        if self.last is None:
            return direct
        parts = self.curves(w["bent"], x, net.part, rounded)[:, count:]
        hidden = parts.reshape(len(x), net.hidden, count).sum(-1)
        hidden = (fixed if rounded else bounded)(hidden, net.whole)
        return direct + self.last(w["last"], hidden, net.read, rounded).sum(-1)

    def loss(self, w: Weights, data: dict[str, Array], rounded: bool) -> Array:
        return logistic_loss(self.logit(w, data, rounded), data["label"])

    def tables(self, w: Weights) -> dict[str, Values]:
        """Return what `tagger.build` reads."""
        net = self.net
        found: dict[str, Any] = {"score": np.asarray(self.scores(w, True))}
        prefixes = ("f", *(f"h{k}" for k in range(net.hidden)))
        names = [(p, name, curve) for p in prefixes for name, curve in net.curves.items()]
        for row, (prefix, name, curve) in enumerate(names):
            form = net.read if prefix == "f" else net.part
            found[f"{prefix}_{name}"] = np.asarray(self.curves.tables(w["bent"], form))[row, : curve.size]
        if self.last is not None:
            rows = np.asarray(self.last.tables(w["last"], net.read))
            found |= {f"h{k}": row for k, row in enumerate(rows)}
        return found
