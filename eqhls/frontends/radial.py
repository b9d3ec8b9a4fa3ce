"""Radial parts of networks as ops: bases and cuts of one distance, of which a pass makes tables.

Each function appends to a graph and returns the name of its value. Distances have the type S[...]; bases
have one more axis, the last. What follows (layers, activations, products with cuts) is said with the usual
ops; `eqhls.passes.compose` then replaces all of it by one table per channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

PRODUCT = CgProduct(parse_path("S*S->S"))
"""The product of two scalars, element by element; axes are matched by name."""


def distance(b: Builder, name: str, square: str, least: float = 0.0) -> str:
    """Append sqrt(max(x, least)) of a squared distance x."""
    if not least:
        return b.add(name, Table(activation=Activation.ROOT), square)
    knots, values = Tensor([0.0, least, 1.0 + least]), Tensor([[least, least, 1.0 + least]])
    return b.add(name, Table(knots, values, Activation.ROOT), square)


def power(b: Builder, name: str, d: str, exponent: float) -> str:
    """Append |d|^exponent, 0 at d = 0; the factor 1 / d of a unit vector has the exponent -1."""
    return b.add(name, Table(activation=Activation.POWER, parameters=Tensor([[exponent]])), d)


def spread(b: Builder, name: str, x: str, axis: str, size: int) -> str:
    """Append `size` copies of a scalar along a new last axis."""
    ones = Spurion(Type(S, (Axis(axis, size),)), Tensor(np.ones((size, 1))))
    return b.add(name, PRODUCT, x, b.add(b.fresh(f"{name}.ones"), ones))


def affine(
    slope: Floats, shift: Floats, activation: Activation, axis: str, parameters: Tensor | None = None
) -> Table:
    """Return activation(slope_k x + shift_k), a row k for each entry of `axis`."""
    values = Tensor(np.stack([shift, shift + slope], axis=1))
    return Table(values=values, activation=activation, axis=axis, parameters=parameters)


def gaussians(b: Builder, name: str, d: str, centres: Sequence[float], gamma: float, axis: str = "c") -> str:
    """Append exp(-gamma (d - c_k)^2): the basis of tensor field networks and of SchNet."""
    c, root = np.array(centres), np.sqrt(gamma)
    curve = affine(np.full(len(c), root), -root * c, Activation.GAUSSIAN, axis)
    return b.add(name, curve, spread(b, f"{name}.d", d, axis, len(c)))


def smooth_finite(b: Builder, name: str, d: str, count: int, cutoff: float, axis: str = "c") -> str:
    """Append f(1 + t_k) f(1 - t_k), f(t) = exp(-1 / t) for t > 0 and else 0, t_k = (d - k h) / h for
    k = 1 .. count, h = cutoff / (count + 1): what e3nn multiplies by 1.14136 e^2 sqrt(count)."""
    step = cutoff / (count + 1)
    k, slope = np.arange(1.0, count + 1), np.full(count, 1 / step)
    copies = spread(b, f"{name}.d", d, axis, count)
    up = b.add(f"{name}.up", affine(slope, 1 - k, Activation.SOFT_STEP, axis), copies)
    down = b.add(f"{name}.down", affine(-slope, 1 + k, Activation.SOFT_STEP, axis), copies)
    return b.add(name, PRODUCT, up, down)


def waves(
    b: Builder,
    name: str,
    d: str,
    scales: Sequence[float],
    phases: Sequence[float],
    exponents: Sequence[float],
    axis: str = "c",
) -> str:
    """Append sin(2 pi s_k d + p_k) d^e_k, 0 at d = 0: Cormorant's basis, with one entry of all three
    sequences for each function (repeat scales, tile exponents)."""
    copies = spread(b, f"{name}.d", d, axis, len(scales))
    wave = affine(2 * np.pi * np.array(scales), np.array(phases), Activation.SINE, axis)
    falling = Table(
        values=Tensor(np.tile([0.0, 1.0], (len(scales), 1))),
        activation=Activation.POWER,
        axis=axis,
        parameters=Tensor(np.array(exponents)[:, None]),
    )
    sine = b.add(f"{name}.wave", wave, copies)
    return b.add(name, PRODUCT, sine, b.add(f"{name}.power", falling, copies))


def hard_cut(b: Builder, name: str, d: str, radius: float) -> str:
    """Append 1 where d < radius, else 0."""
    knots, values = Tensor([0.0, radius]), Tensor([[radius, 0.0]])
    return b.add(name, Table(knots, values, Activation.STEP), d)


def soft_cuts(
    b: Builder, name: str, d: str, radii: Sequence[float], widths: Sequence[float], axis: str = "c"
) -> str:
    """Append 1 / (1 + exp((d - radius_k) / width_k)) along a new last axis."""
    radius, width = np.array(radii), np.array(widths)
    curve = affine(-1 / width, radius / width, Activation.SIGMOID, axis)
    return b.add(name, curve, spread(b, f"{name}.d", d, axis, len(radius)))
