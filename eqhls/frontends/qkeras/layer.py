"""A layer of a file: its class, the arguments that it was made with, its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eqhls.errors import CompileError
from eqhls.frontends.qkeras.files import Weights
from eqhls.frontends.qkeras.numbers import quantized_weights
from eqhls.frontends.qkeras.specs import Spec, spec_of, trained
from eqhls.frontends.scalars.site import Site
from eqhls.ir.op import Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its class, the arguments that it was made with, its weights by name."""

    kind: str
    config: Mapping[str, Any]
    weights: Weights

    def spec(self, name: str) -> Spec | None:
        """Return the quantizer or the function that an argument names."""
        return spec_of(self.config.get(name))

    def numbers(
        self, name: str, quantizer: str = "", kernel: bool = False, multipliers: bool = True
    ) -> Floats:
        """Return weights as they are used: behind their quantizer, if there is one. One without a scale that
        belongs to a `kernel` gets one for each channel, as QKeras gives it."""
        if name not in self.weights:
            raise CompileError(
                "weights",
                f"found {', '.join(self.weights) or 'none'}, expected {name}",
                "the file is damaged",
            )
        spec = self.spec(quantizer or f"{name}_quantizer")
        return quantized_weights(trained(spec) if kernel else spec, self.weights[name], multipliers)

    def kernel(self) -> Floats:
        return self.numbers("kernel", kernel=True)

    def bias(self) -> Floats | None:
        return self.numbers("bias") if self.config.get("use_bias", True) else None

    def channels_last(self, site: Site) -> None:
        """Raise CompileError unless the channels come last."""
        if self.config.get("data_format") == "channels_first":
            raise site.refuse("has its channels first", "train with data_format='channels_last'")
