"""Layers of Keras 2 and of QKeras as ops, by the name of their class."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from eqhls.errors import CompileError
from eqhls.frontends.qkeras.activations import activated
from eqhls.frontends.qkeras.layer import Layer
from eqhls.frontends.qkeras.maps import along_last, mapped, named
from eqhls.frontends.qkeras.specs import Spec
from eqhls.frontends.qkeras.windows import AVERAGES, convolution, pooling
from eqhls.frontends.scalars.shapes import flat
from eqhls.frontends.scalars.site import Site, Value, axis_of, position
from eqhls.groups.rep import S
from eqhls.ops.add import Add
from eqhls.ops.concat import Concat

Handler = Callable[[Site, Layer, list[Value]], Value]


def dense(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    y = along_last(site.at("sum"), inputs[0], layer.kernel().T, layer.bias())
    return activated(site, y, layer.spec("activation"))


def batch_norm(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta along one axis."""
    (x,), config = inputs, layer.config
    axes = config["axis"] if isinstance(config["axis"], list) else [config["axis"]]
    if len(axes) != 1:
        raise site.refuse(f"normalizes the axes {axes}", "normalize one axis")
    scale = 1.0 / np.sqrt(
        layer.numbers("moving_variance", "variance_quantizer", multipliers=False) + config["epsilon"]
    )
    if config["scale"]:
        scale = scale * layer.numbers("gamma", "gamma_quantizer", kernel=True, multipliers=False)
    shift = -layer.numbers("moving_mean", "mean_quantizer", multipliers=False) * scale
    if config["center"]:
        shift = shift + layer.numbers("beta", "beta_quantizer", multipliers=False)
    place = position(site, x, axes[0])
    if place == len(x.shape) - 1:
        return along_last(site, x, np.diag(scale), shift)
    shape = [-1 if k == place else 1 for k in range(len(x.shape))]
    return mapped(site, x, lambda v: v * scale.reshape(shape), shift.reshape(shape))


def activation(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    return activated(site, inputs[0], layer.spec("activation"))


def relu(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    config = layer.config
    if config.get("max_value") is not None or config.get("negative_slope") or config.get("threshold"):
        raise site.refuse(
            "is a ReLU with a bound, slope or threshold", "use QActivation('quantized_relu(..)')"
        )
    return activated(site, inputs[0], Spec("relu", {}))


def same(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    return inputs[0]


def flatten(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    (x,) = inputs
    layer.channels_last(site)
    return Value(x.name, (prod(x.shape),))


def reshape(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    (x,), wanted = inputs, list(layer.config["target_shape"])
    if -1 in wanted:
        wanted[wanted.index(-1)] = prod(x.shape) // -prod(wanted)
    y = Value(x.name, tuple(wanted))
    return y if named(site, y) or len(wanted) == 1 else Value(flat(site, x), y.shape)


def permute(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    order = (0, *layer.config["dims"])
    return mapped(site, inputs[0], lambda v: np.transpose(v, order))


def alike(site: Site, inputs: list[Value]) -> list[Value]:
    """Return values with the shape that Keras broadcasts them to, and one kind of axes."""
    shape = np.broadcast_shapes(*(v.shape for v in inputs))
    if all(v.shape == shape for v in inputs) and len({site.type(v).axes for v in inputs}) == 1:
        return inputs
    found = list[Value]()
    for k, v in enumerate(inputs):
        wide = site.at(f"wide{k}")
        if v.shape == shape:
            found.append(Value(flat(wide, v), shape))
        else:
            found.append(mapped(wide, v, lambda e: np.broadcast_to(e, (len(e), *shape))))
    return found


def sums(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    values = alike(site, inputs)
    minus = (1,) if layer.kind == "Subtract" else ()
    y = Value(site.add(Add(minus), *(v.name for v in values), part="sum"), values[0].shape)
    if layer.kind != "Average":
        return y
    return along_last(site, y, np.eye(y.shape[-1]) / len(values), None)


def concatenate(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    where = position(site, inputs[0], layer.config["axis"])
    size = sum(v.shape[where] for v in inputs)
    shape = (*inputs[0].shape[:where], size, *inputs[0].shape[where + 1 :])
    if len(shape) > 1 and all(named(site, v) and v.shape[where] > 1 for v in inputs):
        axes = {axis_of(site, v, where) for v in inputs}
        if len(axes) == 1:
            return Value(site.add(Concat(axes.pop()), *(v.name for v in inputs)), shape)
    joined = site.add(Concat("c"), *(flat(site.at(f"flat{k}"), v) for k, v in enumerate(inputs)), part="join")
    sizes = [prod(v.shape) for v in inputs]
    parts = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    order = np.concatenate([p.reshape(v.shape) for p, v in zip(parts, inputs, strict=True)], axis=where)
    if (np.diff(order.ravel()) == 1).all():
        return Value(joined, shape)
    return mapped(site, Value(joined, (order.size,)), lambda v: v[:, order])


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("Dense", "QDense"), dense),
    **dict.fromkeys(("BatchNormalization", "BatchNormalizationV2", "QBatchNormalization"), batch_norm),
    **dict.fromkeys(("Activation", "QActivation"), activation),
    "ReLU": relu,
    **dict.fromkeys(
        ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "ActivityRegularization"), same
    ),
    "Flatten": flatten,
    "Reshape": reshape,
    "Permute": permute,
    **dict.fromkeys(("Add", "Subtract", "Average"), sums),
    "Concatenate": concatenate,
    **dict.fromkeys(
        ("Conv1D", "Conv2D", "QConv1D", "QConv2D", "DepthwiseConv2D", "QDepthwiseConv2D"), convolution
    ),
    **dict.fromkeys(
        (*AVERAGES, "MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"), pooling
    ),
}
"""What appends each layer at inference."""
FOLDED = ("QConv2DBatchnorm", "QDepthwiseConv2DBatchnorm")
CURES = {
    **dict.fromkeys(FOLDED, "unfold it: qkeras.bn_folding_utils.unfold_model(model), then save"),
    "QAdaptiveActivation": "put QActivation(quantized_bits(..)) with its integer bits in its place",
    "Softmax": "end in the logits, whose order is that of the probabilities",
}


def append_layer(site: Site, layer: Layer, inputs: list[Value]) -> Value:
    """Append what a layer computes at inference. Raises CompileError naming it if it cannot be read."""
    handler = HANDLERS.get(layer.kind)
    if handler is None:
        known = ", ".join(sorted({*HANDLERS}))
        raise site.refuse(f"is a {layer.kind}, which is not supported", CURES.get(layer.kind, f"use {known}"))
    if any(site.type(v).rep is not S for v in inputs):
        raise site.refuse(f"is a {layer.kind} on {site.type(inputs[0])}, expected scalars")
    try:
        return handler(site, layer, inputs)
    except CompileError as error:
        raise (
            error
            if error.where.startswith(site.builder.name)
            else error.at(f"{site.builder.name}: {site.name}")
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise site.refuse(f"is a {layer.kind} that cannot be read ({error})", "the file is damaged") from None
