"""QONNX's quantizers: a format behind an op, a requantization of its own, or a rounded constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import helper

from eqhls.errors import CompileError
from eqhls.exchange.domain import QUANT_DOMAIN
from eqhls.exchange.formats import QuantNode
from eqhls.fixed import Fixed
from eqhls.frontends.onnx import qdq
from eqhls.frontends.onnx.quantvalues import VALUES, by_channel
from eqhls.frontends.onnx.reading import Reading, name_of
from eqhls.frontends.onnx.site import Site
from eqhls.frontends.onnx.views import View
from eqhls.ops.requantize import Requantize

PLAIN = ("", "ai.onnx")
DOMAINS = (QUANT_DOMAIN, "onnx.brevitas")
QUANTIZERS = ("Quant", "IntQuant", *VALUES)
"""The operators of QONNX that are read. Trunc is read for values only."""
REQUIRED, OPTIONAL = ("signed", "narrow"), ("rounding_mode",)

_ROUND: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}


def read_quantizer(state: Reading, node: onnx.NodeProto) -> None:
    """Read one operator of QONNX. Raises CompileError for other operators and for what is not fixed point."""
    if node.op_type not in QUANTIZERS:
        raise CompileError(
            state.place(node), "is not supported", f"operators of QONNX may be {', '.join(QUANTIZERS)}"
        )
    try:
        if node.input[0] in state.constants and node.op_type == "Trunc":
            raise CompileError(state.place(node), "truncates a constant", "store the truncated numbers")
        if node.input[0] in state.constants:
            state.constants[node.output[0]] = _rounded(state, node)
        elif node.op_type in VALUES:
            state.views[node.output[0]] = VALUES[node.op_type](Site(state, node))
        else:
            state.views[node.output[0]] = _requantized(state, node)
    except CompileError as error:
        raise (error if error.where.startswith(state.where) else error.at(state.place(node))) from None
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        raise CompileError(
            state.place(node),
            f"has inputs or attributes that do not fit ({error})",
            "export it again with a current exporter",
        ) from None


def _settings(state: Reading, node: onnx.NodeProto) -> dict[str, Any]:
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    wrong = [n for n in given if n not in (*REQUIRED, *OPTIONAL)]
    missing = [n for n in REQUIRED if n not in given]
    if wrong or missing:
        problem = f"has the attribute {wrong[0]!r}" if wrong else f"does not say whether it is {missing[0]}"
        raise CompileError(state.place(node), problem, f"expected {', '.join((*REQUIRED, *OPTIONAL))}")
    flags = [n for n in REQUIRED if given[n] not in (0, 1)]
    if flags:
        raise CompileError(state.place(node), f"has {flags[0]} = {given[flags[0]]}", "expected 0 or 1")
    return {
        "mode": bytes(given.get("rounding_mode", b"ROUND")).decode(),
        **{n: bool(given[n]) for n in REQUIRED},
    }


def _rounded(state: Reading, node: onnx.NodeProto) -> np.ndarray:
    """Return a constant as the quantizer leaves it, with one scale or with several, in its own precision."""
    x = state.constants[node.input[0]]
    scale = state.constant(node.input[1], node).astype(x.dtype)
    if node.op_type == "BipolarQuant":
        if node.attribute:
            raise CompileError(
                state.place(node), f"has the attribute {node.attribute[0].name!r}", "remove it"
            )
        return np.where(x >= 0, scale, -scale).astype(x.dtype)
    zero, bits = (state.constant(n, node).astype(x.dtype) for n in node.input[2:4])
    given = _settings(state, node)
    mode = given["mode"].upper()
    if mode not in _ROUND:
        raise CompileError(
            state.place(node), f"has the rounding {given['mode']!r}", f"expected {', '.join(_ROUND)}"
        )
    with np.errstate(all="ignore"):
        y = x / scale + zero
    if given["signed"] and (bits == 1).all():
        y = np.where(y >= 0, 1, -1).astype(x.dtype)
    else:
        top = np.exp2(bits - given["signed"]) - 1 - (given["narrow"] and not given["signed"])
        bottom = (given["narrow"] - np.exp2(bits - 1)) * given["signed"]
        y = _ROUND[mode](np.maximum(np.minimum(y, top), bottom))
    return ((y - zero) * scale).astype(x.dtype)


def is_quantizer(node: onnx.NodeProto) -> bool:
    """Whether a node rounds values to a format."""
    own = node.domain in DOMAINS and node.op_type in ("Quant", "IntQuant")
    return own or (node.domain in PLAIN and node.op_type == "QuantizeLinear")


def format_of(state: Reading, node: onnx.NodeProto) -> Fixed | None:
    """Return the format of a Quant of values, None if it has one for each channel. Raises CompileError for
    what is not fixed point."""
    if node.domain in DOMAINS and len(node.input) > 1 and _steps(state, node).size > 1:
        return None
    try:
        return (_stated if node.domain in DOMAINS else qdq.stated)(state, node).format()
    except CompileError as error:
        raise (error if error.where.startswith(state.where) else error.at(state.place(node))) from None


def _stated(state: Reading, node: onnx.NodeProto) -> QuantNode:
    given = _settings(state, node)
    zero, bits = (state.constant(n, node) for n in node.input[2:4])
    if zero.any():
        raise CompileError(
            state.place(node), "has a zero point", "quantize symmetrically, with the zero point 0"
        )
    if bits.size != 1:
        raise CompileError(
            state.place(node), "has several widths", "give one for all channels; the scale may differ"
        )
    width = float(bits.item())
    if not width.is_integer():
        raise CompileError(state.place(node), f"has {width} bits", "expected a whole number")
    return QuantNode(float(_steps(state, node).ravel()[0]), int(width), **given)


def _steps(state: Reading, node: onnx.NodeProto) -> np.ndarray:
    """Return the scales of a quantizer: one, if all are equal."""
    scale = state.constant(node.input[1], node).astype(np.float64)
    return scale if np.ptp(scale) else scale.ravel()[:1]


def _requantized(state: Reading, node: onnx.NodeProto) -> View:
    """A Quant that states the format of the op before it, or a requantization of its own."""
    view, found, scales = state.view(node.input[0], node), _stated(state, node), _steps(state, node)
    if scales.size > 1:
        return by_channel(Site(state, node), scales, found)
    formats = state.nodes[view.name].op.rounds_to()
    which = formats if len(formats) < 2 or view.component is None else (formats[view.component],)
    if which and all(QuantNode.of(f) == found for f in which):
        return view
    if view.component is not None:
        raise CompileError(state.place(node), f"rounds component {view.component}", "round all or none")
    made = state.add(name_of(node), Requantize((found.format(),)), (view.name,))
    return replace(view, name=made.name)
