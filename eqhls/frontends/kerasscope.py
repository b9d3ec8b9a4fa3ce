"""One call of a model: its layers' calls, its tensors' values, the names of what it computes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import keras

from eqhls.errors import CompileError
from eqhls.frontends.naming import identifier
from eqhls.frontends.scalars.site import Value
from eqhls.ir.graph import Builder


@dataclass(slots=True)
class Scope:
    """A functional model as it is called: `prefix` is in front of the names of its layers, `values` holds its
    tensors by their ids, `calls` its calls by the name of the layer."""

    model: Any
    prefix: str
    values: dict[int, Value]
    calls: dict[str, list[Any]] = field(init=False)
    used: dict[str, list[str]] = field(init=False, default_factory=dict[str, list[str]])

    def __post_init__(self) -> None:
        self.calls = {}
        for _, nodes in sorted(self.model._nodes_by_depth.items(), reverse=True):
            for node in nodes:
                self.calls.setdefault(node.operation.name, []).append(node)

    def named(self, builder: Builder, layer: Any) -> str:
        """Return the name of what a call of a layer computes; a layer's second call gets a number. Raises
        CompileError for two layers whose names become one."""
        name = f"{self.prefix}{identifier(layer.name)}"
        calls = self.used.setdefault(name, [])
        calls.append(layer.name)
        if calls[0] != layer.name:
            found = f"found two values of this name, {calls[0]!r} and {layer.name!r}"
            raise CompileError(f"{builder.name}: %{name}", found, "rename one")
        return name if len(calls) == 1 else builder.fresh(f"{name}.call{len(calls)}")

    def filled(self, argument: Any) -> Any:
        """Return an argument of a call with values in place of its tensors."""
        if isinstance(argument, list | tuple) and any(isinstance(a, keras.KerasTensor) for a in argument):
            return [self.filled(a) for a in argument]
        return self.values[id(argument)] if isinstance(argument, keras.KerasTensor) else argument

    def bound(self, node: Any) -> dict[str, Any]:
        """Return the arguments of a call by name, with values in place of tensors."""
        given = inspect.signature(node.operation.call).bind(*node.arguments.args, **node.arguments.kwargs)
        return {name: self.filled(value) for name, value in given.arguments.items()}


def inner_model(layer: Any) -> Any:
    """Return the functional model that a model or a layer is, or None if it is not one."""
    if isinstance(layer, keras.Sequential):
        return keras.Model(layer.inputs, layer.outputs, name=layer.name) if layer.built else None
    return layer if isinstance(layer, keras.Model) and hasattr(layer, "operations") else None


def maker(tensor: Any) -> Any:
    """Return the operation that makes a symbolic tensor."""
    return tensor._keras_history.operation
