"""Keras 3 models made of eqhls layers, read as graphs: one block a layer."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras

from eqhls.errors import CompileError
from eqhls.frontends.layers import geometry, pairs, scalar, structure
from eqhls.frontends.layers.base import EqLayer
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op

SUPPORTED = sorted(
    name
    for module in (geometry, pairs, scalar, structure)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and issubclass(cls, EqLayer) and cls is not EqLayer and not name.startswith("_")
)


def read_keras(source: Path | keras.Model) -> Graph:
    """Return the float graph of a functional model, with the formats of its quantizers.

    Raises CompileError for damaged or foreign files, layers that are not blocks, and NaN weights.
    """
    model = load(source) if isinstance(source, str | Path) else source
    if not isinstance(model, keras.models.Model) or not hasattr(model, "operations"):
        raise CompileError(
            str(source),
            f"holds a {type(model).__name__}, expected a functional Keras model",
            "build it from eqhls.frontends.layers",
        )
    builder = Builder(_identifier(model.name))
    names: dict[str, str] = {}
    for layer in model.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        _append(builder, names, layer)
    outputs = [names[t._keras_history.operation.name] for t in model.outputs]  # pyright: ignore
    return builder.graph(*outputs)


def load(path: Path) -> Any:
    """Load a .keras file in safe mode. Raises CompileError where it cannot be."""
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except CompileError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CompileError(
            str(path),
            f"cannot be loaded ({first[:200]})",
            "the file is damaged, or holds layers other than eqhls's",
        ) from None


def _append(builder: Builder, names: dict[str, str], layer: Any) -> None:
    if not isinstance(layer, EqLayer):
        raise CompileError(
            f"{builder.name}: {layer.name}",
            f"is a {type(layer).__name__}, which has no block",
            f"use {', '.join(SUPPORTED)}",
        )
    name = _identifier(layer.name)
    inputs = [
        names[t._keras_history.operation.name]  # pyright: ignore
        for t in layer._inbound_nodes[0].input_tensors  # pyright: ignore
        if t._keras_history.operation.name in names
    ]  # pyright: ignore
    try:
        op: Op = layer.op()
    except CompileError as error:
        raise error.at(f"{builder.name}: {layer.name}") from None
    if op.source or not op_takes_inputs(op):
        inputs = []
    builder.add(name, op, *inputs)
    names[layer.name] = name


def op_takes_inputs(op: Op) -> bool:
    """Whether a block reads other values (a spurion does not)."""
    return op.kind() not in ("input", "spurion")


def _identifier(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)
