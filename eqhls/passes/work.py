"""What a network multiplies and looks up, counted before any format is known."""

from __future__ import annotations

from functools import reduce

from eqhls.ir.graph import Graph
from eqhls.ir.work import Work


def total_work(graph: Graph) -> Work:
    """Return the work of all values together."""
    return reduce(Work.__add__, work(graph).values(), Work())


def work(graph: Graph) -> dict[str, Work]:
    """Return the work of every value by name; what is made of constants alone costs nothing."""
    constant: set[str] = set()
    found: dict[str, Work] = {}
    for node in graph:
        if not node.op.source and all(n in constant for n in node.inputs):
            constant.add(node.name)
            found[node.name] = Work()
            continue
        one = node.op.work(graph.types_into(node))
        fixed = [n for n in node.inputs if n in constant]
        found[node.name] = Work(0, one.constants + one.products, one.lookups) if fixed else one
    return found
