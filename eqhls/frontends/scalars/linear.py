"""Dense layers and batch normalization as matrices along the last axis."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from eqhls.frontends.scalars.functions import finished
from eqhls.frontends.scalars.rounding import quantized
from eqhls.frontends.scalars.site import Site, Value, axis_of, position
from eqhls.ir.op import Tensor
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense


def dense(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = quantized(site, inputs[0], layer, "iq")
    kernel, bias = (numbers(layer, part) for part in ("kernel", "bias"))
    return finished(site, layer, mixed(site, x, kernel.T, bias, part="sum"))


def mixed(site: Site, x: Value, weight: np.ndarray, bias: np.ndarray | None, part: str) -> Value:
    """Multiply along the last axis: a Dense op where it is the only one."""
    offset = None if bias is None else Tensor(bias)
    shape = (*x.shape[:-1], len(weight))
    if len(x.shape) == 1:
        return Value(site.add(Dense(Tensor(weight), offset), x.name, part=part), shape)
    axis = axis_of(site, x, len(x.shape) - 1)
    return Value(site.add(ChannelMix(Tensor(weight), offset, axis=axis), x.name, part=part), shape)


def numbers(layer: Any, part: str) -> Any:
    """Return weights as they multiply: behind their quantizer where there is one."""
    value = getattr(layer, f"q{part}", None)
    value = getattr(layer, part) if value is None else value
    return None if value is None else np.asarray(keras.ops.convert_to_numpy(value), dtype=np.float64)


def batch_norm(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = quantized(site, inputs[0], layer, "iq")
    if position(site, x, layer.axis) != len(x.shape) - 1:
        raise site.refuse(f"normalizes axis {layer.axis}, expected the last one")
    if hasattr(layer, "qscaler_and_qoffset"):
        scale, offset = (
            np.asarray(keras.ops.convert_to_numpy(v), dtype=np.float64) for v in layer.qscaler_and_qoffset
        )
    else:
        mean, variance = (numbers(layer, k) for k in ("moving_mean", "moving_variance"))
        scale = (numbers(layer, "gamma") if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
        offset = (numbers(layer, "beta") if layer.center else 0.0) - mean * scale
    return quantized(site, mixed(site, x, np.diag(scale), offset, part="scaled"), layer, "oq")
