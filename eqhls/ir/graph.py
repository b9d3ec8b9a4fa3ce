"""The network as a value: ops in SSA order, verified, evaluated, rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from eqhls.engines import Ints, hull, interval, load, store
from eqhls.errors import CompileError
from eqhls.fixed import NumArray
from eqhls.ir.op import Floats, Op
from eqhls.ir.types import Type

CHUNK = 4096
"""Events evaluated at a time: large enough for NumPy, small enough for the cache."""

HELD = 1 << 26
"""Float64 numbers of all values together that may be held at a time: half a gigabyte."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value: its name, the block that makes it, the names it reads, its type."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in SSA order and the names of the results."""

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def node(self, name: str) -> Node:
        """Return a node by name. Raises CompileError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise CompileError(self.name, f"found no value %{name}", "names are those on the left of '='")

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes that are fed from outside, in order."""
        return tuple(n for n in self.nodes if n.op.source)

    @property
    def results(self) -> tuple[Node, ...]:
        return tuple(self.node(name) for name in self.outputs)

    @property
    def quantized(self) -> bool:
        """Whether every value has a fixed-point format."""
        return all(n.type.formats for n in self.nodes)

    def types_into(self, node: Node) -> tuple[Type, ...]:
        return tuple(self.node(name).type for name in node.inputs)

    def verify(self) -> Graph:
        """Return the graph, or raise CompileError naming the op, the types and the remedy."""
        seen: dict[str, Type] = {}
        for node in self.nodes:
            where = f"{self.name}: %{node.name}"
            if node.name in seen:
                raise CompileError(where, "found two values of this name", "rename one")
            missing = [n for n in node.inputs if n not in seen]
            if missing:
                raise CompileError(
                    where,
                    f"reads %{missing[0]}, which is not defined before it",
                    "order the ops so that each value comes before its use",
                )
            types = tuple(seen[n] for n in node.inputs)
            found = replace(_infer(node.op, types, where), formats=())
            if found != replace(node.type, formats=()):
                raise CompileError(
                    where,
                    f"is declared {node.type}, but {node.op.kind()} of "
                    f"({', '.join(map(str, types))}) gives {found}",
                    "correct the declared type",
                )
            seen[node.name] = node.type
        lost = [n for n in self.outputs if n not in seen]
        if lost or not self.outputs:
            raise CompileError(
                self.name,
                f"has no value for output %{lost[0]}" if lost else "has no output",
                "name a value of the graph as output",
            )
        return self

    def formatted(self) -> Graph:
        """Return the graph with the exact format of every value, by interval analysis."""
        nums = self.run({n.name: interval(n.type.formats, n.type.shape) for n in self.inputs})
        nodes = tuple(
            n if n.op.source else replace(n, type=replace(n.type, formats=hull(nums[n.name])))
            for n in self.nodes
        )
        return replace(self, nodes=nodes)

    def run(self, feeds: Mapping[str, NumArray]) -> dict[str, NumArray]:
        """Run the exact bodies on any machine; returns every value by name."""
        values: dict[str, NumArray] = {}
        for node in self.nodes:
            if node.op.source:
                values[node.name] = feeds[node.name]
                continue
            try:
                args = (values[n] for n in node.inputs)
                values[node.name] = node.op.body(self.types_into(node), *args)
            except CompileError as error:
                raise error.at(f"{self.name}: %{node.name}") from None
        return values

    def reference(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """Run the float64 references; inputs have shape (events, *axes, components). A value that is fed
        by name is not computed, so that beams can be moved with the events."""
        values: dict[str, Floats] = {}
        for node in self.nodes:
            values[node.name] = (
                np.asarray(feeds[node.name], dtype=np.float64)
                if node.op.source or node.name in feeds
                else node.op.reference(self.types_into(node), *(values[n] for n in node.inputs))
            )
        return values

    def references(self, feeds: Mapping[str, Floats]) -> Iterator[dict[str, Floats]]:
        """Yield what `reference` returns for as many events at a time as memory allows, in order."""
        size = max(1, min(CHUNK, HELD // sum(n.type.elements for n in self.nodes)))
        for start in range(0, max(len(next(iter(feeds.values()))), 1), size):
            yield self.reference({k: v[start : start + size] for k, v in feeds.items()})

    def scores(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs alone of `reference`, shape (events, *axes, components)."""
        parts: dict[str, list[Floats]] = {n: [] for n in self.outputs}
        for values in self.references(feeds):
            events = len(values[self.inputs[0].name])
            for name, part in parts.items():
                part.append(np.broadcast_to(values[name], (events, *self.node(name).type.shape)))
        return {n: np.concatenate(p) for n, p in parts.items()}

    def evaluate(self, feeds: Mapping[str, Ints], wanted: tuple[str, ...] = ()) -> dict[str, Ints]:
        """Run the bodies on raw integers of shape (events, *axes, components).

        Returns the outputs, or the values `wanted`, as raw integers in the formats of their types.
        """
        names = wanted or self.outputs
        events = len(next(iter(feeds.values())))
        parts: dict[str, list[Ints]] = {n: [] for n in names}
        for start in range(0, max(events, 1), CHUNK):
            piece = {k: v[start : start + CHUNK] for k, v in feeds.items()}
            size = min(CHUNK, events - start)
            values = self.run({n.name: load(n.type.formats, piece[n.name]) for n in self.inputs})
            for name in names:
                parts[name].append(store(values[name], self.node(name).type.formats, size))
        return {n: np.concatenate(p) for n, p in parts.items()}

    def saturation(self, feeds: Mapping[str, Ints]) -> dict[str, int]:
        """Return how many values saturate at each block that can, over all events."""
        counts: dict[str, int] = {}
        for start in range(0, len(next(iter(feeds.values()))), CHUNK):
            nums = self.run(
                {n.name: load(n.type.formats, feeds[n.name][start : start + CHUNK]) for n in self.inputs}
            )
            for node in self.nodes:
                flags = node.op.saturated(self.types_into(node), *(nums[n] for n in node.inputs))
                if flags is not None:
                    events = min(CHUNK, len(next(iter(feeds.values()))) - start)
                    counts[node.name] = counts.get(node.name, 0) + int(
                        store(flags, hull(flags), events).sum()
                    )
        return counts

    def rewrite(self, rule: Callable[[Node], Node]) -> Graph:
        """Return the graph with every node replaced by what `rule` makes of it."""
        return replace(self, nodes=tuple(rule(n) for n in self.nodes))


class Builder:
    """Build a graph op by op; every step is type-checked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: dict[str, Node] = {}

    def add(self, name: str, op: Op, *inputs: str) -> str:
        """Append a value and return its name. Raises CompileError for a type error."""
        where = f"{self.name}: %{name}"
        if name in self._nodes:
            raise CompileError(where, "found two values of this name", "rename one")
        types = tuple(self._nodes[n].type for n in inputs)
        self._nodes[name] = Node(name, op, inputs, _infer(op, types, where))
        return name

    def has(self, name: str) -> bool:
        return name in self._nodes

    def type(self, name: str) -> Type:
        return self._nodes[name].type

    def graph(self, *outputs: str) -> Graph:
        return Graph(self.name, tuple(self._nodes.values()), outputs).verify()


def _infer(op: Op, types: tuple[Type, ...], where: str) -> Type:
    try:
        return op.infer(*types)
    except CompileError as error:
        raise error.at(where) from None
