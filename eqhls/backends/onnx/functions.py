"""What every op means in plain ONNX operators: one rule per op.

Written from the definitions, not from the float references: tensors are contracted by the
Clebsch-Gordan tables, functions are looked up cell by cell.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from eqhls.backends.onnx.body import Body
from eqhls.backends.onnx.codes import lower_exp2, lower_log_add, lower_wrap
from eqhls.backends.onnx.logic import lower_circuit
from eqhls.backends.onnx.pairs import lower_pairs
from eqhls.backends.onnx.scalars import (
    decoded,
    entered,
    lower_log2,
    lower_radial,
    lower_requantize,
    lower_table,
)
from eqhls.errors import CompileError
from eqhls.groups.coupling import CGTable, Path
from eqhls.groups.permutation import pairs_of
from eqhls.groups.registry import coupling, form
from eqhls.groups.rep import S
from eqhls.ir.op import Op
from eqhls.ir.types import Type, joined_axes
from eqhls.ops.add import Add
from eqhls.ops.arrange import Arrange
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix, dual_of
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
from eqhls.ops.gram import Gram, minkowski
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


@singledispatch
def lower(op: Op, body: Body, types: tuple[Type, ...]) -> str:
    """Append the operators of an op to a body and return the result.

    Inputs have shape (events, *axes, components); an op without inputs gives one event, which
    broadcasts. Raises CompileError for an op without a rule.
    """
    raise CompileError(
        op.name(), "has no ONNX function", "add one for the op in backends/onnx (docs/adding-an-op.md)"
    )


@lower.register
def _(op: Input, body: Body, types: tuple[Type, ...]) -> str:
    return body("Cast", body.inputs[0], to=body.element)


@lower.register
def _(op: Rename, body: Body, types: tuple[Type, ...]) -> str:
    return body("Identity", body.inputs[0])


@lower.register
def _(op: Spurion, body: Body, types: tuple[Type, ...]) -> str:
    return body.const(op.values.array[None])


@lower.register
def _(op: Gram, body: Body, types: tuple[Type, ...]) -> str:
    metric = minkowski(types[0]).table
    if len(types) == 2:
        axes = joined_axes(*types)
        return contract(body, metric, 1, *(body.spread(body.real(k), t, axes) for k, t in enumerate(types)))
    x, where = body.real(), 1 + types[0].index(op.axis)
    left, right = zip(*pairs_of(types[0].size(op.axis)), strict=True)
    return contract(body, metric, 1, body.take(x, left, where), body.take(x, right, where))


@lower.register
def _(op: CgProduct, body: Body, types: tuple[Type, ...]) -> str:
    axes = joined_axes(*types)
    a, b = (body.spread(body.real(k), t, axes) for k, t in enumerate(types))
    product = coupling(op.path, types[0].basis, types[1].basis)
    return contract(body, product.table, product.dim, a, b)


@lower.register
def _(op: CgSquare, body: Body, types: tuple[Type, ...]) -> str:
    return _square(body, op.path, types[0])


@lower.register
def _(op: Invariants, body: Body, types: tuple[Type, ...]) -> str:
    if types[0].rep is S:
        return body("Identity", body.inputs[0])
    return _square(body, form(types[0].rep), types[0])


def _square(body: Body, path: Path, type: Type) -> str:
    x, product = body.real(), coupling(path, type.basis, type.basis)
    return contract(body, product.square, product.dim, x, x)


def contract(body: Body, terms: CGTable, size: int, a: str, b: str) -> str:
    """Contract the components of two tensors by a table: each product once, then one matrix."""
    products = sorted({(t.left, t.right) for t in terms.terms})
    matrix = np.zeros((len(products), size))
    for t in terms.terms:
        matrix[products.index((t.left, t.right)), t.out] = t.numerator * 2.0**-terms.shift
    left, right = zip(*products, strict=True)
    return body("MatMul", body("Mul", body.take(a, left, -1), body.take(b, right, -1)), body.const(matrix))


@lower.register
def _(op: ToBasis, body: Body, types: tuple[Type, ...]) -> str:
    return body("MatMul", body.real(), body.const(op.change(types)[0].T.astype(np.float64)))


@lower.register
def _(op: ChannelMix, body: Body, types: tuple[Type, ...]) -> str:
    x, rank, where = body.real(), len(types[0].axes) + 2, 1 + types[0].index(op.axis)
    out = body("MatMul", body.last(x, where, rank), body.const(op.weight.array.T))
    if op.dual is not None:
        star = np.zeros((6, 6))
        terms = dual_of(types[0]).table
        for t in terms.terms:
            star[t.right, t.out] = t.numerator * 2.0**-terms.shift
        starred = body.last(body("MatMul", x, body.const(star)), where, rank)
        out = body("Add", out, body("MatMul", starred, body.const(op.dual.array.T)))
    if op.bias is not None:
        out = body("Add", out, body.const(op.bias.array))
    return body.last(out, where, rank, back=True)


@lower.register
def _(op: PairSum, body: Body, types: tuple[Type, ...]) -> str:
    axes = joined_axes(*types)
    w, x = (body.spread(body.real(k), t, axes) for k, t in enumerate(types))
    return body.total(body("Mul", w, x), 1 + [a.name for a in axes].index(op.over))


@lower.register
def _(op: ParticleSum, body: Body, types: tuple[Type, ...]) -> str:
    return body.total(body.real(), 1 + types[0].index(op.axis))


@lower.register
def _(op: ParticleMax, body: Body, types: tuple[Type, ...]) -> str:
    return body("ReduceMax", body.real(), axes=[1 + types[0].index(op.axis)], keepdims=0)


@lower.register
def _(op: Mask, body: Body, types: tuple[Type, ...]) -> str:
    return body("Mul", body.real(0), body.spread(body.real(1), types[1], types[0].axes))


@lower.register
def _(op: Dense, body: Body, types: tuple[Type, ...]) -> str:
    flat = body.reshape(body.real(), [types[0].elements])
    out = body("MatMul", flat, body.const(op.weight.array.T))
    if op.bias is not None:
        out = body("Add", out, body.const(op.bias.array))
    return body("Unsqueeze", out, body.const([-1]))


@lower.register
def _(op: Add, body: Body, types: tuple[Type, ...]) -> str:
    axes = op.infer(*types).axes
    parts = [body.spread(body.real(k), t, axes) for k, t in enumerate(types)]
    out = body("Neg", parts[0]) if 0 in op.minus else parts[0]
    for k, part in enumerate(parts[1:], 1):
        out = body("Sub" if k in op.minus else "Add", out, part)
    return out


@lower.register
def _(op: Shift, body: Body, types: tuple[Type, ...]) -> str:
    return body.take(body.inputs[0], op.sources(types[0]), 1 + types[0].index(op.axis))


@lower.register
def _(op: Arrange, body: Body, types: tuple[Type, ...]) -> str:
    flat = body.reshape(body.real(), [types[0].elements])
    taken = body.take(flat, np.maximum(op.elements, 0), 1)
    if (op.elements < 0).any():
        taken = body("Mul", taken, body.const((op.elements >= 0).astype(np.float64)))
    return body.reshape(taken, op.type.shape)


@lower.register
def _(op: Concat, body: Body, types: tuple[Type, ...]) -> str:
    """Constants have one event; they are repeated for each of the others'."""
    counts = [body("Shape", x, start=0, end=1) for x in body.inputs]
    events = body("Max", *counts)
    parts = [
        body("Expand", x, body("Concat", events, body.const(list(t.shape)), axis=0))
        for x, t in zip(body.inputs, types, strict=True)
    ]
    return body("Concat", *parts, axis=1 + types[0].index(op.axis))


@lower.register
def _(op: Select, body: Body, types: tuple[Type, ...]) -> str:
    taken = body.take(body.inputs[0], op.indices, 1 + types[0].index(op.axis))
    return taken if op.to else body.reshape(taken, op.infer(*types).shape)


@lower.register
def _(op: Relu, body: Body, types: tuple[Type, ...]) -> str:
    return body("Max", body.real(), body.const(0.0))


@lower.register
def _(op: Magnitude, body: Body, types: tuple[Type, ...]) -> str:
    return body("Abs", body.real())


@lower.register
def _(op: SignSelect, body: Body, types: tuple[Type, ...]) -> str:
    axes = op.infer(*types).axes
    a, x = (body.spread(body.real(k), t, axes) for k, t in enumerate(types))
    return body("Where", body("Less", x, body.const(0.0)), body("Neg", a), a)


@lower.register
def _(op: Clamp, body: Body, types: tuple[Type, ...]) -> str:
    return body("Clip", body.real(), body.const(-op.bound), body.const(op.bound))


@lower.register
def _(op: Composed, body: Body, types: tuple[Type, ...]) -> str:
    """The ops of the network, over entries as events; rows stand behind them, channels last."""
    x, rank, own = decoded(body, body.real(), op.floor), len(types[0].axes), [a.name for a in op.rows]
    order = sorted(range(rank), key=lambda k: types[0].axes[k].name in own)
    others = [types[0].axes[k].size for k in order[: rank - len(own)]]
    perm = [0, *(1 + k for k in order), rank + 1]
    rows, new = [a.size for a in op.rows], [a.size for a in op.channels]
    flat = body("Reshape", body("Transpose", x, perm=perm), body.const([-1, *rows, 1]))
    inner = body.within()
    values: dict[str, str] = {}
    for node in op.network:
        inner.inputs = [values[n] for n in node.inputs] if node.inputs else [flat]
        values[node.name] = lower(node.op, inner, op.network.types_into(node))
    whole = body("Reshape", values[op.network.outputs[0]], body.const([-1, *others, *rows, *new, 1]))
    back = [0, *(1 + int(k) for k in np.argsort(order)), *range(rank + 1, rank + 2 + len(new))]
    return entered(body, body("Transpose", whole, perm=back), op.out)


lower.register(Table, lower_table)
lower.register(Radial, lower_radial)
lower.register(Circuit, lower_circuit)
lower.register(Log2, lower_log2)
lower.register(LogAdd, lower_log_add)
lower.register(Exp2, lower_exp2)
lower.register(Wrap, lower_wrap)
lower.register(Requantize, lower_requantize)
for pair_op in (Eq2to2, Eq2to2Symmetric, Eq1to2, Eq2to1, Eq2to0):
    lower.register(pair_op, lower_pairs)
