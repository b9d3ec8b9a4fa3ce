"""What rewrites that add values share: a graph that grows while another is read."""

from __future__ import annotations

from dataclasses import replace

from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Op
from eqhls.ir.types import Type


class Rebuild:
    """A new graph with the name and the outputs of an old one."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes: dict[str, Node] = {}

    def find(self, name: str) -> Node:
        return self._nodes[name]

    def type(self, name: str) -> Type:
        return self._nodes[name].type

    def add(self, name: str, op: Op, *inputs: str) -> str:
        """Append a value without format and return its name."""
        self._nodes[name] = Node(name, op, inputs, op.infer(*(self._nodes[n].type for n in inputs)))
        return name

    def keep(self, node: Node) -> None:
        """Append a node as it is, its type by the new inputs."""
        kind = node.op.infer(*(self._nodes[n].type for n in node.inputs))
        same = replace(node.type, formats=()) == replace(kind, formats=())
        self._nodes[node.name] = node if same else replace(node, type=kind)

    def graph(self) -> Graph:
        return replace(self._graph, nodes=tuple(self._nodes.values()))
