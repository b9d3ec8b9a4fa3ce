"""What plain operators are made of: ops on views, whose places broadcast as ONNX's tensors do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eqhls.frontends.onnx.site import AXES, Site, aligned, arranged, everything, named, viewed
from eqhls.frontends.onnx.views import View
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_max import ParticleMax
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

PRODUCT = CgProduct(parse_path("S*S->S"))
Numbers = NDArray[np.float64]


def each(site: Site, op: Op, view: View) -> View:
    """Apply an op to every element."""
    view = everything(site, view)
    return replace(view, name=site.add(op, view.name))


def rectified(site: Site, view: View) -> View:
    return each(site, Relu(), view)


def power(site: Site, view: View, exponent: float, slope: float = 1.0, shift: float = 0.0) -> View:
    """Return |slope x + shift| to some power, by a table."""
    values, p = Tensor([[shift, shift + slope]]), Tensor([[exponent]])
    return each(site, Table(values=values, activation=Activation.POWER, parameters=p), view)


def combined(site: Site, op: Op, *views: View) -> View:
    """Apply an op to elements in the same places."""
    (*values,), names = aligned(site, views)
    shape = site.sized(np.broadcast_shapes(*(v.index.shape for v in values)))
    if len({v.index.shape for v in values}) == 1 and len({v.index.tobytes() for v in values}) == 1:
        return replace(values[0], name=site.add(op, *(v.name for v in values)))
    return viewed(site, site.add(op, *(v.name for v in values)), names, values[0], shape)


def product(site: Site, a: View, b: View) -> View:
    return combined(site, PRODUCT, a, b)


def difference(site: Site, a: View, b: View) -> View:
    return combined(site, Add((1,)), a, b)


def maximum(site: Site, a: View, b: View) -> View:
    """Return the larger one: b + max(a - b, 0)."""
    return combined(site, Add(), b, rectified(site.at("above"), difference(site.at("difference"), a, b)))


def minimum(site: Site, a: View, b: View) -> View:
    """Return the smaller one: a - max(a - b, 0)."""
    return combined(site, Add((1,)), a, rectified(site.at("above"), difference(site.at("difference"), a, b)))


def total(site: Site, view: View, dims: Sequence[int]) -> View:
    """Return the sum over some axes, which stay with size 1."""
    return _reduced(site, view, dims, ParticleSum)


def largest(site: Site, view: View, dims: Sequence[int]) -> View:
    """Return the largest entry along some axes, which stay with size 1."""
    return _reduced(site, view, dims, ParticleMax)


def _reduced(site: Site, view: View, dims: Sequence[int], op: type[ParticleSum | ParticleMax]) -> View:
    if view.event in dims:
        raise site.refuse("works along the axis of the events", "every event is computed by itself")
    view, names = named(site, view)
    todo = [d for d in dims if names[d]]
    name, left = view.name, list(names)
    for k, d in enumerate(todo):
        name = (site if k == len(todo) - 1 else site.at(f"over_{names[d]}")).add(op(names[d]), name)
        left[d] = ""
    shape = [1 if d in dims else s for d, s in enumerate(view.index.shape)]
    return viewed(site, name, left, view, shape)


def constant(site: Site, values: Numbers, type: Type) -> str:
    """Add a constant on the axes of a type."""
    return site.add(Spurion(Type(S, type.axes), Tensor(values.reshape(*(a.size for a in type.axes), 1))))


def constant_view(site: Site, values: Numbers, like: View) -> View:
    """Return a constant in places of its own shape, with the events if another view of this rank has
    them."""
    names = ["" if s == 1 else AXES[k] for k, s in enumerate(values.shape)]
    axes = tuple(Axis(n, s) for n, s in zip(names, values.shape, strict=True) if n)
    name = constant(site, values, Type(S, axes))
    return like.of(name, np.arange(values.size).reshape(values.shape))


def shifted(site: Site, view: View, shift: Numbers, minus: tuple[int, ...] = (), first: bool = False) -> View:
    """Return the sum or difference of a view and a constant of its shape; `first`: of the constant and it."""
    view = _single(site, view)
    type = site.type(view)
    values = np.zeros(type.elements)
    values[view.index.ravel()] = shift.ravel()
    other = constant(site.at("constant"), values, type)
    names = (other, view.name) if first else (view.name, other)
    return replace(view, name=site.add(Add(minus), *names))


def _single(site: Site, view: View) -> View:
    """Return a view that holds every element of its value once."""
    size = len(np.unique(view.index))
    return view if size == view.index.size == site.type(view).elements else named(site, view)[0]


def scaled(site: Site, view: View, scale: Numbers, shift: Numbers | None = None) -> View:
    """Return scale * x + shift; both have the shape of the view, which may be repeated by that."""
    scale = np.broadcast_to(scale, view.index.shape)
    varying = _varying(scale) | (set[int]() if shift is None else _varying(shift))
    if len(varying) > 1 or (varying and view.index.size == 1):
        other = constant_view(site.at("constant"), np.asarray(scale), view)
        whole = site if shift is None else site.at("scaled")
        result = product(whole, view, other)
        return result if shift is None else shifted(site, result, shift)
    view, names = named(site, _single(site, view))
    place = varying.pop() if varying else next((d for d in range(view.rank - 1, -1, -1) if names[d]), -1)
    if place < 0:
        bias = None if shift is None else Tensor(shift.ravel()[:1])
        name = site.add(Dense(Tensor(scale.reshape(1, 1)), bias), view.name)
        return view.of(name, np.zeros_like(view.index))
    rows = _along(scale, place)
    bias = None if shift is None else Tensor(_along(np.broadcast_to(shift, view.index.shape), place))
    name = site.add(ChannelMix(Tensor(np.diag(rows)), bias, axis=names[place]), view.name)
    return replace(view, name=name)


def _varying(values: Numbers) -> set[int]:
    return {d for d, s in enumerate(values.shape) if s > 1 and (np.diff(values, axis=d) != 0).any()}


def _along(values: Numbers, place: int) -> Numbers:
    return np.moveaxis(values, place, 0).reshape(values.shape[place], -1)[:, 0].astype(np.float64)


def by_number(site: Site, view: View, factor: float) -> View:
    return scaled(site, view, np.full(view.index.shape, factor))


def mixed(site: Site, view: View, weight: Numbers, bias: Numbers | None) -> View:
    """Multiply the last axis by a matrix (out, in) and add a bias (out,)."""
    offset, shape = None if bias is None else Tensor(bias), (*view.index.shape[:-1], len(weight))
    if view.index.size == view.index.shape[-1]:
        type = site.type(view)
        if not view.natural(type):
            wide = np.zeros((type.elements, len(weight)))
            np.add.at(wide, view.index.ravel(), weight.T)
            weight = wide.T
        name = site.add(Dense(Tensor(weight), offset), view.name)
        return view.of(name, np.arange(len(weight)).reshape(shape))
    view, names = named(site, view)
    if not names[-1]:
        names = (*names[:-1], next(a for a in "c" + AXES if a not in names))
        view = arranged(site.at("opened"), view, names)
    name = site.add(ChannelMix(Tensor(weight), offset, axis=names[-1]), view.name)
    return viewed(site, name, names, view, shape)


def contracted(site: Site, a: View, b: View) -> View:
    """Return the matrix product of two values along the last two axes, as numpy.matmul."""
    rank = max(a.rank, b.rank)
    a, b = a.ranked(rank), b.ranked(rank)
    if max(a.event, b.event) >= rank - 2:
        raise site.refuse("multiplies matrices of several events", "keep the events in front")
    left, right = a.at(a.index[..., :, :, None]), b.at(b.index[..., None, :, :])
    (left, right), names = aligned(site, (left, right))
    shape = list(site.sized(np.broadcast_shapes(left.index.shape, right.index.shape)))
    over, shape[-2] = names[-2], 1
    name = site.add(PairSum(over) if over else PRODUCT, left.name, right.name)
    found = viewed(site, name, (*names[:-2], "", names[-1]), left, shape)
    return found.at(found.index.squeeze(-2))
