"""Activations: as rounding where they are one, as tables where their results have a format."""

from __future__ import annotations

from typing import Any

import keras
from hgq.config import QuantizerConfig

from eqhls.fixed import Rounding
from eqhls.frontends.layers.quantizers import WRAPPING, element_formats
from eqhls.frontends.scalars.rounding import quantized
from eqhls.frontends.scalars.site import Site, Value
from eqhls.ops.relu import Relu
from eqhls.ops.table import Activation, Table

TRUNCATING = (Rounding.TRN, Rounding.TRN_ZERO)


def activated(site: Site, layer: Any, x: Value) -> Value:
    act = getattr(layer, "activation", None)
    if act is None or act is keras.activations.linear:
        return x
    if act is keras.activations.relu:
        return rectified(site.at("relu"), x)
    if isinstance(act, QuantizerConfig):
        raise site.refuse(
            f"has the activation {act}, which HGQ2 cannot evaluate", "put it behind the layer: Quantizer(...)"
        )
    raise site.refuse(
        f"has the activation {getattr(act, '__name__', act)}, whose results have no format",
        "use relu, quantized_relu, or QUnaryFunctionLUT, which has one; end the network in the logit",
    )


def finished(site: Site, layer: Any, x: Value) -> Value:
    return quantized(site, activated(site, layer, x), layer, "oq")


def rectified(site: Site, x: Value) -> Value:
    """max(x, 0), exact whatever the format of x."""
    return Value(site.add(Relu(), x.name), x.shape)


def relu(site: Site, layer: Any, inputs: list[Value]) -> Value:
    if layer.max_value is not None or float(layer.negative_slope) or float(layer.threshold):
        raise site.refuse("is a ReLU with a bound, slope or threshold", "use quantized_relu for a bound")
    return rectified(site, inputs[0])


def activation(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return activated(site, layer, inputs[0])


def lut(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """A function between two quantizers; sigmoid and tanh as a table of its results."""
    x = quantized(site, inputs[0], layer, "iq")
    curves = {keras.activations.sigmoid: Activation.SIGMOID, keras.activations.tanh: Activation.TANH}
    if layer.activation not in curves:
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
    table = Table(activation=curves[layer.activation], out=found.pop())
    return Value(site.add(table, x.name), x.shape)
