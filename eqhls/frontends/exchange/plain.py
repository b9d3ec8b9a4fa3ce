"""Plain ONNX operators that are blocks, exactly: layers and activations on invariants, and Quant.

Only scalars come here: what plain operators do to components is not known to be equivariant.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import helper

from eqhls.errors import CompileError
from eqhls.frontends.exchange.formats import QuantNode, formats_behind
from eqhls.frontends.exchange.reading import Reading, View, name_of
from eqhls.groups.lorentz import Rep
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.requantize import Requantize
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

REALS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
Rule = Callable[[Reading, onnx.NodeProto], View | None]


def read_plain(state: Reading, node: onnx.NodeProto) -> None:
    """Read one operator. Raises CompileError for what is not supported, naming what is."""
    rule = RULES.get(node.op_type)
    if rule is None:
        raise CompileError(
            state.place(node),
            "has no block",
            f"plain operators may be {', '.join(sorted(RULES))}, on scalars; all else is com.eqhls",
        )
    try:
        view = rule(state, node)
    except CompileError as error:
        raise (error if error.where.startswith(state.where) else error.at(state.place(node))) from None
    except (ValueError, TypeError, IndexError) as error:
        raise CompileError(state.place(node), f"has inputs or attributes that do not fit ({error})") from None
    if view is not None:
        state.views[node.output[0]] = view


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _scalar(state: Reading, value: str, node: onnx.NodeProto) -> View:
    view = state.view(value, node)
    if state.type(view).rep is not Rep.S or view.component is not None:
        raise CompileError(
            state.place(node), f"reads {state.type(view)}, expected scalars S", "take invariants first"
        )
    return view


def _constant(state: Reading, node: onnx.NodeProto) -> None:
    given = _attributes(node)
    if "value" in given:
        state.constants[node.output[0]] = state.tensor(given["value"])
        return
    kind, value = next(iter(given.items()), ("", None))
    if kind not in ("value_float", "value_floats", "value_int", "value_ints"):
        raise CompileError(state.place(node), "holds no numbers", "only numeric constants are supported")
    state.constants[node.output[0]] = np.array(value)


def _identity(state: Reading, node: onnx.NodeProto) -> View:
    """Identity, and Cast between kinds of real numbers: graphs are about values, not about their storage."""
    if node.op_type == "Cast" and _attributes(node).get("to") not in REALS:
        raise CompileError(state.place(node), "casts to no real numbers", "expected FLOAT or DOUBLE")
    return state.view(node.input[0], node)


def _transpose(state: Reading, node: onnx.NodeProto) -> None:
    array = state.constant(node.input[0], node)
    state.constants[node.output[0]] = np.transpose(array, _attributes(node).get("perm"))


def _reshape(state: Reading, node: onnx.NodeProto) -> View:
    """Flatten, Reshape, Squeeze and Unsqueeze leave the order of the scalars of an event."""
    view, given = _scalar(state, node.input[0], node), _attributes(node)
    axes = state.constant(node.input[1], node).ravel().tolist() if len(node.input) > 1 else []
    match node.op_type:
        case "Flatten" if given.get("axis", 1) == 1:
            shape = (prod(view.shape),)
        case "Squeeze" if axes:
            gone = {a % (len(view.shape) + 1) for a in axes}
            shape = tuple(s for k, s in enumerate(view.shape, 1) if k not in gone)
        case "Unsqueeze" if axes:
            new = {a % (len(view.shape) + 1 + len(axes)) for a in axes}
            rest = iter(view.shape)
            shape = tuple(1 if k in new else next(rest) for k in range(1, 1 + len(view.shape) + len(axes)))
        case "Reshape" if len(axes) > 1 and axes[0] in (0, -1):
            sizes = [view.shape[k] if s == 0 and k < len(view.shape) else s for k, s in enumerate(axes[1:])]
            rest_size = prod(s for s in sizes if s != -1)
            shape = tuple(prod(view.shape) // max(rest_size, 1) if s == -1 else s for s in sizes)
        case _:
            shape = ()
    if prod(shape) != prod(view.shape) or not shape:
        raise CompileError(
            state.place(node), f"reshapes {list(view.shape)} by {axes}", "keep the events first and apart"
        )
    return View(view.name, shape)


def _matrix(state: Reading, node: onnx.NodeProto) -> View:
    """MatMul and Gemm: a dense layer over all scalars, or a mix of the last axis."""
    view, given = _scalar(state, node.input[0], node), _attributes(node)
    weight = state.constant(node.input[1], node).astype(np.float64)
    if given.get("transA", 0) or weight.ndim != 2:
        raise CompileError(state.place(node), f"has weights {list(weight.shape)}", "expected a plain matrix")
    weight = (weight if given.get("transB", 0) else weight.T) * given.get("alpha", 1.0)
    bias = None
    if len(node.input) > 2 and node.input[2]:
        shift = state.constant(node.input[2], node).astype(np.float64) * given.get("beta", 1.0)
        bias = Tensor(np.full(len(weight), shift.item()) if shift.size == 1 else shift.ravel())
    kind = state.type(view)
    sizes = tuple(a.size for a in kind.axes)
    if len(view.shape) == 1:
        made = _block(state, node, Dense(Tensor(weight), bias), view)
        return View(made.name, (len(weight),))
    if view.shape != sizes or weight.shape[1] != sizes[-1]:
        raise CompileError(
            state.place(node), f"multiplies {list(view.shape)} of {kind}", "flatten it, or keep its axes"
        )
    made = _block(state, node, ChannelMix(Tensor(weight), bias, axis=kind.axes[-1].name), view)
    return View(made.name, (*sizes[:-1], len(weight)))


def _block(state: Reading, node: onnx.NodeProto, op: Op, *inputs: View) -> View:
    return state.add(name_of(node), op, tuple(v.name for v in inputs))


def _activation(kind: Activation) -> Rule:
    def rule(state: Reading, node: onnx.NodeProto) -> View:
        view = _scalar(state, node.input[0], node)
        slope = _attributes(node).get("alpha", 0.01)
        if kind is Activation.LEAKY_RELU and abs(slope - 0.01) > 1e-8:
            raise CompileError(state.place(node), f"has the slope {slope}", "the block has 0.01")
        return View(_block(state, node, Table(activation=kind), view).name, view.shape)

    return rule


def _sum(state: Reading, node: onnx.NodeProto) -> View:
    """Add and Sub of two values of the same axes, or of a value and a constant."""
    minus = (1,) if node.op_type == "Sub" else ()
    values = [_term(state, node, k) for k in (0, 1)]
    shapes = {v.shape for v in values}
    if len(shapes) != 1 or len({state.type(v).axes for v in values}) != 1:
        kinds = " and ".join(str(state.type(v)) for v in values)
        raise CompileError(state.place(node), f"adds {kinds}", "expected the same axes")
    return View(_block(state, node, Add(minus), *values).name, values[0].shape)


def _term(state: Reading, node: onnx.NodeProto, k: int) -> View:
    if node.input[k] not in state.constants:
        return _scalar(state, node.input[k], node)
    other = _scalar(state, node.input[1 - k], node)
    array, kind = state.constants[node.input[k]].astype(np.float64), state.type(other)
    try:
        full = np.broadcast_to(array.reshape(array.shape[-len(other.shape) :]), other.shape)
    except ValueError:
        raise CompileError(
            state.place(node), f"adds a constant {list(array.shape)} to {list(other.shape)}", "match them"
        ) from None
    shaped = Type(Rep.S, kind.axes)
    spurion = Spurion(shaped, Tensor(full.reshape(shaped.shape)))
    return View(state.invent(f"{name_of(node)}.constant", spurion).name, other.shape)


def _quant(state: Reading, node: onnx.NodeProto) -> View:
    """A Quant that states the format of the block before it, or a requantization of its own."""
    view, given = state.view(node.input[0], node), _attributes(node)
    scale, zero, bits = (state.constant(n, node) for n in node.input[1:4])
    if scale.size != 1 or bits.size != 1 or zero.any():
        raise CompileError(state.place(node), "has a zero point, or more than one scale", "expected one")
    signed, narrow = bool(given.get("signed", 1)), bool(given.get("narrow", 1))
    mode = given.get("rounding_mode", b"ROUND").decode()
    found = QuantNode(float(scale.item()), int(bits.item()), signed, narrow, mode)
    formats = formats_behind(state.nodes[view.name].op)
    which = formats if len(formats) < 2 or view.component is None else (formats[view.component],)
    if which and all(QuantNode.of(f) == found for f in which):
        return view
    if view.component is not None:
        raise CompileError(state.place(node), f"rounds component {view.component}", "round all or none")
    return View(_block(state, node, Requantize((found.format(),)), view).name, view.shape)


def _split(state: Reading, node: onnx.NodeProto) -> None:
    view, axis = state.whole(node.input[0], node), _attributes(node).get("axis", 0)
    if axis not in (-1, len(view.shape)) or len(node.output) != view.shape[-1] or len(node.input) > 1:
        raise CompileError(state.place(node), "does not take a tensor apart into its components")
    for k, output in enumerate(node.output):
        state.views[output] = View(view.name, view.shape, k)


def _concat(state: Reading, node: onnx.NodeProto) -> View:
    views = [state.view(n, node) for n in node.input]
    first, axis = views[0], _attributes(node).get("axis", 0)
    parts = [View(first.name, first.shape, k) for k in range(first.shape[-1])]
    if views != parts or axis not in (-1, len(first.shape)):
        raise CompileError(
            state.place(node), "does not join the components of one tensor", "use the block Concat"
        )
    return View(first.name, first.shape)


RULES: dict[str, Rule] = {
    "Constant": _constant,
    **dict.fromkeys(("Identity", "Cast"), _identity),
    "Transpose": _transpose,
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _reshape),
    **dict.fromkeys(("MatMul", "Gemm"), _matrix),
    **dict.fromkeys(("Add", "Sub"), _sum),
    "Relu": _activation(Activation.RELU),
    "LeakyRelu": _activation(Activation.LEAKY_RELU),
    "Sigmoid": _activation(Activation.SIGMOID),
    "Tanh": _activation(Activation.TANH),
    "Quant": _quant,
    "Split": _split,
    "Concat": _concat,
}
