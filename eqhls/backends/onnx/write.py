"""A graph as an ONNX model: a node for each op, a local function for what it computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx
from onnx import checker, defs, helper, inliner

from eqhls.backends.onnx.body import DOUBLE, FLOAT, Body
from eqhls.backends.onnx.functions import lower
from eqhls.backends.onnx.quant import LABELS, quant_function, quant_nodes
from eqhls.errors import CompileError
from eqhls.exchange.attributes import encode
from eqhls.exchange.domain import DOMAIN, IR_VERSION, OPSET, QUANT_DOMAIN, QUANT_VERSION, RESULT, SPECIAL
from eqhls.exchange.domain import VERSION as DOMAIN_VERSION
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Op
from eqhls.ir.types import Type
from eqhls.text import write_file

EVENTS = "events"
"""The name of the first dimension of every port."""


@dataclass(frozen=True, slots=True)
class Functions:
    """The local functions of a model: one for each op and types that differ.

    A function has the name of its op, and a number if there are several, or if plain ONNX has an
    operator of that name: onnxruntime takes a com.eqhls Add with one input for its own and dies.
    """

    exact: bool
    element: int
    opset: int = OPSET
    made: dict[tuple[Op, tuple[Type, ...]], onnx.FunctionProto] = field(
        default_factory=dict[tuple[Op, tuple[Type, ...]], onnx.FunctionProto]
    )

    def of(self, op: Op, types: tuple[Type, ...]) -> onnx.FunctionProto:
        """Return the function of an op on inputs of these types."""
        key = (op, types)
        if key not in self.made:
            name = type(op).__name__
            count = 1 + sum(f.name.split(SPECIAL)[0] == name for f in self.made.values())
            special = name if count == 1 and not defs.has(name) else f"{name}{SPECIAL}{count}"
            self.made[key] = self._function(special, op, types)
        return self.made[key]

    def _function(self, name: str, op: Op, types: tuple[Type, ...]) -> onnx.FunctionProto:
        body = Body(1 if op.source else len(types), self.element, self.exact)
        result = body.result(lower(op, body, types))
        return helper.make_function(
            DOMAIN,
            name,
            body.inputs,
            ["y"],
            [*body.nodes, helper.make_node("Identity", [result], ["y"])],
            [helper.make_opsetid("", self.opset)],
            attributes=[*(a.name for a in encode(op)), RESULT],
        )


def onnx_model(graph: Graph, exact: bool | None = None, double: bool = False) -> onnx.ModelProto:
    """Return a graph as a model whose ports are (events, *axes, components), FLOAT or DOUBLE.

    `exact` asks for the numbers of the firmware, with a Quant node behind every op that rounds; else
    those of the float references. Left out, it is whether the graph is quantized. Between ops values
    are DOUBLE, but FLOAT if Quant nodes stand and ports are FLOAT, since QONNX knows no other. Raises
    CompileError if a graph without formats is asked for exact numbers.
    """
    exact = graph.quantized if exact is None else exact
    if exact and not graph.quantized:
        raise CompileError(
            graph.name, "has values without a format", "compile it and export the model/ of the project"
        )
    port, element = (DOUBLE if double else FLOAT), (FLOAT if exact and not double else DOUBLE)
    functions, nodes, constants = Functions(exact, element), list[onnx.NodeProto](), list[onnx.TensorProto]()
    for node in graph.nodes:
        formats = node.op.rounds_to() if exact else ()
        made = functions.of(node.op, graph.types_into(node))
        nodes.append(_node(graph, node, made.name, _value(node) + "/raw" if formats else _value(node)))
        if formats:
            more, values = quant_nodes(_value(node) + "/raw", _value(node), formats, element)
            nodes, constants = nodes + more, constants + values
    results: list[onnx.ValueInfoProto] = []
    for node in dict.fromkeys(graph.results):
        name = f"{node.name}/result" if node.op.source else node.name
        nodes.append(helper.make_node("Cast", [_value(node)], [name], f"{node.name}/cast", to=port))
    for node in graph.results:
        name = f"{node.name}/result" if node.op.source else node.name
        results.append(helper.make_tensor_value_info(name, port, [EVENTS, *node.type.shape]))
    ports = [helper.make_tensor_value_info(n.name, port, [EVENTS, *n.type.shape]) for n in graph.inputs]
    body = helper.make_graph(nodes, graph.name, ports, results, constants)
    return _assembled(body, [*functions.made.values(), *([quant_function()] if exact else [])])


def _assembled(graph: onnx.GraphProto, functions: Sequence[onnx.FunctionProto]) -> onnx.ModelProto:
    domains = {"": OPSET, DOMAIN: DOMAIN_VERSION}
    if any(f.domain == QUANT_DOMAIN for f in functions):
        domains |= {QUANT_DOMAIN: QUANT_VERSION, LABELS[0]: LABELS[1]}
    return helper.make_model(
        graph,
        functions=functions,
        opset_imports=[helper.make_opsetid(d, v) for d, v in domains.items()],
        ir_version=IR_VERSION,
        producer_name="eqhls",
    )


def _value(node: Node) -> str:
    """Return the name of a value between ops; plain names are those of the ports."""
    return f"{node.name}/value"


def _node(graph: Graph, node: Node, operator: str, output: str) -> onnx.NodeProto:
    inputs = [node.name] if node.op.source else [_value(graph.node(n)) for n in node.inputs]
    made = helper.make_node(operator, inputs, [output], node.name, domain=DOMAIN)
    made.attribute.extend(attributes(node))
    return made


def attributes(node: Node) -> list[onnx.AttributeProto]:
    """Return what a node of com.eqhls says of its op: every field, and the type of the result."""
    return [*encode(node.op), helper.make_attribute(RESULT, str(node.type))]


def expanded(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with every op expanded into plain operators; Quant nodes stay as they are."""
    functions = [(f.domain, f.name) for f in model.functions if f.domain == DOMAIN]
    plain = inliner.inline_selected_functions(model, functions)
    kept = [o for o in plain.opset_import if o.domain != DOMAIN]
    functions = [f for f in plain.functions if f.domain != DOMAIN]
    del plain.opset_import[:], plain.functions[:]
    plain.opset_import.extend(kept)
    plain.functions.extend(functions)
    return plain


def export_onnx(
    graph: Graph, path: Path, exact: bool | None = None, double: bool = False, plain: bool = False
) -> onnx.ModelProto:
    """Write a graph as an ONNX file, whole or not at all; equal graphs give equal bytes.

    `plain` expands the ops into plain operators, for QONNX's own tools, which know no local functions.
    """
    model = onnx_model(graph, exact, double)
    model = expanded(model) if plain else model
    checker.check_model(model)
    write_file(path, model.SerializeToString(deterministic=True))
    return model
