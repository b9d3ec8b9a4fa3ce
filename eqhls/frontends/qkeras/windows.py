"""Convolutions and pooling of Keras 2 and of QKeras."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from eqhls.frontends.qkeras.activations import activated
from eqhls.frontends.qkeras.layer import Layer
from eqhls.frontends.qkeras.numbers import quantized_weights
from eqhls.frontends.scalars.build.arithmetic import affine, largest, summed
from eqhls.frontends.scalars.build.tensors import reshaped, transposed
from eqhls.frontends.scalars.build.windows import (
    Window,
    convolved,
    convolved_apart,
    max_pooled,
    window,
    windowed,
)
from eqhls.frontends.scalars.site import Site, Value


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * rank


def _window(layer: Layer, x: Value, size: Sequence[int]) -> Window:
    config, rank = layer.config, len(x.shape) - 1
    stride = size if config["strides"] is None else _each(config["strides"], rank)
    dilation = _each(config.get("dilation_rate", 1), rank)
    return window(x.shape[:-1], size, stride, dilation, config["padding"])


def _last(layer: Layer, site: Site, x: Value, back: bool = False) -> Value:
    """Return a value with its channels last, or `back` with them first if the layer has them there."""
    rank = len(x.shape)
    if layer.config.get("data_format") != "channels_first" or rank < 2:
        return x
    return transposed(site, x, (rank - 1, *range(rank - 1)) if back else (*range(1, rank), 0))


def convolution(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    x = _last(layer, site, inputs[0])
    if "Depthwise" in layer.kind:
        kernel = layer.numbers("depthwise_kernel", "depthwise_quantizer", kernel=True)
        y = convolved_apart(site, x, kernel, layer.bias(), _window(layer, x, kernel.shape[:-2]))
    else:
        kernel = layer.kernel()
        over, groups = _window(layer, x, kernel.shape[:-2]), layer.config.get("groups", 1)
        y = convolved(site, x, kernel, layer.bias(), over, groups)
    return activated(site, _last(layer, site, y, back=True), layer.spec("activation"))


def pooling(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """Means and largest values of windows."""
    x = _last(layer, site, inputs[0])
    over = _window(layer, x, _each(layer.config["pool_size"], len(x.shape) - 1))
    if "Average" not in layer.kind:
        return _last(layer, site, max_pooled(site, x, over), back=True)
    space = x.shape[:-1]
    total = summed(site, windowed(site, x, over), (len(space),))
    factor = _factor(layer, prod(over.size)) / (over.places(space) >= 0).sum(axis=-1)
    even = len(np.unique(factor)) == 1
    y = affine(site, total, factor.ravel()[0] if even else factor[..., None], None)
    return activated(site, _last(layer, site, y, back=True), layer.spec("activation"))


def global_pooling(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """Means and largest values of all places, by channel."""
    x = _last(layer, site, inputs[0])
    places, area = tuple(range(len(x.shape) - 1)), prod(x.shape[:-1])
    if "Average" in layer.kind:
        y = affine(site, summed(site, x, places), _factor(layer, area) / area, None)
    else:
        y = largest(site, x, places)
    if layer.config.get("keepdims"):
        y = _last(layer, site, reshaped(site, y, ((1,) * len(places)) + y.shape), back=True)
    return activated(site, y, layer.spec("activation"))


def _factor(layer: Layer, area: int) -> float:
    """Return what QKeras multiplies a mean by: its rounded 1 / area in place of the true one."""
    spec = layer.spec("average_quantizer")
    return 1.0 if spec is None else area * float(quantized_weights(spec, np.array([1.0 / area]))[0])
