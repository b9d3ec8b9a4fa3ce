"""Quantizers of trained weights: HGQ2's, whose widths are trained, or one given format."""

from __future__ import annotations

from typing import Any

import keras
from hgq.quantizer import Quantizer, QuantizerConfig

from eqhls.frontends.layers.base import fake_quantize, register_object
from eqhls.frontends.layers.quantizers import as_format

TRAINED_WIDTHS = "hgq"


@register_object
class WeightQuantizer(keras.layers.Layer):
    """Rounds weights, straight through.

    `kind` is empty (float), a format such as fix<8,2> or quantized_bits(6,1,alpha=1), or "hgq":
    HGQ2's weight quantizer (RND, SAT_SYM) with a trained width for each weight. One weight serves all
    components of its representation, so widths of their own cannot break equivariance.
    """

    def __init__(self, kind: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.form = as_format(kind) if kind not in ("", TRAINED_WIDTHS) else None
        self.inner: Any = Quantizer(QuantizerConfig("kbi", "weight")) if kind == TRAINED_WIDTHS else None

    def build(self, input_shape: Any) -> None:
        if self.inner is not None:
            self.inner.build(input_shape)
        self.built = True

    def call(self, weight: Any) -> Any:
        if self.inner is not None:
            return self.inner(weight, training=False)
        return fake_quantize(weight, self.form) if self.form else weight

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"kind": self.kind}


def quantizer_of(layer: Any, part: str, shape: tuple[int, ...]) -> WeightQuantizer:
    """Return the quantizer of a part of a layer, of the layer's kind and float type, with its own weights
    made."""
    made = WeightQuantizer(layer.quantizer, name=f"{part}_quantizer", dtype=layer.dtype_policy)
    made.build(shape)
    return made
