"""Addresses of functions that care for ratios: a code of the logarithm instead of a wide integer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import ceil, floor, log2

import numpy as np

from eqhls.groups.registry import parse_path
from eqhls.ir.graph import Builder, Graph, Node
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


def encode_logarithms(graph: Graph, seen: Mapping[str, Floats], asked: Collection[str] = ()) -> Graph:
    """Put an odd Log2 between every value and the logarithmic tables that read it, be it through copies for
    their rows; the tables then decode its codes. `seen` holds the largest |value| by name.

    Copies that are `asked` to have a format of their own carry the value itself: the format is one of the
    value, and would make nonsense of a code.
    """
    floors: dict[str, float] = {}
    codes: dict[str, str] = {}
    made = Builder.reading(graph)
    for node in graph:
        source = node.inputs[0] if node.inputs else ""
        if source in floors and _tables(graph, node, source, asked):
            if isinstance(node.op, Table):
                node = replace(node, op=replace(node.op, floor=floors[source]))
            else:
                floors[node.name] = floors[source]
            node = replace(node, inputs=(codes.get(source, source), *node.inputs[1:]))
        made.keep(node)
        readers = _readers(graph, node.name) if node.name in seen and node.name not in floors else []
        tables = [t for r in readers for t in _tables(graph, r, node.name, asked)]
        if tables:
            code = _code(tables, float(seen[node.name].max()))
            floors[node.name] = code.floor
            codes[node.name] = made.add(made.fresh(f"{node.name}.code"), code, node.name)
    return made.graph()


def code_carriers(graph: Graph, quantized: Graph) -> frozenset[str]:
    """Return the values of a graph that carry codes of a logarithm once it is quantized."""
    own = {n.name for n in graph}
    found: set[str] = set()
    for node in quantized:
        if (isinstance(node.op, Log2) and node.name not in own) or (
            node.op == COPY and node.inputs[0] in found
        ):
            found.add(node.name)
    return frozenset(found & own)


def _readers(graph: Graph, name: str) -> list[Node]:
    return [n for n in graph if name in n.inputs]


def _tables(graph: Graph, reader: Node, name: str, asked: Collection[str]) -> list[Table]:
    """Return the logarithmic table that a reader of a value is, or those that it copies the value for;
    none where it does anything else with it."""
    if isinstance(reader.op, Table):
        return [reader.op] if reader.op.activation.logarithmic and not reader.op.floor else []
    if reader.name in graph.outputs or reader.name in asked or not _copies(graph, reader, name):
        return []
    parts = [_tables(graph, r, reader.name, asked) for r in _readers(graph, reader.name)]
    return [t for part in parts for t in part] if all(parts) else []


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
    return Log2(start, CODE_FRAC, max(ceil(octaves * 2**CODE_FRAC), 1) + 1, odd=True)
