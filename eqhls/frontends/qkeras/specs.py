"""Quantizers as QKeras writes them down: a dictionary, or a call in a string."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eqhls.errors import CompileError

_NOISE: dict[str, Any] = {"qnoise_factor": 1.0, "var_name": None, "use_ste": True, "use_variables": False}
_BITS: dict[str, Any] = {"bits": 8, "integer": 0, "symmetric": 0}
_PO2: dict[str, Any] = {
    "use_stochastic_rounding": False,
    "quadratic_approximation": False,
    "log2_rounding": "rnd",
}
_SCALED: dict[str, Any] = {"alpha": None, "use_stochastic_rounding": False, "scale_axis": None}
_RANDOM: dict[str, Any] = {"use_real_sigmoid": True}
SIGNATURES: dict[str, dict[str, Any]] = {
    "quantized_bits": _BITS | {"keep_negative": True} | _SCALED | _NOISE,
    "quantized_relu": {
        "bits": 8,
        "integer": 0,
        "use_sigmoid": 0,
        "negative_slope": 0.0,
        "use_stochastic_rounding": False,
        "relu_upper_bound": None,
        "is_quantized_clip": True,
    }
    | _NOISE,
    "quantized_tanh": {
        "bits": 8,
        "use_stochastic_rounding": False,
        "symmetric": False,
        "use_real_tanh": False,
    },
    "quantized_sigmoid": {
        "bits": 8,
        "symmetric": False,
        "use_real_sigmoid": False,
        "use_stochastic_rounding": False,
    },
    "quantized_po2": {"bits": 8, "max_value": None} | _PO2 | _NOISE,
    "quantized_relu_po2": {"bits": 8, "max_value": None, "negative_slope": 0} | _PO2 | _NOISE,
    "binary": {"use_01": False, "alpha": None, "use_stochastic_rounding": False},
    "ternary": {"alpha": None, "threshold": None, "use_stochastic_rounding": False, "number_of_unrolls": 5},
    "stochastic_binary": {"alpha": None, "temperature": 6.0} | _RANDOM,
    "stochastic_ternary": {"alpha": None, "threshold": None, "temperature": 8.0}
    | _RANDOM
    | {"number_of_unrolls": 5},
    "bernoulli": {"alpha": None, "temperature": 6.0} | _RANDOM,
    "quantized_ulaw": _BITS | {"u": 255.0},
    "quantized_hswish": _BITS | _SCALED | _NOISE | {"relu_shift": 3, "relu_upper_bound": 6},
}
"""The arguments of QKeras's quantizers in their order, with their defaults (QKeras 0.9)."""
FUNCTIONS = ("hard_sigmoid", "smooth_sigmoid", "binary_sigmoid", "hard_tanh", "smooth_tanh", "binary_tanh")
"""Functions of QKeras that may stand where a quantizer does."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A quantizer or a plain function by name, with every argument. Plain functions have none."""

    kind: str
    given: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self.given:
            raise AttributeError(name)
        return self.given[name]

    @property
    def quantizes(self) -> bool:
        return self.kind in SIGNATURES

    def __str__(self) -> str:
        default = SIGNATURES.get(self.kind, {})
        changed = (f"{k}={v!r}" for k, v in self.given.items() if v != default.get(k))
        return f"{self.kind}({', '.join(changed)})" if self.quantizes else self.kind


def spec_of(value: Any) -> Spec | None:
    """Return the quantizer or function that a configuration names, or None for none.

    Raises CompileError for quantizers and arguments that QKeras 0.9 does not have.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _from_text(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("class_name"), str):
        raise CompileError("quantizer", f"found {value!r:.80}", "expected a name and a configuration")
    kind = value["class_name"]
    if kind == "function":
        return Spec(str(value["config"]), {})
    given = value.get("config") or {}
    return Spec(kind, {}) if kind not in SIGNATURES and not given else _checked(kind, given)


def trained(spec: Spec | None) -> Spec | None:
    """Return the quantizer of a kernel: QKeras gives those without a scale one by channel, a power of two."""
    scaled = spec is not None and "alpha" in spec.given and spec.given["alpha"] is None
    if spec is None or not scaled:
        return spec
    symmetric = {"symmetric": True} if "symmetric" in spec.given else {}
    return Spec(spec.kind, {**spec.given, "alpha": "auto_po2", **symmetric})


def _from_text(text: str) -> Spec:
    name, bracket, _ = text.partition("(")
    if not bracket:
        return Spec(name, SIGNATURES.get(name, {}))
    try:
        call: Any = ast.parse(text, mode="eval").body
        values = [ast.literal_eval(a) for a in call.args]
        named = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
        names = list(SIGNATURES[name])[: len(values)]
        return _checked(name, dict(zip(names, values, strict=True)) | named)
    except (ValueError, SyntaxError, KeyError, AttributeError):
        raise CompileError(
            "quantizer", f"found {text!r}", f"expected a call of one of {', '.join(SIGNATURES)}"
        ) from None


def _checked(kind: str, given: Mapping[str, Any]) -> Spec:
    if kind not in SIGNATURES:
        raise CompileError("quantizer", f"found {kind}", f"expected one of {', '.join(SIGNATURES)}")
    wrong = [k for k in given if k not in SIGNATURES[kind]]
    if wrong:
        raise CompileError(
            "quantizer", f"found {kind} with {wrong[0]!r}", f"expected {', '.join(SIGNATURES[kind])}"
        )
    full = SIGNATURES[kind] | dict(given)
    if full.get("qnoise_factor", 1.0) != 1.0:
        raise CompileError(
            "quantizer",
            f"found {kind} with qnoise_factor={full['qnoise_factor']}, a mixture of two numbers",
            "save the model with qnoise_factor=1.0",
        )
    if isinstance(full.get("alpha"), list):
        full["alpha"] = tuple(full["alpha"])
    return Spec(kind, full)
