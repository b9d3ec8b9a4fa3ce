"""Negative controls: networks with one fault in their Minkowski products, which the symmetry test must
catch. A test that passes these would pass anything."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eqhls.fixed import NumArray, element
from eqhls.groups.cg import table
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type, spread
from eqhls.ops.common import broadcast, contract
from eqhls.ops.gram import PRODUCT, Gram

LAST = 3
"""The component that the faults sit in."""
CUTS = (2, 4, 8, 12, 16)
"""Bits that the truncating fault drops from a product: the first that a network resolves must be caught,
for behind a logarithm or a rounding the last bits of a product need not matter."""


@dataclass(frozen=True, slots=True)
class FaultyGram(Gram):
    """Minkowski products with a fault in the last component; `fault` is one of FAULTS."""

    fault: str = ""
    cut: int = CUTS[0]

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
            out[(*index, 0)] = out[(*index, 0)] + product.floor_bits(self.cut).at(product.frac) - product
        return out

    def _operands(self, types: tuple[Type, ...], x: tuple[NumArray, ...]) -> tuple[NumArray, NumArray]:
        if len(x) == 2:
            axes = self.infer(*types).axes
            a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
            return a, b
        where = types[0].index(self.axis)
        left, right = (np.take(x[0], side, axis=where) for side in self._pairs(types[0]))
        return left, right


FAULTS = ("flipped metric sign", "truncated product")


def faulty(graph: Graph, fault: str, cut: int = CUTS[0]) -> Graph:
    """Return the graph with the fault in every Minkowski product."""

    def rule(node: Node) -> Node:
        if type(node.op) is not Gram:
            return node
        return replace(node, op=FaultyGram(node.op.axis, node.op.to, fault, cut))

    return graph.rewrite(rule).formatted()
