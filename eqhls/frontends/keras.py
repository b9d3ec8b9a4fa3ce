"""Keras 3 models read as graphs: eqhls layers one op each, and what plain, HGQ2 and QKeras layers do
with their scalars.

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
from eqhls.frontends.layers import codes, geometry, pairs, scalar, structure
from eqhls.frontends.layers.base import EqLayer
from eqhls.frontends.layers.structure import TypedInput
from eqhls.frontends.scalars.handlers import HANDLERS, read_layer
from eqhls.frontends.scalars.site import Value, plain_input
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op, Reading
from eqhls.ops.add import Add

OWN = sorted(
    name
    for module in (codes, geometry, pairs, scalar, structure)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and issubclass(cls, EqLayer) and cls is not EqLayer and not name.startswith("_")
)
FOREIGN = sorted(cls.__name__ for cls in HANDLERS)
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, AssertionError, zipfile.BadZipFile)
"""What Keras and HGQ2 raise for files that are damaged or of another kind."""
FLOATS = ("float32", "float64")
"""What Keras may compute in: its rounding lies far below that of any format of the hardware."""


def read_keras(source: Path | keras.Model) -> Graph:
    """Return the float graph of a functional or sequential model, with the formats of its quantizers.

    Ports and outputs come in the order of the model's, and each output has the name of its layer. The
    formats of HGQ2's and QKeras's quantizers are those that were trained. Raises CompileError for damaged
    or foreign files, for layers, arguments and calls that are not exactly ops, and for NaN weights.
    """
    model = load(source) if isinstance(source, str | Path) else source
    if isinstance(model, keras.Sequential) and model.built and model.inputs:
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    if not isinstance(model, keras.models.Model) or not hasattr(model, "operations"):
        raise CompileError(
            str(source),
            f"holds a {type(model).__name__}, expected a functional Keras model",
            "build it from eqhls.frontends.layers",
        )
    reading = _Reading(model)
    for layer in model.operations:
        if isinstance(layer, TypedInput):
            reading.reach(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            reading.values[layer.name] = reading.append(layer)
    return reading.graph()


def load(path: Path) -> Any:
    """Load a .keras file in safe mode. Raises CompileError where it cannot be."""
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except CompileError:
        raise
    except UNREADABLE as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CompileError(
            str(path),
            f"cannot be loaded ({first[:200]})",
            "the file is damaged, or holds layers other than eqhls's",
        ) from None


@dataclass(slots=True)
class _Reading:
    """A model while it is read: what its operations made so far, by their names, and the inputs that are
    not ports yet."""

    model: Any
    builder: Builder = field(init=False)
    calls: dict[str, list[Any]] = field(init=False)
    waiting: list[Any] = field(init=False)
    values: dict[str, Value] = field(init=False, default_factory=dict[str, Value])

    def __post_init__(self) -> None:
        self.builder = Builder(_identifier(self.model.name))
        self.calls = {}
        for node in (n for nodes in self.model._nodes_by_depth.values() for n in nodes):
            self.calls.setdefault(node.operation.name, []).append(node)
        self.waiting = [_maker(t) for t in self.model.inputs]

    def where(self, layer: Any) -> str:
        return f"{self.builder.name}: {layer.name}"

    def append(self, layer: Any) -> Value:
        """Append what a layer computes at inference."""
        name, where = _identifier(layer.name), self.where(layer)
        if not isinstance(layer, EqLayer) and type(layer) not in HANDLERS:
            raise CompileError(
                where,
                f"is a {type(layer).__name__}, which is not supported",
                f"use {', '.join(OWN)}, and on scalars {', '.join(FOREIGN)}",
            )
        check_arithmetic(where, layer)
        inputs = [self.value(source) for source in self.sources(layer)]
        if not isinstance(layer, EqLayer):
            return read_layer(self.builder, name, layer, inputs)
        try:
            op: Op = layer.op()
        except CompileError as error:
            raise error.at(where) from None
        read = (v.name for v in inputs) if op_takes_inputs(op) else ()
        return Value(self.builder.add(name, op, *read), layer.result_type().shape)

    def sources(self, layer: Any) -> list[Any]:
        """Return the operations whose results a layer reads, in order. Raises CompileError for calls that
        are not inference on tensors of the model."""
        nodes = self.calls[layer.name]
        if len(nodes) != 1:
            raise CompileError(self.where(layer), f"is used {len(nodes)} times", "make a layer for each use")
        _check_call(self.where(layer), nodes[0].arguments)
        return [_maker(t) for t in nodes[0].input_tensors]

    def value(self, source: Any) -> Value:
        """Return what an operation made. An input becomes a port when it is first used, behind those that
        come before it in the model."""
        while source.name not in self.values:
            self._append_port(self.waiting.pop(0))
        return self.values[source.name]

    def reach(self, typed: TypedInput) -> None:
        """Make the port that a TypedInput names."""
        (source,) = self.sources(typed)
        if not isinstance(source, keras.layers.InputLayer):
            raise CompileError(
                self.where(typed),
                f"names the type of {source.name}, which is computed",
                "TypedInput follows a keras.Input",
            )
        self.value(source)

    def _append_port(self, source: Any) -> None:
        """Append a port: the TypedInput of an input where it has one, else plain scalars."""
        where, shape = self.where(source), tuple(source.output.shape[1:])
        check_input(where, source)
        typed = self._types_of(source)
        if len(typed) > 1:
            raise CompileError(
                where, f"has {len(typed)} types ({', '.join(t.name for t in typed)})", "name one"
            )
        if not typed:
            self.values[source.name] = plain_input(self.builder, _identifier(source.name), shape)
            return
        layer = typed[0]
        check_arithmetic(self.where(layer), layer)
        wanted = layer.kind.shape
        if len(shape) != len(wanted) or any(s not in (None, w) for s, w in zip(shape, wanted, strict=True)):
            raise CompileError(
                self.where(layer),
                f"is {layer.kind} of an input {(None, *shape)}",
                f"give keras.Input the shape {wanted}",
            )
        value = Value(self.builder.add(_identifier(layer.name), layer.op()), wanted)
        self.values[source.name] = self.values[layer.name] = value

    def _types_of(self, source: Any) -> list[Any]:
        typed = [n for nodes in self.calls.values() for n in nodes if isinstance(n.operation, TypedInput)]
        return [n.operation for n in typed if any(_maker(t) is source for t in n.input_tensors)]

    def graph(self) -> Graph:
        """Return the graph; inputs that nothing reads are ports, too."""
        while self.waiting:
            self._append_port(self.waiting.pop(0))
        return self.builder.graph(*self._outputs())

    def _outputs(self) -> list[str]:
        """Give each output the name of its layer. What has a name that must stay, a port or another output,
        gets a second one by a sum of itself alone."""
        makers = [_maker(t) for t in self.model.outputs]
        wanted = {_identifier(m.name): self.values[m.name].name for m in makers}
        names: dict[str, str] = {}
        for output, value in wanted.items():
            if value == output:
                continue
            if value in names or value in wanted or self.builder.find(value).op.source:
                value = self.builder.add(self.builder.fresh(f"{output}.again"), Add(), value)
            names[value] = output
        inner = [n for n in names.values() if self.builder.has(n) and n not in names]
        self.builder.rename(names | {n: self.builder.fresh(f"{n}.inner") for n in inner})
        return [_identifier(m.name) for m in makers]


def check_arithmetic(where: str, layer: Any) -> None:
    """Raise CompileError for a layer that Keras computes in numbers other than plain floats."""
    mode = getattr(layer.dtype_policy, "quantization_mode", None)
    if mode:
        raise CompileError(
            where,
            f"is quantized by Keras (mode {mode}), which scales numbers anew in every event",
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


def _check_call(where: str, arguments: Any) -> None:
    for name, value in arguments.kwargs.items():
        given = [v for v in keras.tree.flatten(value) if v is not None]
        if name.endswith("mask") and given:
            raise CompileError(where, "is called with a mask", "multiply by flags (MaskLayer) instead")
        if name == "training" and value:
            raise CompileError(where, f"is called with training={value}", "leave it out: hardware infers")
    for value in keras.tree.flatten((arguments.args, arguments.kwargs)):
        if not (isinstance(value, keras.KerasTensor) or value is None or value is False):
            raise CompileError(
                where, f"is called with {type(value).__name__} {value!r:.60}", "expected tensors of the model"
            )


def op_takes_inputs(op: Op) -> bool:
    """Whether an op reads other values (a spurion does not)."""
    return op.reads is not Reading.NOTHING


def _maker(tensor: Any) -> Any:
    """Return the operation that makes a symbolic tensor."""
    return tensor._keras_history.operation


def _identifier(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)
