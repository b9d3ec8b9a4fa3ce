"""Give every value its fixed-point format. The only place where numbers change.

Formats come, in this order, from the options (by name, type, model), from the model's own
quantizers (fields of its ops) and from calibration on sample events. What remains is exact:
widths grow by interval analysis, and where a value grows past `LIMIT` bits an explicit,
saturating requantization is put in and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, log2

import numpy as np

from eqhls.engines import hull, interval
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, NumArray, Overflow, Rounding
from eqhls.groups.basis import Basis
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats, Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import Table
from eqhls.options import Formats, Options

LIMIT = 24
"""Bits to which an exact result may grow before it is rounded; a DSP48E2 port takes 27."""
INPUT_BITS, RESULT_BITS, TABLE_BITS, WEIGHT_BITS, ADDRESS_BITS = 14, 16, 8, 8, 10
MARGIN = 2.0
"""How far a calibrated range exceeds the largest value seen."""


def assign(graph: Graph, samples: Mapping[str, Floats], options: Options) -> Graph:
    """Return the quantized graph, every value with a format.

    `samples` are float inputs of shape (events, *axes, components) by name; may be empty where
    nothing needs calibration. Raises CompileError where a format cannot be had or fails.
    """
    seen = _ranges(graph, samples)
    _check_names(graph, options)
    state = _State({}, {}, {})
    for node in graph:
        try:
            _quantize_node(state, node, options.precision(node.name, node.op.kind()), seen)
        except CompileError as error:
            raise error.at(f"{graph.name}: %{node.name}") from None
    outputs = tuple(state.renamed.get(n, n) for n in graph.outputs)
    return Graph(graph.name, tuple(state.nodes.values()), outputs).verify()


@dataclass(frozen=True, slots=True)
class _State:
    """The graph so far: its nodes, their intervals, and values that got a rounded successor."""

    nodes: dict[str, Node]
    nums: dict[str, NumArray]
    renamed: dict[str, str]

    def append(self, node: Node) -> None:
        types = tuple(self.nodes[n].type for n in node.inputs)
        kind = node.op.infer(*types)
        if node.op.source:
            self.nums[node.name] = interval(kind.formats, kind.shape)
        else:
            self.nums[node.name] = node.op.body(types, *(self.nums[n] for n in node.inputs))
            kind = replace(kind, formats=hull(self.nums[node.name]))
        self.nodes[node.name] = replace(node, type=kind)


def _quantize_node(state: _State, node: Node, wanted: Formats, seen: Mapping[str, Floats]) -> None:
    inputs = tuple(state.renamed.get(n, n) for n in node.inputs)
    if isinstance(node.op, Table) and _address_bits(state.nums[inputs[0]]) > ADDRESS_BITS:
        narrow = Requantize(
            _calibrated(state.nodes[inputs[0]].type, _range(node.inputs[0], seen), ADDRESS_BITS)
        )
        state.append(Node(f"{node.name}.address", narrow, inputs, node.type))
        inputs = (f"{node.name}.address",)
    op = _quantized_op(node, wanted, seen, [state.nums[n] for n in inputs])
    state.append(replace(node, op=op, inputs=inputs))
    follow = _narrowing(state.nodes[node.name], wanted, seen)
    if follow is not None:
        state.renamed[node.name] = f"{node.name}.q"
        state.append(Node(f"{node.name}.q", follow, (node.name,), node.type))


def _address_bits(nums: NumArray) -> int:
    return max(f.width for f in hull(nums))


def _ranges(graph: Graph, samples: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the largest |value| seen per component, by name."""
    if not samples:
        return {}
    missing = [n.name for n in graph.inputs if n.name not in samples]
    if missing:
        raise CompileError(graph.name, f"the samples have no input %{missing[0]}", "give every input")
    values = graph.reference(samples)
    return {k: np.abs(v).max(axis=tuple(range(v.ndim - 1))) for k, v in values.items()}


def _check_names(graph: Graph, options: Options) -> None:
    names, kinds = {n.name for n in graph}, {n.op.kind() for n in graph}
    for asked, known, what in (
        (options.HLSConfig.LayerName, names, "LayerName"),
        (options.HLSConfig.LayerType, kinds, "LayerType"),
    ):
        lost = sorted(set(asked) - known)
        if lost:
            raise CompileError(
                f"HLSConfig.{what}",
                f"found {lost[0]!r}, which the model has not",
                f"it has {', '.join(sorted(known))}",
            )


def _quantized_op(node: Node, wanted: Formats, seen: Mapping[str, Floats], inputs: list[NumArray]) -> Op:
    match node.op:
        case Input(type) if wanted.result or not type.formats:
            formats = (
                _parsed(wanted.result)
                if wanted.result
                else _calibrated(type, _range(node.name, seen), INPUT_BITS)
            )
            return Input(replace(type, formats=formats))
        case Table() as op if wanted.result or op.out is None:
            out = Fixed.parse(wanted.result) if wanted.result else _table_format(op, inputs[0])
            return replace(op, out=out)
        case ChannelMix() | Dense() as op:
            return _rounded_weights(op, wanted.weight)
        case _:
            return node.op


def _parsed(text: str) -> tuple[Fixed, ...]:
    return tuple(Fixed.parse(part) for part in text.split("|"))


def _range(name: str, seen: Mapping[str, Floats]) -> Floats:
    if name not in seen:
        raise CompileError(
            f"%{name}",
            "has no format and there is nothing to calibrate it on",
            "give sample events (--calibrate) or a Precision",
        )
    return seen[name]


def _calibrated(kind: Type, largest: Floats, width: int) -> tuple[Fixed, ...]:
    """Return one format for a representation; light-cone components get a point each.

    Components that the exact symmetries exchange (y and z) share theirs.
    """
    signed = kind.rep is not Rep.S
    rounding = Rounding.RND_CONV if signed else Rounding.RND
    fit = Overflow.SAT_SYM if signed else Overflow.SAT

    def covering(value: float) -> Fixed:
        integer = ceil(log2(max(value, 2.0**-20) * MARGIN)) + 1
        return Fixed(width, integer, True, rounding, fit)

    if kind.rep is Rep.V and kind.basis is Basis.LIGHT_CONE:
        across = max(largest[2], largest[3])
        return tuple(covering(v) for v in (largest[0], largest[1], across, across))
    return (covering(float(largest.max())),)


def _table_format(op: Table, address: NumArray) -> Fixed:
    """Return the narrowest saturating format for the values that the table takes."""
    spans = [op.function(np.array([n.lo, n.hi]) * 2.0**-n.frac, 0) for n in address.ravel()]
    inner = [op.function(op.knots.array, row) for row in range(op.values.shape[0])]
    values = np.concatenate([*spans, *inner])
    signed = bool(values.min() < 0)
    integer = ceil(log2(max(float(np.abs(values).max()), 2.0**-20) * (1 + 2.0**-TABLE_BITS))) + signed
    return Fixed(TABLE_BITS, integer, signed, Rounding.RND, Overflow.SAT)


def _rounded_weights(op: ChannelMix | Dense, wanted: str) -> Op:
    def rounded(weights: Tensor | None) -> Tensor | None:
        if weights is None:
            return None
        top = float(np.abs(weights.array).max(initial=2.0**-20))
        form = Fixed.parse(wanted) if wanted else Fixed(WEIGHT_BITS, ceil(log2(top * (1 + 2.0**-7))) + 1)
        raw = np.clip(np.rint(weights.array / form.lsb), form.lo, form.hi)
        return Tensor(raw * form.lsb)

    if _dyadic(op) and not wanted:
        return op
    weight, bias = rounded(op.weight), rounded(op.bias)
    assert weight is not None
    if isinstance(op, ChannelMix):
        return replace(op, weight=weight, bias=bias, dual=rounded(op.dual))
    return replace(op, weight=weight, bias=bias)


def _dyadic(op: ChannelMix | Dense) -> bool:
    """Whether the weights are already narrow fixed-point numbers, as quantized training leaves them."""
    scaled = op.weight.array * 2.0**16
    return bool((scaled == np.rint(scaled)).all())


def _narrowing(node: Node, wanted: Formats, seen: Mapping[str, Floats]) -> Requantize | None:
    """Return the requantization to put behind a value, if any."""
    if isinstance(node.op, Input | Table | Requantize):
        return None
    if wanted.result:
        return Requantize(_parsed(wanted.result))
    if max(f.width for f in node.type.formats) <= LIMIT or node.name not in seen:
        return None
    return Requantize(_calibrated(node.type, seen[node.name], RESULT_BITS))
