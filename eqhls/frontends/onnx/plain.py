"""Plain ONNX operators that are ops, exactly: layers and activations on invariants.

Only scalars come here: what plain operators do to components is not known to be equivariant. Operators of
constants are computed (`folding`). Every attribute is honoured by its rule or has the value that it has when
it is left out; otherwise it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import defs, helper

from eqhls.errors import CompileError
from eqhls.frontends.onnx.folding import folded
from eqhls.frontends.onnx.reading import Reading, View, name_of
from eqhls.groups.rep import S
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

REALS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
OLDEST = 11
"""The oldest opset that is read."""
Rule = Callable[[Reading, onnx.NodeProto, dict[str, Any]], View | None]


def read_plain(state: Reading, node: onnx.NodeProto) -> None:
    """Read one operator. Raises CompileError for what is not supported, naming what is."""
    newest = defs.onnx_opset_version()
    if not OLDEST <= state.opset <= newest:
        found = (
            f"is of opset {state.opset}" if state.opset else "is of an opset that the file does not import"
        )
        raise CompileError(
            state.place(node), found, f"expected {OLDEST} to {newest}; convert it with onnx.version_converter"
        )
    try:
        if node.op_type == "Constant":
            state.constants[node.output[0]] = _constant(state, node)
        elif node.input and all(n in state.constants for n in node.input if n):
            state.constants.update(folded(node, state.constants, state.opset))
        else:
            _read_values(state, node)
    except CompileError as error:
        raise (error if error.where.startswith(state.where) else error.at(state.place(node))) from None
    except (ValueError, TypeError, LookupError) as error:
        raise CompileError(state.place(node), f"has inputs or attributes that do not fit ({error})") from None


def _read_values(state: Reading, node: onnx.NodeProto) -> None:
    rule = RULES.get(node.op_type)
    if rule is None:
        raise CompileError(
            state.place(node),
            "is not supported",
            f"plain operators may be {', '.join(sorted(RULES))}, on scalars; all else is com.eqhls",
        )
    view = rule(state, node, attributes_of(node, state.opset))
    if view is not None:
        state.views[node.output[0]] = view


def attributes_of(node: onnx.NodeProto, opset: int) -> dict[str, Any]:
    """Return the attributes of an operator, those that are left out too.

    Raises CompileError for one that its rule does not honour and that is not as if it were left out.
    """
    known = defs.get_schema(node.op_type, opset, "").attributes
    values = {
        k: helper.get_attribute_value(a.default_value)
        for k, a in known.items()
        if a.default_value.type != onnx.AttributeProto.UNDEFINED
    }
    for given in node.attribute:
        if given.name not in known or given.ref_attr_name:
            problem = f"has the attribute {given.name!r}, which opset {opset} does not know"
            raise CompileError("attributes", problem, "export it again")
        value = helper.get_attribute_value(given)
        if given.name not in HONOURED.get(node.op_type, ()) and value != values.get(given.name):
            raise CompileError(f"attribute {given.name}", f"found {value!r}", "leave it out")
        values[given.name] = value
    return values


def _scalar(state: Reading, value: str, node: onnx.NodeProto) -> View:
    view = state.view(value, node)
    if state.type(view).rep is not S or view.component is not None:
        raise CompileError(
            state.place(node), f"reads {state.type(view)}, expected scalars S", "take invariants first"
        )
    return view


def _constant(state: Reading, node: onnx.NodeProto) -> np.ndarray:
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if "value" in given:
        return state.tensor(given["value"])
    kinds = {
        "value_float": np.float32,
        "value_floats": np.float32,
        "value_int": np.int64,
        "value_ints": np.int64,
    }
    name, value = next(iter(given.items()), ("", None))
    if name not in kinds:
        raise CompileError(state.place(node), "holds no numbers", "only numeric constants are supported")
    return np.array(value, dtype=kinds[name])


def _identity(state: Reading, node: onnx.NodeProto, given: dict[str, Any]) -> View:
    """Identity, and Cast between kinds of real numbers: graphs are about values, not about their storage."""
    if node.op_type == "Cast" and given["to"] not in REALS:
        raise CompileError(state.place(node), "casts to no real numbers", "expected FLOAT or DOUBLE")
    return state.view(node.input[0], node)


def _axes(state: Reading, node: onnx.NodeProto, given: dict[str, Any], rank: int) -> list[int]:
    """Return the axes of Squeeze and Unsqueeze, an input since opset 13 and an attribute before, counted
    from the front. Raises CompileError for axes that touch the events, or that are not there."""
    if "axes" in given:
        axes = [int(a) for a in given["axes"]]
    elif len(node.input) > 1 and node.input[1]:
        axes = [int(a) for a in state.constant(node.input[1], node).ravel()]
    else:
        raise CompileError(state.place(node), "names no axes", "an event that is alone would lose its axis")
    found = [a + rank if a < 0 else a for a in axes]
    if len(set(found)) != len(found) or not all(0 < a < rank for a in found):
        raise CompileError(
            state.place(node),
            f"has the axes {axes}, expected different ones from 1 to {rank - 1}",
            "axis 0 are the events",
        )
    return found


def _reshape(state: Reading, node: onnx.NodeProto, given: dict[str, Any]) -> View:
    """Flatten, Reshape, Squeeze and Unsqueeze leave the order of the scalars of an event."""
    view = _scalar(state, node.input[0], node)
    rank, asked = 1 + len(view.shape), ""
    shape: tuple[int, ...] | None = None
    if node.op_type == "Flatten":
        asked = f"from axis {given['axis']}"
        shape = (prod(view.shape),) if given["axis"] in (1, 1 - rank) else None
    elif node.op_type == "Squeeze":
        gone = _axes(state, node, given, rank)
        asked = f"without the axes {gone}"
        shape = tuple(s for k, s in enumerate(view.shape, 1) if k not in gone)
    elif node.op_type == "Unsqueeze":
        total = rank + len(given["axes"] if "axes" in given else state.constant(node.input[1], node).ravel())
        new, rest = _axes(state, node, given, total), iter(view.shape)
        shape = tuple(1 if k in new else next(rest) for k in range(1, total))
    else:
        sizes = [int(s) for s in state.constant(node.input[1], node).ravel()]
        asked, shape = f"by {sizes}", _by_sizes(view.shape, sizes)
    if shape is None or prod(shape) != prod(view.shape):
        raise CompileError(
            state.place(node), f"reshapes {list(view.shape)} {asked}", "keep the events first and apart"
        )
    return View(view.name, shape)


def _by_sizes(shape: tuple[int, ...], sizes: list[int]) -> tuple[int, ...] | None:
    """Return the shape of an event that Reshape asks for, or None where the events do not stay in front."""
    if len(sizes) < 1 or sizes[0] not in (0, -1) or sizes.count(-1) > 1 or min(sizes) < -1:
        return None
    found = [shape[k] if s == 0 and k < len(shape) else s for k, s in enumerate(sizes[1:])]
    known = prod(s for s in found if s != -1)
    return tuple(prod(shape) // max(known, 1) if s == -1 else s for s in found)


def _matrix(state: Reading, node: onnx.NodeProto, given: dict[str, Any]) -> View:
    """MatMul and Gemm: a dense layer over all scalars, or a mix of the last axis."""
    if node.input[0] in state.constants:
        raise CompileError(state.place(node), "has the constant on the left", "multiply from the right")
    view = _scalar(state, node.input[0], node)
    weight = state.constant(node.input[1], node).astype(np.float64)
    if given.get("transA", 0) or weight.ndim != 2:
        raise CompileError(state.place(node), f"has weights {list(weight.shape)}", "expected a plain matrix")
    weight = (weight if given.get("transB", 0) else weight.T) * given.get("alpha", 1.0)
    bias = None
    if len(node.input) > 2 and node.input[2]:
        shift = state.constant(node.input[2], node).astype(np.float64) * given.get("beta", 1.0)
        bias = Tensor(np.broadcast_to(shift, (1, len(weight)))[0])
    type = state.type(view)
    sizes = tuple(a.size for a in type.axes)
    if len(view.shape) == 1:
        made = _op(state, node, Dense(Tensor(weight), bias), view)
        return View(made.name, (len(weight),))
    if node.op_type == "Gemm" or view.shape != sizes or weight.shape[1] != sizes[-1]:
        raise CompileError(
            state.place(node), f"multiplies {list(view.shape)} of {type}", "flatten it, or keep its axes"
        )
    made = _op(state, node, ChannelMix(Tensor(weight), bias, axis=type.axes[-1].name), view)
    return View(made.name, (*sizes[:-1], len(weight)))


def _op(state: Reading, node: onnx.NodeProto, op: Op, *inputs: View) -> View:
    return state.add(name_of(node), op, tuple(v.name for v in inputs))


def _activation(kind: Activation) -> Rule:
    def rule(state: Reading, node: onnx.NodeProto, given: dict[str, Any]) -> View:
        view = _scalar(state, node.input[0], node)
        if abs(given.get("alpha", 0.01) - 0.01) > 1e-8:
            raise CompileError(state.place(node), f"has the slope {given['alpha']}", "the op has 0.01")
        return View(_op(state, node, Table(activation=kind), view).name, view.shape)

    return rule


def _sum(state: Reading, node: onnx.NodeProto, given: dict[str, Any]) -> View:
    """Add and Sub of two values of the same axes, or of a value and a constant."""
    minus = (1,) if node.op_type == "Sub" else ()
    values = [_term(state, node, k) for k in (0, 1)]
    shapes = {v.shape for v in values}
    if len(shapes) != 1 or len({state.type(v).axes for v in values}) != 1:
        kinds = " and ".join(str(state.type(v)) for v in values)
        raise CompileError(state.place(node), f"adds {kinds}", "expected the same axes")
    return View(_op(state, node, Add(minus), *values).name, values[0].shape)


def _term(state: Reading, node: onnx.NodeProto, k: int) -> View:
    if node.input[k] not in state.constants:
        return _scalar(state, node.input[k], node)
    other = _scalar(state, node.input[1 - k], node)
    array, type = state.constants[node.input[k]].astype(np.float64), state.type(other)
    try:
        full = np.broadcast_to(array, (1, *other.shape))[0]
    except ValueError:
        raise CompileError(
            state.place(node), f"adds a constant {list(array.shape)} to {list(other.shape)}", "match them"
        ) from None
    shaped = Type(S, type.axes)
    spurion = Spurion(shaped, Tensor(full.reshape(shaped.shape)))
    return View(state.invent(f"{name_of(node)}.constant", spurion).name, other.shape)


def _split(state: Reading, node: onnx.NodeProto, given: dict[str, Any]) -> None:
    """Split of a tensor into its components, to give each a format of its own."""
    view = state.whole(node.input[0], node)
    axis, sizes = given["axis"], given.get("split")
    if len(node.input) > 1 and node.input[1]:
        sizes = state.constant(node.input[1], node).ravel().tolist()
    count = view.shape[-1]
    parts = sizes is None or list(sizes) == [1] * count
    if axis not in (-1, len(view.shape)) or len(node.output) != count or not parts:
        raise CompileError(state.place(node), "does not take a tensor apart into its components")
    if given.get("num_outputs", count) != count:
        raise CompileError(state.place(node), f"has num_outputs = {given['num_outputs']}, expected {count}")
    for k, output in enumerate(node.output):
        state.views[output] = View(view.name, view.shape, k if count > 1 else None)


def _concat(state: Reading, node: onnx.NodeProto, given: dict[str, Any]) -> View:
    views, axis = [state.view(n, node) for n in node.input], given["axis"]
    first = views[0]
    parts = [View(first.name, first.shape, k) for k in range(first.shape[-1])]
    whole = views == parts or len(views) == 1 == first.shape[-1]
    if not whole or axis not in (-1, len(first.shape)):
        raise CompileError(
            state.place(node), "does not join the components of one tensor", "use the op Concat"
        )
    return View(first.name, first.shape)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("Identity", "Cast"), _identity),
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _reshape),
    **dict.fromkeys(("MatMul", "Gemm"), _matrix),
    **dict.fromkeys(("Add", "Sub"), _sum),
    "Relu": _activation(Activation.RELU),
    "LeakyRelu": _activation(Activation.LEAKY_RELU),
    "Sigmoid": _activation(Activation.SIGMOID),
    "Tanh": _activation(Activation.TANH),
    "Split": _split,
    "Concat": _concat,
}
HONOURED: dict[str, tuple[str, ...]] = {
    "Cast": ("to", "saturate", "round_mode"),
    "Flatten": ("axis",),
    "Squeeze": ("axes",),
    "Unsqueeze": ("axes",),
    "Gemm": ("alpha", "beta", "transA", "transB"),
    "LeakyRelu": ("alpha",),
    "Split": ("axis", "split", "num_outputs"),
    "Concat": ("axis",),
}
"""The attributes that rules read. How Cast rounds and saturates matters for 8-bit floats alone."""
