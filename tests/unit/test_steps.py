"""Turns about the beam and boosts along it: derived from the types of the ports, demanded of a network."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from eqhls.engines import Ints
from eqhls.fixed import Fixed
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.input import Input
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.select import Select
from eqhls.ops.table import Table
from eqhls.ops.wrap import Wrap
from eqhls.verify.claims import Steps, float_values
from eqhls.verify.rearranged import check_claim
from eqhls.verify.sampling import spread_events
from eqhls.verify.symmetry import derive

N, EVENTS = 3, 200
WINDOW = Fixed(9, 9)
PORTS = {"eta": "S+eta[j:3]:fix<12,12>", "phi": "S+phi%1440[j:3]:fix<11,11>"}
BENT = Tensor([[0.0, 1.5, -3.0]])


def detector(ports: dict[str, str] = PORTS, follows: bool = False) -> Graph:
    """A sum over words of bent functions of the differences to the first word; and, if it `follows`, a mean
    direction that moves with the words."""
    b = Builder("detector")
    moduli, terms = {"eta": 1 << 13, "phi": 1440}, []
    for name, type in ports.items():
        b.add(name, Input(Type.parse(type)))
        b.add(f"{name}.seed", Select("j", (0,)), name)
        b.add(f"{name}.off", Add((1,)), name, f"{name}.seed")
        b.add(f"{name}.d", Wrap(moduli[name], 32, WINDOW), f"{name}.off")
        bent = Table(Tensor([-200.0, 0.0, 200.0]), BENT, out=Fixed(6, 3))
        terms.append(b.add(f"{name}.f", bent, f"{name}.d"))
    b.add("sum", Add(), *terms)
    outputs = [b.add("score", ParticleSum("j"), "sum")]
    if follows:
        outputs.append(b.add("lead", Add(), "phi.seed", "score"))
    return b.graph(*outputs).formatted()


def run(graph: Graph, engine: str, feeds: dict[str, Ints]) -> dict[str, Ints]:
    return float_values(graph, feeds) if engine == "float" else graph.evaluate(feeds)


@pytest.mark.parametrize("engine", ["float", "integer"])
@pytest.mark.parametrize("follows", [False, True])
def test_steps_are_claimed_and_hold(engine: str, follows: bool, rng: np.random.Generator) -> None:
    graph = detector(follows=follows)
    symmetry = derive(graph)
    claims = [c for c in symmetry.claims if isinstance(c, Steps)]
    turns = "steps of phi modulo 1440 of phi" + ", which lead follow" * follows
    assert [str(c) for c in claims] == ["steps of eta of eta", turns]
    assert symmetry.describe().startswith(f"steps of eta of eta and {turns}: only what")
    events = spread_events(graph, rng, EVENTS)
    for claim in claims:
        result = check_claim(claim, graph, events, partial(run, graph, engine), engine, rng)
        assert result.ok and result.transformed == EVENTS, result


def test_a_network_that_reads_an_angle_is_found_out(rng: np.random.Generator) -> None:
    """The type refuses it; without charges on the ports it can be built, and then the test fails."""
    plain = detector({k: "S" + v[v.index("[") :] for k, v in PORTS.items()})
    b = Builder.reading(plain)
    for node in plain:
        b.keep(node)
    bent = Table(Tensor([-700.0, 0.0, 700.0]), BENT, out=Fixed(6, 3))
    first = b.add(b.fresh("first"), bent, "phi.seed")
    graph = b.graph(b.add(b.fresh("both"), Add(), "score", first)).formatted()
    assert not any(isinstance(c, Steps) for c in derive(graph).claims)
    claim = Steps("phi", 1440, (("phi", 1),))
    events = spread_events(graph, rng, EVENTS)
    assert check_claim(claim, graph, events, graph.evaluate, "integer", rng).mismatches > EVENTS // 10


@pytest.mark.parametrize("turn", [1440, 1 << 11])
def test_the_turn_is_that_of_the_type(turn: int, rng: np.random.Generator) -> None:
    graph = detector()
    claim = Steps("phi", turn, (("phi", 1),))
    result = check_claim(claim, graph, spread_events(graph, rng, EVENTS), graph.evaluate, "integer", rng)
    assert (result.mismatches == 0) == (turn == 1440)


def test_a_word_that_stays_behind_is_felt(rng: np.random.Generator) -> None:
    """The controls change outputs, and a network that does not depend on the angles cannot be judged."""
    graph = detector()
    blind = replace(graph.node("phi.f").op, values=Tensor([[1.0, 1.0, 1.0]]))
    constant = graph.rewrite(lambda n: replace(n, op=blind) if n.name == "phi.f" else n).formatted()
    for network, felt in ((graph, True), (constant, False)):
        claim = Steps("phi", 1440, (("phi", 1),))
        events = spread_events(network, rng, EVENTS)
        result = check_claim(claim, network, events, network.evaluate, "integer", rng)
        assert result.mismatches == 0 and (result.control_changed > 0) == felt
