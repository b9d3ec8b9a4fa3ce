"""Files of Keras 2 and of QKeras as graphs, without Keras: the configuration says what is called in which
order, and what each layer computes at inference is appended from its arguments and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.fixed import NO_FORMATS, Fixed, Formats
from eqhls.frontends.naming import identifier, name_outputs
from eqhls.frontends.qkeras.activations import rounded_to
from eqhls.frontends.qkeras.files import Names, Saved, open_saved
from eqhls.frontends.qkeras.layer import Layer
from eqhls.frontends.qkeras.layers import append_layer
from eqhls.frontends.qkeras.specs import spec_of
from eqhls.frontends.scalars.site import Site, Value, plain_input
from eqhls.ir.graph import Builder, Graph

Tensor = tuple[str, int]
"""What a layer made in one of its calls."""
MODELS = ("Sequential", "Functional", "Model")


def read_qkeras(path: Path) -> Graph:
    """Return the float graph of a file or folder that Keras 2 wrote, with the formats of its quantizers.

    Ports and outputs come in the order of the model's; each output has the name of its layer. A port whose
    values are all rounded alike by what reads it has the format that they are rounded to. Raises
    CompileError for damaged files, and for layers and quantizers that are not exactly ops.
    """
    saved = open_saved(path)
    try:
        return _Reading(saved).graph()
    except CompileError as error:
        raise error if error.where.startswith(saved.where) else error.at(saved.where) from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise CompileError(saved.where, f"cannot be read ({error!r:.200})", "the file is damaged") from None


@dataclass(slots=True)
class _Reading:
    """A model while it is read."""

    saved: Saved
    builder: Builder = field(init=False)

    def graph(self) -> Graph:
        model = self.saved.config
        self.builder = Builder(identifier(model["config"]["name"]))
        outputs = self.model(model, (), None)
        wanted = dict[str, str]()
        for name, value in outputs:
            label = identifier(name)
            wanted[next(n for n in (label, *(f"{label}_{k}" for k in range(1, 99))) if n not in wanted)] = (
                value.name
            )
        name_outputs(self.builder, wanted)
        return self.builder.graph(*wanted)

    def model(
        self, model: Mapping[str, Any], around: Names, inputs: list[Value] | None
    ) -> list[tuple[str, Value]]:
        """Append a model, the outer one without `inputs`; return its outputs, each with a name."""
        if model["class_name"] not in MODELS:
            raise CompileError(
                model["class_name"],
                "is a class of the user's",
                "build the model from Sequential or Model(inputs, outputs)",
            )
        layers = model["config"]["layers"]
        if model["class_name"] == "Sequential":
            return self.sequence(layers, around, inputs)
        return self.functional(model["config"], around, inputs)

    def sequence(
        self, layers: Sequence[Mapping[str, Any]], around: Names, inputs: list[Value] | None
    ) -> list[tuple[str, Value]]:
        shape = _input_shape(layers[0]["config"])
        rest = layers[1:] if layers[0]["class_name"] == "InputLayer" else layers
        if inputs is None:
            if shape is None:
                raise CompileError(
                    "Sequential", "does not say the shape of its input", "give an Input first, and save again"
                )
            name = layers[0]["config"]["name"]
            label = name if layers[0]["class_name"] == "InputLayer" else f"{name}_input"
            inputs = [self.port(label, shape, rest[:1])]
        (value,), name = inputs, ""
        for layer in rest:
            name = layer["config"]["name"]
            value = self.call(layer, around, 0, [value])
        return [(name, value)]

    def functional(
        self, config: Mapping[str, Any], around: Names, inputs: list[Value] | None
    ) -> list[tuple[str, Value]]:
        layers = {layer["name"]: layer for layer in config["layers"]}
        values = dict[Tensor, Value]()
        ports = [name for name, *_ in _tensors(config["input_layers"])]
        for k, name in enumerate(ports):
            readers = [r for r in config["layers"] if _reads(r, name)]
            shape = _input_shape(layers[name]["config"])
            values[name, 0] = self.port(name, shape or (), readers) if inputs is None else inputs[k]
        waiting = [
            (n, k, call) for n, r in layers.items() for k, call in enumerate(_calls(r)) if n not in ports
        ]
        while waiting:
            ready = [w for w in waiting if all(_made(layers, t) in values for t in w[2])]
            if not ready:
                raise CompileError(waiting[0][0], "reads what no layer makes", "the file is damaged")
            for name, k, call in ready:
                read = [values[_made(layers, t)] for t in call]
                values[name, k] = self.call(layers[name], around, k, read)
            waiting = [w for w in waiting if w not in ready]
        return [(t[0], values[_made(layers, t)]) for t in _tensors(config["output_layers"])]

    def call(self, layer: Mapping[str, Any], around: Names, k: int, inputs: list[Value]) -> Value:
        """Append the call number k of a layer."""
        config, names = layer["config"], (*around, layer["config"]["name"])
        if layer["class_name"] in MODELS:
            ((_, value), *more) = self.model(layer, names, inputs)
            if more:
                raise CompileError(
                    names[-1], "is a model with several outputs", "give each a model of its own"
                )
            return value
        if config.get("dtype", "float32") not in ("float32", "float64"):
            raise CompileError(names[-1], f"computes in {config['dtype']}", "train in float32")
        label = self.builder.fresh(".".join(identifier(n) for n in names) + (f"_{k}" if k else ""))
        if layer["class_name"] == "TimeDistributed":
            layer = {**config["layer"], "config": {**config["layer"]["config"], "name": names[-1]}}
        known = Layer(layer["class_name"], layer["config"], self.saved.weights(names, layer))
        return append_layer(Site(self.builder, label), known, inputs)

    def port(self, name: str, shape: tuple[int, ...], readers: Sequence[Mapping[str, Any]]) -> Value:
        """Append a port of scalars, in the format that all that reads it rounds to."""
        found = {_format(layer) for layer in readers}
        form = found.pop() if len(found) == 1 else None
        formats = NO_FORMATS if form is None else Formats((Fixed(form.width, form.integer, form.signed),))
        return plain_input(self.builder, identifier(name), shape, formats)


def _input_shape(config: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the shape of an input without the events, or None if a layer does not say it."""
    shape = config.get("batch_input_shape", config.get("batch_shape"))
    return None if shape is None else tuple(shape[1:])


def _tensors(found: Any) -> list[tuple[str, int]]:
    """Return the tensors of a list, or of one alone: which layer, and in which node it made them."""
    if isinstance(found, Mapping):
        found = list(found.values())
    if found and isinstance(found[0], str):
        found = [found]
    return [(str(name), int(node)) for name, node, *_ in found]


def _calls(layer: Mapping[str, Any]) -> list[list[tuple[str, int]]]:
    """Return the tensors that each call of a layer reads. Raises CompileError for calls in training mode,
    with masks, or with tensors as other arguments."""
    for given in (t[3] for call in layer["inbound_nodes"] for t in _nested(call) if len(t) > 3):
        for argument, value in given.items():
            if value not in (None, False):
                raise CompileError(
                    layer["name"], f"is called with {argument}={value!r:.60}", "call it on tensors alone"
                )
    return [_tensors(call) for call in layer["inbound_nodes"]]


def _nested(call: Any) -> list[Any]:
    return [call] if call and isinstance(call[0], str) else list(call)


def _made(layers: Mapping[str, Mapping[str, Any]], tensor: tuple[str, int]) -> Tensor:
    """Return the call that made a tensor: node 0 of a model is its own."""
    name, node = tensor
    return name, max(node - 1, 0) if layers[name]["class_name"] in MODELS else node


def _reads(layer: Mapping[str, Any], name: str) -> bool:
    return any(t[0] == name for call in layer["inbound_nodes"] for t in _tensors(call))


def _format(layer: Mapping[str, Any]) -> Fixed | None:
    """Return the format that a layer rounds its input to, if it does nothing else."""
    if layer["class_name"] != "QActivation":
        return None
    return rounded_to(spec_of(layer["config"]["activation"]))
