"""Other shapes, other orders, parts: the same elements in other places."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from eqhls.frontends.onnx.algebra import constant_view
from eqhls.frontends.onnx.checks import REALS, kind_of
from eqhls.frontends.onnx.rules.entry import Entry, axes_of, axis_of, per_event
from eqhls.frontends.onnx.site import AXES, Site, arranged
from eqhls.frontends.onnx.views import Index, View, viewed_axes
from eqhls.ops.concat import Concat

Given = dict[str, Any]


def same(site: Site, given: Given) -> View:
    """Identity, and Cast between kinds of real numbers: graphs are about values, not about their storage."""
    if site.node.op_type == "Cast" and given["to"] not in REALS:
        raise site.refuse(f"casts to {kind_of(given['to'])}", "expected FLOAT or DOUBLE")
    return site.state.view(site.node.input[0], site.node)


def resized(site: Site, view: View, sizes: tuple[int, ...], asked: str) -> View:
    """Return the same elements by the sizes of a tensor of all events. Raises CompileError if the events
    do not stay together in one axis."""
    batch = site.state.batch
    whole = prod(sizes) == view.index.size * batch
    for k, size in enumerate(sizes):
        outer, rest = divmod(view.before, prod(sizes[:k]) or 1)
        if whole and not rest and outer and size % (outer * batch) == 0:
            index = view.index.reshape((*sizes[:k], size // batch, *sizes[k + 1 :]))
            return replace(view, index=index, event=k, outer=outer)
    raise site.refuse(
        f"reshapes {list(view.shape)} {asked}",
        "keep the events first and apart; export with a free number of events (dynamic axes)",
    )


def reshape(site: Site, given: Given) -> View:
    view, sizes = site.scalar(), [int(s) for s in site.constant(1).ravel()]
    asked, have = f"by {sizes}", view.sizes(site.state.batch)
    zeros = 0 in (sizes if given.get("allowzero") else sizes[len(have) :])
    if sizes.count(-1) > 1 or min(sizes, default=0) < -1 or zeros:
        raise site.refuse(f"reshapes {list(view.shape)} {asked}", "keep the events first and apart")
    found = [have[k] if s == 0 else s for k, s in enumerate(sizes)]
    if -1 in found:
        found[found.index(-1)] = prod(have) // max(-prod(found), 1)
    return resized(site, view, tuple(found), asked)


def flatten(site: Site, given: Given) -> View:
    view = site.scalar()
    axis, have = given["axis"], view.sizes(site.state.batch)
    if not -view.rank <= axis <= view.rank:
        raise site.refuse(f"has the axis {axis} of {view.rank}")
    cut = axis if axis >= 0 else axis + view.rank
    return resized(site, view, (prod(have[:cut]), prod(have[cut:])), f"from axis {axis}")


def squeeze(site: Site, given: Given) -> View:
    view = site.scalar()
    axes = axes_of(site, given, view.rank)
    if axes is None:
        raise site.refuse("names no axes", "an event that is alone would lose its axis")
    if view.event in axes or any(view.index.shape[a] != 1 for a in axes):
        raise site.refuse(
            f"reshapes {list(view.shape)} without the axes {axes}", f"axis {view.event} are the events"
        )
    left = [s for k, s in enumerate(view.index.shape) if k not in axes]
    return view.at(view.index.reshape(left), view.event - sum(a < view.event for a in axes))


def unsqueeze(site: Site, given: Given) -> View:
    view = site.scalar()
    asked = given["axes"] if given.get("axes") is not None else site.constant(1).ravel()
    rank = view.rank + len(asked)
    axes = axes_of(site, given, rank) or []
    rest = iter(range(view.rank))
    places = [-1 if k in axes else next(rest) for k in range(rank)]
    index = view.index.reshape([1 if p < 0 else view.index.shape[p] for p in places])
    return view.at(index, places.index(view.event))


def transpose(site: Site, given: Given) -> View:
    view = site.scalar()
    order = list(given.get("perm") or reversed(range(view.rank)))
    return view.at(view.index.transpose(order).copy(), order.index(view.event))


def _inner(site: Site, axis: int, view: View) -> int:
    """Return an axis that does not count events."""
    found = axis_of(site, axis, view.rank)
    if found == view.event:
        raise site.refuse(
            f"takes parts of axis {axis}, which counts events", "every event is computed by itself"
        )
    return found


def cut(site: Site, given: Given) -> View:
    """Slice with constant ends."""
    view = site.scalar()
    if "starts" in given:
        starts, ends = list(given["starts"]), list(given["ends"])
        axes = list(given.get("axes") or range(len(starts)))
        steps = [1] * len(starts)
    else:
        starts, ends = ([int(v) for v in site.constant(k).ravel()] for k in (1, 2))
        axes = [int(v) for v in site.constant(3).ravel()] if site.given(3) else list(range(len(starts)))
        steps = [int(v) for v in site.constant(4).ravel()] if site.given(4) else [1] * len(starts)
    index = view.index
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = axis_of(site, axis, view.rank)
        if place == view.event and step == 1 and start == 0 and end >= site.state.batch * index.shape[place]:
            continue
        place, size = _inner(site, axis, view), index.shape[_inner(site, axis, view)]
        index = np.take(index, _range(start, end, step, size), axis=place)
    return view.at(_some(site, index))


def _range(start: int, end: int, step: int, size: int) -> list[int]:
    if step == 0:
        raise ValueError("a step of 0")
    low, high = (0, size) if step > 0 else (-1, size - 1)
    start = min(max(start + size if start < 0 else start, max(low, 0)), high)
    end = min(max(end + size if end < 0 else end, low), high if step > 0 else size - 1)
    return list(range(start, end, step))


def _some(site: Site, index: Index) -> Index:
    if not index.size:
        raise site.refuse("leaves no element", "an empty tensor has no meaning in hardware")
    return index


def gather(site: Site, given: Given) -> View:
    view = site.scalar()
    axis = _inner(site, given["axis"], view)
    which, size = site.constant(1).astype(np.int64), view.index.shape[axis]
    if which.size and not (-size <= which.min() and which.max() < size):
        raise site.refuse(f"takes elements {which.ravel().tolist()} of {size}")
    site.sized((which.size, view.index.size // size))
    index = np.take(view.index, which % size, axis=axis)
    shift = which.ndim - 1 if view.event > axis else 0
    return view.at(_some(site, index), view.event + shift)


def split(site: Site, given: Given) -> None:
    """Split into parts, of scalars or of any tensor into its components, to give each a format of its own."""
    view = site.state.view(site.node.input[0], site.node)
    axis, sizes = given["axis"], given.get("split")
    if site.given(1):
        sizes = site.constant(1).ravel().tolist()
    count = len(site.node.output)
    if given.get("num_outputs") not in (None, count):
        raise site.refuse(f"has num_outputs = {given['num_outputs']}, expected {count}")
    type = site.type(view)
    if type.dim > 1:
        _components(site, view, axis, sizes)
        return
    place = _inner(site, axis, view)
    size = view.index.shape[place]
    each = -(-size // count)
    sizes = [min(each, size - k * each) for k in range(count)] if sizes is None else [int(s) for s in sizes]
    if sum(sizes) != size or len(sizes) != count or min(sizes) < 1:
        raise site.refuse(f"splits {size} into {sizes}", "the parts have to make up the whole")
    for output, part in zip(
        site.node.output, np.split(view.index, np.cumsum(sizes)[:-1], axis=place), strict=True
    ):
        site.state.views[output] = view.at(part)


def _components(site: Site, view: View, axis: int, sizes: Any) -> None:
    site.state.whole(site.node.input[0], site.node)
    count = view.shape[-1]
    parts = sizes is None or list(sizes) == [1] * count
    if axis not in (-1, len(view.shape)) or len(site.node.output) != count or not parts:
        raise site.refuse("does not take a tensor apart into its components")
    for k, output in enumerate(site.node.output):
        site.state.views[output] = replace(view, component=k)


def concat(site: Site, given: Given) -> View:
    if any(v.component is not None for v in (site.state.views.get(n) for n in site.node.input) if v):
        return _whole(site, given["axis"])
    known = [site.known(k) for k in range(len(site.node.input))]
    views = [site.scalar(k) for k, v in enumerate(known) if v is None]
    if len({v.rank for v in views}) > 1 or len({v.event for v in views}) > 1:
        raise site.refuse("joins tensors of different ranks", "reshape them alike")
    place = _inner(site, given["axis"], views[0])
    if len({v.name for v in views}) == 1 and len(views) == len(known):
        return views[0].at(np.concatenate([v.index for v in views], axis=place))
    rest = iter(views)
    parts = [next(rest) if v is None else _part(site, k, v, views[0], place) for k, v in enumerate(known)]
    return joined(site, parts, place)


def _part(site: Site, k: int, values: np.ndarray, like: View, place: int) -> View:
    free = like.at(np.take(like.index, [0], axis=place))
    if values.ndim != like.rank or values.shape[like.event] != free.sizes(site.state.batch)[like.event]:
        raise site.refuse(f"joins a constant {list(values.shape)} to every event", "expand it to the events")
    shape = [s if d == place else like.index.shape[d] for d, s in enumerate(values.shape)]
    array = np.broadcast_to(per_event(site, values, free), shape)
    return constant_view(site.at(f"constant{k}"), np.asarray(array), like)


def joined(site: Site, views: list[View], place: int) -> View:
    """Return values joined along one axis."""
    names = ["" if s == 1 else AXES[d] for d, s in enumerate(views[0].index.shape)]
    names[place] = "c"
    parts = [
        v if viewed_axes(v, site.type(v), names) else arranged(site.at(f"part{k}"), v, names)
        for k, v in enumerate(views)
    ]
    name = site.add(Concat("c"), *(v.name for v in parts))
    shape = list(views[0].index.shape)
    shape[place] = sum(v.index.shape[place] for v in views)
    return views[0].of(name, np.arange(prod(shape)).reshape(shape))


def _whole(site: Site, axis: int) -> View:
    """Join the components of one tensor again."""
    views = [site.state.view(n, site.node) for n in site.node.input]
    first = views[0]
    found = [(v.name, v.component) for v in views]
    if found != [(first.name, k) for k in range(first.shape[-1])] or axis not in (-1, len(first.shape)):
        raise site.refuse("does not join the components of one tensor", "use the op Concat")
    return replace(first, component=None)


def expand(site: Site, given: Given) -> View:
    view, batch = site.scalar(), site.state.batch
    sizes = [int(s) for s in site.constant(1).ravel()]
    rank = max(len(sizes), view.rank)
    event = view.event + rank - view.rank
    sizes = [1] * (rank - len(sizes)) + sizes
    if sizes[event] not in (1, batch * view.index.shape[view.event]):
        raise site.refuse(f"repeats events to {sizes}", "keep the number of events")
    sizes[event] = view.index.shape[view.event]
    index = view.index.reshape((1,) * (rank - view.rank) + view.index.shape)
    shape = site.sized(np.broadcast_shapes(index.shape, tuple(sizes)))
    return view.at(np.broadcast_to(index, shape).copy(), event)


def tile(site: Site, given: Given) -> View:
    view, times = site.scalar(), [int(s) for s in site.constant(1).ravel()]
    if len(times) != view.rank or times[view.event] != 1:
        raise site.refuse(f"repeats the tensor {times} times", "keep the number of events")
    site.sized([max(t, 0) * s for t, s in zip(times, view.index.shape, strict=True)])
    return view.at(_some(site, np.tile(view.index, times)))


def pad(site: Site, given: Given) -> View:
    """Pad with zeros, or with elements of the value itself."""
    view, mode = site.scalar(), given["mode"].decode()
    widths = [int(v) for v in (given["pads"] if "pads" in given else site.constant(1).ravel())]
    axes = [int(v) % view.rank for v in site.constant(3).ravel()] if site.given(3) else list(range(view.rank))
    value = site.constant(2).astype(np.float64) if site.given(2) else np.zeros(1)
    if mode not in ("constant", "edge", "reflect", "wrap") or (value != 0).any() or min(widths) < 0:
        raise site.refuse(
            f"pads by {widths} in the mode {mode} with {value.ravel().tolist()}", "pad with zeros"
        )
    pads = [(0, 0)] * view.rank
    for k, axis in enumerate(axes):
        pads[axis] = (widths[k], widths[k + len(axes)])
    if pads[view.event] != (0, 0):
        raise site.refuse("pads the events", "keep the number of events")
    site.sized([s + sum(p) for s, p in zip(view.index.shape, pads, strict=True)])
    if mode != "constant":
        return view.at(np.pad(view.index, pads, mode=mode))  # pyright: ignore[reportCallIssue, reportArgumentType]
    padded = view.at(np.pad(view.index, pads, constant_values=-1))
    names = ["" if s == 1 else AXES[d] for d, s in enumerate(padded.index.shape)]
    return arranged(site, padded, names)


def shape(site: Site, given: Given) -> None:
    view = site.state.view(site.node.input[0], site.node)
    sizes, start, end = view.sizes(site.state.batch), given.get("start", 0), given.get("end")
    site.state.constants[site.node.output[0]] = np.array(sizes[start:end], dtype=np.int64)


EVENTS = "the events stay together in one axis"
RULES: dict[str, Entry] = {
    "Identity": Entry(same, "nothing"),
    "Cast": Entry(same, "nothing", "to FLOAT or DOUBLE", ("to", "saturate", "round_mode")),
    "Reshape": Entry(reshape, "other places", EVENTS, ("allowzero",)),
    "Flatten": Entry(flatten, "other places", EVENTS, ("axis",)),
    "Squeeze": Entry(squeeze, "other places", EVENTS, ("axes",)),
    "Unsqueeze": Entry(unsqueeze, "other places", "", ("axes",)),
    "Transpose": Entry(transpose, "other places", "", ("perm",)),
    "Slice": Entry(cut, "other places", "constant ends; not of the events", ("starts", "ends", "axes")),
    "Gather": Entry(gather, "other places", "constant indices; not of the events", ("axis",)),
    "Split": Entry(
        split,
        "other places",
        "not of the events; or a tensor into its components",
        ("axis", "split", "num_outputs"),
    ),
    "Concat": Entry(concat, "`Concat`", "not of the events; or the components of one tensor", ("axis",)),
    "Expand": Entry(expand, "other places", EVENTS),
    "Tile": Entry(tile, "other places", EVENTS),
    "Pad": Entry(pad, "`Arrange`", "with zeros, or `edge`, `reflect`, `wrap`", ("pads", "mode")),
    "Shape": Entry(shape, "a constant", "", ("start", "end")),
}
