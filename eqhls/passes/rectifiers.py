"""Rectifiers without formats become gates: a table reads at most ten bits, a gate all of them."""

from __future__ import annotations

import numpy as np

from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Floats, Tensor
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.relu import Relu
from eqhls.ops.table import IDENTITY, ONE_LINE, Activation, Table


def open_rectifiers(graph: Graph) -> Graph:
    """Rewrite tables that are constant for x < 0 and straight above as a max(x, 0) + y0, channel by channel:
    exact arithmetic over decades of x, with a constant factor. Leaky ones stay tables, which are
    cheaper than two factors; and so do trained ones, which have formats."""
    made = Builder.reading(graph)
    for node in graph:
        line = _line(node)
        if line is None:
            made.keep(node)
        else:
            _open(made, node, *line)
    return made.graph()


def _line(node: Node) -> tuple[str, Floats, Floats] | None:
    """Return the axis of the rows of a rectifier, the slopes above 0 and the values below, one for each row;
    None for another function."""
    op = node.op
    if not isinstance(op, Table) or op.out is not None or op.levels is not None or op.floor:
        return None
    if op.activation is Activation.RELU and (op.knots, op.values) == (IDENTITY, ONE_LINE):
        return op.axis, np.ones(1), np.zeros(1)
    knots, values = op.knots.array, op.values.array
    if op.activation is not Activation.NONE or not op.axis or len(knots) != 3 or knots[1] != 0:
        return None
    if (values[:, 0] != values[:, 1]).any():
        return None
    return op.axis, (values[:, 2] - values[:, 1]) / knots[2], values[:, 1]


def _open(made: Builder, node: Node, axis: str, slope: Floats, shift: Floats) -> None:
    (source,) = node.inputs
    if (slope == 1).all() and not shift.any():
        made.add(node.name, Relu(), source)
        return
    positive = made.add(made.fresh(f"{node.name}.positive"), Relu(), source)
    size = node.type.size(axis)
    weight = Tensor(np.diag(np.broadcast_to(slope, size)))
    bias = Tensor(np.broadcast_to(shift, size)) if shift.any() else None
    made.add(node.name, ChannelMix(weight, bias, axis=axis), positive)
