"""The graph as text, and back. Weights stand beside it as named arrays.

graph lgn_top
%p = input() {name = p; type = V.lc[j:16]:ufix<10,11>|...} : V.lc[j:16]:...
%d = gram(%seed, %p) : S[i:1, j:16]:ufix<21,19>
output %logit
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
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
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type

Arrays = dict[str, NDArray[Any]]
_LINE = re.compile("%(" + NAME.pattern + r") = (\w+)\(([^)]*)\)(?: \{(.*)\})? : (.+)")
_CLOSE = {"<": ">", "[": "]", "(": ")"}


def print_graph(graph: Graph) -> tuple[str, Arrays]:
    """Return the text and the arrays that it refers to as @value.field."""
    arrays: Arrays = {}
    lines = [f"graph {graph.name}"]
    for node in graph.nodes:
        items: list[str] = []
        for field in fields(node.op):
            value = getattr(node.op, field.name)
            if value != field.default:
                items.append(f"{field.name} = {_encode(value, f'{node.name}.{field.name}', arrays)}")
        settings = f" {{{'; '.join(items)}}}" if items else ""
        inputs = ", ".join(f"%{n}" for n in node.inputs)
        lines.append(f"%{node.name} = {node.op.kind()}({inputs}){settings} : {node.type}")
    lines.append("output " + ", ".join(f"%{n}" for n in graph.outputs))
    return "\n".join(lines) + "\n", arrays


def parse_graph(
    text: str, arrays: Mapping[str, NDArray[Any]], ops: Mapping[str, type[Op]], where: str = "graph"
) -> Graph:
    """Read what `print_graph` wrote and verify it. Raises CompileError with the line."""
    name, nodes, outputs = "", list[Node](), tuple[str, ...]()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        try:
            if not line:
                continue
            if line.startswith("graph "):
                name = line[6:].strip()
            elif line.startswith("output "):
                outputs = tuple(n.strip().removeprefix("%") for n in line[7:].split(","))
            else:
                nodes.append(_parse_node(line, arrays, ops))
        except CompileError as error:
            raise error.at(f"{where}:{number}") from None
    if not name or not outputs:
        raise CompileError(
            where,
            "found no 'graph NAME' or no 'output %value' line",
            "the file is truncated or not an eqhls graph",
        )
    return Graph(name, tuple(nodes), outputs).verify()


def _parse_node(line: str, arrays: Mapping[str, NDArray[Any]], ops: Mapping[str, type[Op]]) -> Node:
    found = _LINE.fullmatch(line)
    if not found:
        raise CompileError(
            "syntax", f"found {line[:60]!r}", "expected %name = op(%input, ...) {field = value; ...} : type"
        )
    name, kind, inputs, settings, declared = found.groups()
    if kind not in ops:
        raise CompileError(f"%{name}", f"found the op {kind!r}", f"known ops are {', '.join(sorted(ops))}")
    op = _parse_op(name, ops[kind], settings or "", arrays)
    names = tuple(n.strip().removeprefix("%") for n in inputs.split(",") if n.strip())
    return Node(name, op, names, Type.parse(declared))


def _parse_op(name: str, cls: type[Op], settings: str, arrays: Mapping[str, NDArray[Any]]) -> Op:
    hints = get_type_hints(cls)
    known = [f.name for f in fields(cls)]
    values: dict[str, Any] = {}
    for item in _split(settings, ";"):
        key, _, value = (part.strip() for part in item.partition("="))
        if key not in known:
            raise CompileError(
                f"%{name}",
                f"{cls.kind()} has no field {key!r}",
                f"its fields are {', '.join(known) or 'none'}",
            )
        try:
            values[key] = _decode(value, hints[key], arrays)
        except (ValueError, KeyError) as error:
            raise CompileError(
                f"%{name}",
                f"field {key} of {cls.kind()} is {value!r} ({error})",
                "correct the value or its array",
            ) from None
    try:
        return cls(**values)
    except TypeError as error:
        raise CompileError(f"%{name}", f"{cls.kind()}: {error}", "give every field") from None


def _encode(value: Any, key: str, arrays: Arrays) -> str:
    match value:
        case Tensor():
            arrays[key] = value.array
            return f"@{key}"
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


def _decode(text: str, hint: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    options = [a for a in get_args(hint) if a is not NoneType]
    if NoneType in get_args(hint):
        return None if text == "none" else _decode(text, options[0], arrays)
    if get_origin(hint) is tuple:
        items = _split(text.removeprefix("[").removesuffix("]"), ",")
        return tuple(_decode(item, options[0], arrays) for item in items)
    if hint is Tensor:
        return Tensor(np.asarray(arrays[text.removeprefix("@")]))
    if hint is bool:
        return {"true": True, "false": False}[text]
    if hint is Fixed:
        return Fixed.parse(text)
    if hint is Type:
        return Type.parse(text)
    if hint is Path:
        return parse_path(text)
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
