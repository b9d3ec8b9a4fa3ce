"""Linear maps in a row become one: a head's mix of channels moves past its sum over all pairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed.ordered import ordered_einsum
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Tensor
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.common import integers, pair_count
from eqhls.ops.eq2to0 import Eq2to0


def move_heads_past_sums(graph: Graph) -> Graph:
    """Rewrite Eq2to0(W x + b) as Eq2to0(x) with weights K W and a bias for n^2 and n entries.

    One mix of the event instead of one for every pair. Only if nothing else reads the mix, and if
    the merged weights still fit into 24 bits.
    """
    readers = Counter(n for node in graph for n in node.inputs) + Counter(graph.outputs)

    def rule(node: Node) -> Node:
        if not isinstance(node.op, Eq2to0):
            return node
        mix = graph.node(node.inputs[0])
        if not isinstance(mix.op, ChannelMix) or mix.op.axis != node.op.channel or readers[mix.name] > 1:
            return node
        merged = _merged(node.op, mix.op, pair_count(node.op.name(), mix.type))
        return replace(node, op=merged, inputs=mix.inputs) if _fits(merged) else node

    return graph.rewrite(rule)


def _merged(head: Eq2to0, mix: ChannelMix, n: int) -> Eq2to0:
    weight = ordered_einsum("sdb,de->seb", head.weight.array, mix.weight.array)
    shift = np.zeros(len(weight)) if head.bias is None else head.bias.array
    if mix.bias is not None:
        shift = shift + ordered_einsum("sdb,d,b->s", head.weight.array, mix.bias.array, np.array([n * n, n]))
    return replace(head, weight=Tensor(weight), bias=Tensor(shift))


def _fits(head: Eq2to0) -> bool:
    try:
        integers(head.weight)
        assert head.bias is not None
        integers(head.bias)
    except CompileError:
        return False
    return True
