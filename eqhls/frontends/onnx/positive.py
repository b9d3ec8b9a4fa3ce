"""Which values are never negative, as far as their ops say."""

from __future__ import annotations

from eqhls.ir.graph import Builder
from eqhls.ops.add import Add
from eqhls.ops.arrange import Arrange
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.particle_max import ParticleMax
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

NEVER = (
    Activation.RELU,
    Activation.SIGMOID,
    Activation.EXP2,
    Activation.ROOT,
    Activation.POWER,
    Activation.SOFTPLUS,
    Activation.GAUSSIAN,
    Activation.SOFT_STEP,
    Activation.STEP,
)


def is_positive(builder: Builder, name: str) -> bool:
    """Whether a value is a sum, a mix or a maximum of squares, sizes and positive functions."""
    node = builder.find(name)
    op, inputs = node.op, node.inputs
    if isinstance(op, Table):
        return op.activation in NEVER
    if isinstance(op, Relu | Magnitude):
        return True
    if isinstance(op, Spurion):
        return bool((op.values.array >= 0).all())
    if isinstance(op, CgProduct) and len(set(inputs)) == 1:
        return True
    if isinstance(op, ChannelMix | Dense):
        bias = op.bias is None or bool((op.bias.array >= 0).all())
        return bias and bool((op.weight.array >= 0).all()) and is_positive(builder, inputs[0])
    if (isinstance(op, Add) and not op.minus) or isinstance(
        op, ParticleSum | ParticleMax | Arrange | Rename | CgProduct
    ):
        return all(is_positive(builder, n) for n in inputs)
    return False
