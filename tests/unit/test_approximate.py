"""How far real boosts move a network, also one whose float reference rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from emulated import network
from test_symmetry_stages import port

from eqhls.errors import CompileError
from eqhls.events.read import Events
from eqhls.fixed import Fixed
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.logic import Logic
from eqhls.ir.op import Floats
from eqhls.ir.types import Type
from eqhls.ops.circuit import Circuit
from eqhls.ops.invariants import Invariants
from eqhls.ops.particle_sum import ParticleSum
from eqhls.verify import approximate
from eqhls.verify.approximate import boost_curve, continuous_ends

ROUNDED = "[8s in fix<8,8,RND,SAT>; 8s in =1 fix<8,8,RND,SAT>; 9s sum 0 1; out 2 0]"
"""The sum of two numbers, each rounded first to an integer."""


def behind_masses(b: Builder) -> list[str]:
    """Masses, a netlist that rounds them, and the sum of them, which does not."""
    masses = b.add("masses", Invariants(), port(b, "p", V, "j:2", Fixed(7, 7)))
    rounded = b.add("rounded", Circuit(Logic.parse(ROUNDED), (2,), Type(S, ())), masses)
    return [b.add("twice", ParticleSum("j"), masses), rounded]


def events_of(graph: Graph) -> Events:
    """Light particles in motion, whose masses lie on ties of integers."""
    rng = np.random.default_rng(3)
    momenta = rng.integers(-9, 10, size=(200, 2, 3)).astype(float)
    energy = np.sqrt(0.5 + (momenta**2).sum(axis=-1, keepdims=True))
    return Events({}, {"p": np.concatenate([energy, momenta], axis=-1)}, None, 0)


def test_a_netlist_is_measured_before_it_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(behind_masses)
    events = events_of(graph)
    assert continuous_ends(graph) == ("masses", "twice")
    assert graph.scores(events.floats)["rounded"].std() > 0, "no mass lies on a tie"
    stage = boost_curve(graph, events, tmp_path)
    assert stage.ok, stage
    assert "before the formats of a netlist" in stage.detail
    monkeypatch.setattr(approximate, "continuous_ends", lambda g: g.outputs)
    assert not boost_curve(graph, events, tmp_path).ok, "behind the netlist ties would count"


def test_a_reference_that_is_not_invariant_is_seen_before_a_netlist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def euclidean(op: Invariants, types: tuple[Type, ...], x: Floats) -> Floats:
        return (x**2).sum(axis=-1, keepdims=True)

    monkeypatch.setattr(Invariants, "reference", euclidean)
    graph = network(behind_masses)
    assert not boost_curve(graph, events_of(graph), tmp_path).ok


def test_a_netlist_of_components_has_no_type() -> None:
    """What the stage measures before a netlist is all that can move: it reads scalars alone."""
    with pytest.raises(CompileError, match="scalar"):
        network(
            lambda b: [b.add("o", Circuit(Logic.parse(ROUNDED), (8,), Type(S, ())), port(b, "p", V, "j:2"))]
        )
