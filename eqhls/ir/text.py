"""The graph as text, and back. Weights stand beside it as named arrays.

graph lgn_top
%p = input() {name = p; type = V.lc[j:16]:ufix<10,11>|...} : V.lc[j:16]:...
%d = gram(%seed, %p) : S[i:1, j:16]:ufix<21,19>
output %logit
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.groups.coupling import Path
from eqhls.groups.registry import parse_path
from eqhls.ir.graph import NAME, Graph, Node
from eqhls.ir.logic import Logic
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type

Arrays = dict[str, NDArray[Any]]
_LINE = re.compile("%(" + NAME.pattern + r") = (\w+)\(([^)]*)\)(?: \{(.*)\})? : (.+)")
_CLOSE = {"<": ">", "[": "]", "(": ")"}


def print_graph(graph: Graph) -> tuple[str, Arrays]:
    """Return the text and the arrays that it refers to as @value.field.

    A network that is a field of an op comes first, as a graph called value.field.
    """
    arrays: Arrays = {}
    return "\n".join(_sections(graph, graph.name, "", arrays)) + "\n", arrays


def _sections(graph: Graph, name: str, prefix: str, arrays: Arrays) -> list[str]:
    """Return the lines of the networks in a graph, then its own; values are known as prefix + name."""
    inner: list[str] = []
    lines = [f"graph {name}"]
    for node in graph.nodes:
        items: list[str] = []
        for field in fields(node.op):
            value, key = getattr(node.op, field.name), f"{prefix}{node.name}.{field.name}"
            if isinstance(value, Graph):
                inner += [*_sections(value, key, f"{key}/", arrays), ""]
            if value != field.default:
                items.append(f"{field.name} = {_encode(value, key, arrays)}")
        settings = f" {{{'; '.join(items)}}}" if items else ""
        inputs = ", ".join(f"%{n}" for n in node.inputs)
        lines.append(f"%{node.name} = {node.op.name()}({inputs}){settings} : {node.type}")
    return [*inner, *lines, "output " + ", ".join(f"%{n}" for n in graph.outputs)]


def pack_graph(graph: Graph) -> str:
    """Return a graph with its arrays as one text, for formats that hold no files beside each other."""
    text, arrays = print_graph(graph)
    return json.dumps({"graph": text, "arrays": {k: arrays[k].tolist() for k in sorted(arrays)}})


def unpack_graph(text: str, ops: Mapping[str, type[Op]]) -> Graph:
    """Read what `pack_graph` wrote. Raises CompileError for anything else."""
    try:
        found = json.loads(text)
        arrays = {str(k): np.asarray(v, dtype=np.float64) for k, v in found["arrays"].items()}
        return parse_graph(str(found["graph"]), arrays, ops)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CompileError("network", f"cannot be read ({error})", "the file is damaged") from None


def parse_graph(
    text: str, arrays: Mapping[str, NDArray[Any]], ops: Mapping[str, type[Op]], where: str = "graph"
) -> Graph:
    """Read what `print_graph` wrote and verify it. Raises CompileError with the line."""
    known = Known(arrays, ops, {})
    name, nodes, outputs = "", list[Node](), tuple[str, ...]()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        try:
            if not line:
                continue
            if line.startswith("graph "):
                if name:
                    known.networks[name] = _finished(name, nodes, outputs, name)
                name, nodes, outputs = line[6:].strip(), list[Node](), tuple[str, ...]()
            elif line.startswith("output "):
                outputs = tuple(n.strip().removeprefix("%") for n in line[7:].split(","))
            else:
                nodes.append(_parse_node(line, known))
        except CompileError as error:
            raise error.at(f"{where}:{number}") from None
    return _finished(name, nodes, outputs, where)


@dataclass(frozen=True, slots=True)
class Known:
    """What the fields of ops may refer to: arrays, kinds of ops, networks that were read before."""

    arrays: Mapping[str, NDArray[Any]]
    ops: Mapping[str, type[Op]]
    networks: dict[str, Graph]


def _finished(name: str, nodes: list[Node], outputs: tuple[str, ...], where: str) -> Graph:
    if not name or not outputs:
        raise CompileError(
            where,
            "found no 'graph NAME' or no 'output %value' line",
            "the file is truncated or not an eqhls graph",
        )
    return Graph(name, tuple(nodes), outputs).verify()


def _parse_node(line: str, known: Known) -> Node:
    found = _LINE.fullmatch(line)
    if not found:
        raise CompileError(
            "syntax", f"found {line[:60]!r}", "expected %name = op(%input, ...) {field = value; ...} : type"
        )
    name, kind, inputs, settings, declared = found.groups()
    if kind not in known.ops:
        listed = ", ".join(sorted(known.ops))
        raise CompileError(f"%{name}", f"found the op {kind!r}", f"known ops are {listed}")
    op = _parse_op(name, known.ops[kind], settings or "", known)
    names = tuple(n.strip().removeprefix("%") for n in inputs.split(",") if n.strip())
    return Node(name, op, names, Type.parse(declared))


def _parse_op(name: str, cls: type[Op], settings: str, known: Known) -> Op:
    hints = get_type_hints(cls)
    names = [f.name for f in fields(cls)]
    values: dict[str, Any] = {}
    for item in _split(settings, ";"):
        key, _, value = (part.strip() for part in item.partition("="))
        if key not in names:
            raise CompileError(
                f"%{name}",
                f"{cls.name()} has no field {key!r}",
                f"its fields are {', '.join(names) or 'none'}",
            )
        try:
            values[key] = _decode(value, hints[key], known)
        except (ValueError, KeyError) as error:
            raise CompileError(
                f"%{name}",
                f"field {key} of {cls.name()} is {value!r} ({error})",
                "correct the value or its array",
            ) from None
    try:
        return cls(**values)
    except TypeError as error:
        raise CompileError(f"%{name}", f"{cls.name()}: {error}", "give every field") from None


def _encode(value: Any, key: str, arrays: Arrays) -> str:
    match value:
        case Tensor():
            arrays[key] = value.array
            return f"@{key}"
        case Graph():
            return key
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case tuple():
            items = [_encode(v, f"{key}.{k}", arrays) for k, v in enumerate(value)]  # pyright: ignore
            return f"[{', '.join(items)}]"
        case None:
            return "none"
        case float():
            return repr(value)
        case _:
            return str(value)


def _decode(text: str, hint: Any, known: Known) -> Any:
    options = [a for a in get_args(hint) if a is not NoneType]
    if NoneType in get_args(hint):
        return None if text == "none" else _decode(text, options[0], known)
    if get_origin(hint) is tuple:
        items = _split(text.removeprefix("[").removesuffix("]"), ",")
        return tuple(_decode(item, options[0], known) for item in items)
    if hint is Tensor:
        return Tensor(np.asarray(known.arrays[text.removeprefix("@")]))
    if hint is Graph:
        return known.networks[text]
    if hint is bool:
        return {"true": True, "false": False}[text]
    if hint is Fixed:
        return Fixed.parse(text)
    if hint is Type:
        return Type.parse(text)
    if hint is Path:
        return parse_path(text)
    if hint is Logic:
        return Logic.parse(text)
    return hint(text)


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that stands outside all brackets."""
    parts, depth, start = list[str](), 0, 0
    for k, letter in enumerate(text):
        if letter in _CLOSE:
            depth += 1
        elif letter in _CLOSE.values() and text[k - 1 : k + 1] != "->":
            depth -= 1
        elif letter == separator and depth == 0:
            parts.append(text[start:k].strip())
            start = k + 1
    parts.append(text[start:].strip())
    return [p for p in parts if p]
