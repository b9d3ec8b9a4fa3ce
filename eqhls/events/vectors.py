"""Words for ports: what a test must try knows formats and flags, and only in part what jets look like.

A wire behind a port carries any word of its format, whatever the detector sends, so most events are made of
words that no jet has: the ends of the range, single bits, zeros, and data under flags that say there is none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eqhls.engines import Ints
from eqhls.events.ports import is_flag, particle_axis
from eqhls.events.wordports import WordPorts, word_ports
from eqhls.fixed import Formats
from eqhls.groups.lorentz.reps import V
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type

Feeds = dict[str, Ints]
"""Raw int64 integers by port, of shape (events, *shape)."""
JETS = 0.25
"""The share of the events that are shaped like jets."""
CONE = 8
"""Words of a jet lie within a turn over this of its axis, in eta and in phi."""
STEEPEST = 3
"""Bits by which a jet's next particle may be softer."""


def port_events(graph: Graph, rng: np.random.Generator, events: int) -> Feeds:
    """Return raw integers for every port of a quantized graph, each an int64 array of shape (events, *shape).

    The first three events are all lows, all highs and all zeros. Every port draws the style of its words
    event by event; flags of particles are independent of the data beside them. A part of the events is
    shaped like jets (`shaped`).
    """
    feeds = {n.name: _words(n, rng, events) for n in graph.inputs}
    jets = np.flatnonzero(rng.random(events) < JETS)
    for name, raw in shaped(graph, {k: v[jets] for k, v in feeds.items()}, rng).items():
        feeds[name][jets] = raw
    for node in graph.inputs:
        low, high = ends(node.type)
        for k, corner in enumerate((low, high, 0)[:events]):
            feeds[node.name][k] = corner
        np.clip(feeds[node.name], low, high, out=feeds[node.name])
    return feeds


def shaped(graph: Graph, feeds: Feeds, rng: np.random.Generator) -> Feeds:
    """Return events as jets are: vectors fall along the particles, the flags of the first are true and no
    others, and whatever belongs to a particle is zero where its flag is false. Words of the trigger fall in
    pT and lie in a cone."""
    words = word_ports(graph)
    if words:
        return dict(feeds) | _cone(words, feeds, rng)
    events = len(next(iter(feeds.values()), ()))
    particles = particle_axis(graph)
    sizes = [n.type.size(particles) for n in graph.inputs if is_flag(n) and n.type.has(particles)]
    counts = rng.integers(1, max(sizes, default=1) + 1, events)
    counts[::4] = max(sizes, default=1)
    out: Feeds = {}
    for node in graph.inputs:
        raw = feeds[node.name]
        if node.type.has(particles):
            along = node.type.size(particles)
            at = node.type.index(particles) + 1
            lines = (events, *(along if k == at else 1 for k in range(1, raw.ndim)))
            if node.type.rep is V:
                raw = raw >> np.minimum(rng.integers(0, STEEPEST + 1, lines).cumsum(axis=at), 62)
            if sizes:
                valid = np.arange(along) < counts[:, None]
                raw = np.where(valid.reshape(lines), 1 if is_flag(node) else raw, 0)
        out[node.name] = raw
    return out


def _cone(ports: WordPorts, feeds: Feeds, rng: np.random.Generator) -> Feeds:
    """Return words of jets: of falling pT, around the axis of the jet, angles within the turn, zero behind
    the last one; the axis is anywhere in the detector."""
    raw = feeds["pt"][..., 0]
    events, slots = raw.shape
    softer = np.minimum(rng.integers(0, STEEPEST + 1, raw.shape).cumsum(axis=1), 62)
    pt = -np.sort(-(raw >> softer), axis=1) * (np.arange(slots) < rng.integers(0, slots + 1, (events, 1)))
    out: Feeds = {"pt": pt[..., None]}
    cone, around = ports.turn // CONE, ports.turn
    for angle in ("eta", "phi"):
        axis = rng.integers(-around // 2, around // 2, (events, 1))
        near = axis + rng.integers(-cone, cone + 1, (events, slots))
        if angle == "phi":
            near = (near + around // 2) % around - around // 2
        out[angle] = np.where(pt > 0, near, 0)[..., None]
        if f"jet_{angle}" in ports:
            out[f"jet_{angle}"] = axis.reshape(feeds[f"jet_{angle}"].shape)
    return out


def ends(type: Type) -> tuple[Ints, Ints]:
    """Return the smallest and the largest raw integer of every component."""
    forms = Formats(type.formats.each(type.dim))
    return forms.lo, forms.hi


def uniform(type: Type, rng: np.random.Generator, events: int) -> Ints:
    """Return raw integers over the whole range of a type; the first two events are its corners."""
    raw = _uniform(*ends(type), rng, (events, *type.shape))
    for k, corner in enumerate(ends(type)[:events]):
        raw[k] = corner
    return raw


Style = Callable[[Ints, Ints, np.random.Generator, tuple[int, ...]], Ints]
"""From the ends of the components' ranges and a shape (events, *shape) to words."""


def _uniform(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    return rng.integers(low, high, shape, endpoint=True)


def _small(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """Words of few bits: each event has a largest shift, each vector its own below that."""
    bits = max(int(high.max()).bit_length(), 1)
    largest = rng.integers(0, bits, (shape[0], *(1 for _ in shape[1:])))
    return _uniform(low, high, rng, shape) >> rng.integers(0, largest, (*shape[:-1], 1), endpoint=True)


def _extreme(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """Lows and highs in any mixture."""
    return np.where(rng.random(shape) < rng.random((shape[0], *(1 for _ in shape[1:]))), low, high)


def _single(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """Powers of two, their negatives, and their neighbours: carries run through all bits."""
    power = np.int64(1) << rng.integers(0, max(int(high.max()).bit_length(), 1), shape)
    return power * rng.choice((-1, 1), shape) + rng.integers(-1, 2, shape)


def _sparse(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """Zero but for a few."""
    return np.where(rng.random((*shape[:-1], 1)) < 0.25, _uniform(low, high, rng, shape), 0)


def _zero(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    return np.zeros(shape, dtype=np.int64)


WORDS: dict[Style, float] = {
    _uniform: 0.4,
    _small: 0.25,
    _extreme: 0.1,
    _single: 0.1,
    _sparse: 0.1,
    _zero: 0.05,
}
"""The shares of the styles; words that leave the range are clipped to it."""


def _prefix(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """The first particles valid, or none."""
    counts = rng.integers(0, shape[1] + 1, (shape[0], 1, 1))
    return (np.arange(shape[1])[:, None] < counts).astype(np.int64)


def _all(low: Ints, high: Ints, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    return np.ones(shape, dtype=np.int64)


FLAGS: dict[Style, float] = {_uniform: 0.4, _extreme: 0.15, _prefix: 0.2, _all: 0.2, _zero: 0.05}


def _words(node: Node, rng: np.random.Generator, events: int) -> Ints:
    styles = FLAGS if is_flag(node) else WORDS
    drawn = rng.choice(len(styles), events, p=list(styles.values()))
    raw = np.zeros((events, *node.type.shape), dtype=np.int64)
    for k, style in enumerate(styles):
        rows = np.flatnonzero(drawn == k)
        raw[rows] = style(*ends(node.type), rng, (len(rows), *node.type.shape))
    return raw
