"""Addresses of functions that care for ratios: a code of the logarithm instead of a wide integer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import ceil, floor, log2

from eqhls.groups.registry import parse_path
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Floats, Logarithm, Reading
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.log2 import Log2

CODE_FRAC = 3
"""Fraction bits of a code: eight codes per octave."""
MARGIN = 2.0
"""How far the last code exceeds the largest value seen."""
COPY = CgProduct(parse_path("S*S->S"))


def encode_logarithms(graph: Graph, seen: Mapping[str, Floats], asked: Collection[str] = ()) -> Graph:
    """Put an odd Log2 between every value and the functions that can read one (`Op.logarithm`), even through
    copies for their rows; the functions then decode its codes. `seen` holds the largest |value| by name.

    Copies that are `asked` to have a format of their own carry the value itself: the format is one of the
    value, and would make nonsense of a code.
    """
    floors: dict[str, float] = {}
    codes: dict[str, str] = {}
    made = Builder.reading(graph)
    for node in graph:
        source = node.inputs[0] if node.inputs else ""
        if source in floors and _wishes(graph, node, source, asked):
            if node.op.logarithm() is not None:
                node = replace(node, op=node.op.coded(floors[source]))
            else:
                floors[node.name] = floors[source]
            node = replace(node, inputs=(codes.get(source, source), *node.inputs[1:]))
        made.keep(node)
        readers = _readers(graph, node.name) if node.name in seen and node.name not in floors else []
        wishes = [w for r in readers for w in _wishes(graph, r, node.name, asked)]
        if wishes:
            code = _code(wishes, float(seen[node.name].max()))
            floors[node.name] = code.floor
            codes[node.name] = made.add(made.fresh(f"{node.name}.code"), code, node.name)
    return made.graph()


def code_carriers(graph: Graph, quantized: Graph) -> frozenset[str]:
    """Return the values of a graph that carry codes of a logarithm once it is quantized."""
    own = {n.name for n in graph}
    found: set[str] = set()
    for node in quantized:
        invented = node.op.reads is Reading.LOGARITHM and node.name not in own
        if invented or (node.op == COPY and node.inputs[0] in found):
            found.add(node.name)
    return frozenset(found & own)


def _readers(graph: Graph, name: str) -> list[Node]:
    return [n for n in graph if name in n.inputs]


def _wishes(graph: Graph, reader: Node, name: str, asked: Collection[str]) -> list[Logarithm]:
    """Return the odd logarithm that a reader of a value can take in its place, or those of the functions that
    it copies the value for; none if it does anything else with it."""
    wish = reader.op.logarithm()
    if wish is not None:
        return [wish] if wish.odd and reader.op.reads is not Reading.CURVE else []
    if reader.name in graph.outputs or reader.name in asked or not _copies(graph, reader, name):
        return []
    parts = [_wishes(graph, r, reader.name, asked) for r in _readers(graph, reader.name)]
    return [w for part in parts for w in part] if all(parts) else []


def _copies(graph: Graph, reader: Node, name: str) -> bool:
    """Whether a node multiplies a value by ones, which gives it an axis of rows."""
    if reader.op != COPY or reader.inputs[0] != name:
        return False
    ones = graph.node(reader.inputs[1]).op
    return bool(ones.constant) and bool((ones.constant_values() == 1).all())


def _code(wishes: list[Logarithm], largest: float) -> Log2:
    """Return a code that resolves what the functions resolve: its floor lies below the argument at which
    the steepest of them begins to bend."""
    steepest = max(w.steepest for w in wishes)
    start = 2.0 ** floor(log2(1 / max(steepest, 2.0**-20)))
    octaves = log2(1 + MARGIN * largest / start)
    return Log2(start, CODE_FRAC, max(ceil(octaves * 2**CODE_FRAC), 1) + 1, odd=True)
