"""Each rewrite: it fires where it should, keeps every value, and saves gates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.passes import PIPELINE, run_measured
from eqhls.passes.constants import fold_constants
from eqhls.passes.cost import gates
from eqhls.passes.linear import move_heads_past_sums
from eqhls.passes.norms import expand_norms
from eqhls.passes.structure import drop_dead
from eqhls.passes.symmetric import store_triangles

UNIT = Type(S, (Axis("c", 2),))
HIDDEN = Fixed(8, 5, True, Rounding.RND, Overflow.SAT)


def tied(rng: np.random.Generator, out: int, channels: int) -> Tensor:
    k = rng.integers(-8, 9, (out, channels, 15)) / 4
    k[:, :, 4], k[:, :, 7], k[:, :, 10] = k[:, :, 3], k[:, :, 6], k[:, :, 9]
    return Tensor(k)


def pelican_on_full_storage(rng: np.random.Generator, weight: Tensor) -> Graph:
    """Gram of all ordered pairs, two channels, one Eq2to2, a mixed head."""
    b = Builder("full")
    p = b.add("p", Input(Type(V, (Axis("i", 4),), formats=(Fixed(6, 6),))))
    turned = b.add("turned", Rename("i", "j"), p)
    b.add("d", Gram(), p, turned)
    b.add("unit", Spurion(UNIT, Tensor([[1.0], [0.5]])))
    b.add("x", CgProduct(parse_path("S*S->S")), "d", "unit")
    b.add("narrow", Requantize((HIDDEN,)), "x")
    b.add("y", Eq2to2(weight, Tensor([0.5, -1.0]), Tensor([1.0, 0.0])), "narrow")
    b.add("a", Requantize((HIDDEN,)), "y")
    b.add("h", Table(out=HIDDEN), "a")
    b.add("mix", ChannelMix(Tensor([[1.0, -0.5], [0.25, 2.0]]), Tensor([0.5, 1.5])), "h")
    return b.graph(b.add("z", Eq2to0(Tensor(rng.integers(-4, 5, (1, 2, 2)) / 2)), "mix")).formatted()


def values(graph: Graph, feeds: dict[str, np.ndarray]) -> np.ndarray:
    raw = graph.evaluate(feeds)[graph.outputs[0]]
    return raw * graph.node(graph.outputs[0]).type.formats[0].lsb


@pytest.fixture
def graph(rng: np.random.Generator) -> Graph:
    return pelican_on_full_storage(rng, tied(rng, 2, 2))


def test_every_pass_keeps_the_values(graph: Graph, rng: np.random.Generator) -> None:
    feeds = {"p": rng.integers(-32, 32, (200, 4, 4))}
    want = values(graph, feeds)
    small, savings = run_measured(graph)
    np.testing.assert_array_equal(values(small, feeds), want)
    assert [s.name for s in savings] == [p.__name__ for p in PIPELINE]
    assert savings[0].gates[0] == gates(graph) and savings[-1].gates[1] == gates(small)
    saved = {s.name: s.gates[0] - s.gates[1] for s in savings}
    assert saved["store_triangles"] > 0 and saved["move_heads_past_sums"] > 0


def test_triangles_follow_symmetric_weights_only(graph: Graph, rng: np.random.Generator) -> None:
    kinds = {n.op.name() for n in store_triangles(graph)}
    assert "eq2to2_symmetric" in kinds and "eq2to2" not in kinds
    other = pelican_on_full_storage(rng, Tensor(rng.integers(-8, 9, (2, 2, 15)) / 4))
    assert store_triangles(other) == other


def test_heads_move_past_the_sum(graph: Graph) -> None:
    moved = move_heads_past_sums(graph)
    assert moved.node("z").inputs == ("h",)
    twice = Builder("twice")
    x = twice.add("x", Input(Type(S, (Axis("p", 3), Axis("c", 2)), formats=(Fixed(4, 4),))))
    m = twice.add("m", ChannelMix(Tensor([[1.0, 2.0], [0.0, 1.0]])), x)
    head = twice.add("head", Eq2to0(Tensor(np.ones((1, 2, 2)))), m)
    kept = twice.graph(head, m).formatted()
    assert move_heads_past_sums(kept) == kept, "another reader needs the mix"


def test_constants_fold(rng: np.random.Generator) -> None:
    b = Builder("labels")
    x = b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(4, 4),))))
    b.add("label", Spurion(UNIT, Tensor([[1.0], [-0.5]])))
    b.add("encoded", ChannelMix(Tensor([[2.0, 1.0], [0.5, 0.0]]), Tensor([0.25, 0.0])), "label")
    b.add("f", Table(out=HIDDEN), "encoded")
    graph = b.graph(b.add("y", CgProduct(parse_path("S*S->S")), x, "f")).formatted()
    folded = fold_constants(graph).verify().formatted()
    assert isinstance(folded.node("f").op, Spurion) and len(run_measured(graph)[0].nodes) == 3
    feeds = {"x": rng.integers(-8, 8, (50, 2, 1))}
    np.testing.assert_array_equal(values(folded, feeds), values(graph, feeds))


def test_norms_come_from_the_products(rng: np.random.Generator) -> None:
    """|a - b|^2 where <a, b> is there: bit for bit, and cheaper; left alone where it is not."""

    def distances(with_products: bool) -> Graph:
        b = Builder("distances")
        x = b.add("x", Input(Type(V, (Axis("i", 4),), formats=(Fixed(9, 7),))))
        x_j = b.add("x_j", Rename("i", "j"), x)
        b.add("away", Add((1,)), x, x_j)
        norm = b.add("norm", Invariants(), "away")
        return b.graph(norm, *([b.add("dot", Gram(), x, x_j)] if with_products else [])).formatted()

    graph = distances(True)
    assert expand_norms(graph) == graph, "the products come too late"
    order = ("x", "x_j", "dot", "away", "norm")
    graph = replace(graph, nodes=tuple(graph.node(n) for n in order))
    expanded = expand_norms(graph).verify().formatted()
    assert expanded.node("norm").op == Add((2, 3)) and gates(drop_dead(expanded)) < gates(graph)
    feeds = {"x": rng.integers(-256, 256, (100, 4, 4))}
    np.testing.assert_array_equal(values(expanded, feeds), values(graph, feeds))
    assert expand_norms(distances(False)) == distances(False)
