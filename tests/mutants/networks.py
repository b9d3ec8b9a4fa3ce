"""Three small networks that hold every kind of cell: seeded LGN, PELICAN, Deep Set on features."""

from __future__ import annotations

from collections.abc import Callable

import networks
import numpy as np

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.relu import Relu
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.table import Table

FLAG = Fixed(1, 1, False)
HIDDEN = Fixed(6, 4, True, Rounding.RND, Overflow.SAT)


def lgn() -> Graph:
    """A seeded Lorentz group network of three particles and one level."""
    return networks.seeded(np.random.default_rng(5), 3, 1)


def pelican() -> Graph:
    """Masked Gram matrix of three particles, log2, radial functions, one tied layer of pairs, a head."""
    rng = np.random.default_rng(7)
    b = Builder("pelican")
    cone = (Fixed(7, 7, False), Fixed(5, 5, False), Fixed(6, 6), Fixed(6, 6))
    p = b.add("p", Input(Type(V, (Axis("j", 3),), LIGHT_CONE, cone)))
    flags = b.add("valid", Input(Type(S, (Axis("j", 3),), formats=(FLAG,))))
    b.add("code", Log2(1.0, 1, 24), b.add("gram", Gram("j", "p"), p))
    out = Fixed(5, 3, True, Rounding.RND, Overflow.SAT)
    weight = Tensor(rng.uniform(-3, 3, (2, 2)))
    b.add("radial", Radial(Tensor([0.1, 0.002]), weight, Tensor([0.5, -0.75]), 1.0, out=out), "code")
    left, right = ([0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2])
    pairs = [b.add(f"flag{k}", Select("j", tuple(side), "p"), flags) for k, side in enumerate((left, right))]
    both = b.add("both", Mask(), *pairs)
    b.add("encoded", Mask(), "radial", both)
    tied = Tensor(rng.integers(-4, 5, (2, 2, 9)) / 4)
    b.add("mixed", Eq2to2Symmetric(tied, Tensor([0.5, -0.25]), Tensor([0.25, 1.0])), "encoded")
    b.add("narrow", Requantize((HIDDEN,)), "mixed")
    b.add("function", Table(networks.KNOTS, Tensor(rng.uniform(-2, 2, (2, 9))), axis="c", out=out), "narrow")
    b.add("hidden", Mask(), "function", both)
    head = Tensor(rng.integers(-4, 5, (1, 2, 2)) / 4)
    return b.graph(b.add("logit", Eq2to0(head, Tensor([0.375])), "hidden")).formatted()


def deep_set() -> Graph:
    """Scalar features of four particles and of the event through rectifiers; features are not flags."""
    rng = np.random.default_rng(9)
    b = Builder("deep_set")
    x = b.add("x", Input(Type(S, (Axis("j", 4), Axis("c", 3)), formats=(Fixed(8, 5),))))
    event = b.add("event", Input(Type(S, (Axis("c", 2),), formats=(Fixed(7, 3, False),))))
    flags = b.add("valid", Input(Type(S, (Axis("j", 4),), formats=(FLAG,))))
    b.add("mix", ChannelMix(_weights(rng, 4, 3), Tensor([0.5, -0.25, 0.125, 0.0])), x)
    b.add("rectified", Relu(), "mix")
    wide = Fixed(8, 6, True, Rounding.RND, Overflow.SAT)
    b.add("hidden", Requantize((wide,)), "rectified")
    b.add("live", Mask(), "hidden", flags)
    b.add("pooled", ParticleSum("j"), "live")
    b.add("all", Concat("c"), "pooled", event)
    b.add("dense", Dense(_weights(rng, 3, 6)), "all")
    b.add(
        "address", Requantize((Fixed(7, 6, True, Rounding.TRN, Overflow.SAT),)), b.add("r", Relu(), "dense")
    )
    knots = Tensor(np.arange(0.0, 33.0, 4.0))
    values = Tensor(rng.uniform(-2, 2, (3, 9)))
    b.add("table", Table(knots, values, axis="c", out=HIDDEN), "address")
    product = b.add("square", CgProduct(parse_path("S*S->S")), "table", "address")
    return b.graph(b.add("y", ChannelMix(_weights(rng, 2, 3)), product), "pooled").formatted()


def _weights(rng: np.random.Generator, out: int, into: int) -> Tensor:
    return Tensor(rng.integers(-8, 9, (out, into)) / 4)


NETWORKS: dict[str, Callable[[], Graph]] = {"lgn": lgn, "pelican": pelican, "deep_set": deep_set}
