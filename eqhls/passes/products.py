"""Columns of a mix that are the same product become one.

a (x) b and b (x) a are equal up to a sign, and x (x) x needs half of the terms or is zero. A mix that
has both as columns adds their weights; columns that vanish are dead weights and go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed.ordered import ordered_product
from eqhls.groups.coupling import Path
from eqhls.groups.registry import coupling, paths
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Tensor
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.select import Select

Operand = tuple[str, int]
"""A value and one of its channels."""


@dataclass(frozen=True, slots=True)
class Column:
    """One channel: of a value, or of a product of two channels."""

    path: Path | None
    left: Operand
    right: Operand = ("", 0)

    @property
    def square(self) -> bool:
        return self.path is not None and self.left == self.right


def merge_products(graph: Graph) -> Graph:
    """Merge the columns of every concatenation that ends in a mix of its channels; values that get other
    columns get other names."""
    made = Builder.reading(graph)
    maps: dict[str, NDArray[Any]] = {}
    names: dict[str, str] = {}
    for node in graph:
        source = _channels_from(node)
        moved = replace(node, inputs=tuple(names.get(n, n) for n in node.inputs))
        if isinstance(node.op, Concat) and _ends_in_mix(graph, node):
            merged = _merged(made, node, node.op.axis)
            if merged is not None:
                names[node.name], maps[node.name] = merged
                continue
        if source in maps and isinstance(node.op, ChannelMix):
            moved = replace(moved, op=_through(node.op, maps[source]))
        elif source in maps:
            maps[node.name], names[node.name] = maps[source], made.fresh(f"{node.name}.merged")
            moved = replace(moved, name=names[node.name])
        made.keep(moved)
    return made.graph()


def _channels_from(node: Node) -> str:
    """Return the input whose channels a linear op keeps apart or mixes, or nothing."""
    if isinstance(node.op, ChannelMix | ParticleSum | Mask):
        return node.inputs[0]
    return node.inputs[1] if isinstance(node.op, PairSum) else ""


def _ends_in_mix(graph: Graph, node: Node) -> bool:
    """Whether one reader at a time leads from the channels of a value to a mix of them."""
    axis = node.op.axis if isinstance(node.op, Concat) else ""
    while True:
        readers = [n for n in graph if node.name in n.inputs]
        if len(readers) != 1 or node.name in graph.outputs or _channels_from(readers[0]) != node.name:
            return False
        node = readers[0]
        if isinstance(node.op, ChannelMix):
            return node.op.axis == axis
        if getattr(node.op, "axis", getattr(node.op, "over", "")) == axis:
            return False
        others = node.inputs[:-1] if isinstance(node.op, PairSum) else node.inputs[1:]
        if any(graph.node(n).type.has(axis) for n in others):
            return False


def _through(mix: ChannelMix, old_from_new: NDArray[Any]) -> ChannelMix:
    dual = None if mix.dual is None else Tensor(ordered_product(mix.dual.array, old_from_new))
    return ChannelMix(Tensor(ordered_product(mix.weight.array, old_from_new)), mix.bias, dual, mix.axis)


def _merged(made: Builder, node: Node, axis: str) -> tuple[str, NDArray[Any]] | None:
    """Append the merged concatenation; return its name and the matrix from new to old columns, None if
    nothing merges."""
    found = [pair for name in node.inputs for pair in _columns(made, made.find(name), axis)]
    different = list(dict.fromkeys(c for c, sign in found if sign))
    merges = len(different) < len(found) or any(c.square for c in different)
    if not merges or not different:
        return None
    groups: dict[Any, list[Column]] = {}
    for column in different:
        groups.setdefault((column.path, column.left[0], column.right[0], column.square), []).append(column)
    places = {c: n for n, c in enumerate(c for group in groups.values() for c in group)}
    old_from_new = np.zeros((len(found), len(places)))
    for row, (column, sign) in enumerate(found):
        if sign:
            old_from_new[row, places[column]] = sign
    parts = [_emit(made, f"{node.name}.{k}", g, axis) for k, g in enumerate(groups.values())]
    return made.add(made.fresh(f"{node.name}.merged"), Concat(axis), *parts), old_from_new


def _columns(made: Builder, node: Node, axis: str) -> list[tuple[Column, int]]:
    """Return each channel of a value with its sign: 0 for a product that vanishes."""
    alike = all([a.name for a in made.type(n).axes] == [a.name for a in node.type.axes] for n in node.inputs)
    if not isinstance(node.op, CgProduct) or not alike:
        return [(Column(None, (node.name, k)), 1) for k in range(node.type.size(axis))]
    left, right = (_operands(made, n, axis) for n in node.inputs)
    return [_canonical(node.op.path, a, b) for a, b in zip(left, right, strict=True)]


def _operands(made: Builder, name: str, axis: str) -> list[Operand]:
    node = made.find(name)
    if isinstance(node.op, Select) and (node.op.axis, node.op.to) == (axis, axis):
        return [(node.inputs[0], k) for k in node.op.indices]
    return [(name, k) for k in range(node.type.size(axis))]


def _canonical(path: Path, left: Operand, right: Operand) -> tuple[Column, int]:
    """Return a product with its factors in the one order that we use, and the sign of the exchange."""
    if path not in paths() and path.swapped in paths():
        path, left, right = path.swapped, right, left
    sign = 1
    if path.left is path.right:
        swap = _swap(path)
        if left == right and swap < 0:
            sign = 0
        elif right < left:
            left, right, sign = right, left, swap
    return Column(path, left, right), sign


@cache
def _swap(path: Path) -> int:
    """Return the sign of exchanging two factors of one representation."""
    terms = {
        (t.out, t.left, t.right): t.numerator
        for t in coupling(path, path.left.basis(), path.left.basis()).table.terms
    }
    (out, a, b), value = next(iter(terms.items()))
    sign = 1 if terms[out, b, a] == value else -1
    assert all(terms[o, b, a] == sign * v for (o, a, b), v in terms.items())
    return sign


def _emit(made: Builder, name: str, group: Sequence[Column], axis: str) -> str:
    first = group[0]
    left = _take(made, f"{name}.a", [c.left for c in group], axis)
    if first.path is None:
        return left
    if first.square:
        return made.add(made.fresh(name), CgSquare(first.path), left)
    right = _take(made, f"{name}.b", [c.right for c in group], axis)
    return made.add(made.fresh(name), CgProduct(first.path), left, right)


def _take(made: Builder, name: str, operands: list[Operand], axis: str) -> str:
    """Return the value with just these channels."""
    source, indices = operands[0][0], tuple(k for _, k in operands)
    if indices == tuple(range(made.type(source).size(axis))):
        return source
    return made.add(made.fresh(name), Select(axis, indices, axis), source)
