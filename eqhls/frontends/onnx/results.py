"""What a file says of its ports and results: their order, their names, their shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.frontends.onnx.checks import REALS, kind_of
from eqhls.frontends.onnx.reading import Reading, identifier, printable
from eqhls.frontends.onnx.site import AXES
from eqhls.frontends.onnx.views import View, axes_for
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.arrange import Arrange


def finished(state: Reading, graph: onnx.GraphProto) -> Graph:
    """Return the graph of what was read: ports in the order of the file, results under its names.

    Raises CompileError for ports without a type or with another one than declared, and for results that are
    not a tensor of an op.
    """
    ports = [i for i in graph.input if i.name in state.ports]
    for port in ports:
        _check_port(state, port)
    found = [_result(state, o.name) for o in graph.output]
    results = [_in_order(state, o.name, v) for o, v in zip(graph.output, found, strict=True)]
    nodes = _ordered(list(state.nodes.values()), [identifier(p.name) for p in ports])
    names: dict[str, str] = {}
    outputs: list[str] = []
    for output, view in zip(graph.output, results, strict=True):
        name = identifier(output.name)
        source = state.nodes[view.name].op.source
        _check_shape(f"output {printable(output.name)}", output, view.shape)
        if name in outputs:
            raise CompileError(
                f"output {printable(output.name)}", "has the name of another output", "rename one"
            )
        if source and name == identifier(f"{view.name}/result"):
            name = view.name
        elif source or view.name in names:
            nodes.append(_copy(name, view.name, state.type(view)))
        else:
            names[view.name] = name
        outputs.append(name)
    for before, view in zip(found, results, strict=True):
        if before.name in outputs and view.name != before.name and before.name not in names:
            names[before.name] = state.builder.fresh(f"{before.name}.inner")
    title = identifier(graph.name).replace(".", "_") or "network"
    return Graph(title, _distinct(_renamed(nodes, names)), tuple(outputs))


def _copy(name: str, value: str, type: Type) -> Node:
    """Return a sum of one term: a value under another name, with the same words."""
    formats = tuple(Fixed(f.width, f.integer, f.signed) for f in type.formats)
    return Node(name, Add(), (value,), replace(type, formats=formats))


def _check_port(state: Reading, port: onnx.ValueInfoProto) -> None:
    """Compare a port with the shape and the numbers that the file declares, events first."""
    where, node = f"input {printable(port.name)}", state.nodes.get(identifier(port.name))
    if node is None or not node.op.source:
        raise CompileError(where, "has no type", "give the port a type with the operator Input, or remove it")
    kind = port.type.tensor_type.elem_type
    if kind not in (onnx.TensorProto.UNDEFINED, *REALS):
        raise CompileError(where, f"is of {kind_of(kind)}", "expected FLOAT or DOUBLE")
    if port.name in state.typed:
        _check_shape(where, port, node.type.shape)


def _check_shape(where: str, value: onnx.ValueInfoProto, shape: tuple[int, ...]) -> None:
    """Compare the shape of a value of every event with the declared one, if there is one."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return
    dims = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    if len(dims) != 1 + len(shape) or any(d not in (None, s) for d, s in zip(dims[1:], shape, strict=True)):
        declared = ", ".join("any" if d is None else str(d) for d in dims)
        raise CompileError(
            where,
            f"is declared ({declared}), but is {('events', *shape)}".replace("'", ""),
            "put the events first",
        )


def _ordered(nodes: list[Node], ports: list[str]) -> list[Node]:
    """Return the nodes with the ports in the order of the file, which comes first where operators differ."""
    found = [n.name for n in nodes if n.op.source]
    if found == ports:
        return nodes
    by_name = {n.name: n for n in nodes}
    return [*(by_name[p] for p in ports), *(n for n in nodes if not n.op.source)]


def _result(state: Reading, name: str) -> View:
    where = f"output {printable(name)}"
    if name in state.constants:
        raise CompileError(where, "is a constant", "remove it from the outputs")
    if name not in state.views:
        what = "is an input of the file" if name in state.ports else "is not computed by any op"
        raise CompileError(where, what, "let an output be the result of an operator")
    view = state.views[name]
    if view.component is not None:
        raise CompileError(
            where,
            f"is component {view.component} of {view.name}, a {state.type(view)}",
            "a single component is not invariant: give out whole tensors, or invariants",
        )
    if not view.in_front:
        raise CompileError(where, "does not count events along its first axis", "put the events first")
    return view


def _in_order(state: Reading, name: str, view: View) -> View:
    """Return a result whose elements lie in the order of the file."""
    if view.natural(state.type(view)):
        return view
    names = tuple("" if s == 1 else AXES[k] for k, s in enumerate(view.index.shape))
    axes = axes_for(names, view.index.shape)
    sources = tuple(int(k) for k in view.index.ravel())
    made = state.invent(f"{name}.arranged", Arrange(Type(S, axes), sources), (view.name,))
    return View(made.name, np.arange(view.index.size).reshape(view.index.shape))


def _renamed(nodes: list[Node], names: dict[str, str]) -> tuple[Node, ...]:
    """Return the nodes with the results under the names of the file."""
    changed = {old: new for old, new in names.items() if old != new}
    taken = {n.name for n in nodes if n.name not in changed}
    for new in changed.values():
        if new in taken:
            raise CompileError(f"output {new}", "has the name of an operator", "rename one")
    return tuple(
        replace(n, name=changed.get(n.name, n.name), inputs=tuple(changed.get(i, i) for i in n.inputs))
        for n in nodes
    )


def _distinct(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return the nodes, or raise CompileError if two have one name in C++, which knows no dots."""
    names: dict[str, str] = {}
    for node in nodes:
        plain = node.name.replace(".", "_")
        if plain in names:
            raise CompileError(
                node.name, f"has a name that differs from {names[plain]} only in dots", "rename one"
            )
        names[plain] = node.name
    return nodes
