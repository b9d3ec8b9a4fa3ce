"""Matrices, convolutions, and what takes windows or whole axes together."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from eqhls.frontends.onnx.algebra import (
    Numbers,
    by_number,
    combined,
    constant_view,
    contracted,
    each,
    largest,
    mixed,
    scaled,
    shifted,
    total,
)
from eqhls.frontends.onnx.rules.arithmetic import squares, wide
from eqhls.frontends.onnx.rules.entry import Entry, axes_of
from eqhls.frontends.onnx.rules.shapes import joined
from eqhls.frontends.onnx.rules.windows import Windows, windows_of
from eqhls.frontends.onnx.site import AXES, Site, arranged
from eqhls.frontends.onnx.views import View
from eqhls.ops.add import Add
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.table import Activation, Table

Given = dict[str, Any]


def matmul(site: Site, given: Given) -> View:
    """MatMul with a constant on either side, or of two values."""
    if site.known(0) is None and site.known(1) is None:
        return contracted(site, site.scalar(0), site.scalar(1))
    k = 0 if site.known(0) is not None else 1
    weight: Numbers = site.constant(k).astype(np.float64)
    view = site.scalar(1 - k)
    if weight.ndim > 2 and prod(weight.shape[:-2]) == 1:
        weight = weight.reshape(weight.shape[-2:])
    if weight.ndim > 2:
        rank = max(weight.ndim, view.rank)
        view, weight = view.ranked(rank), weight.reshape((1,) * (rank - weight.ndim) + weight.shape)
        other = constant_view(site.at("constant"), weight, view)
        return contracted(site, *((other, view) if k == 0 else (view, other)))
    if weight.ndim != 2 or view.rank < 2:
        raise site.refuse(f"has weights {list(weight.shape)}", "expected a plain matrix")
    if k == 1:
        _check_last(site, view, weight.shape[0])
        return mixed(site, view, weight.T, None)
    turned = _turned(view)
    _check_last(site, turned, weight.shape[1])
    return _turned(mixed(site, turned, weight, None))


def _turned(view: View) -> View:
    if view.event == view.rank - 1:
        return view.at(view.index.swapaxes(-1, -2).copy(), view.rank - 2)
    event = view.rank - 1 if view.event == view.rank - 2 else view.event
    return view.at(view.index.swapaxes(-1, -2).copy(), event)


def _check_last(site: Site, view: View, size: int) -> None:
    if view.event == view.rank - 1:
        raise site.refuse(
            "multiplies the axis of the events by a constant", "has the constant on the other side"
        )
    if view.index.shape[-1] != size:
        raise site.refuse(f"multiplies {list(view.shape)} by a matrix for {size}", "match the sizes")


def gemm(site: Site, given: Given) -> View:
    if given["transA"]:
        raise site.refuse("has transA = 1", "put the events first")
    if site.known(1) is None or site.known(0) is not None:
        raise site.refuse("multiplies two values, or has the constant on the left", "use MatMul")
    weight, view = site.constant(1).astype(np.float64), site.scalar(0)
    if weight.ndim != 2 or view.rank != 2:
        raise site.refuse(f"multiplies {list(view.shape)} by {list(weight.shape)}", "flatten it first")
    weight = (weight if given["transB"] else weight.T) * given["alpha"]
    _check_last(site, view, weight.shape[1])
    if not site.given(2):
        return mixed(site, view, weight, None)
    if site.known(2) is None:
        made = mixed(site.at("product"), view, weight, None)
        return combined(site, Add(), made, by_number(site.at("scaled"), site.scalar(2), given["beta"]))
    shift = site.constant(2).astype(np.float64) * given["beta"]
    if prod(shift.shape[:-1]) == 1:
        return mixed(site, view, weight, np.broadcast_to(shift, (1, len(weight)))[0].copy())
    return shifted(site, *wide(site, mixed(site.at("product"), view, weight, None), shift))


def reduced(site: Site, given: Given) -> View:
    """ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceL1, ReduceL2, ReduceSumSquare."""
    view, kind = site.scalar(), site.node.op_type
    axes = axes_of(site, given, view.rank)
    if not axes and given.get("noop_with_empty_axes"):
        return view
    dims = sorted(axes) if axes else list(range(view.rank))
    if view.event in dims:
        raise site.refuse(
            "sums over the axis of the events", "name the axes; every event is computed by itself"
        )
    found = _over(site, view, dims, kind)
    if given["keepdims"] not in (0, 1):
        raise site.refuse(f"has keepdims = {given['keepdims']}", "expected 0 or 1")
    if given["keepdims"]:
        return found
    shape = [s for d, s in enumerate(found.index.shape) if d not in dims]
    return found.at(found.index.reshape(shape), view.event - sum(d < view.event for d in dims))


def _over(site: Site, view: View, dims: list[int], kind: str) -> View:
    match kind:
        case "ReduceMean":
            count = prod(view.index.shape[d] for d in dims)
            return by_number(site, total(site.at("sum"), view, dims), 1.0 / count)
        case "ReduceMax":
            return largest(site, view, dims)
        case "ReduceMin":
            minus = each(site.at("minus"), Add((0,)), view)
            return each(site, Add((0,)), largest(site.at("largest"), minus, dims))
        case "ReduceL1":
            return total(site, each(site.at("size"), Magnitude(), view), dims)
        case "ReduceSumSquare":
            return squares(site, view, dims)
        case "ReduceL2":
            return each(site, Table(activation=Activation.ROOT), squares(site.at("sum"), view, dims))
        case _:
            return total(site, view, dims)


def convolution(site: Site, given: Given) -> View:
    """Conv: windows as rows, times a matrix of the channels."""
    view, weight = site.scalar(0), site.constant(1).astype(np.float64)
    groups, out = given["group"], len(weight)
    if view.rank < 3 or view.event != 0 or weight.ndim != view.rank:
        raise site.refuse(
            f"convolves {list(view.shape)} with {list(weight.shape)}", "expected (events, channels, ..)"
        )
    if view.index.shape[1] != groups * weight.shape[1] or out % groups:
        raise site.refuse(
            f"convolves {view.index.shape[1]} channels in {groups} groups with {list(weight.shape)}"
        )
    bias = site.constant(2).astype(np.float64) if site.given(2) else None
    windows = windows_of(site, view, given, weight.shape[2:])
    index, places = windows.index(view.index), prod(windows.sizes)
    each_in, each_out = weight.shape[1], out // groups
    parts: list[View] = []
    for g in range(groups):
        here = site if groups == 1 else site.at(f"group{g}")
        rows = index[:, g * each_in : (g + 1) * each_in].reshape(each_in, places, -1).swapaxes(0, 1)
        rows = view.at(rows.reshape(1, places, -1))
        lines = arranged(here.at("windows"), rows, ["", "j" if places > 1 else "", "c"])
        chosen = slice(g * each_out, (g + 1) * each_out)
        parts.append(
            mixed(here, lines, weight[chosen].reshape(each_out, -1), None if bias is None else bias[chosen])
        )
    whole = parts[0] if groups == 1 else joined(site, parts, 2)
    return whole.at(whole.index.swapaxes(1, 2).reshape(view.index.shape[0], out, *windows.sizes), 0)


def pooled(site: Site, given: Given) -> View:
    """AveragePool, MaxPool, GlobalAveragePool and GlobalMaxPool."""
    view, kind = site.scalar(), site.node.op_type
    if view.rank < 3 or view.event != 0:
        raise site.refuse(f"pools {list(view.shape)}", "expected (events, channels, ..)")
    if len(site.node.output) > 1 and any(site.node.output[1:]):
        raise site.refuse("gives out where the largest elements are", "use the first result alone")
    if kind.startswith("Global"):
        dims = list(range(2, view.rank))
        return _over(site, view, dims, "ReduceMean" if kind == "GlobalAveragePool" else "ReduceMax")
    windows = windows_of(site, view, given, tuple(given["kernel_shape"]))
    index = windows.index(view.index)
    shape = (*view.index.shape[:2], *windows.sizes)
    if kind == "MaxPool":
        index = _without_padding(index)
    rows = view.at(index.reshape(1, view.index.shape[1], prod(windows.sizes), -1))
    names = ["" if s == 1 else AXES[d] for d, s in enumerate(rows.index.shape)]
    rows = arranged(site.at("windows"), rows, names) if (index < 0).any() else rows
    if kind == "MaxPool":
        found = largest(site, rows, [3])
        return found.at(found.index.reshape(shape))
    whole = total(site.at("sum"), rows, [3])
    whole = whole.at(whole.index.reshape(shape))
    return scaled(site, whole, 1.0 / _counts(windows, index, given).reshape(1, 1, *windows.sizes))


def _without_padding(index: np.ndarray) -> np.ndarray:
    """Return windows with an element of their own in place of each padded one."""
    found = index.max(axis=-1, keepdims=True)
    return np.where(index < 0, found, index)


def _counts(windows: Windows, index: np.ndarray, given: Given) -> np.ndarray:
    """Return by how many elements the sum of each window is divided."""
    if given.get("count_include_pad"):
        return windows.inside()
    return (index[0, 0] >= 0).sum(axis=-1).reshape(-1).astype(np.float64)


WINDOWS = ("auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "strides")
RULES: dict[str, Entry] = {
    "MatMul": Entry(
        matmul, "`Dense`, `ChannelMix`, or `PairSum`", "a constant matrix on either side, or two values"
    ),
    "Gemm": Entry(
        gemm, "`Dense`", "a constant matrix on the right; not transA", ("alpha", "beta", "transA", "transB")
    ),
    **dict.fromkeys(
        ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"),
        Entry(
            reduced,
            "`ParticleSum` or `ParticleMax`, with `ChannelMix`, `Table` or `CgProduct`",
            "not over the events",
            ("axes", "keepdims", "noop_with_empty_axes"),
        ),
    ),
    "Conv": Entry(
        convolution,
        "`Arrange` and `ChannelMix`",
        "constant weights",
        ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"),
    ),
    "AveragePool": Entry(pooled, "`ParticleSum` and `ChannelMix`", "", (*WINDOWS, "count_include_pad")),
    "MaxPool": Entry(pooled, "`ParticleMax`", "one result", WINDOWS),
    "GlobalAveragePool": Entry(pooled, "`ParticleSum` and `ChannelMix`"),
    "GlobalMaxPool": Entry(pooled, "`ParticleMax`"),
}
