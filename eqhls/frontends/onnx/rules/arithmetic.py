"""Sums, products, quotients, powers, comparisons: of values, and of values and constants."""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np

from eqhls.frontends.onnx.algebra import (
    by_number,
    combined,
    constant_view,
    each,
    maximum,
    minimum,
    power,
    product,
    rectified,
    scaled,
    shifted,
    total,
)
from eqhls.frontends.onnx.built import inverted, inverted_power, origin
from eqhls.frontends.onnx.positive import is_positive
from eqhls.frontends.onnx.rules.entry import Entry, per_event
from eqhls.frontends.onnx.site import Site
from eqhls.frontends.onnx.views import View
from eqhls.ir.op import Op, Tensor
from eqhls.ops.add import Add
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.table import Activation, Table

LOG2_E = 1.4426950408889634


def wide(site: Site, view: View, values: np.ndarray) -> tuple[View, np.ndarray]:
    """Return a view and a constant in their common shape."""
    array = per_event(site, values, view)
    shape = site.sized(np.broadcast_shapes(array.shape, view.index.shape))
    return view.at(np.broadcast_to(view.index, shape).copy()), np.broadcast_to(array, shape)


def sums(site: Site, given: dict[str, Any]) -> View:
    """Add, Sub and Sum."""
    minus = (1,) if site.node.op_type == "Sub" else ()
    count = len(site.node.input)
    known = [k for k in range(count) if site.known(k) is not None]
    if count == 2 and known:
        view, values = wide(site, site.scalar(1 - known[0]), site.constant(known[0]))
        return shifted(site, view, values, minus, first=known[0] == 0)
    if known:
        raise site.refuse("adds constants to several values", "add constants by Add")
    return combined(site, Add(minus), *(site.scalar(k) for k in range(count)))


def times(site: Site, given: dict[str, Any]) -> View:
    for k in (0, 1):
        if site.known(k) is not None:
            return scaled(site, *wide(site, site.scalar(1 - k), site.constant(k)))
    return product(site, site.scalar(0), site.scalar(1))


def over(site: Site, given: dict[str, Any]) -> View:
    if site.known(1) is not None:
        view, values = wide(site, site.scalar(0), site.constant(1))
        if (values == 0).any():
            raise site.refuse("divides by zero")
        return scaled(site, view, 1.0 / values)
    a, b = site.known(0), site.scalar(1)
    builder = site.state.builder
    alone = a is None and origin(builder, site.scalar(0).name) == origin(builder, b.name)
    inverse = reciprocal(site.at("inverse"), b, alone)
    if a is not None:
        return scaled(site, *wide(site, inverse, site.constant(0)))
    return product(site, site.scalar(0), inverse)


def reciprocal(site: Site, view: View, alone: bool = False) -> View:
    """1 / x, by a code of its logarithm; `alone`: as part of a function of one value, which becomes a table
    as a whole: |x|^-1 of what is never negative, x |x|^-2 of the rest."""
    positive = is_positive(site.state.builder, view.name)
    if not alone:
        return inverted_power(site, view, -1.0) if positive else inverted(site, view)
    if positive:
        return power(site, view, -1.0)
    return product(site, view, power(site.at("square"), view, -2.0))


def turned(site: Site, given: dict[str, Any]) -> View:
    return reciprocal(site, site.scalar())


def negated(site: Site, given: dict[str, Any]) -> View:
    return each(site, Add((0,)), site.scalar())


def size(site: Site, given: dict[str, Any]) -> View:
    return each(site, Magnitude(), site.scalar())


def raised(site: Site, given: dict[str, Any]) -> View:
    """Pow with a constant exponent."""
    exponent = site.constant(1).astype(np.float64)
    view = site.scalar()
    if exponent.size != 1:
        raise site.refuse(f"has {exponent.size} exponents", "expected one")
    p = float(exponent.ravel()[0])
    if p == 1:
        return view
    if p == 2:
        return product(site, view, view)
    if p == 3:
        return product(site, product(site.at("square"), view, view), view)
    if p % 2 == 0 or is_positive(site.state.builder, view.name):
        return power(site, view, p) if p > 0 else inverted_power(site, view, p)
    if p == -1:
        return reciprocal(site, view)
    if p.is_integer():
        rest = power if p > 0 else inverted_power
        return product(site, view, rest(site.at("even"), view, p - 1))
    if p == 0.5:
        return each(site, Table(activation=Activation.ROOT), view)
    raise site.refuse(f"has the exponent {p:g} of values that may be negative", "take Abs or Relu first")


def extremum(site: Site, given: dict[str, Any]) -> View:
    """Max and Min of values and constants."""
    larger = site.node.op_type == "Max"
    known = [k for k in range(len(site.node.input)) if site.known(k) is not None]
    views = [site.scalar(k) for k in range(len(site.node.input)) if k not in known]
    view = views[0]
    for k, other in enumerate(views[1:]):
        last = k == len(views) - 2 and not known
        view = (maximum if larger else minimum)(site if last else site.at(f"of{k + 2}"), view, other)
    for k in known:
        here = site if k == known[-1] else site.at(f"bound{k}")
        view = bounded(here, *wide(site, view, site.constant(k)), larger)
    return view


def bounded(site: Site, view: View, bound: np.ndarray, below: bool) -> View:
    """Return max(x, bound) or min(x, bound)."""
    if below and (bound == 0).all():
        return rectified(site, view)
    minus = (1,)
    gap = shifted(site.at("gap"), view, bound, minus, first=not below)
    return shifted(site, rectified(site.at("past"), gap), bound, () if below else minus, first=not below)


def clipped(site: Site, given: dict[str, Any]) -> View:
    view, ends = site.scalar(), (given.get("min"), given.get("max"))
    ends = [site.constant(k + 1) if site.given(k + 1) else ends[k] for k in (0, 1)]
    limits = [None if e is None or abs(float(e)) > 1e30 else float(e) for e in ends]
    lower, upper = limits
    if lower is not None:
        here = site if upper is None else site.at("lower")
        view = bounded(here, view, np.full(view.index.shape, lower), below=True)
    if upper is not None:
        view = bounded(site, view, np.full(view.index.shape, upper), below=False)
    return view


def compared(site: Site, given: dict[str, Any]) -> View:
    """Greater and Less as 1 or 0, by a step of the difference."""
    a, b = (0, 1) if site.node.op_type == "Greater" else (1, 0)
    part, step = site.at("difference"), Table(activation=Activation.STEP)
    for k, other in ((a, b), (b, a)):
        if site.known(k) is not None:
            view, values = wide(site, site.scalar(other), site.constant(k))
            return each(site, step, shifted(part, view, values, (1,), first=k == a))
    return each(site, step, combined(part, Add((1,)), site.scalar(a), site.scalar(b)))


def chosen(site: Site, given: dict[str, Any]) -> View:
    """Where: b + c (a - b), c a constant or a comparison."""
    views = [_or_constant(site, k) for k in (0, 1, 2)]
    condition, a, b = views
    gap = combined(site.at("gap"), Add((1,)), a, b)
    return combined(site, Add(), b, product(site.at("chosen"), condition, gap))


def _or_constant(site: Site, k: int) -> View:
    values = site.known(k)
    if values is None:
        return site.scalar(k)
    like = next((site.scalar(i) for i in range(len(site.node.input)) if site.known(i) is None), None)
    assert like is not None
    array = per_event(site, values, like)
    return constant_view(site.at(f"constant{k}"), np.asarray(array), like)


def table(kind: Activation, slope: float = 1.0, shift: float = 0.0) -> Callable[[Site, dict[str, Any]], View]:
    """Return the rule of a function, of slope x + shift."""
    op: Op = Table(activation=kind)
    if (slope, shift) != (1.0, 0.0):
        op = Table(values=Tensor([[shift, shift + slope]]), activation=kind)

    def rule(site: Site, given: dict[str, Any]) -> View:
        return each(site, op, site.scalar())

    return rule


def average(site: Site, given: dict[str, Any]) -> View:
    """Mean of several values."""
    count = len(site.node.input)
    whole = combined(site.at("sum"), Add(), *(site.scalar(k) for k in range(count)))
    return by_number(site, whole, 1.0 / count)


def squares(site: Site, view: View, dims: list[int]) -> View:
    return total(site, product(site.at("square"), view, view), dims)


ANY = "of values and constants, which broadcast; a constant may not differ between events"
RULES: dict[str, Entry] = {
    **dict.fromkeys(("Add", "Sub"), Entry(sums, "`Add`", ANY)),
    "Sum": Entry(sums, "`Add`", "of values"),
    "Mean": Entry(average, "`Add`, `ChannelMix`", "of values"),
    "Mul": Entry(times, "`CgProduct`, or `ChannelMix` with a constant", ANY),
    "Div": Entry(over, "`ChannelMix`, or `Log2`, `Table` and `CgProduct`", ANY),
    "Neg": Entry(negated, "`Add`"),
    "Abs": Entry(size, "`Magnitude`"),
    "Reciprocal": Entry(turned, "`Log2` and `Table`"),
    "Pow": Entry(
        raised, "`CgProduct` or `Table`", "one constant exponent; a whole one, if values may be negative"
    ),
    "Sqrt": Entry(table(Activation.ROOT), "`Table`", "of values that are not negative"),
    "Log": Entry(table(Activation.LOG), "`Table`", "of positive values"),
    "Exp": Entry(table(Activation.EXP2, LOG2_E), "`Table`"),
    "Erf": Entry(table(Activation.ERF), "`Table`"),
    "Sin": Entry(table(Activation.SINE), "`Table`"),
    "Cos": Entry(table(Activation.SINE, shift=pi / 2), "`Table`"),
    "Atan": Entry(table(Activation.ATAN), "`Table`"),
    **dict.fromkeys(("Max", "Min"), Entry(extremum, "`Relu` and `Add`", ANY)),
    "Clip": Entry(clipped, "`Relu` and `Add`", "constant ends", ("min", "max")),
    **dict.fromkeys(("Greater", "Less"), Entry(compared, "`Table`", ANY)),
    "Where": Entry(chosen, "`CgProduct` and `Add`", "of a constant or a comparison"),
}
