"""Every legal network is proved, or the proof says what cannot be claimed and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from emulated import network, stages

from eqhls.events.read import Events
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.basis import CARTESIAN, LIGHT_CONE
from eqhls.groups.lorentz.reps import F, T, V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import Basis, Rep, S
from eqhls.ir.graph import Builder
from eqhls.ir.op import FLIPPED, TRUNCATED, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.verify.approximate import boost_curve
from eqhls.verify.sampling import spread_events
from eqhls.verify.symmetry import derive
from eqhls.verify.testbuild import guarded

CONE, XYZ = LIGHT_CONE, CARTESIAN
SIX = Fixed(6, 6)


def port(b: Builder, name: str, rep: Rep, axes: str, form: Fixed = SIX, basis: Basis = XYZ) -> str:
    named = [a.split(":") for a in axes.split(",") if a]
    return b.add(name, Input(Type(rep, tuple(Axis(n, int(s)) for n, s in named), basis, (form,))))


def almost_equal_tables(b: Builder) -> list[str]:
    """Rows that round to the same entries are told apart by the float reference."""
    rows = Tensor([[0.0, 1.0], [0.0, 1.001]])
    table = Table(Tensor([0.0, 1.0]), rows, axis="c", out=Fixed(4, 3, True, Rounding.RND, Overflow.SAT))
    return [b.add("o", ParticleSum("c"), b.add("t", table, port(b, "x", S, "c:2", Fixed(3, 2))))]


def momentum_sum(b: Builder) -> list[str]:
    return [b.add("o", ParticleSum("j"), port(b, "p", V, "j:3"))]


def momentum_of_two(b: Builder) -> list[str]:
    return [b.add("o", Invariants(), b.add("s", ParticleSum("j"), port(b, "p", V, "j:2")))]


def gram_of_two(b: Builder) -> list[str]:
    s = b.add("s", ParticleSum("j"), port(b, "p", V, "j:2"))
    return [b.add("o", Gram(), s, s)]


def product_of_vectors(b: Builder) -> list[str]:
    p = port(b, "p", V, "j:2", basis=CONE)
    products = b.add("g", CgProduct(parse_path("V*V->S")), p, b.add("q", Rename("j", "i"), p))
    return [b.add("o", ParticleSum("j"), b.add("r", ParticleSum("i"), b.add("l", Relu(), products)))]


def masses_of_each(b: Builder) -> list[str]:
    return [b.add("o", Invariants(), b.add("r", Rename("j", "k"), port(b, "p", V, "j:3")))]


def scalars_only(b: Builder) -> list[str]:
    return [b.add("o", Dense(Tensor([[0.5, -0.25]])), port(b, "x", S, "c:2", Fixed(8, 4)))]


def deep_set(b: Builder) -> list[str]:
    return [b.add("o", ParticleSum("j"), b.add("a", Relu(), port(b, "x", S, "j:4,c:2")))]


def features_beside_particles(b: Builder) -> list[str]:
    p, w = port(b, "p", V, "j:2"), port(b, "w", S, "j:2,c:2", Fixed(8, 8, False))
    masked = b.add("wm", Mask(), w, port(b, "valid", S, "j:2", Fixed(1, 1, False)))
    return [b.add("o", PairSum("j"), b.add("n", Gram(), p, p), masked)]


def features_of_another_name(b: Builder) -> list[str]:
    """Particles along j and their flags along i move together."""
    p, flag = port(b, "p", V, "j:3"), port(b, "valid", S, "i:3", Fixed(1, 1, False))
    masked = b.add("m", Mask(), b.add("r", Rename("j", "i"), p), flag)
    return [b.add("o", Invariants(), b.add("s", ParticleSum("i"), masked))]


def field_strength(b: Builder) -> list[str]:
    f = port(b, "f", F, "", Fixed(4, 4))
    return [b.add("o", Invariants(), f), b.add("t", CgSquare(parse_path("F*F->T")), f)]


def lorentz_force(b: Builder) -> list[str]:
    """A charge in a field: F p is a vector, in light-cone components."""
    p, f = port(b, "p", V, "j:2", Fixed(5, 5), CONE), port(b, "f", F, "", Fixed(4, 4), CONE)
    return [b.add("o", CgProduct(parse_path("F*V->V")), f, p)]


def stress(b: Builder) -> list[str]:
    t = port(b, "t", T, "j:2", Fixed(4, 4))
    return [b.add("o", CgProduct(parse_path("V*T->V")), port(b, "p", V, "j:2", Fixed(4, 4)), t), t]


def tensor_spurion(b: Builder) -> list[str]:
    field = Tensor([1.0, 0, 0, 0, 0.5, 0])
    f = b.add("f", Spurion(Type(F), field))
    return [b.add("o", CgProduct(parse_path("V*F->V")), port(b, "p", V, "", Fixed(5, 5)), f)]


def handed(b: Builder) -> list[str]:
    """The dual of F is a pseudo-tensor: proper transformations alone."""
    p, q = port(b, "p", V, ""), port(b, "q", V, "")
    wedge = b.add("w", CgProduct(parse_path("V*V->F")), p, q)
    return [b.add("o", CgProduct(parse_path("F*F->S~")), wedge, port(b, "f", F, "", Fixed(4, 4)))]


def several_outputs(b: Builder) -> list[str]:
    p = port(b, "p", V, "j:3")
    s = b.add("s", ParticleSum("j"), p)
    return [
        b.add("m", Invariants(), s),
        s,
        b.add("each", Invariants(), p),
        b.add("t", CgSquare(parse_path("V*V->T")), s),
    ]


def wide(b: Builder) -> list[str]:
    return [b.add("o", ParticleSum("j"), port(b, "p", V, "j:2", Fixed(60, 60)))]


def one_particle(b: Builder) -> list[str]:
    return [b.add("o", Invariants(), port(b, "p", V, "j:1"))]


def tiny_port(b: Builder) -> list[str]:
    return [b.add("o", Invariants(), port(b, "p", V, "", Fixed(2, 2)))]


def positive_port(b: Builder) -> list[str]:
    return [b.add("o", Gram("j", "p"), port(b, "p", V, "j:2", Fixed(5, 5, False)))]


def large_spurion(b: Builder) -> list[str]:
    beam = b.add("beam", Spurion(Type(V), Tensor([4096.0, 0, 0, 4096.0])))
    return [b.add("o", Gram(), beam, port(b, "p", V, "j:2"))]


def spacelike_spurion(b: Builder) -> list[str]:
    return [b.add("o", Gram(), b.add("z", Spurion(Type(V), Tensor([0.0, 0, 0, 1]))), port(b, "p", V, ""))]


def spurion_on_no_lattice(b: Builder) -> list[str]:
    beam = b.add("beam", Spurion(Type(V), Tensor([1 + 2**-20, 0, 0, 1])))
    return [b.add("o", Gram(), beam, port(b, "p", V, "j:2"))]


def no_lattice(b: Builder) -> list[str]:
    forms = (Fixed(6, 6), Fixed(6, 5), Fixed(6, 4), Fixed(6, 3))
    p = b.add("p", Input(Type(V, (Axis("j", 2),), CARTESIAN, forms)))
    return [b.add("o", Invariants(), p)]


def rounded(b: Builder) -> list[str]:
    return [b.add("o", Requantize((Fixed(4, 6),)), port(b, "p", V, "j:2"))]


def oddly_rounded(b: Builder) -> list[str]:
    odd = Fixed(4, 6, True, Rounding.RND_CONV, Overflow.SAT_SYM)
    return [b.add("o", Requantize((odd,)), port(b, "f", F, "", Fixed(6, 6)))]


def nothing_of_the_vectors(b: Builder) -> list[str]:
    port(b, "p", V, "j:2")
    return [b.add("o", Relu(), port(b, "x", S, "c:2"))]


def difference_of_itself(b: Builder) -> list[str]:
    m = b.add("m", Invariants(), port(b, "p", V, "j:2"))
    return [b.add("o", Add((1,)), m, m)]


KINDS: dict[Callable[[Builder], list[str]], tuple[str, tuple[str, ...]]] = {
    almost_equal_tables: ("no exact", ()),
    momentum_sum: ("O(3,1;Z)", ("3 of 3 along j",)),
    momentum_of_two: ("O(3,1;Z)", ("2 of 2 along j",)),
    gram_of_two: ("O(3,1;Z)", ("2 of 2 along j",)),
    product_of_vectors: ("SL(2,Z[i]) with reflections", ("2 of 2 along j",)),
    masses_of_each: ("O(3,1;Z)", ("3 of 3 along j, which the outputs follow",)),
    scalars_only: ("no exact Lorentz subgroup: no input is a vector or a tensor", ()),
    deep_set: ("no exact", ("4 of 4 along j", "2 of 2 along c, which the outputs follow")),
    features_beside_particles: ("O(3,1;Z)", ("2 of 2 along j", "2 of 2 along c, which the outputs follow")),
    features_of_another_name: ("O(3,1;Z)", ("3 of 3 along j and i",)),
    field_strength: ("O(3,1;Z)", ()),
    lorentz_force: ("SL(2,Z[i]) with reflections", ("2 of 2 along j, which the outputs follow",)),
    stress: ("O(3,1;Z)", ("2 of 2 along j, which the outputs follow",)),
    tensor_spurion: ("O(3,1;Z)", ()),
    handed: ("O(3,1;Z), proper elements", ()),
    several_outputs: ("O(3,1;Z)", ("3 of 3 along j, which the outputs follow",)),
    wide: ("O(3,1;Z)", ("2 of 2 along j",)),
    one_particle: ("O(3,1;Z)", ()),
    tiny_port: ("O(3,1;Z)", ()),
    positive_port: ("O(3,1;Z)", ("2 of 2 along j, which the outputs follow",)),
    large_spurion: ("O(3,1;Z)", ("2 of 2 along j, which the outputs follow",)),
    spacelike_spurion: ("O(3,1;Z)", ()),
    spurion_on_no_lattice: (
        "no exact Lorentz subgroup: spurion_on_no_lattice: %beam",
        ("2 of 2 along j, which the outputs follow",),
    ),
    no_lattice: ("sign flips", ("2 of 2 along j, which the outputs follow",)),
    rounded: ("no exact Lorentz subgroup: %o rounds", ("2 of 2 along j, which the outputs follow",)),
    oddly_rounded: ("sign flips and exchanges of axes in O(3,1;Z)", ()),
    nothing_of_the_vectors: ("O(3,1;Z)", ("2 of 2 along j", "2 of 2 along c, which the outputs follow")),
    difference_of_itself: ("O(3,1;Z)", ("2 of 2 along j",)),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_legal_network_is_proved(kind: Callable[[Builder], list[str]], tmp_path: Path) -> None:
    graph = network(kind)
    found, (group, permutations) = derive(graph), KINDS[kind]
    assert found.describe().startswith(group)
    assert tuple(str(p) for p in found.permutations) == tuple(f"permutations of {p}" for p in permutations)
    for stage in stages(graph, tmp_path):
        assert stage.ok, stage
        if found.group is None:
            assert "no exact Lorentz subgroup" in stage.detail or stage.name == "symmetry float"
    raw = spread_events(graph, np.random.default_rng(1), 50)
    floats = {n.name: raw[n.name] * n.type.formats.lsb for n in graph.inputs}
    boosts = boost_curve(graph, Events(raw, floats, None, 0), tmp_path)
    assert boosts.ok, boosts
    covariant = any(n.type.rep is not S for n in graph.inputs)
    assert ("not applicable" in boosts.detail) == (not covariant)


@pytest.mark.parametrize("output", ["m", "s", "each", "t"])
def test_one_wrong_bit_in_any_output_fails(output: str, tmp_path: Path) -> None:
    got = {s.name: s.ok for s in stages(network(several_outputs), tmp_path, output)}
    assert got == {
        "symmetry float": True,
        "symmetry integer": True,
        "symmetry hls": True,
        "symmetry rtl": False,
        "symmetry controls": True,
    }


def test_faults_come_from_whatever_multiplies(tmp_path: Path) -> None:
    for kind in (momentum_of_two, gram_of_two, product_of_vectors, several_outputs):
        controls = stages(network(kind), tmp_path / kind.__name__)[-1]
        assert controls.number(FLIPPED) > 0 and controls.number(TRUNCATED) > 0, controls
    assert stages(network(momentum_sum), tmp_path / "sum")[-1].number(FLIPPED) > 0


def test_blind_controls_are_explained(tmp_path: Path) -> None:
    for kind in (nothing_of_the_vectors, difference_of_itself):
        for stage in stages(network(kind), tmp_path / kind.__name__):
            assert "do not depend on" in stage.detail or "no op computes with vectors" in stage.detail


def test_images_of_wide_ports_never_overflow() -> None:
    graph = network(wide)
    assert max(f.width for n in guarded(graph, 5) for f in n.type.formats) <= 63
