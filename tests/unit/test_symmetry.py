"""What is exact is derived from the graph, and demanded with zero tolerance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import networks
import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.graphfile import load_model
from eqhls.groups.coupling import CGTable, Coupling
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.exact import LIGHT_CONE_GROUP
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import TRUNCATED, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.concat import Concat
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.verify.controls import CUTS, faults_of, faulty
from eqhls.verify.rearranged import check_permutations
from eqhls.verify.sampling import lattice_events, random_events
from eqhls.verify.symmetry import Symmetry, derive
from eqhls.verify.testbuild import TRIMMED, guarded, ported
from eqhls.verify.trials import check_group

MODELS = Path(__file__).resolve().parents[2] / "models"
NAMES = ("lgn_top", "lgn_top_small", "lgn_top_lab")


def check(graph: Graph, symmetry: Symmetry) -> tuple[int, int, int]:
    test = guarded(graph, 6)
    events = lattice_events(graph, test, np.random.default_rng(1), 300)
    result = check_group(symmetry, test, events, test.evaluate, "integer", np.random.default_rng(2))
    return result.transformed, result.mismatches, result.control_changed


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_models_are_exact(name: str) -> None:
    graph = load_model(MODELS / name)
    symmetry = derive(graph)
    assert symmetry.group is not None and not symmetry.proper_only
    assert symmetry.group.name == ("O(3,1;Z)" if name == "lgn_top_lab" else "SL(2,Z[i]) with reflections")
    assert symmetry.permutable == tuple(range(1, 16))
    tried, wrong, caught = check(graph, symmetry)
    assert tried > 1000 and wrong == 0 and caught > 0


def test_rounded_vectors_lose_the_group(rng: np.random.Generator) -> None:
    """Truncation leaves nothing; odd rounding leaves the signed axis permutations."""
    odd = Fixed(14, 13, True, Rounding.RND_CONV, Overflow.SAT_SYM)
    plain = networks.seeded(rng, 4, 1, (Fixed(14, 13),))
    assert derive(plain).group is None
    graph = networks.seeded(np.random.default_rng(5), 4, 1, (odd,))
    symmetry = derive(graph)
    assert symmetry.group is not None and all(g.monomial for g in symmetry.group.generators)
    assert {g.name for g in symmetry.group.generators} == {"turn_jet", "flip_z", "swap_yz"}
    tried, wrong, _ = check(graph, symmetry)
    assert tried > 0 and wrong == 0
    _, wrong, _ = check(graph, replace(symmetry, group=LIGHT_CONE_GROUP))
    assert wrong > 0, "the whole group would be too much to claim"


def test_a_wrong_metric_sign_is_caught(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    """Negative control: one flipped sign in the Gram product must break the test."""
    graph = networks.seeded(rng, 4, 1)
    right: Callable[[Coupling], CGTable] = Coupling.table.fget  # type: ignore[attr-defined]

    def flipped(product: Coupling) -> CGTable:
        good = right(product)
        *rest, last = good.terms
        return replace(good, terms=(*rest, replace(last, numerator=-last.numerator)))

    monkeypatch.setattr(Coupling, "table", property(flipped))
    _, wrong, _ = check(graph, derive(graph))
    assert wrong > 0


def momentum(rounding: tuple[Fixed, ...] = ()) -> Graph:
    """sum_j w_j p_j with weights made of <p_j, J>: an output that moves with the event."""
    b = Builder("momentum")
    cone = LIGHT_CONE
    p = b.add("p", Input(Type(V, (Axis("j", 4),), cone, networks.CONE)))
    jet = b.add("jet", Input(Type(V, (Axis("i", 1),), cone, networks.JET)))
    code = b.add("code", Log2(1.0, 1, 64), b.add("d", Gram(), jet, p))
    w = b.add("w", Table(networks.KNOTS, Tensor(np.cos(networks.KNOTS.array)[None]), out=networks.EDGE), code)
    out = b.add("sum", PairSum("j"), b.add("only", ParticleSum("i"), w), p)
    return b.graph(b.add("rounded", Requantize(rounding), out) if rounding else out).formatted()


def test_a_vector_output_moves_with_the_event() -> None:
    graph = momentum()
    symmetry = derive(graph)
    assert graph.results[0].type.rep is V and symmetry.group is LIGHT_CONE_GROUP
    tried, wrong, caught = check(graph, symmetry)
    assert tried > 1000 and wrong == 0 and caught > 0
    rounded = momentum((Fixed(14, 13),))
    assert derive(rounded).group is None
    _, wrong, _ = check(rounded, symmetry)
    assert wrong > 0, "a rounded vector does not"


def test_a_tensor_output_moves_with_the_event() -> None:
    b = Builder("tensor")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), LIGHT_CONE, networks.CONE)))
    pairs = b.add("pairs", CgSquare(parse_path("V*V->T")), p)
    graph = b.graph(b.add("t", ParticleSum("j"), pairs)).formatted()
    assert derive(graph).group is LIGHT_CONE_GROUP
    tried, wrong, caught = check(graph, derive(graph))
    assert tried > 1000 and wrong == 0 and caught > 0


def test_permutations_fix_the_seed(rng: np.random.Generator) -> None:
    graph = networks.seeded(rng, 6, 2)
    symmetry = derive(graph)
    assert symmetry.permutable == (1, 2, 3, 4, 5)
    events = random_events(graph, rng, 200)
    (claim,) = symmetry.permutations
    assert check_permutations(claim, graph, events, graph.evaluate, "integer", rng).ok


def test_beams_beside_the_particles_leave_them_permutable() -> None:
    """Constants in front shift slots; what picks a slot behind them tells that one apart."""
    b = Builder("beside")
    p = b.add("p", Input(Type(V, (Axis("j", 3),), formats=(Fixed(8, 8),))))
    beam = b.add("beam", Spurion(Type(V, (Axis("j", 1),)), Tensor([[1.0, 0.0, 0.0, 1.0]])))
    both = b.add("both", Concat("j"), beam, p)
    plain = b.graph(b.add("g", Gram(), b.add("s", ParticleSum("j"), both), "s"))
    assert derive(plain.formatted()).permutable == (0, 1, 2)
    picked = b.graph(b.add("h", Gram(), b.add("first", Select("j", (1,), "k"), both), "s"))
    assert derive(picked.formatted()).permutable == (1, 2)
    doubled = b.add("t", ParticleSum("j"), b.add("twice", Concat("j"), both, p))
    assert derive(b.graph(b.add("u", Gram(), doubled, "t")).formatted()).permutable == (0, 1, 2)


def test_the_control_of_two_particles_changes_them() -> None:
    """Two vectors exchanged without their flags may be an exchange all the same; two energies are none."""
    b = Builder("two")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(8, 8),))))
    b.add("valid", Input(Type(S, (Axis("j", 2),), formats=(Fixed(1, 1, False),))))
    pairs = b.add("pairs", Gram(), p, b.add("p_i", Rename("j", "i"), p))
    graph = b.graph(
        b.add(
            "q",
            ParticleSum("j"),
            b.add("rows", ParticleSum("i"), b.add("r", CgSquare(parse_path("S*S->S")), pairs)),
        )
    ).formatted()
    events = random_events(graph, np.random.default_rng(1), 200)
    (claim,) = derive(graph).permutations
    found = check_permutations(claim, graph, events, graph.evaluate, "integer", np.random.default_rng(2))
    assert found.mismatches == 0 and found.control_changed > 150


def test_padded_slots_contribute_nothing(rng: np.random.Generator) -> None:
    """The flags rule: what stands in the score channels of a padded slot cannot matter."""
    graph = networks.seeded(rng, 6, 2)
    feeds = random_events(graph, rng, 200)
    want = graph.evaluate(feeds)[graph.outputs[0]]
    moved = {k: (v[:, [0, 1, 2, 5, 4, 3]] if graph.node(k).type.has("j") else v) for k, v in feeds.items()}
    np.testing.assert_array_equal(graph.evaluate(moved)[graph.outputs[0]], want)


def beside_beams(beam: float) -> Graph:
    """Invariants of all rows, two beams of energy `beam` in front of the ports on the same axis."""
    port = Fixed(8, 6, True)
    b = Builder("beams")
    beams = b.add("beams", Spurion(Type(V, (Axis("j", 2),)), Tensor([[beam, 0, 0, 1], [beam, 0, 0, -1]])))
    p = b.add("p", Input(Type(V, (Axis("j", 3),), formats=(port,))))
    flags = b.add("valid", Input(Type(S, (Axis("j", 3),), formats=(Fixed(1, 1, False),))))
    rows = b.add("rows", Concat("j"), beams, b.add("live", Mask(), p, flags))
    turned = b.add("turned", Rename("j", "i"), rows)
    return b.graph(b.add("q", Gram(), turned, rows)).formatted()


def test_a_spurion_may_lie_between_the_steps_of_the_ports() -> None:
    """It gets a finer lattice of its own, and the group stays exact; padding never touches it."""
    graph = beside_beams(1 + 2**-6)
    test = ported(graph, 6)
    type = test.node("beams").type
    assert {f.frac for f in type.formats} == {6} and {f.frac for f in test.node("p").type.formats} == {2}
    events = lattice_events(graph, test, np.random.default_rng(1), 300)
    np.testing.assert_array_equal(events["beams"][:, 0, 0] * type.formats[0].lsb, 1 + 2**-6)
    assert (events["p"][:, 2] == 0).all(axis=-1).any()
    transformed, mismatches, control = check(graph, derive(graph))
    assert transformed > 100 and mismatches == 0 and control > 0


def test_a_spurion_on_no_lattice_is_refused() -> None:
    with pytest.raises(CompileError, match="%beams.*no lattice of 12 more bits"):
        ported(beside_beams(1 + 2**-16), 0)


def test_ports_of_spurions_are_trimmed_where_arithmetic_needs_it() -> None:
    """<p, beam>^2 of 18 bits each: as wide as a particle's, a beam's port makes products of 72 bits."""
    b = Builder("projected")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(18, 16),))))
    beam = b.add("beam", Spurion(Type(V, (Axis("i", 1),)), Tensor([[1.0, 0.0, 0.0, 1.0]])))
    graph = b.graph(b.add("q", CgSquare(parse_path("S*S->S")), b.add("g", Gram(), beam, p))).formatted()
    with pytest.raises(CompileError, match="63 bits"):
        ported(graph, 0)
    test = guarded(graph, 6)
    particle, spurion = (test.node(n).type.format_of(0) for n in ("p", "beam"))
    assert particle.width - spurion.width in TRIMMED[1:] and particle.width >= 18
    transformed, mismatches, control = check(graph, derive(graph))
    assert transformed > 100 and mismatches == 0 and control > 0
    held = ported(beside_beams(8.0), 0, 0, 6).node("beams").type.format_of(0)
    assert held.hi * held.lsb >= 8, "but never below the values of the spurion"


def test_a_fault_grows_until_it_is_resolved() -> None:
    """Behind a rounding to 64, a product without its last 2 bits changes nothing; without 12 it does."""
    graph = beside_beams(1.0)
    b = Builder("coarse")
    for node in graph:
        b.add(node.name, node.op, *node.inputs)
    coarse = b.graph(
        b.add("r", Requantize((Fixed(10, 16, True, Rounding.RND, Overflow.SAT),)), "q")
    ).formatted()
    test = ported(coarse, 6)
    events = lattice_events(coarse, test, np.random.default_rng(1), 300)

    def caught(cut: int) -> int:
        wrong = faulty(test, TRUNCATED, faults_of(test)[TRUNCATED], cut)
        rng = np.random.default_rng(2)
        return check_group(derive(coarse), wrong, events, wrong.evaluate, "integer", rng).mismatches

    assert caught(CUTS[0]) < caught(12)
    assert caught(12) > 0
