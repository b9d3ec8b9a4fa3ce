"""What tells slots apart, wherever it stands: claims follow the axis through renames, constants and pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.reps import V
from eqhls.groups.permutation import pairs_of
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.verify.symmetry import derive

N = 4
W = Tensor([[1.0, 2.0, 4.0, 8.0]])
COARSE = Fixed(6, 16, True, Rounding.RND, Overflow.SAT)
OUT = Fixed(6, 4, True, Rounding.RND, Overflow.SAT)
PAIRS = pairs_of(N)


def mixed(b: Builder) -> str:
    return b.add("o", ChannelMix(W), b.add("r", Rename("j", "c"), b.add("g", Invariants(), "p")))


def mixed_alike(b: Builder) -> str:
    return b.add(
        "o", ChannelMix(Tensor(np.ones((1, N)))), b.add("r", Rename("j", "c"), b.add("g", Invariants(), "p"))
    )


def dense(b: Builder) -> str:
    return b.add("o", Dense(W), b.add("g", Invariants(), "p"))


def dense_of_two_kinds(b: Builder) -> str:
    return b.add("o", Dense(Tensor([[1.0, 3.0, 1.0, 3.0]])), b.add("g", Invariants(), "p"))


def weighted(b: Builder) -> str:
    s = b.add("s", Spurion(Type(S, (Axis("j", N),)), Tensor(W.array.T)))
    return b.add("o", PairSum("j"), s, b.add("g", Invariants(), "p"))


def weighted_alike(b: Builder) -> str:
    s = b.add("s", Spurion(Type(S, (Axis("j", N),)), Tensor(np.full((N, 1), 3.0))))
    return b.add("o", PairSum("j"), s, b.add("g", Invariants(), "p"))


def beside_vectors(b: Builder) -> str:
    s = b.add("s", Spurion(Type(V, (Axis("j", N),)), Tensor([[k, 0.0, 0, 0] for k in (1, 2, 3, 4)])))
    return b.add("o", ParticleSum("j"), b.add("g", Gram(), "p", s))


def chosen(b: Builder) -> str:
    return b.add("o", Invariants(), b.add("s", Select("i", (0,)), b.add("r", Rename("j", "i"), "p")))


def kept(b: Builder) -> str:
    return b.add("o", Invariants(), "p")


def tabulated(b: Builder) -> str:
    code = b.add("q", Requantize((COARSE,)), b.add("g", Invariants(), "p"))
    rows = Tensor(np.arange(2.0 * N).reshape(N, 2))
    return b.add("o", ParticleSum("j"), b.add("t", Table(Tensor([0.0, 4.0]), rows, axis="j", out=OUT), code))


def triangle_told_apart(b: Builder) -> str:
    code = b.add("q", Requantize((COARSE,)), b.add("g", Gram("j", "p"), "p"))
    rows = Tensor(np.arange(2.0 * len(PAIRS)).reshape(-1, 2) % 7)
    return b.add("o", ParticleSum("p"), b.add("t", Table(Tensor([0.0, 4.0]), rows, axis="p", out=OUT), code))


def pairs_by_kind(b: Builder) -> str:
    """Pairs are taken apart by kind, treated differently, joined and ordered again, and masked by the flags of
    both: PELICAN."""
    b.add("valid", Input(Type(S, (Axis("j", N),), formats=(Fixed(1, 1, False),))))
    g = b.add("g", Gram("j", "p"), "p")
    kinds = [[k for k, (i, j) in enumerate(PAIRS) if (i == j) is same] for same in (True, False)]
    parts: list[str] = []
    for name, places, factor in zip("df", kinds, (3.0, 1.0), strict=True):
        part = b.add(name, Select("p", tuple(places), "p"), g)
        once = b.add(f"{name}1", Spurion(Type(S, (Axis("c", 1),)), Tensor([[factor]])))
        parts.append(b.add(f"{name}2", CgProduct(parse_path("S*S->S")), part, once))
    order = np.argsort([*kinds[0], *kinds[1]])
    whole = b.add("w", Select("p", tuple(int(k) for k in order), "p"), b.add("both", Concat("p"), *parts))
    flags = [b.add(f"v{k}", Select("j", tuple(pair[k] for pair in PAIRS), "p"), "valid") for k in (0, 1)]
    masked = b.add("m", Mask(), whole, b.add("vv", Mask(), *flags))
    return b.add("o", Eq2to0(Tensor([[[1.0, 5.0]]])), masked)


def pairs_in_a_wrong_order(b: Builder) -> str:
    """Triangular storage read one place off: the diagonal holds 33, 03, 13, 23, which tells the last slot apart."""
    b.add(
        "s",
        Select("p", tuple(int(k) for k in np.roll(range(len(PAIRS)), 1)), "p"),
        b.add("g", Gram("j", "p"), "p"),
    )
    one = b.add("one", Spurion(Type(S, (Axis("c", 1),)), Tensor([[1.0]])))
    return b.add("o", Eq2to0(Tensor([[[1.0, 5.0]]])), b.add("w", CgProduct(parse_path("S*S->S")), "s", one))


def particles_to_pairs(b: Builder) -> str:
    one = b.add("one", Spurion(Type(S, (Axis("c", 1),)), Tensor([[1.0]])))
    x = b.add("x", CgProduct(parse_path("S*S->S")), b.add("g", Invariants(), "p"), one)
    pairs = b.add("y", Eq1to2(Tensor(np.arange(1.0, 6.0).reshape(1, 1, 5)), row="j", column="i"), x)
    return b.add("o", Eq2to0(Tensor([[[1.0, 5.0]]])), pairs)


ALL = ((0, 1, 2, 3),)
CASES: dict[Callable[[Builder], str], tuple[tuple[tuple[int, ...], ...], bool]] = {
    mixed: ((), False),
    mixed_alike: (ALL, False),
    dense: ((), False),
    dense_of_two_kinds: (((0, 2), (1, 3)), False),
    weighted: ((), False),
    weighted_alike: (ALL, False),
    beside_vectors: ((), False),
    chosen: (((1, 2, 3),), False),
    kept: (ALL, True),
    tabulated: ((), False),
    triangle_told_apart: ((), False),
    pairs_by_kind: (ALL, False),
    pairs_in_a_wrong_order: (((0, 1, 2),), False),
    particles_to_pairs: (ALL, False),
}


def network(build: Callable[[Builder], str]) -> Graph:
    b = Builder(build.__name__)
    b.add("p", Input(Type(V, (Axis("j", N),), formats=(Fixed(8, 8),))))
    return b.graph(build(b)).formatted()


@pytest.mark.parametrize("build", CASES, ids=lambda f: f.__name__)
def test_slots_are_followed_through_the_network(build: Callable[[Builder], str]) -> None:
    slots, moves = CASES[build]
    found = derive(network(build))
    assert tuple(p.slots for p in found.permutations) == slots
    assert all(p.moves is moves for p in found.permutations)
    assert found.permutable == (() if moves else max(slots, key=len, default=()))
