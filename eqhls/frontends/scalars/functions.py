"""Activations of Keras layers: exact where comparisons say them, tables otherwise. What HGQ2 computes in
formats of its own is read as rounding, or as a table of results in one of these formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from hgq.config import QuantizerConfig

from eqhls.fixed import Rounding
from eqhls.frontends.layers.quantizers import WRAPPING, element_formats
from eqhls.frontends.scalars.build import arithmetic, functions
from eqhls.frontends.scalars.build.softmax import log_softmax, softmax
from eqhls.frontends.scalars.build.tensors import moved, opened
from eqhls.frontends.scalars.rounding import quantized
from eqhls.frontends.scalars.site import Site, Value
from eqhls.ops.relu import Relu
from eqhls.ops.table import Activation, Table

TRUNCATING = (Rounding.TRN, Rounding.TRN_ZERO)
CURVES = {keras.activations.sigmoid: Activation.SIGMOID, keras.activations.tanh: Activation.TANH}


def rectified(site: Site, x: Value) -> Value:
    """max(x, 0), exact whatever the format of x."""
    return Value(site.add(Relu(), x.name), x.shape, x.axes)


def gated(site: Site, x: Value, axis: int = -1) -> Value:
    """GLU: one half of an axis times the sigmoid of the other. Raises CompileError for an axis that has no
    halves."""
    x = opened(site, x)
    place = axis + len(x.shape) if axis < 0 else axis - 1
    if x.shape[place] % 2:
        raise site.refuse(f"halves {x.shape[place]} values (glu)", "give it an even number")
    order = np.arange(int(np.prod(x.shape))).reshape(x.shape)
    a, b = (moved(site, x, part) for part in np.split(order, 2, axis=place))
    return arithmetic.multiplied(site, a, functions.tabled(site, b, Activation.SIGMOID))


def sparse_plus(site: Site, x: Value) -> Value:
    """0 below -1, x above 1, and (x + 1)^2 / 4 between: exact."""
    bent = arithmetic.squared(site, functions.clipped(site, arithmetic.affine(site, x, 0.5, 0.5), 0.0, 1.0))
    return arithmetic.added(site, bent, arithmetic.rectified(site, arithmetic.added(site, x, -1.0)))


def squareplus(site: Site, x: Value, b: float = 4.0) -> Value:
    """(x + sqrt(x^2 + b)) / 2."""
    root = functions.tabled(site, arithmetic.squared(site, x), Activation.ROOT, 1.0, float(b))
    return arithmetic.scaled(site, arithmetic.added(site, x, root), 0.5)


FUNCTIONS: dict[Any, Callable[[Site, Value], Value]] = {
    **{getattr(keras.activations, name): made for name, made in functions.NAMED.items() if name != "relu"},
    keras.activations.softmax: lambda site, x: softmax(site, x, (len(x.shape) - 1,)),
    keras.activations.log_softmax: lambda site, x: log_softmax(site, x, (len(x.shape) - 1,)),
    keras.activations.glu: gated,
    keras.activations.sparse_plus: sparse_plus,
    keras.activations.squareplus: squareplus,
}
"""What Keras's activations compute with their default arguments, but for relu, which rounds nothing."""


def activated(site: Site, layer: Any, x: Value) -> Value:
    """Apply the activation of a layer. Raises CompileError for one that no op computes, and for HGQ2 layers
    whose results would have no format."""
    act = getattr(layer, "activation", None)
    if act is None or act is keras.activations.linear:
        return x
    if act is keras.activations.relu:
        return rectified(site.at("relu"), x)
    if isinstance(act, QuantizerConfig):
        raise site.refuse(
            f"has the activation {act}, which HGQ2 cannot evaluate", "put it behind the layer: Quantizer(...)"
        )
    name = getattr(act, "__name__", act)
    if type(layer).__module__.startswith("hgq."):
        raise site.refuse(
            f"has the activation {name}, whose results have no format",
            "use relu, quantized_relu, or QUnaryFunctionLUT, which has one; end the network in the logit",
        )
    made = FUNCTIONS.get(act)
    if made is None:
        known = ", ".join(sorted(f.__name__ for f in FUNCTIONS))
        raise site.refuse(
            f"has the activation {name}, which no op computes", f"use relu, {known}, or a layer of its own"
        )
    return made(site.at(str(name)), x)


def finished(site: Site, layer: Any, x: Value) -> Value:
    return quantized(site, activated(site, layer, x), layer, "oq")


def activation(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return activated(site, layer, inputs[0])


def relu(site: Site, layer: Any, inputs: list[Value]) -> Value:
    most, slope, threshold = layer.max_value, float(layer.negative_slope), float(layer.threshold)
    if most is None and not slope and not threshold:
        return rectified(site, inputs[0])
    return functions.bounded_relu(site, inputs[0], None if most is None else float(most), slope, threshold)


def leaky_relu(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return functions.leaky(site, inputs[0], float(layer.negative_slope))


def prelu(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return functions.leaky(site, inputs[0], np.asarray(keras.ops.convert_to_numpy(layer.alpha)))


def elu(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return functions.exponential_linear(site, inputs[0], float(layer.alpha))


def softened(site: Site, layer: Any, inputs: list[Value]) -> Value:
    axes = layer.axis if isinstance(layer.axis, list | tuple) else (layer.axis,)
    rank = len(inputs[0].shape)
    return softmax(site, inputs[0], tuple(a + rank if a < 0 else a - 1 for a in axes))


def lut(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """A function between two quantizers; sigmoid and tanh as a table of its results."""
    x = quantized(site, inputs[0], layer, "iq")
    if layer.activation not in CURVES:
        return finished(site, layer, x)
    forms = element_formats(layer.oq, x.shape) if layer.enable_oq else None
    found = set() if forms is None else set(forms.ravel())
    if len(found) != 1 or None in found or any(f.overflow in WRAPPING for f in found):
        raise site.refuse(
            "is a table whose results have several formats, none, or wrap",
            "give oq_conf one saturating format: heterogeneous_axis=(), overflow_mode='SAT'",
        )
    if any(f.rounding in TRUNCATING for f in found):
        raise site.refuse(
            f"truncates its results ({found.pop()}), which a table rounds", "give oq_conf round_mode='RND'"
        )
    if layer.activation is keras.activations.sigmoid and max(f.frac for f in found) < 1:
        raise site.refuse("rounds sigmoid(0) = 1/2, a tie, to integers", "give a fraction bit or more")
    table = Table(activation=CURVES[layer.activation], out=found.pop())
    return Value(site.add(table, x.name), x.shape, x.axes)
