"""Events for tests of a symmetry: vectors that a group can move."""

from __future__ import annotations

import numpy as np

from eqhls.engines import Ints
from eqhls.groups.basis import Basis
from eqhls.groups.exact import causal_vectors, null_vectors
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type
from eqhls.vectors import PARTICLES, Feeds, is_flag, port_events, uniform
from eqhls.verify.testbuild import spurion_values

LAST = 3
ROOM = 9
"""Bits below the end of a Cartesian test port at which vectors start, for the group makes them longer."""


def random_events(graph: Graph, rng: np.random.Generator, events: int) -> Feeds:
    """Return raw integers for every port, of every kind that a wire may carry."""
    return port_events(graph, rng, events)


def padded(graph: Graph, feeds: Feeds, rng: np.random.Generator) -> Feeds:
    """Cut each event to a random number of particles, at least one, if the graph has flags for them."""
    flags = [n for n in graph.inputs if is_flag(n)]
    if not flags:
        return feeds
    size = flags[0].type.size(PARTICLES)
    events = len(feeds[flags[0].name])
    counts = rng.integers(1, size + 1, events)
    counts[: events // 4] = size
    valid = np.arange(size) < counts[:, None]
    out = dict(feeds)
    for node in graph.inputs:
        if node.type.has(PARTICLES):
            at = node.type.index(PARTICLES)
            lines = (*(size if k == at else 1 for k in range(len(node.type.axes))), 1)
            keep = valid.reshape(events, *lines)
            out[node.name] = np.where(keep, 1 if is_flag(node) else out[node.name], 0)
    return out


def lattice_events(graph: Graph, test: Graph, rng: np.random.Generator, events: int) -> Feeds:
    """Return events of the test build: light-like particles on the lattice, the jet their sum plus
    one more vector, spurions as in the network; small enough for words of the group."""
    fixed = spurion_values(graph, test)
    feeds: Feeds = {}
    largest = rng.integers(2, 8, events)
    for node in test.inputs:
        if node.name in fixed:
            feeds[node.name] = np.broadcast_to(fixed[node.name], (events, *node.type.shape)).copy()
        elif node.type.rep is Rep.V:
            feeds[node.name] = _vectors(node.type, rng, events, largest)
        else:
            feeds[node.name] = uniform(node.type, rng, events)
    feeds = padded(graph, feeds, rng)
    particles = [n for n in graph.inputs if n.type.rep is Rep.V and n.type.has(PARTICLES)]
    for node in graph.inputs:
        if particles and node.type.rep is Rep.V and node not in particles:
            whole = feeds[particles[0].name].sum(axis=1)
            feeds[node.name] += whole.reshape(events, *([1] * len(node.type.axes)), 4)
    return feeds


def _vectors(kind: Type, rng: np.random.Generator, events: int, largest: Ints) -> Ints:
    shape = (events, *kind.shape[:-1])
    bound = int(largest.max())
    if kind.basis is Basis.LIGHT_CONE:
        raw, small = null_vectors(rng, shape, bound), null_vectors(rng, shape, 2)
    else:
        wide = max(8 * bound, kind.format_of(LAST).hi >> ROOM)
        raw, small = causal_vectors(rng, shape, wide), causal_vectors(rng, shape, 8 * bound)
    pick = (largest < bound).reshape(events, *([1] * (len(shape))))
    return np.where(pick, small, raw)
