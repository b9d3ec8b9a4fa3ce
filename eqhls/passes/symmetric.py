"""Maps of pairs that waste half of their work become the tied ones."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np

from eqhls.errors import CompileError
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Floats, Tensor
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.gram import Gram
from eqhls.ops.log2 import Log2
from eqhls.ops.maps import PLACES, Map
from eqhls.ops.mask import Mask
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import Table

PAIR = "p"


def store_triangles(graph: Graph) -> Graph:
    """Keep symmetric pair tensors as their pairs i <= j.

    A tensor is symmetric where it is the Gram matrix of one set of vectors with itself (a Gram of x
    and of x renamed), a function of single entries of a symmetric one, or an Eq2to2 of a symmetric one
    whose weights do not tell rows from columns. Everything downstream of a Gram must be able to follow
    to the event or to particles; otherwise the graph is left as it is.
    """
    made = Builder.reading(graph)
    moved: set[str] = set()
    sides: set[str] = set()
    for node in graph:
        found = _gram(node, made) if isinstance(node.op, Gram) else _follow(node, made, moved, sides)
        if found is None:
            return graph
        try:
            before, after = node.type, made.type(made.keep(found))
        except CompileError:
            return graph
        if after.has(PAIR) and not before.has(PAIR):
            moved.add(node.name)
            sides |= {a.name for a in before.axes} - {a.name for a in after.axes}
    return graph if moved.intersection(graph.outputs) else made.graph()


def _gram(node: Node, made: Builder) -> Node | None:
    if len(node.inputs) != 2:
        return node
    left, right = (made.find(n) for n in node.inputs)
    twin = isinstance(right.op, Rename) and right.inputs == (left.name,)
    if not twin or len(left.type.axes) != 1 or left.type.has(PAIR) or right.type.has(PAIR):
        return node
    return replace(node, op=Gram(left.type.axes[0].name, PAIR), inputs=(left.name,))


POINTWISE = (Table, Log2, Requantize, ChannelMix, CgProduct, Add, Mask)
"""Ops that act on entries one by one, if not along the axes of the pair."""


def _follow(node: Node, made: Builder, moved: set[str], sides: set[str]) -> Node | None:
    """Return the node on triangular inputs, the node itself if it has none, None if it cannot.

    `sides` are the axes of rows and columns, which nothing downstream may still name."""
    if not moved.intersection(node.inputs):
        return node
    kinds = {n: made.type(n) for n in node.inputs}
    if any(k.has(side) for k in kinds.values() for side in sides):
        return None
    if any(k.has(PAIR) for n, k in kinds.items() if n not in moved):
        return None
    match node.op:
        case Eq2to2() as op:
            tied = _tied(op)
            return replace(node, op=tied) if tied else None
        case Eq2to0() | Eq2to1():
            return node
        case op if isinstance(op, POINTWISE) and getattr(op, "axis", "") not in sides:
            return node
        case _:
            return None


TWINS = {"x": ("y",), "d": (), "r": ("c",), "trace": (), "total": ()}
"""Sources of symmetric tensors, and those that are equal to them."""


def _tied(op: Eq2to2) -> Eq2to2Symmetric | None:
    """Return the nine maps, or None if rows and columns have weights of their own.

    On symmetric tensors rows and columns have equal sums, so only sums of weights count.
    """
    k = {name: op.weight.array[:, :, b] for b, name in enumerate(Eq2to2.maps)}
    tied = dict[Map, Floats]()
    for source, same in TWINS.items():
        for place in PLACES:
            both = [k[Map(s, place)] for s in (source, *same) if Map(s, place) in k]
            if both:
                tied[Map(source, place)] = reduce(np.add, both)
    for source in ("d", "r"):
        row, column = (tied.pop(Map(source, place)) for place in ("row", "column"))
        if not np.array_equal(row, column):
            return None
        tied[Map(source, "sides")] = row
    weight = np.stack([tied[name] for name in Eq2to2Symmetric.maps], axis=-1)
    return Eq2to2Symmetric(Tensor(weight), op.bias, op.diagonal, op.keep, PAIR, op.channel)
