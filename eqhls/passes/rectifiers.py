"""Rectifiers without formats become gates: a table reads ten bits, a rectifier all that its argument has."""

from __future__ import annotations

import numpy as np

from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats, Tensor
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.relu import Relu
from eqhls.ops.table import IDENTITY, ONE_LINE, Activation, Table
from eqhls.passes.rebuild import Rebuild

SLOPES = {Activation.RELU: 0.0, Activation.LEAKY_RELU: 0.01}
CHANNELS = "c"


def open_rectifiers(graph: Graph) -> Graph:
    """Rewrite tables of one bend at 0 as y = a x + (b - a) max(x, 0) + y0, channel by channel: exact
    arithmetic over decades of x, with constant factors. Trained tables, which have formats, stay."""
    made = Rebuild(graph)
    for node in graph:
        lines = _lines(node)
        if lines is None or not node.type.has(CHANNELS):
            made.keep(node)
        else:
            _open(made, node, *lines)
    return made.graph()


def _lines(node: Node) -> tuple[Floats, Floats, Floats] | None:
    """Return slopes left and right of 0 and values there, a row each, or None for another function."""
    op = node.op
    if not isinstance(op, Table) or op.out is not None or op.levels is not None or op.floor:
        return None
    if op.activation in SLOPES and (op.knots, op.values) == (IDENTITY, ONE_LINE):
        return np.array([SLOPES[op.activation]]), np.ones(1), np.zeros(1)
    knots, values = op.knots.array, op.values.array
    if op.activation is not Activation.NONE or op.axis != CHANNELS or len(knots) != 3 or knots[1] != 0:
        return None
    slopes = np.diff(values, axis=1) / np.diff(knots)
    return slopes[:, 0], slopes[:, 1], values[:, 1]


def _open(made: Rebuild, node: Node, left: Floats, right: Floats, shift: Floats) -> None:
    (source,), size = node.inputs, node.type.size(CHANNELS)
    if not left.any() and (right == 1).all() and not shift.any():
        made.add(node.name, Relu(), source)
        return
    value = made.add(f"{node.name}.positive", Relu(), source)
    weight = np.diag(np.broadcast_to(right - left, size))
    if left.any():
        value = made.add(f"{node.name}.parts", Concat(CHANNELS), value, source)
        weight = np.concatenate([weight, np.diag(np.broadcast_to(left, size))], axis=1)
    bias = Tensor(np.broadcast_to(shift, size)) if shift.any() else None
    made.add(node.name, ChannelMix(Tensor(weight), bias, axis=CHANNELS), value)
