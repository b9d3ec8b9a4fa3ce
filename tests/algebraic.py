"""Small networks that the algebraic passes rewrite."""

from __future__ import annotations

import numpy as np

from eqhls.groups.lorentz.reps import V
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
from eqhls.ops.input import Input
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select

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


def squares(path: str, rep: str, dual: bool = False) -> Graph:
    """All four products of two channels with themselves, beside the channels, mixed."""
    b = Builder("squares")
    x = b.add("x", Input(Type(rep_named(rep), (Axis("i", 2), Axis("c", 2)))))
    left = b.add("left", Select("c", (0, 0, 1, 1), "c"), x)
    right = b.add("right", Select("c", (0, 1, 0, 1), "c"), x)
    z = b.add("z", Concat("c"), *(b.add(f"p{k}", CgProduct(parse_path(path)), left, right) for k in range(2)))
    weight = Tensor(np.arange(16.0).reshape(2, 8) ** 2)
    return b.graph(b.add("y", ChannelMix(weight, None, weight if dual else None), z))
