"""Rewrites that keep every bit: less graph, the same numbers."""

from __future__ import annotations

from dataclasses import replace

from eqhls.ir.graph import Builder, Graph


def share_common(graph: Graph) -> Graph:
    """Compute equal ops of equal inputs once. Two outputs stay two, each under its name."""
    made = Builder.reading(graph)
    first: dict[object, str] = {}
    twins: dict[str, str] = {}
    named = set(graph.outputs)
    for node in graph:
        inputs = tuple(twins.get(n, n) for n in node.inputs)
        twin = first.setdefault((node.name if node.op.source else "", node.op, inputs), node.name)
        output = node.name in graph.outputs
        if twin == node.name or (output and twin in named):
            made.keep(replace(node, inputs=inputs))
            continue
        twins[node.name] = twin
        if output:
            named.add(twin)
    return made.graph(*(twins.get(n, n) for n in graph.outputs))


def drop_dead(graph: Graph) -> Graph:
    """Leave out what no output needs; ports stay, they are the interface."""
    live = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in live or node.op.source:
            live.update((node.name, *node.inputs))
    made = Builder.reading(graph)
    for node in graph:
        if node.name in live:
            made.keep(node)
    return made.graph()
