"""Sums: over axes, and of several values."""

from __future__ import annotations

from math import log2
from typing import Any

import keras
import numpy as np

from eqhls.frontends.scalars.rounding import each_quantized, quantized
from eqhls.frontends.scalars.site import Site, Value, axis_of, position
from eqhls.ir.op import Tensor
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.particle_sum import ParticleSum


def total(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = quantized(site, inputs[0], layer, "iq")
    if layer.keepdims:
        raise site.refuse("keeps the summed axis", "set keepdims=False")
    positions = tuple(position(site, x, a) for a in layer.axes)
    return quantized(site, pooled(site, x, positions, layer.scale), layer, "oq")


def average(site: Site, layer: Any, inputs: list[Value]) -> Value:
    if layer.keepdims:
        raise site.refuse("keeps the averaged axis", "set keepdims=False")
    steps = 1 if layer.data_format == "channels_first" else 0
    return pooled(site, inputs[0], (steps,), 1.0 / inputs[0].shape[steps])


def pooled(site: Site, x: Value, positions: tuple[int, ...], scale: float) -> Value:
    if not log2(scale).is_integer():
        raise site.refuse(f"divides by {1 / scale:g}, expected a power of two", "use QSum(scale=2**-k)")
    names = [axis_of(site, x, p) for p in positions]
    name = x.name
    if scale != 1.0:
        last = site.type(x).axes[-1]
        name = site.add(ChannelMix(Tensor(scale * np.eye(last.size)), axis=last.name), name, part="scaled")
    for axis in names:
        name = site.add(ParticleSum(axis), name, part=f"over_{axis}")
    return Value(name, tuple(s for k, s in enumerate(x.shape) if k not in positions))


def sums(site: Site, layer: Any, inputs: list[Value]) -> Value:
    values = each_quantized(site, inputs, layer)
    if len({site.type(v).axes for v in values}) != 1:
        raise site.refuse(
            f"adds {', '.join(str(site.type(v)) for v in values)}", "rename the axes alike (RenameLayer)"
        )
    shapes = {v.shape for v in values}
    if len(shapes) != 1:
        listed = " and ".join(str((None, *s)) for s in sorted(shapes))
        raise site.refuse(f"adds shapes {listed}, which Keras broadcasts", "Reshape them alike")
    minus = (1,) if isinstance(layer, keras.layers.Subtract) else ()
    name = site.add(Add(minus), *(v.name for v in values), part="sum")
    return quantized(site, Value(name, values[0].shape), layer, "oq")
