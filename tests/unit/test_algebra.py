"""The rewrites before quantization: each fires where it should, keeps the float result, saves work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from algebraic import N, edges, kinds, same, squares
from lgn_numpy import Shape, jets, random_state

from eqhls.frontends.checkpoints.lgn import graph_from
from eqhls.frontends.graphfile import load_model
from eqhls.groups.lorentz.reps import F, T, V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.input import Input
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.passes import ALGEBRA, simplify
from eqhls.passes.hoist import hoist_differences, sum_products
from eqhls.passes.products import merge_products
from eqhls.passes.radials import merge_radials
from eqhls.passes.structure import drop_dead
from eqhls.passes.work import Work, total_work, work
from eqhls.report.tables import cost_lines

MODELS = Path(__file__).resolve().parents[2] / "models"


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
