"""Dense layers, convolutions and trained scales as matrices."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from eqhls.frontends.scalars.build import arithmetic, contract, windows
from eqhls.frontends.scalars.build.tensors import transposed
from eqhls.frontends.scalars.functions import activated, finished
from eqhls.frontends.scalars.rounding import quantized
from eqhls.frontends.scalars.site import Site, Value, position


def numbers(layer: Any, part: str) -> Any:
    """Return weights as they multiply: behind their quantizer if there is one."""
    value = getattr(layer, f"q{part}", None)
    value = getattr(layer, part) if value is None else value
    return None if value is None else np.asarray(keras.ops.convert_to_numpy(value), dtype=np.float64)


def dense(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = quantized(site, inputs[0], layer, "iq")
    kernel, bias = (numbers(layer, part) for part in ("kernel", "bias"))
    return finished(site, layer, contract.dense(site, x, kernel, bias))


def einsum_dense(site: Site, layer: Any, inputs: list[Value]) -> Value:
    y = contract.einsum(
        site, own_equation(site, layer.equation, inputs[0]), inputs[0], numbers(layer, "kernel")
    )
    bias = numbers(layer, "bias")
    y = y if bias is None else arithmetic.affine(site, y, 1.0, bias)
    return activated(site, layer, y)


def own_equation(site: Site, equation: str, x: Value) -> str:
    """Return an equation of a matrix without the letter of the events, and with letters for an ellipsis."""
    inputs, out = equation.replace(" ", "").split("->")
    left, right = inputs.split(",")
    if "..." in left:
        spare = "".join(c for c in "zyxwvuts" if c not in equation)
        lost = spare[: len(x.shape) + 1 - len(left.replace("...", ""))]
        left, out = left.replace("...", lost), out.replace("...", lost)
    event = left[0]
    if len(left) != len(x.shape) + 1 or out[:1] != event or event in right:
        raise site.refuse(
            f"sums by {equation}, which does not keep the events", "let every operand begin with them"
        )
    return f"{left[1:]},{right}->{out[1:]}"


def scale_and_shift(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the factor and the offset of a batch normalization, one number per channel."""
    if hasattr(layer, "qscaler_and_qoffset"):
        scale, offset = (
            np.asarray(keras.ops.convert_to_numpy(v), dtype=np.float64) for v in layer.qscaler_and_qoffset
        )
        return scale, offset
    mean, variance = (numbers(layer, k) for k in ("moving_mean", "moving_variance"))
    scale = (numbers(layer, "gamma") if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    return scale, (numbers(layer, "beta") if layer.center else 0.0) - mean * scale


def batch_norm(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = quantized(site, inputs[0], layer, "iq")
    place = position(site, x, layer.axis)
    scale, offset = scale_and_shift(layer)
    if place == len(x.shape) - 1 and len(x.shape) == 1:
        return quantized(site, contract.dense(site, x, np.diag(scale), offset), layer, "oq")
    shape = [-1 if k == place else 1 for k in range(len(x.shape))]
    y = arithmetic.affine(site, x, scale.reshape(shape), offset.reshape(shape))
    return quantized(site, y, layer, "oq")


def channels_last(site: Site, layer: Any, x: Value) -> Value:
    """Return a value of a layer that works on windows with its channels last."""
    if layer.data_format == "channels_last":
        return x
    return transposed(site, x, (*range(1, len(x.shape)), 0))


def channels_back(site: Site, layer: Any, x: Value) -> Value:
    if layer.data_format == "channels_last":
        return x
    rank = len(x.shape)
    return transposed(site, x, (rank - 1, *range(rank - 1)))


def _window(layer: Any, x: Value) -> windows.Window:
    return windows.window(
        x.shape[:-1], layer.kernel_size, layer.strides, layer.dilation_rate, layer.padding.lower()
    )


def convolution(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = channels_last(site, layer, inputs[0])
    kernel, bias = numbers(layer, "kernel"), numbers(layer, "bias")
    y = windows.convolved(site, x, kernel, bias, _window(layer, x), layer.groups)
    return activated(site, layer, channels_back(site, layer, y))


def depthwise(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = channels_last(site, layer, inputs[0])
    kernel, bias = numbers(layer, "kernel"), numbers(layer, "bias")
    y = windows.convolved_apart(site, x, kernel, bias, _window(layer, x))
    return activated(site, layer, channels_back(site, layer, y))


def separable(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = channels_last(site, layer, inputs[0])
    apart = windows.convolved_apart(
        site.at("depth"), x, numbers(layer, "depthwise_kernel"), None, _window(layer, x)
    )
    point = numbers(layer, "pointwise_kernel")
    y = contract.dense(site, apart, point.reshape(point.shape[-2:]), numbers(layer, "bias"))
    return activated(site, layer, channels_back(site, layer, y))


def rescaled(site: Site, layer: Any, inputs: list[Value]) -> Value:
    factor, shift = (np.asarray(v, dtype=np.float64) for v in (layer.scale, layer.offset))
    if factor.ndim > 1 or shift.ndim > 1:
        raise site.refuse("rescales by a tensor", "give one number, or one for each channel")
    return arithmetic.affine(site, inputs[0], factor, shift)


def normalized(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """Normalization by statistics that the layer was given, or adapted to."""
    if layer.mean is None:
        raise site.refuse("has no statistics yet", "call adapt() on training data before saving")
    mean, variance = (
        np.asarray(keras.ops.convert_to_numpy(v), dtype=np.float64)[0] for v in (layer.mean, layer.variance)
    )
    spread = np.maximum(np.sqrt(variance), keras.config.epsilon())
    if layer.invert:
        return arithmetic.affine(site, inputs[0], spread, mean)
    return arithmetic.affine(site, inputs[0], 1.0 / spread, -mean / spread)
