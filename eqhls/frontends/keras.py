"""Keras 3 models read as graphs: eqhls layers one op each, and what plain, HGQ2 and QKeras layers and
`keras.ops` do with their scalars.

A graph computes what the model computes at inference. Whatever would make the two differ is refused by
name: arithmetic of Keras that no op computes, calls in training mode, masks, and inputs that are cast.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from eqhls.errors import CompileError
from eqhls.frontends.circuits import appended
from eqhls.frontends.fixedmodels import Tail, is_fixed, read_fixed, tail_of, trace_keras
from eqhls.frontends.kerascalls import check_arithmetic, check_call, check_input
from eqhls.frontends.kerasscope import Scope, inner_model, maker
from eqhls.frontends.layers import codes, geometry, pairs, scalar, structure, tables
from eqhls.frontends.layers.base import EqLayer
from eqhls.frontends.layers.structure import TypedInput
from eqhls.frontends.naming import identifier, name_outputs
from eqhls.frontends.scalars.build.tensors import settled
from eqhls.frontends.scalars.handlers import (
    CALLS,
    CURES,
    HANDLERS,
    check_scalars,
    cure_of,
    placed,
    read_layer,
)
from eqhls.frontends.scalars.operations import OPERATIONS, call, is_operation
from eqhls.frontends.scalars.site import Site, Value, plain_input
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op, Reading

OWN = sorted(
    name
    for module in (codes, geometry, pairs, scalar, structure, tables)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and issubclass(cls, EqLayer) and cls is not EqLayer and not name.startswith("_")
)
FOREIGN = sorted(cls.__name__ for cls in (*HANDLERS, *CALLS))
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, AssertionError, zipfile.BadZipFile)
"""What Keras and HGQ2 raise for files that are damaged or of another kind."""


def read_keras(source: Path | keras.Model) -> Graph:
    """Return the float graph of a functional or sequential model, with the formats of its quantizers.

    Ports and outputs come in the order of the model's, and each output has the name of its layer. Models
    within models and layers that are used twice are read as often as they are called. The
    formats of HGQ2's and QKeras's quantizers are those that were trained. Raises CompileError for damaged
    or foreign files, for layers, arguments and calls that are not exactly ops, and for NaN weights.
    """
    model = load(source) if isinstance(source, str | Path) else source
    whole = functional(str(source), model)
    own = any(isinstance(part, EqLayer) for part in whole._flatten_layers(include_self=False))
    if own or not is_fixed(whole):
        return _read_layers(whole)
    return read_by_layers(whole) if all(map(is_read_within, whole.operations)) else read_fixed(whole)


def read_by_layers(model: Any) -> Graph:
    """Return the graph of a model of fixed-point layers, each of which has a reader: layer by layer, or as
    one Circuit if an argument of a layer has no reader and the tracer follows it to the bit. Raises
    CompileError of the layer if it does not."""
    try:
        return _read_layers(model)
    except CompileError as error:
        try:
            return read_fixed(model)
        except CompileError:
            raise error from None


def _read_layers(model: Any) -> Graph:
    reading = _Reading(model)
    reading.run(reading.scope)
    return reading.graph()


def functional(where: str, model: Any) -> Any:
    """Return a model as the graph that it is. Raises CompileError for one that has none."""
    if isinstance(model, keras.Sequential) and not (model.built and model.inputs):
        raise CompileError(
            getattr(model, "name", where),
            "is a Sequential without an input: the shape of its events is not known",
            "begin it with keras.Input(shape), or call model.build((None, ...)), and save it again",
        )
    found = inner_model(model)
    if found is None:
        raise CompileError(
            where,
            f"holds a {type(model).__name__}, expected a functional or sequential Keras model",
            "write what its call() does with keras.Input and keras.Model, and load its weights into that",
        )
    return found


def load(path: Path) -> Any:
    """Load a .keras file in safe mode. Raises CompileError if it cannot be."""
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except CompileError:
        raise
    except UNREADABLE as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CompileError(str(path), f"cannot be loaded ({first[:200]})", _cure(str(error))) from None


def _cure(message: str) -> str:
    """Return what to do about a file that Keras does not load, by what Keras says."""
    if "Lambda" in message:
        return f"{CURES['Lambda']}; a Lambda is code, and code in a file is never run"
    return "the file is damaged, or holds layers that neither Keras, HGQ2 nor eqhls define"


@dataclass(slots=True)
class _Reading:
    """A model while it is read: what its tensors are so far, by their ids, and the inputs that are not ports
    yet."""

    model: Any
    builder: Builder = field(init=False)
    waiting: list[Any] = field(init=False)
    values: dict[int, Value] = field(init=False, default_factory=dict[int, Value])
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.builder = Builder(identifier(self.model.name))
        self.waiting = list(self.model.inputs)
        self.scope = Scope(self.model, "", self.values)

    def where(self, layer: Any) -> str:
        return f"{self.builder.name}: {layer.name}"

    def run(self, scope: Scope) -> None:
        """Append everything that a model, or a model within it, computes. What is not read is refused first:
        Keras puts operations of its own behind some layers, as masks."""
        tail = tail_of(scope.model, EqLayer, is_read_within) if scope is self.scope else None
        operations = [o for o in scope.model.operations if tail is None or o.name not in tail.operations]
        for operation in sorted(operations, key=lambda o: not cure_of(o)):
            if cure_of(operation) or not is_read(operation):
                raise unsupported(self.where(operation), operation)
        for operation in operations:
            if isinstance(operation, TypedInput):
                self.reach(operation, scope)
            elif not isinstance(operation, keras.layers.InputLayer):
                for node in scope.calls.get(operation.name, []):
                    self.compute(node, scope)
        if tail is not None:
            self.circuit(tail, scope)

    def circuit(self, tail: Tail, scope: Scope) -> None:
        """Append the end of a model as one netlist."""
        made = trace_keras(self.builder.name, tail.model)
        name = identifier(maker(tail.outputs[0]).name) if len(tail.outputs) == 1 else "circuit"
        site = Site(self.builder, self.builder.fresh(name))
        inputs = [settled(site.at(f"in{k}"), self.value(t, scope)) for k, t in enumerate(tail.inputs)]
        values = appended(self.builder, site.name, made, inputs)
        scope.values.update((id(t), v) for t, v in zip(tail.outputs, values, strict=True))

    def compute(self, node: Any, scope: Scope) -> None:
        """Append what one call of a layer computes at inference, unless that is done."""
        if id(node.output_tensors[0]) in scope.values:
            return
        layer = node.operation
        name = scope.named(self.builder, layer)
        check_call(self.where(layer), node.arguments, is_operation(layer) or type(layer) in CALLS)
        for tensor in node.input_tensors:
            self.value(tensor, scope)
        found = self.append(layer, name, node, scope)
        parts = found if isinstance(found, list) else [found]
        for tensor, value in zip(node.output_tensors, parts, strict=True):
            scope.values[id(tensor)] = value

    def append(self, layer: Any, name: str, node: Any, scope: Scope) -> Any:
        """Append a layer, an operation, or a model as a layer; return its values."""
        where = self.where(layer)
        inputs = [scope.values[id(t)] for t in node.input_tensors]
        if (inner := inner_model(layer)) is not None:
            return self.nested(inner, name, inputs)
        if is_operation(layer):
            site = Site(self.builder, name)
            check_scalars(site, layer, inputs)
            given = [scope.filled(a) for a in node.arguments.args]
            given += [scope.filled(a) for a in node.arguments.kwargs.values()]
            return placed(site, lambda: call(site, layer, given))
        check_arithmetic(where, layer)
        if type(layer) in CALLS:
            site = Site(self.builder, name)
            check_scalars(site, layer, inputs)
            given = scope.bound(node)
            return placed(site, lambda: CALLS[type(layer)](site, layer, given))
        if not isinstance(layer, EqLayer):
            return read_layer(self.builder, name, layer, inputs)
        try:
            op: Op = layer.op()
        except CompileError as error:
            raise error.at(where) from None
        read = (v.name for v in inputs) if op_takes_inputs(op) else ()
        return Value(self.builder.add(name, op, *read), layer.result_type().shape)

    def nested(self, model: Any, name: str, inputs: list[Value]) -> list[Value]:
        """Append a model that is called as a layer."""
        values = {id(t): v for t, v in zip(model.inputs, inputs, strict=True)}
        scope = Scope(model, f"{name}.", values)
        self.run(scope)
        return [values[id(t)] for t in model.outputs]

    def value(self, tensor: Any, scope: Scope) -> Value:
        """Return what a tensor is. An input becomes a port when it is first used, behind those that come
        before it in the model."""
        while id(tensor) not in scope.values:
            history = tensor._keras_history
            if isinstance(history.operation, keras.layers.InputLayer):
                self._append_port(self.waiting.pop(0))
            else:
                self.compute(history.operation._inbound_nodes[history.node_index], scope)
        return scope.values[id(tensor)]

    def reach(self, typed: TypedInput, scope: Scope) -> None:
        """Make the port that a TypedInput names."""
        for node in scope.calls[typed.name]:
            (tensor,) = node.input_tensors
            source = maker(tensor)
            if not isinstance(source, keras.layers.InputLayer) or scope is not self.scope:
                raise CompileError(
                    self.where(typed),
                    f"names the type of {source.name}, which is computed",
                    "TypedInput follows a keras.Input of the whole model",
                )
            self.value(tensor, scope)

    def _append_port(self, tensor: Any) -> None:
        """Append a port: the TypedInput of an input if it has one, else plain scalars."""
        source = maker(tensor)
        where, shape = self.where(source), tuple(source.output.shape[1:])
        check_input(where, source)
        typed = self._types_of(tensor)
        if len(typed) > 1:
            listed = ", ".join(n.operation.name for n in typed)
            raise CompileError(where, f"has {len(typed)} types ({listed})", "name one")
        if not typed:
            self.values[id(tensor)] = plain_input(self.builder, identifier(source.name), shape)
            return
        layer = typed[0].operation
        check_arithmetic(self.where(layer), layer)
        wanted = layer.kind.shape
        if len(shape) != len(wanted) or any(s not in (None, w) for s, w in zip(shape, wanted, strict=True)):
            raise CompileError(
                self.where(layer),
                f"is {layer.kind} of an input {(None, *shape)}",
                f"give keras.Input the shape {wanted}",
            )
        value = Value(self.builder.add(identifier(layer.name), layer.op()), wanted)
        self.values[id(tensor)] = self.values[id(typed[0].output_tensors[0])] = value

    def _types_of(self, tensor: Any) -> list[Any]:
        nodes = (n for nodes in self.scope.calls.values() for n in nodes)
        return [n for n in nodes if isinstance(n.operation, TypedInput) and n.input_tensors[0] is tensor]

    def graph(self) -> Graph:
        """Return the graph; inputs that nothing reads are ports, too."""
        while self.waiting:
            self._append_port(self.waiting.pop(0))
        return self.builder.graph(*self._outputs())

    def _outputs(self) -> list[str]:
        """Give each output the name of its layer."""
        outputs = self._named_outputs()
        wanted = {n: settled(Site(self.builder, n), self.values[id(t)]).name for n, t in outputs.items()}
        name_outputs(self.builder, wanted)
        return list(outputs)

    def _named_outputs(self) -> dict[str, Any]:
        """Return the tensors of the outputs by name: those of their layers, numbered if one has several."""
        found: dict[str, Any] = {}
        for tensor in self.model.outputs:
            name = identifier(maker(tensor).name)
            if name in found:
                name = next(n for k in range(1, len(self.model.outputs)) if (n := f"{name}_{k}") not in found)
            found[name] = tensor
        return found


def is_read(operation: Any) -> bool:
    """Whether there is a reader for a layer, an operation, or a model as a layer."""
    own = isinstance(operation, EqLayer | keras.layers.InputLayer) or type(operation) in {*HANDLERS, *CALLS}
    return own or is_operation(operation) or inner_model(operation) is not None


def is_read_within(operation: Any) -> bool:
    """Whether there is a reader for an operation and, if it is a model, for everything in it."""
    inner = inner_model(operation)
    return is_read(operation) and (inner is None or all(map(is_read_within, inner.operations)))


def op_takes_inputs(op: Op) -> bool:
    """Whether an op reads other values (a spurion does not)."""
    return op.reads is not Reading.NOTHING


def unsupported(where: str, layer: Any) -> CompileError:
    """Return the error for a layer that is not read."""
    named = f"is of type {type(layer).__name__}, which is not supported"
    if cure := cure_of(layer):
        return CompileError(where, named, cure)
    if type(layer).__module__.startswith("keras.src.ops."):
        return CompileError(where, f"{named[:-9]}read", f"of keras.ops use {', '.join(sorted(OPERATIONS))}")
    return CompileError(where, named, f"use {', '.join(OWN)}, and on scalars {', '.join(FOREIGN)}")
