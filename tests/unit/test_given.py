"""The integers against the network that the user gave: bit for bit, or inside the envelope of the roundings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import seeded

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.relu import Relu
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.table import Activation, Table
from eqhls.options import Options
from eqhls.passes import run, simplify
from eqhls.quantize.assign import assign
from eqhls.verify.envelope import Envelope, envelopes, forward
from eqhls.verify.floatstage import given_stage, rewrites_stage
from eqhls.verify.given import ENOUGH, Given, asked, limited, measured_differences, saturated_events, target

EVENTS = 300
WORD = Fixed(8, 4, True)


def given_of(network: Graph, samples: dict[str, np.ndarray] | None = None, **asked: str) -> Given:
    names = {name: {"Precision": text} for name, text in asked.items()}
    options = Options.model_validate({"HLSConfig": {"LayerName": names}})
    simple = simplify(network)
    return Given(network, simple, assign(simple, samples or {}, options), options)


def words(graph: Graph, seed: int = 3, events: int = EVENTS) -> dict[str, Ints]:
    rng = np.random.default_rng(seed)
    out: dict[str, Ints] = {}
    for node in graph.inputs:
        low, high = (np.array([getattr(f, e) for f in node.type.formats]) for e in ("lo", "hi"))
        out[node.name] = rng.integers(low, high + 1, (events, *node.type.shape))
    return out


def perceptron(rng: np.random.Generator, calibrated: bool = True) -> Graph:
    """Two dense layers with unrounded weights and a tanh between."""
    b = Builder("mlp")
    b.add("x", Input(Type(S, (Axis("c", 4),), formats=(WORD,))))
    b.add("h", Dense(Tensor(rng.normal(size=(6, 4))), Tensor(rng.normal(size=6))), "x")
    b.add("a", Table(activation=Activation.TANH), "h") if calibrated else b.add("a", Relu(), "h")
    b.add("y", Dense(Tensor(rng.normal(size=(2, 6))), Tensor(rng.normal(size=2))), "a")
    return b.graph("y")


def sampled(graph: Graph) -> dict[str, np.ndarray]:
    raw = words(graph)
    return {n.name: raw[n.name] * n.type.formats.lsb for n in graph.inputs}


def colliding() -> Graph:
    """House rules: %a is to be rounded, and the network has an %a.q of its own."""
    b = Builder("collide")
    b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(8, 6),))))
    b.add("s", ParticleSum("j"), "p")
    b.add("g", Gram("j"), "p")
    b.add("a", Gram(), "s", "s")
    b.add("a.q", Select("p", (0,), "p"), "g")
    b.add("b", ParticleSum("p"), "a.q")
    b.add("out", Add(), "a", "b")
    return b.graph("out")


def test_a_network_with_formats_of_its_own_is_met_bit_for_bit(rng: np.random.Generator) -> None:
    given = given_of(seeded(rng))
    assert given.exact
    compiled = run(given.quantized)
    goal = target(given, words(compiled))
    assert goal.exact and goal.held(compiled).ok
    wrong = compiled.rewrite(
        lambda n: replace(n, inputs=("edge0", "edge0")) if n.name == "z0" else n
    ).formatted()
    assert not goal.held(wrong).ok


def test_rounded_weights_and_values_lie_inside_the_envelope(rng: np.random.Generator) -> None:
    network = perceptron(rng)
    given = given_of(network, sampled(network))
    assert not given.exact
    held = target(given, words(network)).held(run(given.quantized))
    assert held.ok and held.events == EVENTS
    assert 0 < held.rms < 0.1 * held.spread, "8-bit weights are near the network, not equal to it"


def test_a_weight_that_quantization_moved_by_a_few_steps_is_found(rng: np.random.Generator) -> None:
    network = perceptron(rng)
    given = given_of(network, sampled(network))
    node = given.quantized.node("y")
    assert isinstance(node.op, Dense)
    weight = node.op.weight.array.copy()
    weight[0, 0] += 16 * 2.0**-6
    moved = given.quantized.rewrite(
        lambda n: replace(n, op=replace(node.op, weight=Tensor(weight))) if n.name == "y" else n
    )
    wrong = replace(given, quantized=moved.formatted())
    assert not target(wrong, words(network)).held(run(wrong.quantized)).ok


def test_a_value_that_took_the_name_of_another_is_found() -> None:
    """Both graphs type-check, and every engine would agree on the wrong one."""
    given = given_of(colliding(), a="fix<20,18,RND,SAT>")
    assert target(given, words(given.network)).held(run(given.quantized)).ok
    lost = given.quantized.rewrite(
        lambda n: replace(n, inputs=(n.inputs[0], n.inputs[0])) if n.name == "out" else n
    ).formatted()
    wrong = replace(given, quantized=lost)
    assert not target(wrong, words(given.network)).held(run(lost)).ok


def test_formats_that_are_asked_for_are_part_of_the_network(rng: np.random.Generator) -> None:
    """A range that the user chose saturates on purpose, which is counted and said; what else changes must still
    be found. One that nothing leaves is not mentioned."""
    network = perceptron(rng)
    given = given_of(network, sampled(network), h="fix<6,2,RND,SAT>")
    goal = target(given, words(network))
    assert goal.saturated == 0
    compiled = run(given.quantized)
    assert goal.held(compiled).ok
    assert sum(compiled.saturation(words(network)).values()) > 0
    flags = saturated_events(given.quantized, words(network), limited(given, asked(given)))
    assert goal.cut == flags.sum() > 0
    stage = given_stage(given, compiled, words(network), words(network), ())
    assert dict(stage.numbers)["cut"] == goal.cut
    assert f"{goal.cut} in which a range of the configuration cuts numbers off" in stage.detail
    wide = given_of(network, sampled(network), h="fix<20,12,RND,SAT>")
    assert target(wide, words(network)).cut == 0


def test_events_that_saturate_where_the_compiler_chose_the_range_are_left_out(
    rng: np.random.Generator,
) -> None:
    network = perceptron(rng)
    small = {"x": sampled(network)["x"] / 64}
    given = given_of(network, small)
    goal = target(given, words(network))
    assert goal.saturated > 0
    held = goal.held(run(given.quantized))
    assert held.ok and held.events >= ENOUGH


def test_events_that_wrap_in_the_given_network_are_left_out(rng: np.random.Generator) -> None:
    """As in a model of HGQ2, whose roundings wrap and whose port takes words that calibration never showed."""
    b = Builder("wraps")
    b.add("x", Input(Type(S, (Axis("c", 4),))))
    b.add("q", Requantize((Fixed(5, 2, True, Rounding.RND, Overflow.WRAP),)), "x")
    b.add("y", Dense(Tensor(rng.normal(size=(2, 4))), Tensor(rng.normal(size=2))), "q")
    given = given_of(b.graph("y"), {"x": rng.uniform(-2, 1.9, (50, 4, 1))}, x="fix<10,5>")
    goal = target(given, words(given.quantized))
    held = goal.held(run(given.quantized))
    assert not given.exact and goal.saturated > EVENTS / 2
    assert held.ok and held.events >= ENOUGH
    inside = np.minimum(words(given.quantized)["x"] >> 3, 60)  # a number above would round up and wrap
    assert target(given, {"x": inside}).saturated == 0


def test_a_network_that_always_saturates_is_refused(rng: np.random.Generator) -> None:
    b = Builder("high")
    b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(4, 4, False),))))
    b.add("h", Dense(Tensor([[1.0, 1.0]]), Tensor([100.0])), "x")
    b.add("a", Table(), "h")
    network = b.graph("a")
    given = given_of(network, {"x": np.zeros((5, 2, 1))}, x="ufix<4,4>")
    low = given.quantized.rewrite(
        lambda n: (
            replace(n, op=replace(n.op, out=Fixed(4, 4, False, Rounding.RND, Overflow.SAT)))
            if isinstance(n.op, Table)
            else n
        )
    )
    with pytest.raises(CompileError, match="saturates in every event"):
        target(replace(given, quantized=low.formatted()), words(network))


def test_a_radial_function_behind_a_code_lies_inside(rng: np.random.Generator) -> None:
    """The code has a floor that the network has not: that is an error of the quantization, too."""
    b = Builder("radial")
    b.add("p", Input(Type(V, (Axis("j", 3),), formats=(Fixed(8, 6),))))
    b.add("g", Gram("j"), "p")
    weight, offset = Tensor(rng.normal(size=(2, 2))), Tensor(rng.normal(size=2))
    b.add("r", Radial(Tensor([0.01, 0.5]), weight, offset), "g")
    b.add("y", Dense(Tensor(rng.normal(size=(1, 12)))), "r")
    network = b.graph("y")
    given = given_of(network, sampled(network))
    assert any(isinstance(n.op, Log2) for n in given.quantized)
    assert target(given, words(network)).held(run(given.quantized)).ok


def test_the_stage_catches_mistakes_and_says_which(rng: np.random.Generator) -> None:
    network = perceptron(rng)
    given = given_of(network, sampled(network))
    compiled = run(given.quantized)
    feeds = words(network)
    recorded = measured_differences(given, compiled, feeds)
    stage = given_stage(given, compiled, feeds, feeds, recorded)
    assert stage.ok and stage.number("mistakes_caught") >= 1
    assert "a weight of %" in stage.detail and "caught" in stage.detail
    wrong = compiled.rewrite(
        lambda n: (
            replace(n, op=Dense(Tensor(n.op.weight.array[::-1]), n.op.bias))
            if n.name == "y" and isinstance(n.op, Dense)
            else n
        )
    ).formatted()
    assert not given_stage(given, wrong, feeds, feeds, recorded).ok


def test_limits_that_let_everything_through_give_way_to_what_was_measured(rng: np.random.Generator) -> None:
    """One bit behind a wide sum: no composed bound tells it from another network."""
    b = Builder("coarse")
    b.add("x", Input(Type(S, (Axis("c", 4),), formats=(WORD,))))
    b.add("q", Requantize((Fixed(3, 5, True, Rounding.RND, Overflow.SAT),)), "x")
    b.add("y", Dense(Tensor([[0.3, -0.7, 0.2, 0.9]])), "q")
    network = b.graph("y")
    given = given_of(network)
    compiled = run(given.quantized)
    feeds = words(network)
    stage = given_stage(given, compiled, feeds, feeds, measured_differences(given, compiled, feeds))
    assert stage.ok
    assert "measured when the project was compiled" in stage.detail


def test_rewrites_are_held_on_both_sides_of_quantization(rng: np.random.Generator) -> None:
    network = perceptron(rng)
    given = given_of(network, sampled(network))
    compiled = run(given.quantized)
    assert rewrites_stage(given, compiled, words(network)).ok
    other = replace(given, simple=simplify(perceptron(np.random.default_rng(5))))
    assert not rewrites_stage(other, compiled, words(network)).ok
    shifted = compiled.rewrite(
        lambda n: (
            replace(n, op=replace(n.op, bias=Tensor(n.op.bias.array + 2.0**-6)))
            if isinstance(n.op, Dense) and n.op.bias is not None
            else n
        )
    ).formatted()
    assert not rewrites_stage(given, shifted, words(network)).ok


def test_truncation_in_one_direction_is_inside(rng: np.random.Generator) -> None:
    """Forty truncated terms err downwards together, which independent signs would not reach."""
    b = Builder("truncated")
    b.add("x", Input(Type(S, (Axis("c", 40),), formats=(WORD,))))
    b.add("q", Requantize((Fixed(7, 6, True),)), "x")
    b.add("y", ParticleSum("c"), "q")
    network = b.graph("y")
    quantized = assign(network, {}, Options())
    feeds = words(network)
    floats = {"x": feeds["x"] * WORD.lsb}
    (allowed,) = envelopes(network, quantized, floats)
    difference = quantized.evaluate(feeds)["y"] * 0.5 - forward(network, floats)["y"]
    assert (difference < 0).mean() > 0.9
    assert allowed.holds(difference).all()


def test_nothing_lies_inside_an_envelope_of_nothing() -> None:
    none = Envelope(np.zeros((3, 1)), 1.0)
    assert none.holds(np.zeros((3, 1))).all()
    assert not none.holds(np.array([[0.0], [1e-30], [0.0]])).any()
