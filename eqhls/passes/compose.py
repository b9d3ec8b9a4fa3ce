"""Radial networks become tables: what is computed from one scalar alone is one function of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace

import numpy as np

from eqhls.errors import CompileError
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.types import Axis, Type
from eqhls.ir.work import Work
from eqhls.ops.clamp import Clamp
from eqhls.ops.composed import NETWORK, Composed, acts_alone, places
from eqhls.ops.input import Input
from eqhls.ops.relu import Relu
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.passes.structure import drop_dead
from eqhls.passes.work import work

ARGUMENT = "x"
"""The name of the scalar inside its network."""


def compose(graph: Graph) -> Graph:
    """Replace what is computed from one scalar alone, entry by entry, by one `composed` op for each value
    that something else reads.

    The scalar is the value furthest up: of the distance, its square. Only what has no formats is drawn in,
    and only if tables of the results cost less than what they replace: a single function, even behind
    a scale or a copy for each channel, stays as it is.
    """
    found = _Search(graph, frozenset())
    while hopeless := found.hopeless():
        found = _Search(graph, found.kept | hopeless)
    ops = {n.name: op for n in found.exits if (op := found.composed(n)) is not None}
    if not ops:
        return graph
    made = Builder.reading(graph)
    for node in graph:
        if node.name in ops:
            node = replace(node, op=ops[node.name], inputs=(found.scalar[node.name],))
        made.keep(node)
    return drop_dead(made.graph())


class _Search:
    """Of which scalar each value is a function. Values that are `kept` count as scalars of their own."""

    def __init__(self, graph: Graph, kept: frozenset[str]) -> None:
        self.graph, self.kept = graph, kept
        self.work = work(graph)
        self.scalar: dict[str, str] = {}
        for node in graph:
            above = {self.scalar[n] for n in node.inputs if n in self.scalar}
            if node.op.source or above:
                one = above.pop() if len(above) == 1 and node.name not in kept else ""
                self.scalar[node.name] = one if one and self._is_function(node, one) else node.name

    def _is_function(self, node: Node, scalar: str) -> bool:
        """Whether a node, all of whose variable inputs are functions of a scalar, is one."""
        types = self.graph.types_into(node)
        fed = places(node.inputs, self.scalar)
        axes = self.graph.node(scalar).type.axes
        if any(t.rep is not S for t in (node.type, *types)) or node.type.formats or node.op.rounds_to():
            return False
        if isinstance(node.op, Table) and node.op.levels is not None:
            return False
        constants = [self.graph.node(n) for k, n in enumerate(node.inputs) if k not in fed]
        if any(c.type.formats or _silences(c, axes) for c in constants):
            return False
        return acts_alone(node.op, types, axes, fed)

    @property
    def exits(self) -> list[Node]:
        """The functions that something else reads: an output, an op of several values."""
        found = set(self.graph.outputs)
        for node in self.graph:
            found |= {n for n in node.inputs if self.scalar.get(n) != self.scalar.get(node.name)}
        return [n for n in self.graph if n.name in found and self.scalar.get(n.name, n.name) != n.name]

    def hopeless(self) -> frozenset[str]:
        """Return the functions that would cost more as tables, and of which no other one is made: what is
        in front of them may still pay."""
        inner = {
            n for node in self.graph for n in node.inputs if self.scalar.get(n) == self.scalar.get(node.name)
        }
        return frozenset(n.name for n in self.exits if n.name not in inner and not self._pays(n))

    def _members(self, exit: Node) -> list[Node]:
        """Return the nodes that a function is computed by, in order, constants included."""
        wanted, found = {exit.name}, list[Node]()
        for node in reversed(self.graph.nodes):
            if node.name in wanted and node.name != self.scalar[exit.name]:
                found.append(node)
                wanted.update(node.inputs)
        return found[::-1]

    def _pays(self, exit: Node) -> bool:
        """Whether there is more than one op behind scales and shifts of the scalar itself, and all together
        cost more than tables of the results. Copies neither count nor cost."""
        straight, behind, cost = {self.scalar[exit.name]}, 0, Work()
        for node in (n for n in self._members(exit) if n.name in self.scalar):
            fed = [n for n in node.inputs if n in self.scalar]
            if not self._copies(node):
                cost += self.work[node.name]
            if len(fed) == 1 and fed[0] in straight and not (self.work[node.name].lookups or _bends(node)):
                straight.add(node.name)
            elif not self._copies(node):
                behind += 1
        return behind > 1 and cost.luts > Work(lookups=exit.type.elements).luts

    def _copies(self, node: Node) -> bool:
        """Whether a node only moves, selects or repeats entries of one function, maybe with other signs: this
        is found by trying, with random numbers in its place."""
        types, fed = self.graph.types_into(node), list(places(node.inputs, self.scalar))
        constants = [self.graph.node(n).op for k, n in enumerate(node.inputs) if k not in fed]
        if len(fed) != 1 or not all(isinstance(c, Spurion) for c in constants):
            return False
        x = np.random.default_rng(1).normal(size=(1, *types[fed[0]].shape))
        rest = iter(c.reference(()) for c in constants)
        y = node.op.reference(types, *(x if k in fed else next(rest) for k in range(len(types))))
        return bool(np.isin(np.abs(y), np.append(np.abs(x), 0.0)).all()) and not _bends(node)

    def composed(self, exit: Node) -> Composed | None:
        """Return the op of a function, or None if it stays as it is."""
        if not self._pays(exit):
            return None
        scalar, members = self.graph.node(self.scalar[exit.name]), self._members(exit)
        own = tuple(a for a in scalar.type.axes if any(_tells_apart(n, a) for n in members))
        try:
            op = Composed(_network(scalar.name, members, own))
            return op if op.infer(scalar.type) == exit.type else None
        except CompileError:
            return None


def _bends(node: Node) -> bool:
    """Whether an op without tables is not a straight line."""
    return isinstance(node.op, Relu | Clamp)


def _silences(constant: Node, axes: tuple[Axis, ...]) -> bool:
    """Whether a constant takes some entries of a scalar and drops others: that costs nothing, and tables for
    each entry would."""
    return any(constant.type.has(a.name) for a in axes) and _is_unit(constant)


def _is_unit(constant: Node) -> bool:
    """Whether a constant has no numbers but 0, 1 and -1, so that products with it cost nothing."""
    return isinstance(constant.op, Spurion) and bool(np.isin(constant.op.values.array, (-1, 0, 1)).all())


def _tells_apart(node: Node, axis: Axis) -> bool:
    """Whether a constant or an op has a row for each entry of an axis."""
    if isinstance(node.op, Spurion):
        return node.type.has(axis.name)
    return any(getattr(node.op, f.name) == axis.name for f in fields(node.op))


def _network(scalar: str, members: Iterable[Node], own: tuple[Axis, ...]) -> Graph:
    """Return a function as a network of its own, with values numbered, so that equal functions are equal."""
    b = Builder(NETWORK)
    names = {scalar: b.add(ARGUMENT, Input(Type(S, own)))}
    for node in members:
        inputs = (names[n] for n in node.inputs)
        names[node.name] = b.add(f"{node.op.name()}{len(names)}", node.op, *inputs)
    return b.graph(next(reversed(names.values())))
