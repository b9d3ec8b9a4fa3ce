"""Layers that only move elements: concatenation, other shapes, and the identity."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from eqhls.frontends.scalars.site import Site, Value, axis_of, position
from eqhls.ir.op import Tensor
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.rename import Rename


def concatenate(site: Site, layer: Any, inputs: list[Value]) -> Value:
    rank = len(inputs[0].shape)
    where = position(site, inputs[0], layer.axis)
    size = sum(v.shape[where] for v in inputs)
    shape = tuple(size if k == where else s for k, s in enumerate(inputs[0].shape))
    if rank == 1:
        parts = [flat(site.at(f"flat{k}"), v) for k, v in enumerate(inputs)]
        return Value(site.add(Concat("c"), *parts), shape)
    axes = {axis_of(site, v, where) for v in inputs}
    if len(axes) != 1:
        raise site.refuse(f"joins along axes {sorted(axes)}", "rename them alike (RenameLayer)")
    return Value(site.add(Concat(axes.pop()), *(v.name for v in inputs)), shape)


def flat(site: Site, x: Value) -> str:
    """Return the value with one axis c."""
    axes = site.type(x).axes
    if [a.name for a in axes] == ["c"]:
        return x.name
    if len(axes) == 1:
        return site.add(Rename(axes[0].name, "c"), x.name)
    return site.add(Dense(Tensor(np.eye(prod(x.shape)))), x.name)


def flatten(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """All axes as one. Keras moves channels that come first behind the others, which is a matrix of zeros
    and ones: wires."""
    x = inputs[0]
    order = np.arange(prod(x.shape)).reshape(x.shape)
    if layer.data_format == "channels_first" and len(x.shape) > 1:
        order = np.moveaxis(order, 0, -1)
    shape = (order.size,)
    if (np.diff(order.ravel()) == 1).all():
        return Value(x.name, shape)
    return Value(site.add(Dense(Tensor(np.eye(order.size)[order.ravel()])), x.name), shape)


def viewed(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """Another shape of the same elements: axes merged into one, or axes of size 1 dropped or added."""
    x = inputs[0]
    shape = tuple(layer.output.shape[1:])
    named = [a.size for a in site.type(x).axes if a.size > 1]
    if len(shape) > 1 and [s for s in shape if s > 1] != named:
        raise site.refuse(
            f"reshapes {site.type(x)} to {(None, *shape)}, which are not its axes", "Flatten it instead"
        )
    return Value(x.name, shape)


def same(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return inputs[0]
