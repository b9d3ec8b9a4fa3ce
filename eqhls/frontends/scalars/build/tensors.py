"""Shapes: which axes a value has, other arrangements of its elements, values side by side."""

from __future__ import annotations

from itertools import permutations
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eqhls.frontends.scalars.site import Site, Value
from eqhls.groups.rep import S
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.arrange import Arrange
from eqhls.ops.concat import Concat
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion

Index = NDArray[np.int64]


def opened(site: Site, x: Value) -> Value:
    """Return a value that names the axis of the graph behind each of its axes; axes of size 1 have none."""
    if x.axes is not None:
        return x
    name = x.name
    for axis in site.type(x).axes:
        if axis.size == 1:
            name = site.add(Select(axis.name, (0,)), name, part="single")
    kept = site.builder.type(name).axes
    if [a.size for a in kept] != [s for s in x.shape if s > 1]:
        return arranged(site, x, np.arange(prod(x.shape)).reshape(x.shape))
    names = iter(a.name for a in kept)
    return Value(name, x.shape, tuple(next(names) if s > 1 else "" for s in x.shape))


def settled(site: Site, x: Value) -> Value:
    """Return a value whose elements come in the order of the graph, with no names of axes."""
    if x.axes is None:
        return x
    named = [a for a in x.axes if a]
    if [a.name for a in site.type(x).axes if a.size > 1] == named:
        return Value(x.name, x.shape)
    found = arranged(site, x, np.arange(prod(x.shape)).reshape(x.shape))
    return Value(found.name, x.shape)


def in_graph(site: Site, x: Value) -> Index:
    """Return, for each element of a value, which element of the graph's tensor it is."""
    count = np.arange(prod(x.shape))
    if x.axes is None:
        return count.reshape(x.shape)
    names = [a.name for a in site.type(x).axes if a.size > 1]
    sizes = [a.size for a in site.type(x).axes if a.size > 1]
    order = [names.index(a) for a in x.axes if a]
    return count.reshape(sizes).transpose(order).reshape(x.shape)


def arranged(site: Site, x: Value, source: Index) -> Value:
    """Return a new tensor, element n of which is element source[n] of a value, or 0 if that is -1."""
    flat = np.append(in_graph(site, x).ravel(), -1)[source]
    names = tuple(f"d{k}" if s > 1 else "" for k, s in enumerate(source.shape))
    axes = tuple(Axis(n, s) for n, s in zip(names, source.shape, strict=True) if n)
    op = Arrange(Type(S, axes), tuple(int(v) for v in flat.ravel()))
    return Value(site.add(op, x.name, part="arranged"), source.shape, names)


def moved(site: Site, x: Value, source: ArrayLike) -> Value:
    """Return a value, element n of which is element source[n] of another one, or 0 if that is -1.

    `source` has the shape of the result and counts the elements of `x` in the order of its shape. What only
    merges axes, exchanges them, or takes entries along one of them keeps the others, and their symmetry.
    """
    wanted = np.asarray(source, dtype=np.int64)
    size = prod(x.shape)
    if wanted.size == size and (wanted.ravel() == np.arange(size)).all():
        return viewed(site, x, wanted.shape)
    x = opened(site, x)
    found = _exchanged(x, wanted)
    return found or _taken(site, x, wanted) or arranged(site, x, wanted)


def viewed(site: Site, x: Value, shape: tuple[int, ...]) -> Value:
    """Return the same elements in the same order with another shape."""
    mine, theirs = ([s for s in v if s > 1] for v in (x.shape, shape))
    if mine == theirs and x.axes is not None:
        names = iter(a for a in x.axes if a)
        return Value(x.name, shape, tuple(next(names) if s > 1 else "" for s in shape))
    x = settled(site, x)
    named = [a.size for a in site.type(x).axes if a.size > 1]
    if theirs == named or len(theirs) <= 1:
        return Value(x.name, shape)
    return arranged(site, x, np.arange(prod(shape)).reshape(shape))


def _exchanged(x: Value, source: Index) -> Value | None:
    """Return the value with its axes in another order if that is all that `source` says."""
    assert x.axes is not None
    named = [(a, s) for a, s in zip(x.axes, x.shape, strict=True) if a]
    sizes = [s for s in source.shape if s > 1]
    if sorted(s for _, s in named) != sorted(sizes) or len(named) > 5:
        return None
    count = np.arange(source.size).reshape([s for _, s in named])
    for order in permutations(range(len(named))):
        if [named[k][1] for k in order] == sizes and (count.transpose(order).ravel() == source.ravel()).all():
            names = iter(named[k][0] for k in order)
            return Value(x.name, source.shape, tuple(next(names) if s > 1 else "" for s in source.shape))
    return None


def _taken(site: Site, x: Value, source: Index) -> Value | None:
    """Return entries along one axis if that is all that `source` says."""
    assert x.axes is not None
    count = np.arange(prod(x.shape)).reshape(x.shape)
    for k, axis in enumerate(x.axes):
        if source.min() < 0 or not axis:
            continue
        if source.ndim == len(x.shape):
            first = np.moveaxis(source, k, 0).reshape(source.shape[k], -1)[:, 0]
        else:
            first = source.ravel()[:1]
        chosen = np.unravel_index(first, x.shape)[k]
        found = count.take(chosen, axis=k)
        if found.size != source.size or (found.ravel() != source.ravel()).any():
            continue
        if [s for s in found.shape if s > 1] != [s for s in source.shape if s > 1]:
            continue
        to = axis if len(chosen) > 1 else ""
        name = site.add(Select(axis, tuple(int(c) for c in chosen), to), x.name, part="taken")
        kept = iter(a for n, a in enumerate(x.axes) if a and (n != k or to))
        return Value(name, source.shape, tuple(next(kept) if s > 1 else "" for s in source.shape))
    return None


def reshaped(site: Site, x: Value, shape: tuple[int, ...]) -> Value:
    return moved(site, x, np.arange(prod(x.shape)).reshape(shape))


def transposed(site: Site, x: Value, order: tuple[int, ...]) -> Value:
    """Return a value with its axes (events left out) in another order, as numpy.transpose does."""
    return moved(site, x, np.arange(prod(x.shape)).reshape(x.shape).transpose(order))


def constant(site: Site, values: ArrayLike) -> Value:
    """Return a constant, the same for every event."""
    array = np.asarray(values, dtype=np.float64)
    names = tuple(f"d{k}" if s > 1 else "" for k, s in enumerate(array.shape))
    axes = tuple(Axis(n, s) for n, s in zip(names, array.shape, strict=True) if n)
    type = Type(S, axes)
    name = site.add(Spurion(type, Tensor(array.reshape(type.shape))), part="constant")
    return Value(name, array.shape, names)


def renamed(site: Site, x: Value, names: tuple[str, ...]) -> Value:
    """Return a value with other names of its axes, "" if it has none."""
    x = opened(site, x)
    assert x.axes is not None
    wanted = tuple(n if a else "" for n, a in zip(names, x.axes, strict=True))
    name, axes = x.name, list(x.axes)
    while tuple(axes) != wanted:
        todo = [k for k, a in enumerate(axes) if a != wanted[k]]
        free = [k for k in todo if wanted[k] not in axes]
        k = free[0] if free else todo[0]
        to = wanted[k] if free else next(f"t{n}" for n in range(99) if f"t{n}" not in (*axes, *wanted))
        name = site.add(Rename(axes[k], to), name, part="renamed")
        axes[k] = to
    return Value(name, x.shape, wanted)


def aligned(site: Site, *values: Value) -> tuple[list[Value], tuple[int, ...], tuple[str, ...]]:
    """Return values whose axes have one name at each place, as far as they broadcast in NumPy's way, with the
    shape of the broadcast and the names of its axes."""
    opens = [opened(site, v) for v in values]
    try:
        shape = np.broadcast_shapes(*(v.shape for v in opens))
    except ValueError:
        listed = " and ".join(str((None, *v.shape)) for v in values)
        raise site.refuse(f"combines shapes {listed}", "Reshape them so that they broadcast") from None
    rank = len(shape)
    full = [
        Value(v.name, (1,) * (rank - len(v.shape)) + v.shape, ("",) * (rank - len(v.shape)) + _axes(v))
        for v in opens
    ]
    names: list[str] = []
    for k in range(rank):
        found = [_axes(v)[k] for v in full if _axes(v)[k] and _axes(v)[k] not in names]
        spare = (f"b{n}" for n in range(99) if f"b{n}" not in names)
        names.append(found[0] if found else next(spare) if shape[k] > 1 else "")
    return [renamed(site, v, tuple(names)) for v in full], shape, tuple(names)


def _axes(x: Value) -> tuple[str, ...]:
    assert x.axes is not None
    return x.axes


def joined(site: Site, values: list[Value], place: int) -> Value:
    """Return values side by side along one place of their shapes."""
    rest = {v.shape[:place] + v.shape[place + 1 :] for v in values}
    if len(rest) != 1:
        listed = " and ".join(str((None, *v.shape)) for v in values)
        raise site.refuse(f"joins shapes {listed} along axis {place + 1}", "Reshape them alike but for it")
    shape = list(values[0].shape)
    shape[place] = sum(v.shape[place] for v in values)
    opens = [_with_axis(site, opened(site, v), place) for v in values]
    names = _axes(opens[0])
    parts = [in_order(site, renamed(site, v, names), site.type(opens[0])) for v in opens]
    name = site.add(Concat(names[place]), *parts, part="joined")
    return Value(name, tuple(shape), tuple(n if s > 1 else "" for n, s in zip(names, shape, strict=True)))


def _with_axis(site: Site, x: Value, place: int) -> Value:
    """Return a value that has an axis at a place, even if its size is 1."""
    if _axes(x)[place]:
        return x
    axes, name = _axes(x), next(f"n{k}" for k in range(99) if f"n{k}" not in _axes(x))
    order = [a for a in axes if a]
    where = sum(1 for a in axes[:place] if a)
    sizes = {a: s for a, s in zip(axes, x.shape, strict=True) if a} | {name: 1}
    order.insert(where, name)
    source = in_graph(site, x).ravel()
    op = Arrange(Type(S, tuple(Axis(n, sizes[n]) for n in order)), tuple(int(v) for v in source))
    made = site.add(op, x.name, part="opened")
    return Value(made, x.shape, (*axes[:place], name, *axes[place + 1 :]))


def in_order(site: Site, x: Value, like: Type) -> str:
    """Return the name of a value with the axes of another type in the same order."""
    names = [a.name for a in site.type(x).axes]
    wanted = [a.name for a in like.axes]
    if names == wanted:
        return x.name
    axes = tuple(site.type(x).axis(n) for n in wanted)
    source = np.arange(prod(a.size for a in site.type(x).axes)).reshape([a.size for a in site.type(x).axes])
    flat = source.transpose([names.index(n) for n in wanted]).ravel()
    return site.add(Arrange(Type(S, axes), tuple(int(v) for v in flat)), x.name, part="ordered")
