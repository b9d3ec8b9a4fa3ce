"""The rewrites before quantization: each fires where it should, keeps the float result, saves work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lgn_numpy import Shape, jets, random_state

from eqhls.fixed import Fixed
from eqhls.frontends.checkpoints.lgn import graph_from
from eqhls.frontends.graphfile import load_model
from eqhls.groups.lorentz.reps import F, T, V
from eqhls.groups.registry import parse_path
from eqhls.groups.registry import rep as rep_named
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.passes import ALGEBRA, simplify
from eqhls.passes.hoist import hoist_differences, sum_products
from eqhls.passes.normalisation import fold_normalisation
from eqhls.passes.products import merge_products
from eqhls.passes.radials import merge_radials
from eqhls.passes.rectifiers import open_rectifiers
from eqhls.passes.scale import fold_scale
from eqhls.passes.structure import drop_dead
from eqhls.passes.work import Work, total_work, work
from eqhls.report.tables import cost_lines

MODELS = Path(__file__).resolve().parents[2] / "models"
N = 4


def kinds(graph: Graph) -> list[str]:
    return [n.op.name() for n in graph]


def same(before: Graph, after: Graph, rng: np.random.Generator) -> None:
    """Equal outputs to 1e-12 of the largest value."""
    feeds = {n.name: rng.normal(size=(20, *n.type.shape)) for n in before.inputs}
    want, got = (g.reference(feeds)[g.outputs[0]] for g in (before, after.verify()))
    assert np.ptp(want) > 0
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


def edges(path: str, right: str, minus: tuple[int, ...] = (1,)) -> Graph:
    """sum_j path(R_ij (p_i - p_j), X_j) with channels of X and R picked differently."""
    b = Builder("edges")
    r = b.add("r", Input(Type(S, (Axis("i", N), Axis("j", N), Axis("c", 2)))))
    p = b.add("p", Input(Type(V, (Axis("i", N),))))
    x = b.add("x", Input(Type(rep_named(right), (Axis("j", N), Axis("c", 2)))))
    d = b.add("d", Add(minus), p, b.add("pj", Rename("i", "j"), p))
    y = b.add("y", CgProduct(parse_path("S*V->V")), r, d)
    left = b.add("left", Select("c", (0, 0, 1, 1), "c"), y)
    product = b.add(
        "product", CgProduct(parse_path(path)), left, b.add("xs", Select("c", (0, 1, 0, 1), "c"), x)
    )
    return b.graph(b.add("sum", ParticleSum("j"), product))


@pytest.mark.parametrize(
    ("path", "right"), [("V*V->S", "V"), ("V*F->V~", "F"), ("V*T->V", "T"), ("V*S->V", "S")]
)
def test_differences_are_hoisted(path: str, right: str, rng: np.random.Generator) -> None:
    graph = edges(path, right)
    hoisted = drop_dead(hoist_differences(graph))
    same(graph, hoisted, rng)
    products = [n for n in hoisted if n.op.name() == "cg_product"]
    assert products and not any(n.type.has("i") and n.type.has("j") for n in products)
    assert kinds(hoisted).count("pair_sum") == 2


def test_only_differences_are_hoisted() -> None:
    graph = edges("V*V->S", "V", minus=())
    assert hoist_differences(graph) == graph


def test_sums_of_products_with_scalars(rng: np.random.Generator) -> None:
    b = Builder("sums")
    w = b.add("w", Input(Type(S, (Axis("i", 2), Axis("j", N), Axis("c", 2)))))
    x = b.add("x", Input(Type(T, (Axis("j", N), Axis("c", 2)))))
    graph = b.graph(b.add("y", ParticleSum("j"), b.add("p", CgProduct(parse_path("S*T->T")), w, x)))
    summed = drop_dead(sum_products(graph))
    same(graph, summed, rng)
    assert kinds(summed) == ["input", "input", "pair_sum"]
    assert sum_products(edges("V*V->S", "V")).node("sum") == edges("V*V->S", "V").node("sum")


@pytest.mark.parametrize("bias", [None, Tensor([0.5, -1.0])])
@pytest.mark.parametrize("masked", [False, True])
def test_a_mix_of_radial_functions_is_one(
    bias: Tensor | None, masked: bool, rng: np.random.Generator
) -> None:
    b = Builder("radial")
    axes = (Axis("i", 2), Axis("j", N))
    q = b.add("q", Input(Type(S, axes)))
    flags = b.add("flags", Input(Type(S, axes)))
    basis = Radial(Tensor([0.5, 4.0, 1.0]), Tensor(np.diag(rng.normal(size=3))), Tensor(rng.normal(size=3)))
    phi = b.add("phi", basis, q)
    phi = b.add("masked", Mask(), phi, flags) if masked else phi
    graph = b.graph(b.add("r", ChannelMix(Tensor(rng.normal(size=(2, 3))), bias), phi))
    merged = drop_dead(merge_radials(graph))
    same(graph, merged, rng)
    assert "channel_mix" not in kinds(merged) and total_work(merged).constants == 0


def squares(path: str, rep: str, dual: bool = False) -> Graph:
    """All four products of two channels with themselves, beside the channels, mixed."""
    b = Builder("squares")
    x = b.add("x", Input(Type(rep_named(rep), (Axis("i", 2), Axis("c", 2)))))
    left = b.add("left", Select("c", (0, 0, 1, 1), "c"), x)
    right = b.add("right", Select("c", (0, 1, 0, 1), "c"), x)
    z = b.add("z", Concat("c"), *(b.add(f"p{k}", CgProduct(parse_path(path)), left, right) for k in range(2)))
    weight = Tensor(np.arange(16.0).reshape(2, 8) ** 2)
    return b.graph(b.add("y", ChannelMix(weight, None, weight if dual else None), z))


@pytest.mark.parametrize(
    ("path", "rep", "squared", "columns"),
    [("V*V->S", "V", True, 3), ("F*F->T", "F", True, 3), ("T*T->T", "T", True, 3), ("V*V->F", "V", False, 1),
     ("F*F->F", "F", False, 1), ("T*T->F", "T", False, 1)],
)  # fmt: skip
def test_products_with_oneself_merge(
    path: str, rep: str, squared: bool, columns: int, rng: np.random.Generator
) -> None:
    """Symmetric: two squares and one product. Antisymmetric: squares vanish, one product is left."""
    graph = squares(path, rep, dual=path.endswith("F"))
    merged = drop_dead(merge_products(graph))
    same(graph, merged, rng)
    assert ("cg_square" in kinds(merged)) is squared
    assert merged.node("z.merged").type.size("c") == columns
    assert total_work(merged).products < total_work(graph).products


def test_exchanged_factors_merge_through_a_sum(rng: np.random.Generator) -> None:
    b = Builder("exchanged")
    v = b.add("v", Input(Type(V, (Axis("i", 3), Axis("c", 2)))))
    f = b.add("f", Input(Type(F, (Axis("i", 3), Axis("c", 2)))))
    one, two = (
        b.add(f"p{k}", CgProduct(parse_path(p)), *x)
        for k, p, x in ((1, "V*F->V", (v, f)), (2, "F*V->V", (f, v)))
    )
    total = b.add("total", ParticleSum("i"), b.add("z", Concat("c"), one, v, two))
    graph = b.graph(b.add("y", ChannelMix(Tensor(rng.normal(size=(2, 6)))), total))
    merged = drop_dead(merge_products(graph))
    same(graph, merged, rng)
    assert merged.node("total.merged").type.size("c") == 4 and kinds(merged).count("cg_product") == 1


def test_columns_that_something_else_reads_stay() -> None:
    graph = squares("V*V->S", "V")
    b = Builder("squares")
    for n in graph:
        b.add(n.name, n.op, *n.inputs)
    kept = b.graph("y", "z")
    assert merge_products(kept) == kept


@pytest.mark.parametrize("shape", [Shape(), Shape(3, (2, 1, 2), pmu_in=False)], ids=["maxdim2", "maxdim3"])
def test_a_whole_network(shape: Shape, rng: np.random.Generator) -> None:
    graph = graph_from(random_state(rng, shape), shape.arguments(4))
    p4 = jets(rng, 5, 4, 3)
    feeds = {"p": p4, "valid": (p4 != 0).any(axis=-1, keepdims=True).astype(float)}
    want = graph.reference(feeds)["logits"]
    for step in ALGEBRA:
        graph = step(graph).verify()
        np.testing.assert_allclose(
            graph.reference(feeds)["logits"], want, rtol=0, atol=1e-12 * np.abs(want).max()
        )
    assert {"radial", "cg_square", "pair_sum"} <= set(kinds(graph))
    assert not any(
        n.op.name() == "cg_product" and n.type.has("i") and n.type.has("j") and n.type.has("c") for n in graph
    )


def test_hoisting_only_where_it_saves(rng: np.random.Generator) -> None:
    """At maxdim 2 the products of the edges are as many either way; at maxdim 3 hoisting wins."""
    for shape, wins in ((Shape(), False), (Shape(3, (2, 2, 2)), True)):
        graph = graph_from(random_state(rng, shape), shape.arguments(6))
        small = simplify(graph)
        assert any(n.name.endswith(".there") for n in small) is wins
        assert total_work(small).luts < total_work(graph).luts


@pytest.mark.parametrize("name", sorted(p.parent.name for p in MODELS.glob("*/graph.eq")))
def test_trained_graphs_are_left_alone(name: str) -> None:
    graph = load_model(MODELS / name)
    assert simplify(graph) == graph


Rewrite = Callable[[Graph], Graph]


@pytest.mark.parametrize("step", ALGEBRA)
def test_a_rewrite_is_done_after_once(step: Rewrite, rng: np.random.Generator) -> None:
    shape = Shape(3, (1, 1))
    graph = graph_from(random_state(rng, shape), shape.arguments(3))
    once = step(graph)
    assert step(once) == once


def test_work_is_counted_without_formats() -> None:
    graph = edges("V*V->S", "V")
    found = work(graph)
    assert found["y"] == Work(products=N * N * 2 * 4) and found["product"] == Work(products=N * N * 4 * 4)
    assert found["d"] == found["sum"] == Work()
    lines = cost_lines(graph)
    assert f"{N * N * 24:,} products of variables" in lines[0] and not any("warning" in x for x in lines)


def test_a_size_that_fits_nowhere_is_called_so(rng: np.random.Generator) -> None:
    shape = Shape(3, (4, 4, 4))
    graph = simplify(graph_from(random_state(rng, shape), shape.arguments(16)))
    assert "warning" in cost_lines(graph)[-1] and "VU13P" in cost_lines(graph)[-1]


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


@pytest.mark.parametrize("case", ["weight per receiver", "channels of vectors", "order of axes"])
def test_sums_that_cannot_be_hoisted_stay(case: str, rng: np.random.Generator) -> None:
    """The weight has no sender to sum over; the pick of channels is one of vectors, too; a receiver's axis
    would come before another one."""
    b = Builder("edges")
    c = (Axis("c", 2),) if case == "channels of vectors" else ()
    w = {"weight per receiver": "i", "channels of vectors": "ij", "order of axes": "kij"}[case]
    r = b.add("r", Input(Type(S, tuple(Axis(a, 2 if a == "k" else N) for a in w))))
    p = b.add("p", Input(Type(V, (Axis("i", N), *c))))
    x = b.add("x", Input(Type(V, (Axis("j", N), *c))))
    y = b.add(
        "y", CgProduct(parse_path("S*V->V")), r, b.add("d", Add((1,)), p, b.add("pj", Rename("i", "j"), p))
    )
    y = b.add("picked", Select("c", (1, 0), "c"), y) if c else y
    product = b.add("product", CgProduct(parse_path("V*V->S")), y, x)
    graph = b.graph(b.add("sum", ParticleSum("j"), product))
    assert hoist_differences(graph) == graph


def test_masks_that_know_channels_stay_behind_their_functions(rng: np.random.Generator) -> None:
    b = Builder("radial")
    q = b.add("q", Input(Type(S, (Axis("j", N),))))
    flags = b.add("flags", Input(Type(S, (Axis("c", 2),))))
    phi = b.add("phi", Radial(Tensor([0.5, 4.0]), Tensor([[1.0, 2.0], [0.5, -1.0]]), Tensor([0.0, 1.0])), q)
    masked = b.add("masked", Mask(), phi, flags)
    graph = b.graph(b.add("r", ChannelMix(Tensor(rng.normal(size=(2, 2)))), masked))
    assert merge_radials(graph) == graph


def test_columns_that_weigh_themselves_stay() -> None:
    """sum_i z_i z_i is not a linear map of the columns of z."""
    graph = squares("V*V->S", "V")
    b = Builder("squares")
    for node in graph.nodes[:-1]:
        b.add(node.name, node.op, *node.inputs)
    b.add("own", PairSum("i"), "z", "z")
    kept = b.graph(b.add("y", graph.node("y").op, "own"))
    assert merge_products(kept) == kept
