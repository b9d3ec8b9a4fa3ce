"""Affine functions behind trained ones: no hardware of their own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Tensor
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.table import IDENTITY, ONE_LINE, Activation, Table

SLOPES = {Activation.RELU: 0.0, Activation.LEAKY_RELU: 0.01}
BEND = Tensor([-1.0, 0.0, 1.0])


def fold_normalisation(graph: Graph) -> Graph:
    """Take a scale and a shift of every channel, as batch normalisation is at inference, into the function
    in front of them: piecewise linear functions, and rectifiers, stay piecewise linear.

    Only if nothing else reads the function, and before formats are chosen.
    """
    readers = Counter(n for node in graph for n in node.inputs) + Counter(graph.outputs)

    def rule(node: Node) -> Node:
        if not isinstance(node.op, ChannelMix) or not _is_affine(node.op):
            return node
        source = graph.node(node.inputs[0])
        if not isinstance(source.op, Table) or readers[source.name] > 1:
            return node
        folded = _folded(source.op, node.op)
        return replace(node, op=folded, inputs=source.inputs) if folded else node

    return graph.rewrite(rule)


def _is_affine(op: ChannelMix) -> bool:
    """Whether no channel meets another."""
    weight = op.weight.array
    return weight.shape[0] == weight.shape[1] and bool((weight == np.diag(np.diag(weight))).all())


def _folded(table: Table, mix: ChannelMix) -> Table | None:
    """Return scale * table + shift as one table with one row per channel, or None if there is none."""
    plain = table.out is None and table.levels is None and not table.floor
    if not plain or table.axis not in ("", mix.axis):
        return None
    scale = np.diag(mix.weight.array)[:, None]
    shift = np.zeros_like(scale) if mix.bias is None else mix.bias.array[:, None]
    if table.activation is Activation.NONE:
        knots, values = table.knots, table.values.array
    elif table.activation in SLOPES and (table.knots, table.values) == (IDENTITY, ONE_LINE):
        knots, values = BEND, np.array([[-SLOPES[table.activation], 0.0, 1.0]])
    else:
        return None
    return Table(knots, Tensor(scale * values + shift), axis=mix.axis)
