"""Sums, means and the largest: over axes, over windows, and of several values."""

from __future__ import annotations

from typing import Any

import keras

from eqhls.frontends.scalars.build import arithmetic, windows
from eqhls.frontends.scalars.build.contract import einsum
from eqhls.frontends.scalars.build.norm import unit_norm
from eqhls.frontends.scalars.build.tensors import reshaped
from eqhls.frontends.scalars.linear import channels_back, channels_last
from eqhls.frontends.scalars.rounding import each_quantized, quantized
from eqhls.frontends.scalars.site import Site, Value, position
from eqhls.ops.add import Add


def total(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """HGQ2's sums, whose scale is a power of two."""
    x = quantized(site, inputs[0], layer, "iq")
    places = tuple(position(site, x, a) for a in layer.axes)
    y = arithmetic.summed(site, arithmetic.scaled(site, x, layer.scale), places, layer.keepdims)
    return quantized(site, y, layer, "oq")


def _space(layer: Any, x: Value) -> tuple[int, ...]:
    rank = len(x.shape)
    return tuple(range(rank - 1)) if layer.data_format == "channels_last" else tuple(range(1, rank))


def average(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return arithmetic.averaged(site, inputs[0], _space(layer, inputs[0]), layer.keepdims)


def most(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return arithmetic.largest(site, inputs[0], _space(layer, inputs[0]), layer.keepdims)


def pooled(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = channels_last(site, layer, inputs[0])
    over = windows.window(x.shape[:-1], layer.pool_size, layer.strides, None, layer.padding.lower())
    pool = windows.max_pooled if layer.pool_mode == "max" else windows.average_pooled
    return channels_back(site, layer, pool(site, x, over))


def sums(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """Sums and differences, broadcast as NumPy does behind the events."""
    values = each_quantized(site, inputs, layer)
    minus = (1,) if isinstance(layer, keras.layers.Subtract) else ()
    alike = len({(site.type(v).axes, v.shape, v.axes) for v in values}) == 1
    if alike:
        name = site.add(Add(minus), *(v.name for v in values), part="sum")
        return quantized(site, Value(name, values[0].shape, values[0].axes), layer, "oq")
    return quantized(site, arithmetic.added(site, *values, minus=minus), layer, "oq")


def average_of(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return arithmetic.scaled(site, arithmetic.added(site, *inputs), 1.0 / len(inputs))


def product_of(site: Site, layer: Any, inputs: list[Value]) -> Value:
    y = inputs[0]
    for x in inputs[1:]:
        y = arithmetic.multiplied(site, y, x)
    return y


def largest_of(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return arithmetic.maximum(site, *inputs)


def smallest_of(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return arithmetic.minimum(site, *inputs)


def dot(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """The sum of products along one axis of each of two values."""
    axes = layer.axes if isinstance(layer.axes, list | tuple) else (layer.axes, layer.axes)
    places = [position(site, x, a) for x, a in zip(inputs, axes, strict=True)]
    if layer.normalize:
        inputs = [unit_norm(site, x, (p,)) for x, p in zip(inputs, places, strict=True)]
    left, right = "abcdefg"[: len(inputs[0].shape)], "mnopqrs"[: len(inputs[1].shape)]
    gone = left[places[0]]
    right = right[: places[1]] + gone + right[places[1] + 1 :]
    out = (left + right).replace(gone, "")
    y = einsum(site, f"{left},{right}->{out}", *inputs)
    return y if out else reshaped(site, y, (1,))
