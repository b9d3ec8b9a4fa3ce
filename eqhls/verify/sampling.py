"""Events for tests of a symmetry: vectors that a group can move."""

from __future__ import annotations

import numpy as np

from eqhls.engines import Ints
from eqhls.events.ports import is_flag, particle_axis
from eqhls.events.vectors import Feeds, port_events, uniform
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import group_of
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type
from eqhls.verify.testbuild import spurion_values

ROOM = 9
"""Bits below the end of a test port at which vectors start, for the group makes them longer."""


def random_events(graph: Graph, rng: np.random.Generator, events: int) -> Feeds:
    """Return raw integers for every port, of every kind that a wire may carry."""
    return port_events(graph, rng, events)


def padded(graph: Graph, feeds: Feeds, rng: np.random.Generator) -> Feeds:
    """Cut each event to a random number of particles along every axis that the graph has flags for: flags
    say which are there, vectors of those that are not are zero. Other scalars are left as they are."""
    out = dict(feeds)
    events = len(next(iter(feeds.values())))
    flags = [n for n in graph.inputs if is_flag(n)]
    for axis in dict.fromkeys(n.type.axes[0] for n in flags):
        counts = rng.integers(1, axis.size + 1, events)
        counts[: events // 4] = axis.size
        valid = np.arange(axis.size) < counts[:, None]
        for node in graph.inputs:
            if axis not in node.type.axes or not (node in flags or node.type.rep is not S):
                continue
            shape = [1] * len(node.type.shape)
            shape[node.type.axes.index(axis)] = axis.size
            keep = valid.reshape(events, *shape)
            out[node.name] = keep.astype(np.int64) if node in flags else out[node.name] * keep
    return out


def spread_events(graph: Graph, rng: np.random.Generator, events: int) -> Feeds:
    """Return raw integers for every port: half over the whole range, half of any size below it, each entry
    by itself."""
    feeds: Feeds = {}
    for node in graph.inputs:
        raw = uniform(node.type, rng, events)
        half = events // 2
        widest = max(node.type.format_of(c).width for c in range(node.type.dim))
        if widest > 1:
            raw[half:] >>= rng.integers(0, widest, (events - half, *raw.shape[1:-1], 1))
        feeds[node.name] = raw
    return feeds


def lattice_events(graph: Graph, test: Graph, rng: np.random.Generator, events: int) -> Feeds:
    """Return events of the test build: light-like particles on the lattice, the jet their sum plus
    one more vector, tensors of small components, spurions as in the network; small enough for words of the
    group."""
    fixed = spurion_values(graph, test)
    feeds: Feeds = {}
    largest = rng.integers(2, 8, events)
    for node in test.inputs:
        if node.name in fixed:
            feeds[node.name] = np.broadcast_to(fixed[node.name], (events, *node.type.shape)).copy()
        elif node.type.rep == group_of(node.type.rep).vector:
            feeds[node.name] = _vectors(node.type, rng, events, largest)
        elif node.type.rep is S:
            feeds[node.name] = uniform(node.type, rng, events)
        else:
            feeds[node.name] = _tensors(node.type, rng, events)
    feeds = padded(graph, feeds, rng)
    along = particle_axis(graph)
    particles = [n for n in graph.inputs if n.type.rep is V and n.type.has(along)]
    for node in graph.inputs:
        if particles and node.type.rep is V and node not in particles:
            first = feeds[particles[0].name]
            whole = first.sum(axis=tuple(range(1, first.ndim - 1)))
            feeds[node.name] += whole.reshape(events, *([1] * len(node.type.axes)), V.dim)
    return feeds


def _tensors(type: Type, rng: np.random.Generator, events: int) -> Ints:
    """Return tensors whose components are of any size up to an eighth of their range."""
    bound = max(type.format_of(0).hi >> 3, 1)
    largest = np.exp2(rng.uniform(0, np.log2(bound + 1), events)).astype(np.int64)
    limits = largest.reshape(events, *([1] * len(type.shape)))
    return rng.integers(-limits, limits + 1, (events, *type.shape))


def _vectors(type: Type, rng: np.random.Generator, events: int, largest: Ints) -> Ints:
    """Return vectors of two sizes, and a quarter of them so small that few bits hold their images."""
    shape = (events, *type.shape[:-1])
    bound = int(largest.max())
    reach = type.format_of(type.dim - 1).hi >> ROOM
    raw, small, tiny = group_of(type.rep).vectors(type.basis, rng, shape, bound, reach)
    pick = (largest < bound).reshape(events, *([1] * (len(shape))))
    least = (np.arange(events) % 4 == 3).reshape(pick.shape)
    return np.where(least, tiny, np.where(pick, small, raw))
