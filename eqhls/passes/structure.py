"""Rewrites that keep every bit: less graph, the same numbers."""

from __future__ import annotations

from dataclasses import replace

from eqhls.ir.graph import Graph, Node


def share_common(graph: Graph) -> Graph:
    """Compute equal ops of equal inputs once."""
    first: dict[object, str] = {}
    renamed: dict[str, str] = {}
    nodes: list[Node] = []
    for node in graph:
        inputs = tuple(renamed.get(n, n) for n in node.inputs)
        key = (node.name if node.op.source else "", node.op, inputs)
        if key in first:
            renamed[node.name] = first[key]
        else:
            first[key] = node.name
            nodes.append(replace(node, inputs=inputs))
    return replace(graph, nodes=tuple(nodes), outputs=tuple(renamed.get(n, n) for n in graph.outputs))


def drop_dead(graph: Graph) -> Graph:
    """Leave out what no output needs; ports stay, they are the interface."""
    live = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if node.name in live or node.op.source:
            live.update(node.inputs)
            kept.append(node)
    return replace(graph, nodes=tuple(reversed(kept)))
