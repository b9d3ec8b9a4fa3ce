"""Convolutions and pooling of Keras 2 and of QKeras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eqhls.frontends.qkeras.activations import activated
from eqhls.frontends.qkeras.layer import Layer
from eqhls.frontends.qkeras.maps import Windows, averaged, convolved, depthwise, largest, mapped, named
from eqhls.frontends.qkeras.numbers import quantized_weights
from eqhls.frontends.scalars.site import Site, Value, axis_of
from eqhls.ir.op import Tensor
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.particle_sum import ParticleSum

AVERAGES = (
    "AveragePooling1D",
    "AveragePooling2D",
    "QAveragePooling2D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "QGlobalAveragePooling2D",
)


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * rank


def convolution(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    (x,), config = inputs, layer.config
    layer.channels_last(site)
    rank = len(x.shape) - 1
    if config.get("groups", 1) != 1:
        raise site.refuse(f"has {config['groups']} groups", "use one group, or QDepthwiseConv2D")
    alone = "Depthwise" in layer.kind
    kernel = (
        layer.numbers("depthwise_kernel", "depthwise_quantizer", kernel=True) if alone else layer.kernel()
    )
    windows = Windows(
        kernel.shape[:-2],
        _each(config["strides"], rank),
        config["padding"],
        _each(config.get("dilation_rate", 1), rank),
    )
    function = depthwise(windows, kernel) if alone else convolved(windows, kernel)
    return activated(site, mapped(site.at("sum"), x, function, layer.bias()), layer.spec("activation"))


def pooling(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """Averages and largest values, over windows or over all places."""
    (x,), config = inputs, layer.config
    layer.channels_last(site)
    every = layer.kind.removeprefix("Q").startswith("Global")
    rank = len(x.shape) - 1
    size = x.shape[:-1] if every else _each(config["pool_size"], rank)
    stride = size if every or config["strides"] is None else _each(config["strides"], rank)
    windows = Windows(size, stride, config.get("padding", "valid"), (1,) * rank)
    if layer.kind not in AVERAGES:
        y = largest(site, x, windows)
    else:
        factor = _factor(layer, int(np.prod(size)))
        if every and named(site, x) and min(x.shape) > 1:
            y = _mean(site, x, factor / float(np.prod(size)))
        else:
            y = mapped(site.at("mean"), x, lambda v: averaged(windows)(v) * factor)
    if every:
        y = Value(y.name, (*((1,) * rank if config.get("keepdims") else ()), x.shape[-1]))
    return activated(site, y, layer.spec("activation"))


def _factor(layer: Layer, area: int) -> float:
    """Return what QKeras multiplies a mean by: its rounded 1 / area in place of the true one."""
    spec = layer.spec("average_quantizer")
    return 1.0 if spec is None else area * float(quantized_weights(spec, np.array([1.0 / area]))[0])


def _mean(site: Site, x: Value, factor: float) -> Value:
    """Append the sum over all named axes but the last, of the value times a factor."""
    names = [axis_of(site, x, k) for k in range(len(x.shape))]
    mix = ChannelMix(Tensor(factor * np.eye(x.shape[-1])), axis=names[-1])
    name = site.add(mix, x.name, part="scaled")
    for axis in names[:-1]:
        name = site.add(ParticleSum(axis), name, part=f"over_{axis}")
    return Value(name, x.shape[-1:])
