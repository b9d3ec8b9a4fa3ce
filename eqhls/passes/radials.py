"""Radial bases become radial functions: a linear layer on a table is another table."""

from __future__ import annotations

from dataclasses import replace

from eqhls.fixed.ordered import ordered_product
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.mask import Mask
from eqhls.ops.radial import Radial
from eqhls.ops.spurion import Spurion


def merge_radials(graph: Graph) -> Graph:
    """Rewrite W (m phi(x)) + b as m (W phi)(x) + b: one table per channel, nothing to multiply.

    The mask m stays in front of the bias: a silenced edge keeps b. It must be one for all channels.
    """
    made = Builder.reading(graph)
    for node in graph:
        if not (isinstance(node.op, ChannelMix) and _merge(made, node, node.op)):
            made.keep(node)
    return made.graph()


def _merge(made: Builder, node: Node, mix: ChannelMix) -> bool:
    mask = made.find(node.inputs[0])
    basis = made.find(mask.inputs[0]) if isinstance(mask.op, Mask) else mask
    if not isinstance(basis.op, Radial) or basis.op.to != mix.axis or basis.op.out is not None:
        return False
    if any(made.type(n).has(mix.axis) for n in mask.inputs[1:]):
        return False
    weight = mix.weight.array
    function = replace(
        basis.op,
        weight=Tensor(ordered_product(weight, basis.op.weight.array)),
        offset=Tensor(ordered_product(weight, basis.op.offset.array)),
    )
    last = node.name if mask is basis and mix.bias is None else made.fresh(f"{node.name}.function")
    value = made.add(last, function, *basis.inputs)
    if mask is not basis:
        last = node.name if mix.bias is None else made.fresh(f"{node.name}.masked")
        value = made.add(last, mask.op, value, *mask.inputs[1:])
    if mix.bias is not None:
        type = Type(S, (Axis(mix.axis, len(weight)),))
        bias = made.add(made.fresh(f"{node.name}.bias"), Spurion(type, Tensor(mix.bias.array[:, None])))
        made.add(node.name, Add(), value, bias)
    return True
