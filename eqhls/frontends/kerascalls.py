"""What Keras may do with a tensor that no graph does: other numbers, casts, masks, calls in training."""

from __future__ import annotations

from typing import Any

import keras

from eqhls.errors import CompileError

FLOATS = ("float32", "float64")
"""What Keras may compute in: its rounding lies far below that of any format of the hardware."""


def check_arithmetic(where: str, layer: Any) -> None:
    """Raise CompileError for a layer that Keras computes in numbers other than plain floats."""
    mode = getattr(layer.dtype_policy, "quantization_mode", None)
    if mode:
        raise CompileError(
            where,
            f"is quantized by Keras (mode {mode}), which scales the numbers of every event anew",
            "save the model before quantize(); eqhls finds formats of its own",
        )
    for part in layer._flatten_layers():
        if part.compute_dtype not in FLOATS:
            inner = "" if part is layer else f"has the part {part.name}, which "
            raise CompileError(
                where,
                f"{inner}computes in {part.compute_dtype} ({part.dtype_policy.name}), "
                "whose rounding is not supported",
                "set dtype_policy = 'float32' in every layer, and save the model again",
            )


def check_input(where: str, source: Any) -> None:
    """Raise CompileError for an input whose events Keras casts, or may leave out."""
    tensor = source.output
    if tensor.dtype not in FLOATS:
        raise CompileError(where, f"casts events to {tensor.dtype}", "expected an input of float32")
    if tensor.sparse or getattr(tensor, "ragged", False) or getattr(source, "optional", False):
        raise CompileError(where, "is sparse, ragged or optional", "expected a dense input")


def check_call(where: str, arguments: Any, plain: bool = False) -> None:
    """Raise CompileError for a call with a mask, in training mode, or, unless it is `plain`, with anything
    but tensors."""
    for name, value in arguments.kwargs.items():
        given = [v for v in keras.tree.flatten(value) if v is not None and v is not False]
        if name.endswith("mask") and given:
            raise CompileError(where, "is called with a mask", "multiply by flags (MaskLayer) instead")
        if name == "training" and value:
            raise CompileError(
                where, f"is called with training={value}", "leave it out: hardware only does inference"
            )
    if plain:
        return
    for value in keras.tree.flatten((arguments.args, arguments.kwargs)):
        if not (isinstance(value, keras.KerasTensor) or value is None or value is False):
            raise CompileError(
                where, f"is called with {type(value).__name__} {value!r:.60}", "expected tensors of the model"
            )
