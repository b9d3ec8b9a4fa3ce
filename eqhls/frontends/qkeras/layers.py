"""Layers of Keras 2 and of QKeras as ops, by the name of their class."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import prod

import numpy as np

from eqhls.errors import CompileError
from eqhls.frontends.qkeras.activations import activated
from eqhls.frontends.qkeras.layer import Layer
from eqhls.frontends.qkeras.specs import Spec
from eqhls.frontends.qkeras.windows import convolution, global_pooling, pooling
from eqhls.frontends.scalars.build import arithmetic, contract, functions, tensors
from eqhls.frontends.scalars.build.softmax import softmax
from eqhls.frontends.scalars.site import Site, Value, position
from eqhls.groups.rep import S

Handler = Callable[[Site, Layer, list[Value]], Value]


def dense(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    y = contract.dense(site, inputs[0], layer.kernel(), layer.bias())
    return activated(site, y, layer.spec("activation"))


def batch_norm(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta along one axis."""
    (x,), config = inputs, layer.config
    axes = config["axis"] if isinstance(config["axis"], list) else [config["axis"]]
    if len(axes) != 1:
        raise site.refuse(f"normalizes the axes {axes}", "normalize one axis")
    scale = 1.0 / np.sqrt(layer.statistics("moving_variance") + config["epsilon"])
    if config["scale"]:
        scale = scale * layer.statistics("gamma")
    shift = -layer.statistics("moving_mean") * scale
    if config["center"]:
        shift = shift + layer.statistics("beta")
    if len(x.shape) == 1:
        return contract.dense(site, x, np.diag(scale), shift)
    place = position(site, x, axes[0])
    shape = [-1 if k == place else 1 for k in range(len(x.shape))]
    return arithmetic.affine(site, x, scale.reshape(shape), shift.reshape(shape))


def activation(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    return activated(site, inputs[0], layer.spec("activation"))


def relu(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    most, slope, threshold = (layer.config.get(k) for k in ("max_value", "negative_slope", "threshold"))
    if most is None and not slope and not threshold:
        return activated(site, inputs[0], Spec("relu", {}))
    return functions.bounded_relu(site, inputs[0], most, float(slope or 0.0), float(threshold or 0.0))


def leaky(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    return functions.leaky(site, inputs[0], float(layer.config["alpha"]))


def softened(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    axis = layer.config["axis"]
    axes = axis if isinstance(axis, list) else [axis]
    return softmax(site, inputs[0], tuple(position(site, inputs[0], a) for a in axes))


def same(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    return inputs[0]


def flatten(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    (x,), rank = inputs, len(inputs[0].shape)
    if layer.config.get("data_format") == "channels_first" and rank > 1:
        x = tensors.transposed(site, x, (*range(1, rank), 0))
    return tensors.reshaped(site, x, (prod(x.shape),))


def reshape(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    (x,), wanted = inputs, list(layer.config["target_shape"])
    if -1 in wanted:
        wanted[wanted.index(-1)] = prod(x.shape) // -prod(wanted)
    return tensors.reshaped(site, x, tuple(wanted))


def permute(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    return tensors.transposed(site, inputs[0], tuple(d - 1 for d in layer.config["dims"]))


def merged(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """Sums, products and extremes of several values, element by element."""
    match layer.kind:
        case "Subtract":
            return arithmetic.subtracted(site, *inputs)
        case "Multiply":
            return reduce(lambda a, b: arithmetic.multiplied(site, a, b), inputs)
        case "Maximum":
            return arithmetic.maximum(site, *inputs)
        case "Minimum":
            return arithmetic.minimum(site, *inputs)
        case _:
            total = arithmetic.added(site, *inputs)
            return total if layer.kind == "Add" else arithmetic.scaled(site, total, 1.0 / len(inputs))


def concatenate(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    return tensors.joined(site, inputs, position(site, inputs[0], layer.config["axis"]))


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("Dense", "QDense"), dense),
    **dict.fromkeys(("BatchNormalization", "QBatchNormalization"), batch_norm),
    **dict.fromkeys(("Activation", "QActivation"), activation),
    "ReLU": relu,
    "LeakyReLU": leaky,
    "Softmax": softened,
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise"), same),
    "Flatten": flatten,
    "Reshape": reshape,
    "Permute": permute,
    **dict.fromkeys(("Add", "Subtract", "Average", "Multiply", "Maximum", "Minimum"), merged),
    "Concatenate": concatenate,
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D"), convolution),
    **dict.fromkeys(("QConv1D", "QConv2D", "QDepthwiseConv2D"), convolution),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D", "QAveragePooling2D"), pooling),
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D"), pooling),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D"), global_pooling),
    **dict.fromkeys(("QGlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"), global_pooling),
}
"""What appends each layer at inference."""
UNFOLD = "unfold it: qkeras.bn_folding_utils.unfold_model(model), then save"
CURES = {
    "QConv2DBatchnorm": UNFOLD,
    "QDepthwiseConv2DBatchnorm": UNFOLD,
    "QAdaptiveActivation": "put QActivation(quantized_bits(..)) with its integer bits in its place",
}


def append_layer(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """Append what a layer computes at inference. Raises CompileError naming it if it cannot be read."""
    handler = HANDLERS.get(layer.kind)
    if handler is None:
        known = ", ".join(sorted({*HANDLERS}))
        raise site.refuse(
            f"is of type {layer.kind}, which is not supported", CURES.get(layer.kind, f"use {known}")
        )
    if any(site.type(v).rep is not S for v in inputs):
        raise site.refuse(f"is a {layer.kind} on {site.type(inputs[0])}, expected scalars")
    try:
        return handler(site, layer, inputs)
    except CompileError as error:
        outer = site.builder.name
        raise error if error.where.startswith(outer) else error.at(f"{outer}: {site.name}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise site.refuse(f"is a {layer.kind} that cannot be read ({error})", "the file is damaged") from None
