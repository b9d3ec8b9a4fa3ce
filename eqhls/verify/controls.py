"""Negative controls: networks with one fault in an op, which the symmetry test must catch. A test that
passes these would pass anything. Which faults an op can have, it says itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import Charges
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import TRUNCATED, Along, Example, Floats, Op
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic

CUTS = (2, 4, 8, 12, 16)
"""Bits that the truncating fault drops from a product: the first that a network resolves must be caught,
for behind a logarithm or a rounding the last bits of a product need not matter."""
ALONE = 6
"""Ops that are broken one by one, if breaking all together changes nothing."""


@dataclass(frozen=True, slots=True)
class Faulty(Arithmetic):
    """An op with one of its faults."""

    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False

    op: Op
    fault: str
    cut: int = CUTS[0]

    def infer(self, *types: Type) -> Type:
        return self.op.infer(*types)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return self.op.along(types, axis)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return self.op.reference(types, *x)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return self.op.faulty(self.fault, self.cut, types, *x)

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return self.op.charges(types)

    def work(self, types: tuple[Type, ...]) -> Work:
        return self.op.work(types)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return None

    def rounds_to(self) -> tuple[Fixed, ...]:
        return self.op.rounds_to()

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return ()

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return ()


def faults_of(graph: Graph) -> dict[str, list[str]]:
    """Return every fault that some op of the network can have, and the values made by such ops: those
    with scalar results of covariant inputs first, for they decide what is invariant."""
    found: dict[str, list[str]] = {}
    computed = [n for n in graph if n.inputs]
    for node in sorted(computed, key=lambda n: n.type.dim):
        for fault in node.op.faults(graph.types_into(node)):
            found.setdefault(fault, []).append(node.name)
    return found


def faulty(graph: Graph, fault: str, names: list[str], cut: int = CUTS[0]) -> Graph:
    """Return the graph with the fault in the ops that make these values. Raises CompileError if the
    arithmetic of the fault needs more than 63 bits."""

    def rule(node: Node) -> Node:
        return replace(node, op=Faulty(node.op, fault, cut)) if node.name in names else node

    return graph.rewrite(rule).formatted()


def broken(graph: Graph, fault: str, names: list[str]) -> Iterator[Graph]:
    """Yield networks with a fault, one after the other until a test notices one: in all ops that can have
    it, with ever more bits cut, then in one op at a time, for two faults may undo each other."""
    cuts = CUTS if fault == TRUNCATED else CUTS[:1]
    choices = [(names, cut) for cut in cuts]
    if len(names) > 1:
        choices += [([name], cuts[-1]) for name in names[:ALONE]]
    for which, cut in choices:
        try:
            yield faulty(graph, fault, which, cut)
        except CompileError:
            continue
