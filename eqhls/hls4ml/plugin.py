"""The layers of eqhls as layers of hls4ml 1.3: one handler, one layer, two templates and a pass for all.

A layer of eqhls is one op. hls4ml sees an `EqhlsOp` that holds it as a network of its own; the formats of its
result follow exactly from those of its inputs, and its C++ is what eqhls writes for that op. Ports become
hls4ml's own fixed-point quantizers, so that its input arrays get the formats of the ports.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from hls4ml.backends import get_backend
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.converters.keras_v3._base import KerasV3LayerHandler
from hls4ml.converters.keras_v3._base import registry as handlers
from hls4ml.model.flow import update_flow
from hls4ml.model.layers import Layer, register_layer
from hls4ml.model.optimizer import ModelOptimizerPass, get_available_passes, register_pass
from hls4ml.model.optimizer.passes.bit_exact import _produce_kif  # pyright: ignore[reportPrivateUsage]
from hls4ml.model.types import FixedPrecisionType

from eqhls.backends.hls.emit import headers, library_header
from eqhls.backends.hls.inline import inline_function
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.frontends.layers import codes, geometry, pairs, scalar, structure, tables
from eqhls.frontends.layers.base import EqLayer
from eqhls.frontends.layers.structure import TypedInput
from eqhls.hls4ml.single import exact, holding, single_graph
from eqhls.ir.graph import Graph
from eqhls.ir.text import pack_graph, unpack_graph
from eqhls.ir.types import Type
from eqhls.ops import BY_NAME
from eqhls.text import asset, write_file

CLASS = "EqhlsOp"
FOLDER = "nnet_utils/eqhls"
"""Where the headers of eqhls lie in firmware/ of a project of hls4ml."""
BACKENDS = ("Vivado", "Vitis")
OURS = (codes, geometry, pairs, scalar, structure, tables)
"""The modules of our layers: they must be imported before the layers are listed."""
TYPE, NETWORK, GIVEN = "eqhls_type", "eqhls_network", "eqhls_op"
"""Attributes of a layer in hls4ml, all text: the type of the result with its formats, the network of the op
with all formats, and the same as Keras holds it, without."""


class EqhlsOp(Layer):
    """A layer of eqhls in a model of hls4ml."""

    def initialize(self) -> None:
        if self.model.config.get_config_value("IOType") != "io_parallel":
            raise CompileError(self.name, "takes whole arrays", "give io_type='io_parallel'")
        network = exact(unpack_graph(self.attributes[GIVEN], BY_NAME), [self._read(n) for n in self.inputs])
        result = network.results[0].type
        asked = _asked(self)
        if asked is not None:
            result = _rounded_to(result, asked)
            self.attributes["trusted"] = True
        self.attributes[NETWORK], self.attributes[TYPE] = pack_graph(network), str(result)
        precision = asked or _precision(holding(result.formats))
        self.add_output_variable(list(result.shape), precision=precision)

    def _read(self, name: str) -> Type:
        """Return the type of a layer that this one reads, with formats."""
        source = self.get_input_node(name)
        found = source.get_attr(TYPE) if source is not None else None
        if found is None:
            raise CompileError(
                self.name,
                f"reads {name}, which is not a layer of eqhls",
                "begin with TypedInput, and use eqhls's layers up to the last layer of eqhls",
            )
        return Type.parse(found)


def _asked(layer: Layer) -> Any:
    """Return the precision that a configuration gives to the result of this very layer or to its class; that
    of the whole model is not a wish, for the results of eqhls are exact."""
    config = layer.model.config
    for known, name in (
        (config.layer_name_precision, layer.name.lower()),
        (config.layer_type_precision, CLASS.lower()),
    ):
        text = known.get(f"{name}_result") or known.get(f"{name}_default")
        if text is not None:
            return None if str(text) == "auto" else config.backend.convert_precision_string(text)
    return None


def _precision(form: Fixed) -> FixedPrecisionType:
    return FixedPrecisionType(form.width, form.integer, form.signed, form.rounding.name, form.overflow.name)


def _rounded_to(type: Type, asked: Any) -> Type:
    """Return the type of a result behind an assignment to a precision of hls4ml."""
    form = Fixed(asked.width, asked.integer, asked.signed)
    return replace(type, formats=(form,) * (type.dim if type.rep.own_formats else 1))


class _Handler(KerasV3LayerHandler):
    """Reads a layer of eqhls. It returns a tuple: hls4ml would look for an activation in one dictionary."""

    def handle(self, layer: Any, in_tensors: Any, out_tensors: Any) -> tuple[dict[str, Any], ...]:
        reads = layer.types if in_tensors else ()
        graph = single_graph(layer.name, layer.op(), [replace(t, formats=()) for t in reads])
        return ({**self.default_config, "class_name": CLASS, GIVEN: pack_graph(graph)},)


class _PortHandler(KerasV3LayerHandler):
    """Reads a TypedInput as a quantizer of hls4ml, which gives the input array the formats of the port."""

    def handle(self, layer: Any, in_tensors: Any, out_tensors: Any) -> dict[str, Any]:
        type: Type = layer.kind
        if not type.formats:
            raise CompileError(
                layer.name, f"is {type}, without a format", "name one, as in TypedInput('S[c:8]:fix<12,4>')"
            )
        forms = [type.format_of(i[-1]) for i in np.ndindex(type.shape)]
        columns = ([f.signed for f in forms], [f.width for f in forms], [f.integer for f in forms])
        masks = tuple(np.array(c, dtype=np.int16).reshape(1, *type.shape) for c in columns)
        alike = all(np.unique(m).size == 1 for m in masks)
        return {
            "class_name": "FixedPointQuantizer",
            "mask_kbi": masks,
            "SAT": "SAT",
            "RND": "RND_CONV" if alike else "RND",
            "fusible": None,
            "overrides": {},
            TYPE: str(type),
        }


@_produce_kif.register
def _(layer: EqhlsOp) -> tuple[Any, Any, Any]:
    """Return the bits that each element of a result can have: sign, integer and fraction bits."""
    type = Type.parse(layer.attributes[TYPE])
    forms = [type.format_of(i[-1]) for i in np.ndindex(type.shape)]
    columns = ([f.signed for f in forms], [f.integer - f.signed for f in forms], [f.frac for f in forms])
    k, i, f = (np.array(c, dtype=np.int16).reshape(type.shape) for c in columns)
    return k, i, f


def _network(node: Layer) -> Graph:
    return unpack_graph(node.attributes[NETWORK], BY_NAME)


def _kinds(node: Layer) -> set[str]:
    """Return the headers that a layer needs; its ports are arrays of hls4ml."""
    return headers(_network(node)) - {"input"}


def _space(node: Layer) -> str:
    return f"eqhls_layer{node.index}"


class _Function(LayerConfigTemplate):
    """Writes the function of a layer, with its types and tables, into parameters.h."""

    def __init__(self) -> None:
        super().__init__(EqhlsOp)

    def format(self, node: Layer) -> str:
        return inline_function(_network(node), _space(node))


class _Call(FunctionCallTemplate):
    """Writes the call of a layer into the top function."""

    def __init__(self) -> None:
        super().__init__(EqhlsOp)

    def transform(self, model: Any, node: Layer) -> Literal[False]:
        super().transform(model, node)
        node.set_attr("include_header", [f"{FOLDER}/{kind}.h" for kind in sorted(_kinds(node))])
        return False

    def format(self, node: Layer) -> str:
        network = _network(node)
        read = [node.get_input_variable(n).name for n in node.inputs[: len(network.inputs)]]
        return f"{_space(node)}::run({', '.join([*read, node.get_output_variable().name])});"


def _write_headers(model: Any) -> bool:
    """Put the headers that the layers of a model need into its project, in the namespace of its own if it
    has one."""
    kinds = set[str]().union(*(_kinds(n) for n in model.get_layers() if isinstance(n, EqhlsOp)))
    space = model.config.get_writer_config().get("Namespace", None)
    folder = Path(model.config.get_output_dir()) / "firmware" / FOLDER
    for kind in sorted(kinds | {"common"} if kinds else ()):
        folder.mkdir(parents=True, exist_ok=True)
        plain = asset("hls_templates", "eqhls", f"{kind}.h").read_text()
        text = library_header(kind, space, space) if space else plain
        write_file(folder / f"{kind}.h", text)
    return False


def register() -> tuple[str, ...]:
    """Register everything with hls4ml, which keeps it as long as the program runs."""
    found = _layers()
    for cls in found:
        handlers[f"{cls.__module__}.{cls.__name__}"] = (
            _PortHandler() if issubclass(cls, TypedInput) else _Handler()
        )
    register_layer(CLASS, EqhlsOp)
    if "vivado:eqhls_headers" not in get_available_passes():
        vivado = get_backend("Vivado")
        vivado.register_template(_Function)  # Vitis applies the templates of Vivado, too
        vivado.register_template(_Call)
        for name in BACKENDS:
            headers_first, write = f"{name.lower()}:eqhls_headers", f"{name.lower()}:write_hls"
            register_pass(headers_first, ModelOptimizerPass("eqhls_headers", _write_headers))
            update_flow(f"{name.lower()}:write", [headers_first, write], [write])
    return tuple(sorted(c.__name__ for c in found))


def _layers(base: type[EqLayer] = EqLayer) -> list[type[EqLayer]]:
    """Return all layers that are defined so far, those of users among them."""
    found = [c for c in base.__subclasses__() if c.op is not EqLayer.op and not c.__name__.startswith("_")]
    return [*found, *(c for sub in base.__subclasses__() for c in _layers(sub))]
