"""Negative controls: networks with one fault in their Minkowski products, which the symmetry test must
catch. A test that passes these would pass anything."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eqhls.fixed import Num, NumArray, element
from eqhls.groups.cg import table
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type, spread
from eqhls.ops.common import broadcast, contract
from eqhls.ops.gram import PRODUCT, Gram

LAST = 3
"""The component that the faults sit in."""
CUT = 2
"""Bits that the truncating fault drops from a product."""


@dataclass(frozen=True, slots=True)
class FaultyGram(Gram):
    """Minkowski products with a fault in the last component; `fault` is one of FAULTS."""

    fault: str = ""

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        left, right = self._operands(types, x)
        full = table(PRODUCT, types[0].basis)
        if self.fault == "flipped metric sign":
            right = right.copy()
            right[..., LAST] = -right[..., LAST]
            return contract(full, 1, left, right)
        out = contract(full, 1, left, right)
        for index in np.ndindex(out.shape[:-1]):
            product = element(left, (*index, LAST)) * element(right, (*index, LAST))
            out[(*index, 0)] = out[(*index, 0)] + _truncated(product) - product
        return out

    def _operands(self, types: tuple[Type, ...], x: tuple[NumArray, ...]) -> tuple[NumArray, NumArray]:
        if len(x) == 2:
            axes = self.infer(*types).axes
            a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
            return a, b
        where = types[0].index(self.axis)
        left, right = (np.take(x[0], side, axis=where) for side in self._pairs(types[0]))
        return left, right


def _truncated(x: Num) -> Num:
    return x.floor_bits(CUT).at(x.frac)


FAULTS = ("flipped metric sign", "truncated product")


def faulty(graph: Graph, fault: str) -> Graph:
    """Return the graph with the fault in every Minkowski product."""

    def rule(node: Node) -> Node:
        if type(node.op) is not Gram:
            return node
        return replace(node, op=FaultyGram(node.op.axis, node.op.to, fault))

    return graph.rewrite(rule).formatted()
