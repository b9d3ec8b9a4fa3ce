"""Operations of `keras.ops` and operators of tensors, by the names of their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from eqhls.frontends.scalars.build import arithmetic, contract, functions, norm, softmax, tensors
from eqhls.frontends.scalars.functions import gated, sparse_plus, squareplus
from eqhls.frontends.scalars.moves import relocated
from eqhls.frontends.scalars.site import Site, Value, position
from eqhls.ops.table import Activation

Operation = Callable[[Site, Any, list[Any]], Any]
"""Reads an operation with what it was called with: values, and constants as they are."""


def call(site: Site, op: Any, given: list[Any]) -> Any:
    """Append what an operation of OPERATIONS computes: a value, or a list of them."""
    return OPERATIONS[type(op).__name__](site, op, given)


def is_operation(op: Any) -> bool:
    return type(op).__module__.startswith("keras.src.ops.") and type(op).__name__ in OPERATIONS


def _each(function: Callable[[Site, Value], Value]) -> Operation:
    return lambda site, op, given: function(site, given[0])


def _pair(function: Callable[[Site, Any, Any], Value]) -> Operation:
    def read(site: Site, op: Any, given: list[Any]) -> Value:
        return function(site, *(_behind_events(site, v, given) for v in given))

    return read


def _behind_events(site: Site, x: Any, beside: list[Any]) -> Any:
    """Return an operand without the axis of the events, which constants may have with size 1."""
    ranks = {len(v.shape) for v in beside if isinstance(v, Value)}
    if isinstance(x, Value):
        if len(ranks) > 1:
            listed = " and ".join(str((None, *v.shape)) for v in beside)
            raise site.refuse(f"combines shapes {listed}", "give both as many axes (keras.ops.expand_dims)")
        return x
    array = np.asarray(keras.ops.convert_to_numpy(x), dtype=np.float64)
    rank = max(ranks)
    if array.ndim > rank + 1 or (array.ndim == rank + 1 and len(array) != 1):
        raise site.refuse(
            f"combines {rank} axes with a constant of shape {array.shape}", "give it no axis of events"
        )
    return array[0] if array.ndim == rank + 1 else array


def _wires(site: Site, op: Any, given: list[Any]) -> list[Value]:
    return relocated(site, given[0], lambda x: op.call(x, *given[1:]))


def _places(site: Site, x: Value, axis: Any) -> tuple[int, ...]:
    if axis is None:
        raise site.refuse(
            "reduces all axes, the events too", "name the axes behind the events, as axis=(1, 2)"
        )
    axes = axis if isinstance(axis, list | tuple) else (axis,)
    return tuple(position(site, x, int(a)) for a in axes)


def _reduced(function: Callable[..., Value]) -> Operation:
    def read(site: Site, op: Any, given: list[Any]) -> Value:
        if getattr(op, "initial", None) is not None:
            raise site.refuse("starts from an initial value", "use keras.ops.maximum behind it")
        x = given[0]
        return function(site, x, _places(site, x, op.axis), op.keepdims)

    return read


def _variance(site: Site, x: Value, places: tuple[int, ...], keep: bool = False) -> Value:
    away = arithmetic.subtracted(site, x, arithmetic.averaged(site.at("mean"), x, places, keep=True))
    return arithmetic.averaged(site, arithmetic.squared(site, away), places, keep)


def _deviation(site: Site, x: Value, places: tuple[int, ...], keep: bool = False) -> Value:
    return functions.tabled(site, _variance(site, x, places, keep), Activation.ROOT)


def _logsumexp(site: Site, x: Value, places: tuple[int, ...], keep: bool = False) -> Value:
    return softmax.log_sum(site, x, places, keep)


def _concatenate(site: Site, op: Any, given: list[Any]) -> Value:
    values = [v if isinstance(v, Value) else None for v in given[0]]
    if None in values:
        raise site.refuse("joins a constant", "add it as a weight of a layer")
    return tensors.joined(site, given[0], position(site, given[0][0], op.axis))


def _stack(site: Site, op: Any, given: list[Any]) -> Value:
    first = given[0][0]
    rank = len(first.shape) + 1
    place = op.axis + rank if op.axis < 0 else op.axis - 1
    if place < 0 or place >= rank:
        raise site.refuse("stacks along the events", "stack along axis 1 or later")
    shape = (*first.shape[:place], 1, *first.shape[place:])
    return tensors.joined(site, [tensors.reshaped(site, v, shape) for v in given[0]], place)


def _einsum(site: Site, op: Any, given: list[Any]) -> Value:
    equation = op.subscripts.replace(" ", "")
    inputs, out = equation.split("->") if "->" in equation else (equation, "")
    letters = inputs.split(",")
    event = out[:1]
    values = [isinstance(v, Value) for v in given]
    kept = all((s[:1] == event and event not in s[1:]) == v for s, v in zip(letters, values, strict=True))
    if "." in equation or not event or not kept or event in out[1:]:
        raise site.refuse(
            f"sums by {equation!r}", "write every letter, and begin every tensor with that of the events"
        )
    own = [s[1:] if v else s for s, v in zip(letters, values, strict=True)]
    if len(given) == 1:
        return _single(site, given[0], own[0], out[1:])
    if len(given) != 2:
        raise site.refuse(f"multiplies {len(given)} tensors", "multiply two at a time")
    first, second = (v if isinstance(v, Value) else np.asarray(v, dtype=np.float64) for v in given)
    return contract.einsum(site, f"{own[0]},{own[1]}->{out[1:]}", first, second)


def _single(site: Site, x: Value, letters: str, out: str) -> Value:
    if len(set(letters)) != len(letters):
        raise site.refuse(f"takes a diagonal ({letters})", "give each axis its own letter")
    y = arithmetic.summed(site, x, [k for k, c in enumerate(letters) if c not in out])
    kept = [c for c in letters if c in out]
    return tensors.transposed(site, y, tuple(kept.index(c) for c in out))


def _tensor_rows(site: Site, op: Any, given: list[Any]) -> Value:
    """x W with x (.., k): keras.ops.matmul and dot of a tensor and a constant, or of two tensors of rows."""
    a, b = given
    if isinstance(a, Value) and isinstance(b, Value):
        if len(a.shape) < 2 or len(b.shape) < 2:
            raise site.refuse(
                "multiplies the events by each other", "keras.ops.sum(a * b, axis=-1) multiplies two"
            )
        return contract.matmul(site, a, b)
    if isinstance(a, Value):
        kernel = np.asarray(keras.ops.convert_to_numpy(b), dtype=np.float64)
        if kernel.ndim == 2:
            return contract.dense(site, a, kernel)
        if kernel.ndim == 1:
            return tensors.reshaped(site, contract.dense(site, a, kernel[:, None]), a.shape[:-1])
        raise site.refuse(f"multiplies by a constant of shape {kernel.shape}", "use keras.ops.einsum")
    matrix = np.asarray(keras.ops.convert_to_numpy(a), dtype=np.float64)
    if matrix.ndim != 2 or len(b.shape) < 2:
        raise site.refuse(f"multiplies a constant of shape {matrix.shape}", "use keras.ops.einsum")
    lead = "abcdefg"[: len(b.shape) - 2]
    return contract.einsum(site, f"mk,{lead}kn->{lead}mn", matrix, b)


def _power(site: Site, op: Any, given: list[Any]) -> Value:
    x, exponent = given
    if isinstance(exponent, Value) or not isinstance(x, Value) or np.ndim(exponent):
        raise site.refuse("raises to a power that is not a number", "use keras.ops.exp and keras.ops.log")
    return functions.power(site, x, float(exponent))


def _clip(site: Site, op: Any, given: list[Any]) -> Value:
    ends = [None if v is None else float(v) for v in (op.x_min, op.x_max)]
    return functions.clipped(site, given[0], *ends)


def _softmax(site: Site, op: Any, given: list[Any]) -> Value:
    made = softmax.softmax if type(op).__name__ == "Softmax" else softmax.log_softmax
    return made(site, given[0], _places(site, given[0], op.axis))


def _normalize(site: Site, op: Any, given: list[Any]) -> Value:
    if op.order != 2:
        raise site.refuse(f"normalizes by a norm of order {op.order}", "use order=2")
    return norm.unit_norm(site, given[0], _places(site, given[0], op.axis))


def _gelu(site: Site, op: Any, given: list[Any]) -> Value:
    return functions.tabled(site, given[0], Activation.GELU_TANH if op.approximate else Activation.GELU)


def _log_of_base(base: float) -> Operation:
    return _each(lambda site, x: arithmetic.scaled(site, functions.logarithm(site, x), 1.0 / np.log(base)))


def _table(kind: Activation, slope: float = 1.0, shift: float = 0.0) -> Operation:
    return _each(lambda site, x: functions.tabled(site, x, kind, slope, shift))


MOVES = [
    *("Reshape", "Ravel", "Squeeze", "ExpandDims", "Transpose", "Swapaxes", "Moveaxis", "Rearrange"),
    *("GetItem", "Take", "Slice", "Split", "ArraySplit", "Hsplit", "Vsplit", "Dsplit", "Unstack"),
    *("Flip", "Fliplr", "Rot90", "Roll", "Repeat", "Tile", "BroadcastTo", "Pad"),
    *("DepthToSpace", "SpaceToDepth"),
]
CURVES = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Silu": "silu",
    "LogSigmoid": "log_sigmoid",
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu",
    "HardTanh": "hard_tanh",
    "SparseSigmoid": "sparse_sigmoid",
    "Selu": "selu",
    "TanhShrink": "tanh_shrink",
    "Tanh": "tanh",
    "Exp": "exponential",
}
OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(MOVES, _wires),
    **{name: _each(functions.NAMED[curve]) for name, curve in CURVES.items()},
    "Add": _pair(arithmetic.added),
    "Subtract": _pair(arithmetic.subtracted),
    "Multiply": _pair(arithmetic.multiplied),
    "Divide": _pair(functions.divided),
    "TrueDivide": _pair(functions.divided),
    "Maximum": _pair(arithmetic.maximum),
    "Minimum": _pair(arithmetic.minimum),
    "Power": _power,
    "Negative": _each(arithmetic.negated),
    "Absolute": _each(arithmetic.magnitude),
    "Abs": _each(arithmetic.magnitude),
    "Square": _each(arithmetic.squared),
    "Sqrt": _table(Activation.ROOT),
    "Rsqrt": _each(lambda site, x: functions.power(site, x, -0.5)),
    "Reciprocal": _each(functions.reciprocal),
    "Log": _each(functions.logarithm),
    "Log1p": _each(lambda site, x: functions.logarithm(site, x, 1.0)),
    "Log2": _log_of_base(2.0),
    "Log10": _log_of_base(10.0),
    "Exp2": _table(Activation.EXP2),
    "Expm1": _each(lambda site, x: arithmetic.added(site, functions.exponential(site, x), -1.0)),
    "Sin": _table(Activation.SINE),
    "Cos": _table(Activation.SINE, 1.0, np.pi / 2),
    "Arctan": _table(Activation.ATAN),
    "Sum": _reduced(arithmetic.summed),
    "Mean": _reduced(arithmetic.averaged),
    "Max": _reduced(arithmetic.largest),
    "Amax": _reduced(arithmetic.largest),
    "Min": _reduced(arithmetic.smallest),
    "Amin": _reduced(arithmetic.smallest),
    "Var": _reduced(_variance),
    "Std": _reduced(_deviation),
    "Logsumexp": _reduced(_logsumexp),
    "Concatenate": _concatenate,
    "Stack": _stack,
    "Matmul": _tensor_rows,
    "Dot": _tensor_rows,
    "Einsum": _einsum,
    "Clip": _clip,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Normalize": _normalize,
    "Gelu": _gelu,
    "LeakyRelu": lambda site, op, given: functions.leaky(site, given[0], float(op.negative_slope)),
    "Elu": lambda site, op, given: functions.exponential_linear(site, given[0], float(op.alpha)),
    "Celu": lambda site, op, given: functions.exponential_linear(
        site, given[0], float(op.alpha), width=float(op.alpha)
    ),
    "Glu": lambda site, op, given: gated(site, given[0], op.axis),
    "SparsePlus": _each(sparse_plus),
    "Squareplus": lambda site, op, given: squareplus(site, given[0], float(op.b)),
    "SoftShrink": lambda site, op, given: arithmetic.subtracted(
        site, given[0], functions.clipped(site, given[0], -float(op.threshold), float(op.threshold))
    ),
    "StopGradient": lambda site, op, given: given[0],
    "Copy": lambda site, op, given: given[0],
}
"""What is read, by the name of its class in keras.ops."""
