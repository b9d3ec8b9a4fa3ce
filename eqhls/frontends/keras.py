"""Keras 3 models read as graphs: eqhls layers one block each, and what plain, HGQ2 and QKeras layers do
with their scalars."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras

from eqhls.errors import CompileError
from eqhls.frontends.layers import geometry, pairs, scalar, structure
from eqhls.frontends.layers.base import EqLayer
from eqhls.frontends.scalars.handlers import HANDLERS, read_layer
from eqhls.frontends.scalars.site import Value, plain_input
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op

OWN = sorted(
    name
    for module in (geometry, pairs, scalar, structure)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and issubclass(cls, EqLayer) and cls is not EqLayer and not name.startswith("_")
)
FOREIGN = sorted(cls.__name__ for cls in HANDLERS)
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, AssertionError, zipfile.BadZipFile)
"""What Keras and HGQ2 raise for files that are damaged or of another kind."""


def read_keras(source: Path | keras.Model) -> Graph:
    """Return the float graph of a functional model, with the formats of its quantizers.

    The formats of HGQ2's and QKeras's quantizers are those that were trained. Raises CompileError
    for damaged or foreign files, layers that have no exact blocks, and NaN weights.
    """
    model = load(source) if isinstance(source, str | Path) else source
    if not isinstance(model, keras.models.Model) or not hasattr(model, "operations"):
        raise CompileError(
            str(source),
            f"holds a {type(model).__name__}, expected a functional Keras model",
            "build it from eqhls.frontends.layers",
        )
    builder = Builder(_identifier(model.name))
    values: dict[str, Value] = {}
    for layer in model.operations:
        if not isinstance(layer, keras.layers.InputLayer):
            values[layer.name] = _append(builder, values, layer)
    outputs = [values[t._keras_history.operation.name].name for t in model.outputs]  # pyright: ignore
    return builder.graph(*outputs)


def load(path: Path) -> Any:
    """Load a .keras file in safe mode. Raises CompileError where it cannot be."""
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except CompileError:
        raise
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        AssertionError,
        zipfile.BadZipFile,
    ) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CompileError(
            str(path),
            f"cannot be loaded ({first[:200]})",
            "the file is damaged, or holds layers other than eqhls's",
        ) from None


def _append(builder: Builder, values: dict[str, Value], layer: Any) -> Value:
    name = _identifier(layer.name)
    if not isinstance(layer, EqLayer) and type(layer) not in HANDLERS:
        raise CompileError(
            f"{builder.name}: {layer.name}",
            f"is a {type(layer).__name__}, which has no block",
            f"use {', '.join(OWN)}, and on scalars {', '.join(FOREIGN)}",
        )
    if len(layer._inbound_nodes) != 1:
        raise CompileError(
            f"{builder.name}: {name}",
            f"is used {len(layer._inbound_nodes)} times",
            "make a layer for each use",
        )
    sources = [t._keras_history.operation for t in layer._inbound_nodes[0].input_tensors]
    if not isinstance(layer, EqLayer):
        inputs = [_value(builder, values, source) for source in sources]
        return read_layer(builder, name, layer, inputs)
    try:
        op: Op = layer.op()
    except CompileError as error:
        raise error.at(f"{builder.name}: {layer.name}") from None
    inputs = [values[s.name] for s in sources if s.name in values]
    if op.source or not op_takes_inputs(op):
        inputs = []
    return Value(builder.add(name, op, *(v.name for v in inputs)), layer.result_type().shape)


def _value(builder: Builder, values: dict[str, Value], source: Any) -> Value:
    """Return what an operation made; a plain input is read where it is first used."""
    if source.name not in values:
        values[source.name] = plain_input(builder, _identifier(source.name), tuple(source.output.shape[1:]))
    return values[source.name]


def op_takes_inputs(op: Op) -> bool:
    """Whether a block reads other values (a spurion does not)."""
    return op.kind() not in ("input", "spurion")


def _identifier(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)
