"""The network as a value: ops in SSA order, verified, evaluated, rewritten."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np

from eqhls.engines import Ints, hull, interval, load, store
from eqhls.errors import CompileError
from eqhls.fixed import NumArray
from eqhls.ir.op import Floats, Op, typed
from eqhls.ir.types import Type

CHUNK = 4096
"""Events evaluated at a time: large enough for NumPy, small enough for the cache."""

HELD = 1 << 26
"""Float64 numbers of all values together that may be held at a time: half a gigabyte."""

NAME = re.compile(r"[\w.]+")
"""What the name of a value is made of, in memory as in text."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value: its name, the op that makes it, the names it reads, its type."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in SSA order and the names of the results.

    An output has the name that the user gave it at every stage: passes and quantization give the name to
    whatever computes the result in the end. `retired` are names of values that were left out on the way;
    they stay the user's, and no invented value takes one.
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    retired: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    _by_name: dict[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {n.name: n for n in self.nodes})

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def node(self, name: str) -> Node:
        """Return a node by name. Raises CompileError if there is none."""
        if name not in self._by_name:
            raise CompileError(self.name, f"found no value %{name}", "names are those on the left of '='")
        return self._by_name[name]

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
            found = _inferred(self.name, node.name, node.op, node.inputs, seen)
            seen[node.name] = _agreed(self.name, node, found, seen)
        lost = [n for n in self.outputs if n not in seen]
        if lost or not self.outputs:
            raise CompileError(
                self.name,
                f"has no value for output %{lost[0]}" if lost else "has no output",
                "name a value of the graph as output",
            )
        twice = [n for k, n in enumerate(self.outputs) if n in self.outputs[:k]]
        if twice:
            raise CompileError(
                self.name,
                f"found output %{twice[0]} more than once",
                "name each output once; an add of one input gives a value a second name",
            )
        return self

    def formatted(self) -> Graph:
        """Return the graph with the exact format of every value, by interval analysis."""
        nums = self.run({n.name: interval(n.type.formats, n.type.shape) for n in self.inputs})
        return replace(self, nodes=tuple(self._formatted(n, nums[n.name]) for n in self.nodes))

    def _formatted(self, node: Node, nums: NumArray) -> Node:
        with _inside(self.name, node):
            formats = node.type.formats if node.op.source else hull(nums, node.type.rep.own_formats)
        return replace(node, type=replace(node.type, formats=formats))

    def run(self, feeds: Mapping[str, NumArray]) -> dict[str, NumArray]:
        """Run the exact bodies on any engine; returns every value by name."""
        values: dict[str, NumArray] = {}
        for node in self.nodes:
            if node.op.source:
                values[node.name] = feeds[node.name]
                continue
            with _inside(self.name, node):
                args = (values[n] for n in node.inputs)
                values[node.name] = node.op.body(self.types_into(node), *args)
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
        """Return how many values saturate at each op that can, over all events."""
        counts: dict[str, int] = {}
        for start in range(0, len(next(iter(feeds.values()))), CHUNK):
            nums = self.run(
                {n.name: load(n.type.formats, feeds[n.name][start : start + CHUNK]) for n in self.inputs}
            )
            for node in self.nodes:
                flags = self.saturated(node, nums)
                if flags is not None:
                    events = min(CHUNK, len(next(iter(feeds.values()))) - start)
                    counts[node.name] = counts.get(node.name, 0) + int(
                        store(flags, hull(flags), events).sum()
                    )
        return counts

    def saturated(self, node: Node, nums: Mapping[str, NumArray]) -> NumArray | None:
        """Return 1 where an element of a node saturates, or None if it cannot; `nums` are those of `run`."""
        with _inside(self.name, node):
            return node.op.saturated(self.types_into(node), *(nums[n] for n in node.inputs))

    def rewrite(self, rule: Callable[[Node], Node]) -> Graph:
        """Return the graph with every node replaced by what `rule` makes of it; types follow the new ops and
        inputs, and a node whose type changes loses its formats."""
        made = Builder.reading(self)
        for node in self.nodes:
            made.keep(rule(node))
        return made.graph()


@contextmanager
def _inside(graph: str, node: Node) -> Generator[None]:
    """Place errors of arithmetic in the layer that they come from."""
    try:
        yield
    except CompileError as error:
        raise error.at(f"{graph}: %{node.name}") from None


class Builder:
    """Build a graph op by op; every name and every type is checked as it is added.

    This is the one way to build a graph, for readers, quantization and passes. Whoever reads another graph
    begins with `Builder.reading(graph)`; a name that the other graph does not have must then come from
    `fresh`, so that no invented value can take the place of a user's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._source: Graph | None = None
        self._nodes: dict[str, Node] = {}
        self._types: dict[str, Type] = {}
        self._taken: set[str] = set()

    @classmethod
    def reading(cls, source: Graph) -> Builder:
        """Return the builder of a graph with the name and the outputs of `source`."""
        made = cls(source.name)
        made._source = source
        made.reserve((*source.retired, *(n.name for n in source)))
        return made

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names for values that are still to be read."""
        self._taken.update(names)

    def fresh(self, stem: str) -> str:
        """Return `stem`, or `stem` with a number behind it: a name that no value has, neither one made
        already nor one still to be read."""
        name = next(n for n in _numbered(stem) if n not in self._taken)
        self._taken.add(name)
        return name

    def add(self, name: str, op: Op, *inputs: str, declared: Type | None = None) -> str:
        """Append a value and return its name; `declared` may give its type, which may carry formats.

        Raises CompileError for a name that is taken or cannot be written, for an input that does not exist
        yet, for inputs that the op does not take, and for a declared type that is not the inferred one.
        """
        found = _inferred(self.name, name, op, inputs, self._types)
        node = Node(name, op, inputs, declared or found)
        _agreed(self.name, node, found, self._types)
        return self._append(node)

    def keep(self, node: Node) -> str:
        """Append a node of another graph; its formats stay if its new inputs give it the same type."""
        found = _inferred(self.name, node.name, node.op, node.inputs, self._types)
        same = not node.op.source and replace(node.type, formats=()) == replace(found, formats=())
        return self._append(node if same else replace(node, type=found))

    def _append(self, node: Node) -> str:
        assert self._source is None or node.name in self._taken, f"%{node.name} is neither read nor fresh"
        self._taken.add(node.name)
        self._nodes[node.name] = node
        self._types[node.name] = node.type
        return node.name

    def revise(self, name: str, op: Op) -> None:
        """Give a value another op, of the same inputs and the same type."""
        node = self._nodes[name]
        assert typed(op, *(self._types[n] for n in node.inputs)) == replace(node.type, formats=())
        self._nodes[name] = replace(node, op=op)

    def rename(self, names: Mapping[str, str]) -> None:
        """Give values other names, all at once, so that two may exchange theirs."""
        nodes = [
            replace(n, name=names.get(n.name, n.name), inputs=tuple(names.get(i, i) for i in n.inputs))
            for n in self._nodes.values()
        ]
        self._nodes = {n.name: n for n in nodes}
        self._types = {n.name: n.type for n in nodes}
        self._taken.update(self._nodes)
        assert len(self._nodes) == len(nodes), "two values would have one name"

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The values so far by name, in order."""
        return self._nodes

    def has(self, name: str) -> bool:
        return name in self._nodes

    def find(self, name: str) -> Node:
        return self._nodes[name]

    def type(self, name: str) -> Type:
        return self._types[name]

    def graph(self, *outputs: str) -> Graph:
        """Return the graph, verified. Of a graph that reads another one, `outputs` are the values that take
        the place of its outputs and so their names; left out, they have these names already."""
        retired = frozenset[str]()
        if self._source is not None:
            self._name_outputs(outputs or self._source.outputs)
            outputs = self._source.outputs
            retired = self._source.retired.union(n.name for n in self._source).difference(self._nodes)
        return Graph(self.name, tuple(self._nodes.values()), outputs, retired).verify()

    def _name_outputs(self, values: tuple[str, ...]) -> None:
        """Give each value the name of the output that it is; what had the name before gets a fresh one."""
        assert self._source is not None
        names = {v: n for v, n in zip(values, self._source.outputs, strict=True) if v != n}
        assert not any(self._nodes[v].op.source for v in names), "a port keeps its name"
        inner = [n for n in names.values() if self.has(n) and n not in names]
        self.rename(names | {n: self.fresh(f"{n}.inner") for n in inner})


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}{number}" for number in count(1))


def _inferred(graph: str, name: str, op: Op, inputs: tuple[str, ...], known: Mapping[str, Type]) -> Type:
    """Return the type that a new value gets. Raises CompileError if the value cannot follow those known."""
    where = f"{graph}: %{name}"
    if not NAME.fullmatch(name):
        raise CompileError(
            where, "has a name that no text can hold", "use letters, digits, underscores and dots"
        )
    if name in known:
        raise CompileError(where, "found two values of this name", "rename one")
    missing = [n for n in inputs if n not in known]
    if missing:
        raise CompileError(
            where,
            f"reads %{missing[0]}, which is not defined before it",
            "order the ops so that each value comes before its use",
        )
    try:
        return typed(op, *(known[n] for n in inputs))
    except CompileError as error:
        raise error.at(where) from None
    except (IndexError, ValueError) as error:
        raise CompileError(
            where, f"{op.name()} has fields that do not fit ({error})", "correct them"
        ) from None


def _agreed(graph: str, node: Node, found: Type, known: Mapping[str, Type]) -> Type:
    """Return the declared type of a node. Raises CompileError unless it is the one found; the formats of
    a port are those of its op."""
    if node.type == (found if node.op.source else replace(found, formats=node.type.formats)):
        return node.type
    kinds = ", ".join(str(known[n]) for n in node.inputs)
    raise CompileError(
        f"{graph}: %{node.name}",
        f"is declared {node.type}, but {node.op.name()} of ({kinds}) gives {found}",
        "correct the declared type",
    )
