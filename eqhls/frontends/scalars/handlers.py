"""The layers of Keras, HGQ2 and the QKeras API that can be read on scalars, each with what reads it.

Invariants have no components, so any network may follow them. A layer's own quantizers become Requantize,
its activation a table or exact arithmetic. What no op computes is refused by name, with what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hgq.layers
import keras

from eqhls.errors import CompileError
from eqhls.frontends.scalars import functions, linear, moves, norms, sums
from eqhls.frontends.scalars.rounding import quantizer
from eqhls.frontends.scalars.shapes import concatenate, same
from eqhls.frontends.scalars.site import Site, Value
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder

Handler = Callable[[Site, Any, list[Value]], Value]
L = keras.layers


def distributed(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """TimeDistributed: layers along the last axis do the same to every step already."""
    inner = layer.layer
    if type(inner) not in ALONG_LAST:
        listed = ", ".join(sorted(c.__name__ for c in ALONG_LAST))
        raise site.refuse(f"distributes a {type(inner).__name__}", f"distribute one of {listed}")
    axes = getattr(inner, "axis", -1)
    if any(
        a not in (-1, len(inputs[0].shape) - 1) for a in (axes if isinstance(axes, list | tuple) else [axes])
    ):
        raise site.refuse(f"distributes a layer along axis {inner.axis}", "use the last axis")
    return HANDLERS[type(inner)](site, _Shifted(inner) if hasattr(inner, "axis") else inner, inputs)


class _Shifted:
    """A layer that is distributed over steps, as one along the last axis of all of them."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self.axis = -1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)


HANDLERS: dict[type, Handler] = {
    L.Dense: linear.dense,
    hgq.layers.QDense: linear.dense,
    L.EinsumDense: linear.einsum_dense,
    **dict.fromkeys((L.Conv1D, L.Conv2D, L.Conv3D), linear.convolution),
    **dict.fromkeys((L.DepthwiseConv1D, L.DepthwiseConv2D), linear.depthwise),
    **dict.fromkeys((L.SeparableConv1D, L.SeparableConv2D), linear.separable),
    L.TimeDistributed: distributed,
    L.Activation: functions.activation,
    L.ReLU: functions.relu,
    L.LeakyReLU: functions.leaky_relu,
    L.PReLU: functions.prelu,
    L.ELU: functions.elu,
    L.Softmax: functions.softened,
    hgq.layers.Quantizer: quantizer,
    hgq.layers.QUnaryFunctionLUT: functions.lut,
    L.BatchNormalization: linear.batch_norm,
    hgq.layers.QBatchNormalization: linear.batch_norm,
    L.LayerNormalization: norms.layer_norm,
    L.RMSNormalization: norms.rms_norm,
    L.UnitNormalization: norms.unit_norm,
    L.Normalization: linear.normalized,
    L.Rescaling: linear.rescaled,
    hgq.layers.QSum: sums.total,
    hgq.layers.QMeanPow2: sums.total,
    **dict.fromkeys(
        (L.GlobalAveragePooling1D, L.GlobalAveragePooling2D, L.GlobalAveragePooling3D), sums.average
    ),
    **dict.fromkeys((L.GlobalMaxPooling1D, L.GlobalMaxPooling2D, L.GlobalMaxPooling3D), sums.most),
    **dict.fromkeys((L.MaxPooling1D, L.MaxPooling2D, L.MaxPooling3D), sums.pooled),
    **dict.fromkeys((L.AveragePooling1D, L.AveragePooling2D, L.AveragePooling3D), sums.pooled),
    L.Add: sums.sums,
    L.Subtract: sums.sums,
    hgq.layers.QAdd: sums.sums,
    hgq.layers.QSubtract: sums.sums,
    L.Average: sums.average_of,
    L.Multiply: sums.product_of,
    L.Maximum: sums.largest_of,
    L.Minimum: sums.smallest_of,
    L.Dot: sums.dot,
    L.Concatenate: concatenate,
    **dict.fromkeys((L.Flatten, L.Reshape, L.Permute, L.RepeatVector), moves.relocate),
    **dict.fromkeys((L.Cropping1D, L.Cropping2D, L.Cropping3D), moves.relocate),
    **dict.fromkeys((L.ZeroPadding1D, L.ZeroPadding2D, L.ZeroPadding3D), moves.relocate),
    **dict.fromkeys((L.UpSampling1D, L.UpSampling2D, L.UpSampling3D), moves.upsampled),
    **dict.fromkeys((L.Dropout, L.SpatialDropout1D, L.SpatialDropout2D, L.SpatialDropout3D), same),
    **dict.fromkeys((L.AlphaDropout, L.GaussianDropout, L.GaussianNoise), same),
    **dict.fromkeys((L.ActivityRegularization, L.Identity), same),
}
CALLS: dict[type, Callable[[Site, Any, dict[str, Any]], Value]] = {L.MultiHeadAttention: norms.attention}
"""Layers whose inputs have names."""
ALONG_LAST = (
    L.Dense, L.Activation, L.ReLU, L.LeakyReLU, L.ELU, L.Softmax, L.BatchNormalization, L.LayerNormalization,
    L.RMSNormalization, L.UnitNormalization, L.Rescaling, L.Dropout, L.Identity,
)  # fmt: skip
"""Layers that treat every row alike."""
FLAGS = "multiply by flags of 0 and 1 instead, an input of their own"
STEPS = "use Conv1D, attention or a Deep Set: a recurrence takes as long as the sequence in hardware"
CURES: dict[str, str] = {
    "Lambda": "write what it computes with keras.ops (keras.ops.sum, a * b, ..), which is read",
    "Masking": FLAGS,
    "Embedding": "give one-hot features to a Dense without a bias: hardware has no list of words",
    **dict.fromkeys(
        ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), STEPS
    ),
    "SpectralNormalization": "save the layer within it: at inference it is that layer alone",
    "GroupNormalization": "use LayerNormalization, or Reshape each group to an axis in front of it",
    **dict.fromkeys(("Attention", "AdditiveAttention", "GroupedQueryAttention"), "use MultiHeadAttention"),
    **{f"Conv{n}DTranspose": f"use UpSampling{n}D and Conv{n}D" for n in (1, 2, 3)},
    **{f"AdaptiveMaxPooling{n}D": f"use MaxPooling{n}D of a fixed size" for n in (1, 2, 3)},
    **{f"AdaptiveAveragePooling{n}D": f"use AveragePooling{n}D of a fixed size" for n in (1, 2, 3)},
    "Discretization": "cut outside the network, or use Activation('hard_sigmoid')",
}
"""What to do instead of layers that are not read."""


def cure_of(layer: Any) -> str:
    """Return what to do instead of a layer that is not read, or nothing if there is no particular cure."""
    return CURES.get(type(layer).__name__, "")


def read_layer(builder: Builder, name: str, layer: Any, inputs: list[Value]) -> Value:
    """Append what a layer of `HANDLERS` computes at inference. Raises CompileError naming it if it
    cannot be exact."""
    site = Site(builder, name)
    check_scalars(site, layer, inputs)
    return placed(site, lambda: HANDLERS[type(layer)](site, layer, inputs))


def check_scalars(site: Site, layer: Any, inputs: list[Value]) -> None:
    """Raise CompileError unless a layer of another framework reads scalars."""
    for value in inputs:
        if site.type(value).rep is not S and not isinstance(layer, hgq.layers.Quantizer):
            raise site.refuse(
                f"is a {type(layer).__name__} on {site.type(value)}, expected scalars",
                "take invariants first (InvariantsLayer, GramLayer), or use the layer of eqhls",
            )


def placed(site: Site, read: Callable[[], Any]) -> Any:
    """Return what `read` appends; errors say at which layer."""
    builder = site.builder
    try:
        return read()
    except CompileError as error:
        raise (
            error if error.where.startswith(builder.name) else error.at(f"{builder.name}: {site.name}")
        ) from None
