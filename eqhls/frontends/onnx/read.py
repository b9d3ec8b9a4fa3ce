"""ONNX files made of com.eqhls operators, with a tail of plain layers on scalars, read as graphs.

An op has the name of its node, an input that of its port.
The reader goes by operators and their attributes; local functions are for other runtimes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx

from eqhls.errors import CompileError
from eqhls.exchange.attributes import decode, result_type
from eqhls.exchange.domain import DOMAIN, OPERATORS, op_of
from eqhls.frontends.onnx.checks import load_checked
from eqhls.frontends.onnx.plain import read_plain
from eqhls.frontends.onnx.ports import add_port, batch_of, typed_ports
from eqhls.frontends.onnx.quantizers import DOMAINS as QONNX
from eqhls.frontends.onnx.quantizers import PLAIN, read_quantizer
from eqhls.frontends.onnx.reading import Reading, identifier, name_of, printable
from eqhls.frontends.onnx.results import finished
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type


def read_onnx(source: Path | onnx.ModelProto) -> Graph:
    """Return the graph of a file, equal to the one that was exported.

    Raises CompileError for damaged, foreign and too new files, unknown operators and attributes, bad
    weights, and anything that is not equivariant.
    """
    model = source if isinstance(source, onnx.ModelProto) else load_checked(Path(source))
    where = printable(str(model.graph.name)) if isinstance(source, onnx.ModelProto) else str(source)
    state = read_nodes(model, where)
    try:
        return finished(state, model.graph).verify()
    except CompileError as error:
        raise error.at(where) from None


def read_nodes(model: onnx.ModelProto, where: str) -> Reading:
    """Return everything that is known of a model's values after its last operator."""
    graph = model.graph
    _refuse_unread(model, where)
    given = {i.name for i in graph.input} - {t.name for t in graph.initializer}
    typed = typed_ports(graph)
    plain = [i for i in graph.input if i.name in given - typed]
    batch = batch_of(graph, [i.name for i in plain])
    state = Reading(where, frozenset(given), _opset(model, where), batch, typed)
    state.builder.reserve(identifier(n) for n in (*state.ports, *map(name_of, graph.node)))
    for tensor in graph.initializer:
        state.constants[tensor.name] = state.tensor(tensor)
    for port in plain:
        add_port(state, port, graph)
    for node in graph.node:
        if node.domain == DOMAIN:
            _read_block(state, node)
        elif node.domain in PLAIN:
            read_plain(state, node)
        elif node.domain in QONNX:
            read_quantizer(state, node)
        else:
            raise CompileError(
                state.place(node), f"is of the domain {node.domain!r}", f"expected {DOMAIN} or plain ONNX"
            )
    return state


def _names(model: onnx.ModelProto) -> Iterator[object]:
    """Yield every name of a model; protobuf gives bytes for one that is not text."""
    graph = model.graph
    yield graph.name
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (a.name for a in node.attribute)
    yield from (v.name for values in (graph.input, graph.output, graph.initializer) for v in values)
    yield from (o.domain for o in model.opset_import)
    yield from (text for f in model.functions for text in (f.domain, f.name))


def _refuse_unread(model: onnx.ModelProto, where: str) -> None:
    wrong = [n for n in _names(model) if not isinstance(n, str)]
    if wrong:
        raise CompileError(where, f"has the name {wrong[0]!r}, which is not text", "the file is damaged")
    if model.graph.sparse_initializer:
        name = model.graph.sparse_initializer[0].values.name
        raise CompileError(where, f"has the sparse tensor {name!r}", "write it as a dense initializer")
    for function in model.functions:
        if function.domain in PLAIN:
            raise CompileError(
                where, f"gives the operator {function.name} a meaning of its own", "rename the function"
            )


def _opset(model: onnx.ModelProto, where: str) -> int:
    """Return the opset of plain ONNX, 0 if the file imports none."""
    found = {o.version for o in model.opset_import if o.domain in PLAIN}
    if len(found) > 1:
        raise CompileError(where, f"imports the opsets {sorted(found)} of plain ONNX", "expected one")
    return next(iter(found), 0)


def _read_block(state: Reading, node: onnx.NodeProto) -> None:
    named = op_of(node.op_type)
    if named is None:
        raise CompileError(state.place(node), "is not an op", f"ops are {', '.join(OPERATORS)}")
    if len(node.output) != 1:
        raise CompileError(
            state.place(node),
            f"has {len(node.output)} results, expected 1",
            "split the operator into one per result",
        )
    try:
        op, declared = decode(named, node.attribute), result_type(node.attribute)
    except CompileError as error:
        raise error.at(f"{state.where}: {name_of(node)}") from None
    inputs = () if op.source else tuple(state.whole(n, node).name for n in node.input)
    name = node.input[0] if op.source and node.input else name_of(node)
    if op.source and (len(node.input) != 1 or node.input[0] not in state.ports):
        raise CompileError(
            state.place(node),
            f"reads {list(node.input)}, expected one port of the graph",
            "let an Input read one input of the graph",
        )
    state.views[node.output[0]] = state.add(name, op, inputs, declared)


def calls(model: onnx.ModelProto) -> list[tuple[onnx.NodeProto, Node, tuple[Type, ...]]]:
    """Return the com.eqhls nodes of a model, with the ops that they stand for and the types they read."""
    state = read_nodes(model, model.graph.name)
    found: list[tuple[onnx.NodeProto, Node, tuple[Type, ...]]] = []
    for call in model.graph.node:
        if call.domain == DOMAIN:
            node = state.nodes[state.views[call.output[0]].name]
            found.append((call, node, tuple(state.nodes[n].type for n in node.inputs)))
    return found
