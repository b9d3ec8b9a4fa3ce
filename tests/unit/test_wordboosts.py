"""What boosts and turns by any amount change in a network on trigger words."""

from __future__ import annotations

from math import tau
from pathlib import Path

import numpy as np
from networks import words_network

from eqhls.events.read import Events, from_mapping
from eqhls.events.wordports import word_ports
from eqhls.ir.graph import Graph
from eqhls.verify import wordboosts
from eqhls.verify.wordboosts import SIZES, word_boosts


def jets(graph: Graph, rng: np.random.Generator, events: int = 120) -> Events:
    """Events of massless constituents around one axis each."""
    pt = np.sort(rng.exponential(40.0, (events, 4)), axis=1)[:, ::-1] + 1.0
    eta, phi = (rng.uniform(-1, 1, (events, 1)) + rng.normal(0, 0.2, (events, 4)) for _ in range(2))
    parts = (pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta))
    return from_mapping(graph, {"p4": np.stack(parts, axis=-1)})


def test_whole_steps_change_nothing_and_boosts_across_the_beam_do(rng: np.random.Generator) -> None:
    graph = words_network()
    ports, events = word_ports(graph), jets(graph, rng)
    assert ports is not None
    step = tau / ports.turn
    before = graph.evaluate(events.raw)
    assert np.std(before[graph.outputs[0]]) > 0
    found = wordboosts.measured(graph, ports, events.raw, (7 * step, 20 * step))
    assert found["boosts along the beam"] == found["turns about the beam"] == [0.0, 0.0]
    assert min(found["boosts across the beam"]) > 0
    between = wordboosts.measured(graph, ports, events.raw, (7.4 * step,))
    assert between["boosts along the beam"][0] > 0, "rounding to words is felt"


def test_the_stage_says_numbers_and_draws_them(rng: np.random.Generator, tmp_path: Path) -> None:
    graph = words_network()
    ports = word_ports(graph)
    assert ports is not None
    stage = word_boosts(graph, ports, jets(graph, rng), tmp_path)
    assert stage.ok and len(stage.numbers) == 3 * len(SIZES)
    assert "rms change of the output over its spread at 0.3: boosts across the beam" in stage.detail
    assert (tmp_path / "report" / "boosts.png").stat().st_size > 5000
