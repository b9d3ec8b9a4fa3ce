"""Networks of one scalar as the published families have them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eqhls.frontends import radial
from eqhls.frontends.radial import PRODUCT
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.input import Input
from eqhls.ops.relu import Relu
from eqhls.ops.table import Activation, Table

N, HIDDEN = 3, 6
ONE = Type(S)
PAIRS = (Axis("i", N), Axis("j", N))


def weights(rng: np.random.Generator, *shape: int) -> Tensor:
    return Tensor(rng.normal(size=shape))


def squares(b: Builder) -> str:
    """A port of squared distances of all pairs."""
    return b.add("r2", Input(Type(S, PAIRS)))


def perceptron(
    b: Builder, x: str, inputs: int, outputs: int, rng: np.random.Generator, bias: bool = True
) -> str:
    """Two layers along c with a rectifier between (biases), or a silu (none)."""
    first, last = weights(rng, HIDDEN, inputs), weights(rng, outputs, HIDDEN)
    shifts = (weights(rng, HIDDEN), weights(rng, outputs)) if bias else (None, None)
    hidden = b.add("mlp.1", ChannelMix(first, shifts[0]), x)
    bent = b.add("mlp.2", Relu() if bias else Table(activation=Activation.SILU), hidden)
    return b.add("mlp.3", ChannelMix(last, shifts[1]), bent)


def tensor_field(b: Builder, r2: str, rng: np.random.Generator) -> tuple[str, ...]:
    """Filters of l = 0 and of l = 1, which are divided by the distance."""
    d = radial.distance(b, "d", r2, 1e-8)
    basis = radial.gaussians(b, "rbf", d, np.linspace(0, 4, 5).tolist(), 1.25)
    scalar = perceptron(b, basis, 5, 2, rng)
    return scalar, b.add("vector", PRODUCT, scalar, radial.power(b, "inverse", d, -1.0))


def e3nn(b: Builder, r2: str, rng: np.random.Generator) -> tuple[str, ...]:
    d = radial.distance(b, "d", r2)
    return (perceptron(b, radial.smooth_finite(b, "emb", d, 4, 3.5), 4, 3, rng, bias=False),)


def cormorant(b: Builder, r2: str, rng: np.random.Generator) -> tuple[str, ...]:
    """The functions of an edge network times its cut, and the cut."""
    d = radial.distance(b, "d", r2)
    scales, phases, falls = rng.normal(size=4), rng.normal(size=4), [0.0, -1.0]
    flat = radial.waves(b, "flat", d, np.repeat(scales, 2).tolist(), np.repeat(phases, 2).tolist(), falls * 4)
    soft = radial.soft_cuts(b, "soft", d, [2.0, 3.0], [0.5, 0.25])
    cut = b.add("cut", PRODUCT, radial.hard_cut(b, "hard", d, 3.75), soft)
    return b.add("mixed", PRODUCT, b.add("mix", ChannelMix(weights(rng, 2, 8)), flat), cut), cut


FAMILIES = [(tensor_field, 2), (e3nn, 1), (cormorant, 2)]
Family = Callable[[Builder, str, np.random.Generator], tuple[str, ...]]


def family(of: Family, rng: np.random.Generator) -> Graph:
    b = Builder("family")
    return b.graph(*of(b, squares(b), rng))


def positive(rng: np.random.Generator, events: int = 50) -> dict[str, Floats]:
    """Squared distances from 0 to 20, some of them exactly 0."""
    x = rng.uniform(0, 20, (events, N, N, 1)) * rng.integers(0, 4, (events, N, N, 1)).clip(0, 1)
    return {"r2": x}


def kinds(graph: Graph) -> list[str]:
    return [n.op.name() for n in graph]


def network(*nodes: tuple[str, object, tuple[str, ...]], type: Type = ONE) -> Graph:
    b = Builder("f")
    b.add("x", Input(type))
    for name, op, inputs in nodes:
        b.add(name, op, *inputs)  # pyright: ignore[reportArgumentType]
    return b.graph(nodes[-1][0])
