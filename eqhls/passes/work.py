"""What a network multiplies and looks up, counted before any format is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from eqhls.groups.basis import Basis
from eqhls.groups.cg import CGTable, parse_path, square_terms, table
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type, joined_axes
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.gram import Gram
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.radial import Radial
from eqhls.ops.table import Table

PRODUCT, CONSTANT, LOOKUP = 100, 5, 20
"""LUT for a product of two variables of 14 to 16 bits with its sum, a product with an 8-bit constant
inside a matrix that shares terms, a table: about what alkaid estimates for a calibrated network, twice
what it does for one trained with narrow formats."""


@dataclass(frozen=True, slots=True)
class Work:
    """Products of two variables, products with constants, and table look-ups in one event."""

    products: int = 0
    constants: int = 0
    lookups: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.products + other.products, self.constants + other.constants, self.lookups + other.lookups
        )

    @property
    def luts(self) -> int:
        """A rough number of LUT if everything is laid out in parallel (II = 1)."""
        return PRODUCT * self.products + CONSTANT * self.constants + LOOKUP * self.lookups


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
        one = _work(node, graph.types_into(node))
        fixed = [n for n in node.inputs if n in constant]
        found[node.name] = Work(0, one.constants + one.products, one.lookups) if fixed else one
    return found


def _work(node: Node, types: tuple[Type, ...]) -> Work:
    size = node.type.elements
    match node.op:
        case Table() | Radial() | Log2():
            return Work(lookups=size)
        case CgProduct(path):
            return Work(size // path.out.dim * _pairs(table(path, _basis(types))))
        case CgSquare(path):
            return Work(size // path.out.dim * _pairs(square_terms(path, _basis(types))))
        case Gram():
            return Work(size * Rep.V.dim)
        case Invariants() if types[0].rep is not Rep.S:
            path = parse_path(f"{types[0].rep.name}*{types[0].rep.name}->S")
            return Work(size * _pairs(square_terms(path, types[0].basis)))
        case PairSum():
            return Work(prod(a.size for a in joined_axes(*types)) * node.type.rep.dim)
        case op:
            return Work(constants=_weights(op, size))


def _basis(types: tuple[Type, ...]) -> Basis:
    return next((t.basis for t in types if t.rep is not Rep.S), Basis.CARTESIAN)


def _pairs(cg: CGTable) -> int:
    return len({(t.left, t.right) for t in cg.terms})


def _weights(op: Any, size: int) -> int:
    """Return the products of a linear map that stores weights (out, ..) and gives `size` numbers."""
    maps = [getattr(op, name, None) for name in ("weight", "dual")]
    return sum(size // len(m.array) * int(np.count_nonzero(m.array)) for m in maps if m is not None)
