"""Keras models of fixed-point layers alone, as one Circuit behind ports of their own formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Formats
from eqhls.frontends.circuits import Network, Traced, appended, axes_of, traced
from eqhls.frontends.kerascalls import check_arithmetic
from eqhls.frontends.kerasscope import maker
from eqhls.frontends.naming import identifier
from eqhls.frontends.replays import Reshaped, Taken
from eqhls.frontends.scalars.site import Value
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.input import Input

FIXED = ("hgq", "qkeras")
"""Packages whose layers compute in fixed point: HGQ2, and the QKeras API that comes with it."""


REPLAYED = (Reshaped, Taken)
"""What is traced by rules of ours."""


def is_fixed(model: Any) -> bool:
    """Whether all weights of a model belong to layers of HGQ2 or of the QKeras API, of which it has some."""
    layers = model._flatten_layers(include_self=False)
    roots = [part for part in layers if type(part).__module__.split(".")[0] in FIXED]
    inside = {id(w) for part in roots for w in part.weights}
    return bool(roots) and all(id(w) in inside for w in model.weights)


def check_scales(where: str, model: Any) -> None:
    """Raise CompileError for quantizers with a scale, which alkaid's plugin does not undo."""
    for part in model._flatten_layers(include_self=True):
        scale = getattr(part, "scaler", None)
        if scale is not None and float(scale) != 1.0:
            raise CompileError(
                f"{where}: {part.name}",
                f"has the scale {float(scale):g}, which cannot be traced",
                "give alpha=1 (scaler=None), and integer bits instead",
            )


def trace_keras(where: str, model: Any) -> Traced:
    """Trace a functional model, or the part of one, and check it against Keras. Raises CompileError as
    `traced` does."""
    check_scales(where, model)
    for layer in model.layers:
        check_arithmetic(f"{where}: {layer.name}", layer)
    inputs, outputs = (tuple(tuple(t.shape[1:]) for t in ts) for ts in (model.inputs, model.outputs))
    if any(None in s for s in (*inputs, *outputs)):
        raise CompileError(where, f"has inputs {list(inputs)}", "give every axis but the first a size")

    def compute(*arrays: Any) -> list[Any]:
        given = [np.asarray(a, dtype=np.float32) for a in arrays]
        found = model(given if len(given) > 1 else given[0], training=False)
        return [keras.ops.convert_to_numpy(v) for v in keras.tree.flatten(found)]

    return traced(where, Network(model, "keras", inputs, outputs, compute))


def read_fixed(model: Any) -> Graph:
    """Return the graph of a model of fixed-point layers alone: its ports have the formats in which its first
    quantizers read them. Raises CompileError for what cannot be traced."""
    builder = Builder(identifier(model.name))
    made = trace_keras(builder.name, model)
    inputs: list[Value] = []
    for number, tensor in enumerate(model.inputs):
        name, form = identifier(maker(tensor).name), made.port(number)
        type = Type(S, axes_of(made.inputs[number]), formats=Formats([form] if form else []))
        inputs.append(Value(builder.add(name, Input(type)), made.inputs[number]))
    names = [identifier(maker(t).name) for t in model.outputs]
    return finished(builder, made, inputs, names)


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a model, behind the last layer of eqhls: the names of its operations, the tensors that it
    reads and those that it makes, and the model that it is."""

    operations: frozenset[str]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    model: Any


def tail_of(model: Any, own: type, is_read: Callable[[Any], bool]) -> Tail | None:
    """Return the end of a model that is traced: what is behind all layers of the type `own`, if it is fixed
    point and holds an operation that is not read by itself."""
    names: set[str] = set()
    for operation in reversed(model.operations):
        nodes = [n for n in operation._outbound_nodes if n.operation in model.operations]
        inside = all(n.operation.name in names for n in nodes)
        if inside and not isinstance(operation, own | keras.layers.InputLayer):
            names.add(operation.name)
    behind = [o for o in model.operations if o.name in names]
    if all(map(is_read, behind)):
        return None
    nodes = [n for depth in model._nodes_by_depth.values() for n in depth if n.operation.name in names]
    read = {id(t): t for n in nodes for t in n.input_tensors if maker(t).name not in names}
    made = {id(t): t for t in model.outputs if maker(t).name in names}
    part = keras.Model(list(read.values()), list(made.values()), name=model.name)
    return Tail(frozenset(names), (*read.values(),), (*made.values(),), part) if is_fixed(part) else None


def finished(builder: Builder, made: Traced, inputs: Sequence[Value], names: Sequence[str]) -> Graph:
    """Return the graph of a netlist behind its ports; outputs get the names of their layers, or a number
    behind them if a port or another output has it."""
    whole = builder.fresh(names[0]) if len(names) == 1 else builder.fresh("circuit")
    values = appended(builder, whole, made, inputs)
    if len(names) == 1:
        return builder.graph(whole)
    outs = [builder.add(builder.fresh(n), Add(), v.name) for n, v in zip(names, values, strict=True)]
    return builder.graph(*outs)
