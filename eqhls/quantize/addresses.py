"""Addresses of functions that care for ratios: a code of the logarithm instead of a wide integer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil, floor, log2

import numpy as np

from eqhls.groups.cg import parse_path
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.log2 import Log2
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table

CODE_FRAC = 3
"""Fraction bits of a code: eight codes an octave."""
MARGIN = 2.0
"""How far the last code exceeds the largest value seen."""
COPY = CgProduct(parse_path("S*S->S"))


def encode_logarithms(graph: Graph, seen: Mapping[str, Floats]) -> Graph:
    """Put an odd Log2 behind every value that goes to logarithmic tables alone, be it through copies for
    their rows; the tables then decode its codes. `seen` holds the largest |value| by name."""
    floors: dict[str, float] = {}
    names: dict[str, str] = {}
    nodes: list[Node] = []
    for node in graph:
        floor_of = next((floors[n] for n in node.inputs if n in floors), 0.0)
        if floor_of and isinstance(node.op, Table):
            node = replace(node, op=replace(node.op, floor=floor_of))
        elif floor_of:
            floors[node.name] = floor_of
        nodes.append(replace(node, inputs=tuple(names.get(n, n) for n in node.inputs)))
        tables = _tables(graph, node.name) if not floor_of and node.name in seen else []
        if tables:
            code = _code(tables, float(seen[node.name].max()))
            floors[node.name], names[node.name] = code.floor, f"{node.name}.code"
            nodes.append(Node(names[node.name], code, (node.name,), node.type))
    return replace(graph, nodes=tuple(nodes))


def _tables(graph: Graph, name: str) -> list[Table]:
    """Return the logarithmic tables that a value goes to, none where it goes anywhere else."""
    found: list[Table] = []
    readers = [n for n in graph if name in n.inputs]
    for reader in readers if name not in graph.outputs else ():
        if isinstance(reader.op, Table):
            more = [reader.op] if reader.op.activation.logarithmic and not reader.op.floor else []
        else:
            more = _tables(graph, reader.name) if _copies(graph, reader, name) else []
        if not more:
            return []
        found += more
    return found


def _copies(graph: Graph, reader: Node, name: str) -> bool:
    """Whether a node multiplies a value by ones, which gives it an axis of rows."""
    if reader.op != COPY or reader.inputs[0] != name:
        return False
    ones = graph.node(reader.inputs[1]).op
    return isinstance(ones, Spurion) and bool((ones.values.array == 1).all())


def _code(tables: list[Table], largest: float) -> Log2:
    """Return a code that resolves what the functions resolve: its floor lies below the argument at which
    the steepest of them begins to bend."""
    slopes = [np.diff(t.values.array) / np.diff(t.knots.array) for t in tables]
    steepest = max(float(np.abs(s).max()) for s in slopes)
    start = 2.0 ** floor(log2(1 / max(steepest, 2.0**-20)))
    octaves = log2(1 + MARGIN * largest / start)
    return Log2(start, CODE_FRAC, ceil(octaves * 2**CODE_FRAC) + 1, odd=True)
