"""A quantized graph as one inline C++ function of plain arrays, for projects of other tools."""

from __future__ import annotations

from eqhls.backends.hls.config import Context, config
from eqhls.backends.hls.emit import call, members, tensor_type
from eqhls.backends.hls.structs import config_struct, table_text
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type
from eqhls.names import value_identifier as identifier
from eqhls.text import Emitter


def inline_function(graph: Graph, space: str) -> str:
    """Return the C++ text of a namespace `space` with a function `run(x0, x1, .., y)` that computes a graph
    with one output.

    Each port is an array of one event, elements in C order with the component last, of any type that holds
    the values of the port; so is the result, to whose type values are assigned. The headers of the
    library must be included before. Raises CompileError if an op has no template.
    """
    out = Emitter()
    inner = [Context(n, graph.types_into(n), {}) for n in graph if not n.op.source]
    out(f"namespace {space} {{")
    for node in graph:
        out(f"typedef {tensor_type(node.type)} {identifier(node.name)}t;  // {node.type}")
    for c in inner:
        values = config(c.node.op, c)
        out(table_text(identifier(c.node.name), values).rstrip("\n"))
        out(config_struct(identifier(c.node.name), values).rstrip("\n"))
    _function(out, graph)
    out(f"}}  // namespace {space}")
    return out.text()


def _function(out: Emitter, graph: Graph) -> None:
    """Write the function: arrays to tensors, one call per op, the result to its array."""
    ports, (result,) = graph.inputs, graph.results
    kinds = ", ".join([*(f"class X{k}" for k in range(len(ports))), "class Y"])
    arguments = [f"X{k} x{k}[{p.type.elements}]" for k, p in enumerate(ports)]
    out(f"template <{kinds}>")
    out(f"void run({', '.join([*arguments, f'Y y[{result.type.elements}]'])}) {{")
    out("#pragma HLS INLINE")
    with out.block():
        for node in graph:
            _declare(out, node)
            if not node.op.source:
                out(call(node))
                continue
            source = f"x{ports.index(node)}"
            _elements(out, node.type, f"{{tensor}} = {source}[{{place}}];", identifier(node.name))
        _elements(out, result.type, "y[{place}] = {tensor};", identifier(result.name))
    out("}")


def _elements(out: Emitter, type: Type, line: str, name: str) -> None:
    """Write a line for every component of a tensor, in a loop over its vectors."""
    wide = type.rep.own_formats
    out(f"for (int n = 0; n < {type.elements // type.dim}; ++n) {{")
    out("#pragma HLS UNROLL")
    with out.block():
        for d in range(type.dim):
            tensor = f"{name}.c{d}[n]" if wide else f"{name}.c[{d}][n]"
            out(line.format(tensor=tensor, place=f"{type.dim} * n + {d}"))
    out("}")


def _declare(out: Emitter, node: Node) -> None:
    name = identifier(node.name)
    out(f"{name}t {name};")
    for member in members(node.type):
        out(f"#pragma HLS ARRAY_PARTITION variable={name}.{member} complete dim=0")
