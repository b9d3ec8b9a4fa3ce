"""Factors, normalisations and rectifiers before quantization: each moves where it costs nothing."""

from __future__ import annotations

import numpy as np
import pytest
from algebraic import N, kinds, same

from eqhls.fixed import Fixed
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.passes.normalisation import fold_normalisation
from eqhls.passes.rectifiers import open_rectifiers
from eqhls.passes.scale import fold_scale
from eqhls.passes.structure import drop_dead


@pytest.mark.parametrize("activation", list(Activation)[:4], ids=lambda a: a.value)
@pytest.mark.parametrize("axis", ["", "c"])
def test_normalisation_folds_into_the_function(
    activation: Activation, axis: str, rng: np.random.Generator
) -> None:
    """A sigmoid is not piecewise linear, and stays."""
    b = Builder("norm")
    x = b.add("x", Input(Type(S, (Axis("j", 3), Axis("c", 2)))))
    values = Tensor([[0.0, 1.0]] * (2 if axis else 1))
    if axis and activation is Activation.NONE:
        values = Tensor([[0.5, -1.0], [2.0, 0.25]])
    f = b.add("f", Table(values=values, activation=activation, axis=axis), x)
    norm = ChannelMix(Tensor(np.diag([1.5, -0.5])), Tensor([0.25, 3.0]))
    graph = b.graph(b.add("n", norm, f))
    folded = fold_normalisation(graph).verify()
    events = {"x": rng.normal(size=(20, 3, 2, 1))}
    np.testing.assert_allclose(folded.reference(events)["n"], graph.reference(events)["n"], atol=1e-12)
    linear = activation is Activation.NONE or (activation is not Activation.SIGMOID and not axis)
    assert isinstance(folded.node("n").op, Table) == linear


def test_normalisation_stays_where_another_reads_the_function() -> None:
    b = Builder("norm")
    x = b.add("x", Input(Type(S, (Axis("c", 2),))))
    f = b.add("f", Table(activation=Activation.RELU), x)
    n = b.add("n", ChannelMix(Tensor(np.eye(2))), f)
    graph = b.graph(b.add("sum", Add(), f, n))
    assert fold_normalisation(graph) == graph
    mixed = Builder("mixed")
    x = mixed.add("x", Input(Type(S, (Axis("c", 2),))))
    n = mixed.add("n", ChannelMix(Tensor(np.ones((2, 2)))), mixed.add("f", Table(), x))
    assert fold_normalisation(mixed.graph(n)) == mixed.graph(n), "channels meet"


def scaled(b: Builder, factor: float) -> str:
    """Momenta p V[j:4] times a number."""
    p = b.add("p", Input(Type(V, (Axis("j", N),))))
    k = b.add("k", Spurion(Type(S), Tensor([factor])))
    return b.add("scaled", CgProduct(parse_path("V*S->V")), p, k)


def test_a_scale_moves_into_functions_and_weights(rng: np.random.Generator) -> None:
    """Into the knots behind a Gram product, the radial slopes, and the trained function of a product."""
    b = Builder("scale")
    x = scaled(b, 0.25)
    g = b.add("g", Gram(), x, b.add("xi", Rename("j", "i"), x))
    b.add("f", Table(Tensor([-1.0, 0.0, 2.0]), Tensor([[0.5, 1.0, -1.0]]), Activation.TANH), g)
    b.add("r", Radial(Tensor([2.0, 3.0]), Tensor([[1.0, 0.5]]), Tensor([0.1]), to="h"), g)
    b.add("w", ChannelMix(Tensor([[0.7]]), Tensor([0.2]), axis="h"), "r")
    b.add("ws", Select("h", (0,), ""), "w")
    b.add("v", PairSum("i"), "ws", "xi")
    b.add("vg", Gram(), "v", "v")
    b.add("d", Dense(Tensor([[1.0] * N]), Tensor([0.3])), "vg")
    b.add("fs", ParticleSum("i"), b.add("fj", ParticleSum("j"), "f"))
    graph = b.graph(b.add("out", Add(), "d", b.add("fc", Dense(Tensor([[2.0]])), "fs")))
    folded = drop_dead(fold_scale(graph))
    same(graph, folded, rng)
    assert not any(n.op.name() in ("cg_product", "spurion") for n in folded)
    assert folded.node("f").op == Table(
        Tensor([-16.0, 0.0, 32.0]), Tensor([[0.5, 1.0, -1.0]]), Activation.TANH
    )


@pytest.mark.parametrize("factor", [3.0, -2.0], ids=["positive", "negative"])
def test_a_scale_stays_where_nothing_can_take_it(factor: float, rng: np.random.Generator) -> None:
    """A logarithm does not: the product stands in front of it, on scalars if the factor is positive."""
    b = Builder("scale")
    x = scaled(b, factor)
    g = b.add("g", Gram(), x, b.add("xi", Rename("j", "i"), x))
    b.add("s", ParticleSum("i"), b.add("l", Log2(0.25, 2, 64), g))
    graph = b.graph(b.add("out", ParticleSum("j"), "s"))
    folded = drop_dead(fold_scale(graph))
    same(graph, folded, rng)
    (product,) = [n for n in folded if n.op.name() == "cg_product"]
    assert product.type.rep is (S if factor > 0 else V)


def test_what_others_read_is_not_scaled_for_them(rng: np.random.Generator) -> None:
    b = Builder("scale")
    x = scaled(b, 0.5)
    w = b.add("w", ChannelMix(Tensor([[3.0]]), axis="h"), b.add("a", Input(Type(S, (Axis("h", 1),)))))
    b.add("ws", Select("h", (0,), ""), w)
    b.add("y", CgProduct(parse_path("S*V->V")), "ws", x)
    b.add("q", Dense(Tensor([[1.0] * N])), b.add("yy", Gram(), "y", "y"))
    b.add("other", Dense(Tensor([[1.0]])), "ws")
    graph = b.graph(b.add("out", Add(), "q", b.add("z", Add(), "other", "other")))
    same(graph, drop_dead(fold_scale(graph)), rng)


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        (Table(activation=Activation.RELU), ["relu"]),
        (
            Table(Tensor([-1.0, 0.0, 2.0]), Tensor([[0.5, 0.5, 2.0], [0, 0, 1]]), axis="c"),
            ["relu", "channel_mix"],
        ),
        (Table(activation=Activation.LEAKY_RELU), ["table"]),
        (Table(Tensor([-1.0, 0.0, 2.0]), Tensor([[0.0, 0.5, 2.0], [0, 0, 1]]), axis="c"), ["table"]),
        (Table(activation=Activation.RELU, out=Fixed(8, 4, False)), ["table"]),
    ],
    ids=["relu", "normalised", "leaky", "bent", "trained"],
)
def test_rectifiers_become_gates(table: Table, kept: list[str], rng: np.random.Generator) -> None:
    """Where they are 0 below and have no format; a normalisation behind stays as a factor and a shift."""
    b = Builder("rectifier")
    x = b.add("x", Input(Type(S, (Axis("i", 3), Axis("c", 2)))))
    graph = b.graph(b.add("y", table, x))
    opened = open_rectifiers(graph)
    same(graph, opened, rng)
    assert kinds(opened)[1:] == kept


def test_a_scale_is_absorbed_once(rng: np.random.Generator) -> None:
    """Two read the scaled product of a trained value: its weights cannot take the factor for both."""
    b = Builder("twice")
    x = b.add("x", ChannelMix(Tensor([[3.0, 1.0]])), b.add("a", Input(Type(S, (Axis("c", 2),)))))
    k = b.add("k", Spurion(Type(S), Tensor([0.5])))
    y = b.add("y", CgProduct(parse_path("S*S->S")), k, x)
    z = b.add("z", Input(Type(S, (Axis("c", 1),))))
    one = b.add("one", CgProduct(parse_path("S*S->S")), y, z)
    two = b.add("two", Log2(0.25, 2, 64), b.add("shift", Add(), y, z))
    graph = b.graph(b.add("out", Add(), one, two))
    same(graph, drop_dead(fold_scale(graph)), rng)


def test_two_multiples_of_one_value_are_two(rng: np.random.Generator) -> None:
    b = Builder("multiples")
    x = b.add("x", Input(Type(S, (Axis("c", 2),))))
    logs: list[str] = []
    for factor in (2.0, 3.0):
        k = b.add(f"k{factor}", Spurion(Type(S), Tensor([factor])))
        y = b.add(f"y{factor}", CgProduct(parse_path("S*S->S")), k, x)
        logs.append(b.add(f"l{factor}", Log2(0.25, 2, 64), b.add(f"i{factor}", Invariants(), y)))
    graph = b.graph(b.add("out", Add((1,)), *logs))
    same(graph, drop_dead(fold_scale(graph)), rng)


def test_values_that_lack_a_factor_lose_their_names(rng: np.random.Generator) -> None:
    """A Precision for %g must not reach sixteen times %g; outputs have their names in any case."""
    b = Builder("names")
    x = scaled(b, 0.25)
    g = b.add("g", Gram(), x, b.add("xi", Rename("j", "i"), x))
    b.add("f", Table(activation=Activation.TANH), g)
    graph = b.graph("f", b.add("s", ParticleSum("i"), g))
    folded = drop_dead(fold_scale(graph))
    feeds = {"p": rng.normal(size=(20, N, 4))}
    want, got = graph.reference(feeds), folded.reference(feeds)
    assert folded.outputs == graph.outputs and {"g.unscaled", "s.unscaled"} <= {n.name for n in folded}
    for name in want.keys() & got.keys():
        np.testing.assert_allclose(got[name], want[name], rtol=1e-12)
