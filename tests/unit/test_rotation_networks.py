"""What is exact of networks under rotations is found and proved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from emulated import network, stages

from eqhls.events.read import Events
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path, rep
from eqhls.groups.rotation.reps import VECTOR
from eqhls.ir.graph import Builder
from eqhls.ir.types import Axis, Type
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.to_basis import ToBasis
from eqhls.verify.approximate import boost_curve
from eqhls.verify.sampling import spread_events
from eqhls.verify.symmetry import derive

ODD = (Fixed(5, 7, True, Rounding.RND_CONV, Overflow.SAT_SYM),)
TRUNCATING = (Fixed(5, 7),)
NOTHING = "no covariant component is rounded"


def port(b: Builder, name: str = "r", size: int = 2, bits: int = 5) -> str:
    return b.add(name, Input(Type(VECTOR, (Axis("j", size),), formats=(Fixed(bits, bits),))))


def product(b: Builder, name: str, path: str, left: str, right: str) -> str:
    return b.add(name, CgProduct(parse_path(path)), left, right)


def moments(b: Builder) -> list[str]:
    """Second moments of a cloud, their invariant, and a vector that they turn."""
    r = port(b)
    each = b.add("rr", CgSquare(parse_path("1o*1o->2e")), r)
    t = b.add("t", ToBasis("t5"), b.add("d", ParticleSum("j"), each))
    moved = product(b, "ts", "1o*2e->1o", b.add("s", ParticleSum("j"), r), t)
    return [b.add("o", Invariants(), t), moved]


def volumes(b: Builder) -> list[str]:
    """r_i . (r_j x r_k): the pseudoscalar has an odd parity, and so has the claim all reflections."""
    r, q = port(b), port(b, "q", 2, 4)
    cross = product(b, "x", "1o*1o->1e", r, b.add("k", Rename("j", "k"), q))
    volume = product(b, "v", "1e*1o->0o", cross, b.add("l", Rename("j", "l"), q))
    return [volume, b.add("o", Invariants(), volume)]


def handed(b: Builder) -> list[str]:
    """The cross product as a vector: proper rotations alone."""
    r, q = port(b), port(b, "q")
    return [product(b, "o", "1o*1o->1o~", r, q)]


def octupoles(b: Builder) -> list[str]:
    r = port(b, size=2, bits=4)
    d = b.add("d", CgSquare(parse_path("1o*1o->2e")), r)
    o = product(b, "h", "1o*2e->3o", r, d)
    return [b.add("o", Invariants(), b.add("sum", ParticleSum("j"), o)), o]


def rounding(basis: str, formats: tuple[Fixed, ...]) -> Callable[[Builder], list[str]]:
    def network(b: Builder) -> list[str]:
        d = b.add("d", CgSquare(parse_path("1o*1o->2e")), port(b, size=2, bits=5))
        t = d if basis == "d5" else b.add("t", ToBasis(basis), d)
        return [b.add("o", CgSquare(parse_path("2e*2e->2e")), b.add("q", Requantize(formats), t))]

    network.__name__ = f"rounded_{basis}_{'odd' if formats is ODD else 'down'}"
    return network


KINDS: dict[Callable[[Builder], list[str]], tuple[str, bool]] = {
    moments: (f"O(3;Z): {NOTHING}", True),
    volumes: (f"O(3;Z): {NOTHING}", True),
    handed: (f"O(3;Z), proper elements: {NOTHING}", True),
    octupoles: (f"O(3;Z): {NOTHING}", True),
    rounding("t6", ODD): ("O(3;Z): %q rounds components, oddly", False),
    rounding("d6", ODD): ("O(3;Z): %q rounds components, oddly", False),
    rounding("t5", ODD): ("sign flips and exchanges of axes in O(3;Z): %q", False),
    rounding("d5", ODD): ("sign flips and exchanges of axes in O(3;Z): %q", False),
    rounding("t6", TRUNCATING): ("no exact rotation subgroup: %q rounds components and is not odd", False),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_networks_are_proved(kind: Callable[[Builder], list[str]], tmp_path: Path) -> None:
    """Under the signed permutations, and, where nothing is rounded, under rotations by N / n."""
    graph = network(kind)
    found, (claim, rational) = derive(graph), KINDS[kind]
    assert found.describe().startswith(claim)
    for stage in stages(graph, tmp_path):
        assert stage.ok, stage
        if stage.name == "symmetry integer":
            assert ("rational rotations" in stage.detail) == rational
    raw = spread_events(graph, np.random.default_rng(1), 50)
    floats = {n.name: raw[n.name] * n.type.formats.lsb for n in graph.inputs}
    assert boost_curve(graph, Events(raw, floats, None, 0), tmp_path).ok


def test_rounded_t5_keeps_16_of_48() -> None:
    """The whole of a signed permutation of x and y alone: x and y may be exchanged, z may not."""
    found = derive(network(rounding("t5", ODD)))
    assert found.group is not None
    assert [g.name for g in found.group.generators] == ["swap_xy", "flip_x", "flip_y", "flip_z"]


@pytest.mark.parametrize("output", ["o", "ts"])
def test_one_wrong_bit_in_any_output_fails(output: str, tmp_path: Path) -> None:
    failed = [s.name for s in stages(network(moments), tmp_path, output) if not s.ok]
    assert failed == ["symmetry rtl"]


def test_ports_of_two_groups_have_no_symmetry() -> None:
    b = Builder("two")
    p = b.add("p", Input(Type(V, (), formats=(Fixed(6, 6),))))
    graph = b.graph(b.add("m", Invariants(), p), b.add("s", Invariants(), port(b))).formatted()
    assert "different groups" in derive(graph).describe()


def test_types_are_printed_with_their_basis() -> None:
    for text in ("1o.xyz[j:8]", "2e.t6[i:2, c:3]:fix<5,3>", "3o.c7[]", "0o[c:3]"):
        assert str(Type.parse(text)) == text
    assert Type.parse("2e.d6[i:2]").shape == (2, 6)
    assert rep("2e").dim == 5
