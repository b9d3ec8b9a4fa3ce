"""Whole networks, drawn at random: the integers lie inside the bound that their roundings compose, on events
like those that calibrated them and on words of every kind, and mistakes do not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from random_graphs import random_feeds, random_graph

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.options import Options
from eqhls.passes import run, simplify
from eqhls.quantize.assign import assign
from eqhls.vectors import port_events
from eqhls.verify.events import fitted
from eqhls.verify.given import Given, target
from eqhls.verify.mistakes import exchanged_operands, moved_weights

EVENTS, TRIES = 200, 12
SWEEP = [range(0, 40), *(pytest.param(range(k, k + 100), marks=pytest.mark.slow) for k in range(40, 1040, 100))]


def networks(seeds: range) -> Iterator[tuple[int, Given, Graph, dict[str, Ints]]]:
    """Networks that 63 bits hold, the same compiled, and the events that calibrated them as integers."""
    refused = 0
    for seed in seeds:
        rng = np.random.default_rng([seed, 18])
        network = random_graph(rng)
        feeds = random_feeds(network, rng, EVENTS)
        simple = simplify(network)
        try:
            quantized = assign(simple, feeds, Options())
            compiled = run(quantized)
        except CompileError as error:
            assert "more than 63 bits" in str(error), seed
            refused += 1
            continue
        raw = {n.name: fitted(n, feeds[n.name]) for n in compiled.inputs}
        yield seed, Given(network, simple, quantized, Options()), compiled, raw
    assert refused <= len(seeds) // 20


@pytest.mark.parametrize("seeds", SWEEP)
def test_integers_lie_inside_the_bound_of_their_roundings(seeds: range) -> None:
    for seed, given, compiled, raw in networks(seeds):
        for events in (raw, port_events(compiled, np.random.default_rng([seed, 19]), EVENTS)):
            held = target(given, events).held(compiled)
            assert held.ok and held.events > 0, (seed, held)


@pytest.mark.parametrize("seeds", [range(0, 20)])
def test_mistakes_lie_outside_nearly_always(seeds: range) -> None:
    """A bound that lets everything through would pass the test above."""
    seen = [
        any(
            not goal.held(wrong).ok
            for make in (moved_weights, exchanged_operands)
            for _, wrong in islice(make(compiled), TRIES)
        )
        for _, given, compiled, raw in networks(seeds)
        for goal in (target(given, raw),)
    ]
    assert sum(seen) >= 0.9 * len(seen)
