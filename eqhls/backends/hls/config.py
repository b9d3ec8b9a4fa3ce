"""The config struct of each op: sizes, types and constant tables, nothing else.

One rule per op returns named values; one function prints them. Arrays become constant tables in
weights/, read through static functions, so that the structs hold no objects.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.backends.hls import indices, pairs
from eqhls.backends.hls.context import Context
from eqhls.backends.hls.formats import covering, plain
from eqhls.backends.hls.logic import circuit_config
from eqhls.backends.hls.pairs import PairMap
from eqhls.backends.hls.structs import Value
from eqhls.backends.hls.tables import (
    composed_config,
    exp2_config,
    log2_config,
    log_add_config,
    radial_config,
    table_config,
    wrap_config,
)
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats, dyadic
from eqhls.groups.coupling import CGTable
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.registry import coupling, form
from eqhls.groups.rep import S
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import joined_axes
from eqhls.ops.add import Add
from eqhls.ops.arrange import Arrange
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix, dual_of
from eqhls.ops.circuit import Circuit
from eqhls.ops.clamp import Clamp
from eqhls.ops.common import integers
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
from eqhls.ops.pair_op import PairOp
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
def config(op: Op, c: Context) -> dict[str, Value]:
    """Return the values of the config struct of an op."""
    raise CompileError(
        op.name(),
        "has no HLS template",
        "add eqhls/data/hls_templates/eqhls/NAME.h for the op (docs/adding-an-op.md)",
    )


@config.register
def _(op: Input, c: Context) -> dict[str, Value]:
    return dict(c.place)


@config.register
def _(op: Spurion, c: Context) -> dict[str, Value]:
    type = c.node.type
    wide = type.rep.own_formats
    shared = covering(type.formats)
    forms = type.formats if wide else Formats([shared])
    flat = op.values.array.reshape(-1, type.dim)
    return {"bits": np.array([[round(v / forms[d].lsb) for v in flat[:, d]] for d in range(type.dim)])}


@config.register(Select)
@config.register(Shift)
def _(op: Select | Shift, c: Context) -> dict[str, Value]:
    return {"size": c.size, "source": indices.taken(c.types[0], op.axis, op.sources(c.types[0]))}


@config.register
def _(op: Arrange, c: Context) -> dict[str, Value]:
    return {"size": c.size, "source": op.elements}


@config.register(Rename)
@config.register(Relu)
@config.register(Magnitude)
def _(op: Rename | Relu | Magnitude, c: Context) -> dict[str, Value]:
    return {"size": c.size}


@config.register
def _(op: Clamp, c: Context) -> dict[str, Value]:
    bound = dyadic(op.bound)
    return {
        "size": c.size,
        "bound": bound.lo,
        "bound_t": plain(Fixed.covering(-bound.lo, bound.lo, bound.frac)),
    }


@config.register
def _(op: Concat, c: Context) -> dict[str, Value]:
    whole = indices.flat(c.node.type)[..., 0]
    where, start, targets = c.node.type.index(op.axis), 0, list[list[int]]()
    for type in c.types:
        stop = start + type.size(op.axis)
        targets.append([int(v) for v in np.take(whole, range(start, stop), axis=where).ravel()])
        start = stop
    longest = max(map(len, targets))
    return {
        "size": np.array([len(t) for t in targets]),
        "target": np.array([t + [0] * (longest - len(t)) for t in targets]),
    }


@config.register
def _(op: Add, c: Context) -> dict[str, Value]:
    return {
        "size": c.size,
        "source": np.array([indices.over(t, c.node.type.axes) for t in c.types]),
        "minus": np.array([int(k in op.minus) for k in range(len(c.types))]),
    }


@config.register
def _(op: Mask, c: Context) -> dict[str, Value]:
    return {"size": c.size, "flag": indices.over(c.types[1], c.types[0].axes)}


@config.register
def _(op: SignSelect, c: Context) -> dict[str, Value]:
    value, sign = (indices.over(t, c.node.type.axes) for t in c.types)
    return {"size": c.size, "value": value, "sign": sign}


@config.register
def _(op: PairSum, c: Context) -> dict[str, Value]:
    axes = joined_axes(*c.types)
    return {
        "size": c.size,
        "terms": c.types[0].size(op.over),
        "weight": indices.summed(c.types[0], axes, op.over),
        "sender": indices.summed(c.types[1], axes, op.over),
    }


@config.register(ParticleSum)
@config.register(ParticleMax)
def _(op: ParticleSum | ParticleMax, c: Context) -> dict[str, Value]:
    source = indices.summed(c.types[0], c.types[0].axes, op.axis)
    return {"size": c.size, "terms": source.shape[1], "source": source}


@config.register
def _(op: Gram, c: Context) -> dict[str, Value]:
    if len(c.types) == 2:
        left, right = indices.product_axes(*c.types)
    else:
        n = c.types[0].size(op.axis)
        pairs = [(a, b) for a in range(n) for b in range(a, n)]
        left, right = (indices.taken(c.types[0], op.axis, tuple(p[k] for p in pairs)) for k in (0, 1))
    return {
        "size": c.size,
        "light_cone": c.types[0].basis == LIGHT_CONE,
        "left": left,
        "right": right,
        "sum_t": plain(covering(c.node.type.formats)),
    }


def _contraction(cg: CGTable, c: Context, left: NDArray[Any], right: NDArray[Any]) -> dict[str, Value]:
    result = covering(c.node.type.formats)
    scaled = covering((*c.types[0].formats,)).frac + covering((*c.types[-1].formats,)).frac + cg.shift
    wide = Fixed(result.width + max(scaled - result.frac, 0), result.integer, result.signed)
    return {
        "size": c.size,
        "terms": len(cg.terms),
        "left": left,
        "right": right,
        "out": np.array([t.out for t in cg.terms]),
        "first": np.array([t.left for t in cg.terms]),
        "second": np.array([t.right for t in cg.terms]),
        "factor": np.array([t.numerator for t in cg.terms]),
        "left_t": plain(covering(c.types[0].formats)),
        "right_t": plain(covering(c.types[-1].formats)),
        "sum_t": plain(Fixed(wide.width, wide.integer + cg.shift, wide.signed)),
        "result_t": plain(wide),
    }


@config.register
def _(op: CgProduct, c: Context) -> dict[str, Value]:
    product = coupling(op.path, c.types[0].basis, c.types[1].basis)
    return _contraction(product.table, c, *indices.product_axes(*c.types))


@config.register
def _(op: CgSquare, c: Context) -> dict[str, Value]:
    same = np.arange(c.size)
    return _contraction(coupling(op.path, c.types[0].basis, c.types[0].basis).square, c, same, same)


@config.register
def _(op: Invariants, c: Context) -> dict[str, Value]:
    type, same = c.types[0], np.arange(c.size)
    if type.rep is S:
        return {"identity": True, "size": c.size}
    square = coupling(form(type.rep), type.basis, type.basis).square
    return {"identity": False} | _contraction(square, c, same, same)


@config.register
def _(op: ToBasis, c: Context) -> dict[str, Value]:
    matrix = op.change(c.types)[0]
    out, first = np.nonzero(matrix)
    tables = {"out": out, "first": first, "factor": matrix[out, first]}
    formats = {"value_t": plain(covering(c.types[0].formats)), "sum_t": plain(covering(c.node.type.formats))}
    return {"size": c.size, "terms": len(out), **tables, **formats}


def _weights(name: str, tensor: Tensor | None) -> tuple[NDArray[np.int64], str]:
    raw, frac = integers(tensor) if tensor is not None else (np.zeros(1, dtype=np.int64), 0)
    form = Fixed.covering(min(int(raw.min()), -1), max(int(raw.max()), 0), frac)
    return raw, plain(form)


def _linear(op: ChannelMix | Dense, source: NDArray[Any], rows: NDArray[Any], c: Context) -> dict[str, Value]:
    bias, bias_t = _weights("bias", op.bias)
    weight, weight_t = _weights("weight", op.weight)
    return {
        "size": c.size,
        "terms": source.shape[1],
        "source": source,
        "weight": weight[rows],
        "weight_t": weight_t,
        "has_bias": op.bias is not None,
        "bias": bias[rows] if op.bias is not None else bias,
        "bias_t": bias_t,
    }


@config.register
def _(op: Dense, c: Context) -> dict[str, Value]:
    source = np.tile(np.arange(c.types[0].elements), (c.size, 1))
    return _linear(op, source, np.arange(c.size), c)


@config.register
def _(op: ChannelMix, c: Context) -> dict[str, Value]:
    type = c.types[0]
    senders = np.moveaxis(indices.flat(type)[..., 0], type.index(op.axis), -1)
    whole = np.moveaxis(indices.flat(c.node.type)[..., 0], type.index(op.axis), -1)
    rows, source = np.zeros(c.size, dtype=int), np.zeros((c.size, type.size(op.axis)), dtype=int)
    for index in np.ndindex(whole.shape):
        rows[whole[index]] = index[-1]
        source[whole[index]] = senders[index[:-1]]
    values: dict[str, Value] = {"has_dual": op.dual is not None, **_linear(op, source, rows, c)}
    if op.dual is None:
        return values
    both = np.concatenate([op.weight.array, op.dual.array])
    raw, weight_t = _weights("weight", Tensor(both))
    half = len(op.weight.array)
    cg = dual_of(type).table
    star = np.zeros((6, 6), dtype=np.int64)
    for t in cg.terms:
        star[t.out, t.right] = t.numerator
    span = int(np.abs(star).max())
    values.update(
        {
            "weight": raw[:half][rows],
            "dual": raw[half:][rows],
            "weight_t": weight_t,
            "star": star,
            "star_t": plain(Fixed.covering(-span, span, cg.shift)),
        }
    )
    return values


def _pair_map(op: PairOp, m: PairMap, c: Context) -> dict[str, Value]:
    """Return the tables of the three sums; biases lie along the channels, the last axis."""
    _, weight_t = _weights("weight", op.weight)
    channels = len(op.weight.array)
    count = c.size // channels
    bias = np.zeros((count, channels))
    for place, shift in op.shifts().items():
        if shift is not None:
            bias[pairs.diagonal_places(c.node.type) if place == "diagonal" else slice(None)] += shift.array
    raw, bias_t = _weights("bias", Tensor(bias.ravel()))
    form = covering(c.types[0].formats)
    member, grow = pairs.padded(m.sums), max(map(len, m.sums)).bit_length()
    mix_weight, feature = (pairs.padded([[t[k] for t in row] for row in m.mixes]) for k in (0, 1))
    weight, source = (pairs.padded([[t[k] for t in row] for row in m.out]) for k in (0, 1))
    part = pairs.padded(m.parts)
    tables = {"member": member, "mix_weight": mix_weight, "feature": feature}
    tables |= {"weight": weight, "source": source, "part": part, "bias": raw}
    sizes = {"size": c.size, "sums": len(member), "members": member.shape[1], "mixes": len(feature)}
    sizes |= {"features": feature.shape[1], "terms": source.shape[1], "parts": part.shape[1]}
    sum_t = plain(Fixed(form.width + grow, form.integer + grow, form.signed))
    formats = {"weight_t": weight_t, "bias_t": bias_t, "sum_t": sum_t, **_mix_formats(op, form.frac, c)}
    return {**sizes, **tables, **formats}


def _mix_formats(op: PairOp, frac: int, c: Context) -> dict[str, Value]:
    """Return the formats of a mix before and after rounding: modulo the same power of two as the result."""
    keep = op.kept()
    exact = integers(op.weight)[1] + frac
    out = covering(c.node.type.formats)
    before = out.frac if keep is None else max(exact, keep)
    after = out.frac if keep is None else keep
    integer = max(out.integer, 1 - after)
    widths = (Fixed(integer + f, integer, out.signed) for f in (before, after))
    return dict(zip(("mix_t", "kept_t"), map(plain, widths), strict=True))


@config.register(Eq2to2)
@config.register(Eq2to2Symmetric)
@config.register(Eq1to2)
@config.register(Eq2to1)
@config.register(Eq2to0)
def _(op: Any, c: Context) -> dict[str, Value]:
    return _pair_map(op, pairs.pair_map(op, integers(op.weight)[0], c.types[0]), c)


@config.register
def _(op: Requantize, c: Context) -> dict[str, Value]:
    type = c.node.type
    count = type.dim if type.rep.own_formats else 1
    if count == 1 and len(set(op.formats)) > 1:
        raise CompileError(
            "requantize",
            f"has formats that differ between components of {type.rep}",
            "share one format over the components",
        )
    forms = Formats(op.formats).each(count)
    source = c.types[0].formats
    dropped = max(f.frac for f in source) - min(f.frac for f in forms)
    extra = max(1, dropped + 2 - min(f.width for f in source))
    return {"size": c.size, "extra": extra, **{f"target{k}_t": f.cpp for k, f in enumerate(forms)}}


config.register(Table, table_config)
config.register(Radial, radial_config)
config.register(Composed, composed_config)
config.register(Circuit, circuit_config)
config.register(Log2, log2_config)
config.register(LogAdd, log_add_config)
config.register(Exp2, exp2_config)
config.register(Wrap, wrap_config)
