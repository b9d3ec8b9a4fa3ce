"""The ops. `ALL` is the whole list: explicit, so that it can be searched and typed."""

from __future__ import annotations

from functools import cache

from eqhls.ir.op import Example, Op
from eqhls.ops.add import Add
from eqhls.ops.arrange import Arrange
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.circuit import Circuit
from eqhls.ops.clamp import Clamp
from eqhls.ops.composed import Composed
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.exp2 import Exp2
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_max import ParticleMax
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.shift import Shift
from eqhls.ops.sign_select import SignSelect
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.ops.to_basis import ToBasis
from eqhls.ops.wrap import Wrap

ALL: tuple[type[Op], ...] = (
    Input,
    Spurion,
    Gram,
    CgProduct,
    CgSquare,
    Invariants,
    ToBasis,
    ChannelMix,
    Clamp,
    PairSum,
    ParticleSum,
    ParticleMax,
    Eq2to2,
    Eq2to2Symmetric,
    Eq1to2,
    Eq2to1,
    Eq2to0,
    Mask,
    Table,
    Radial,
    Composed,
    Circuit,
    Log2,
    LogAdd,
    Exp2,
    Relu,
    Magnitude,
    SignSelect,
    Wrap,
    Dense,
    Requantize,
    Add,
    Concat,
    Select,
    Shift,
    Rename,
    Arrange,
)

BY_NAME: dict[str, type[Op]] = {op.name(): op for op in ALL}


@cache
def examples() -> tuple[Example, ...]:
    """Return the examples of all ops, over which the laws run. To make them computes the tables of every
    coupling, for which no import should wait."""
    return tuple(e for op in ALL for e in op.examples())
