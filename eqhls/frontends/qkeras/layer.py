"""A layer of a file: its class, the arguments that it was made with, its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eqhls.errors import CompileError
from eqhls.frontends.qkeras.files import Weights
from eqhls.frontends.qkeras.numbers import quantized_weights
from eqhls.frontends.qkeras.specs import Spec, spec_of, trained
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

    def numbers(self, name: str, quantizer: str, kernel: bool = False) -> Floats:
        """Return weights that multiply, or are added, as they are used: behind their quantizer, if there is
        one. One without a scale that belongs to a `kernel` gets one for each channel, as QKeras gives it."""
        spec = self.spec(quantizer)
        return quantized_weights(trained(spec) if kernel else spec, self.stored(name))

    def statistics(self, name: str) -> Floats:
        """Return one of the numbers of batch normalization, behind its quantizer."""
        spec = self.spec(f"{name.removeprefix('moving_')}_quantizer")
        scaled = name in ("gamma", "moving_variance")
        return quantized_weights(trained(spec) if scaled else spec, self.stored(name), multipliers=False)

    def stored(self, name: str) -> Floats:
        """Return weights as they lie in the file. Raises CompileError if it has none of this name."""
        if name not in self.weights:
            found = ", ".join(self.weights) or "none"
            raise CompileError("weights", f"found {found}, expected {name}", "the file is damaged")
        return self.weights[name]

    def kernel(self) -> Floats:
        return self.numbers("kernel", "kernel_quantizer", kernel=True)

    def bias(self) -> Floats | None:
        return self.numbers("bias", "bias_quantizer") if self.config.get("use_bias", True) else None
