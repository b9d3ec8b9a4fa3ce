"""The layers of Keras, HGQ2 and the QKeras API that can be read on scalars, each with what reads it.

Invariants have no components, so any network may follow them. The layer's own quantizers become
Requantize. What is not exactly an op is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hgq.layers
import keras

from eqhls.errors import CompileError
from eqhls.frontends.scalars.functions import activation, lut, relu
from eqhls.frontends.scalars.linear import batch_norm, dense
from eqhls.frontends.scalars.rounding import quantizer
from eqhls.frontends.scalars.shapes import concatenate, flatten, same, viewed
from eqhls.frontends.scalars.site import Site, Value
from eqhls.frontends.scalars.sums import average, sums, total
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder

Handler = Callable[[Site, Any, list[Value]], Value]
HANDLERS: dict[type, Handler] = {
    keras.layers.Dense: dense,
    hgq.layers.QDense: dense,
    keras.layers.Activation: activation,
    keras.layers.ReLU: relu,
    hgq.layers.Quantizer: quantizer,
    hgq.layers.QUnaryFunctionLUT: lut,
    keras.layers.BatchNormalization: batch_norm,
    hgq.layers.QBatchNormalization: batch_norm,
    hgq.layers.QSum: total,
    hgq.layers.QMeanPow2: total,
    keras.layers.GlobalAveragePooling1D: average,
    keras.layers.Add: sums,
    keras.layers.Subtract: sums,
    hgq.layers.QAdd: sums,
    hgq.layers.QSubtract: sums,
    keras.layers.Concatenate: concatenate,
    keras.layers.Flatten: flatten,
    keras.layers.Reshape: viewed,
    keras.layers.Dropout: same,
}


def read_layer(builder: Builder, name: str, layer: Any, inputs: list[Value]) -> Value:
    """Append what a layer of `HANDLERS` computes at inference. Raises CompileError naming it where it
    cannot be exact."""
    site = Site(builder, name)
    for value in inputs:
        if site.type(value).rep is not S and not isinstance(layer, hgq.layers.Quantizer):
            raise site.refuse(
                f"is a {type(layer).__name__} on {site.type(value)}, expected scalars",
                "take invariants first (InvariantsLayer, GramLayer), or use the layer of eqhls",
            )
    try:
        return HANDLERS[type(layer)](site, layer, inputs)
    except CompileError as error:
        raise error if error.where.startswith(builder.name) else error.at(f"{builder.name}: {name}") from None
