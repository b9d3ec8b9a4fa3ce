"""QuantizeLinear and DequantizeLinear of values, as far as they are fixed point: a requantization, stated in
two operators with integers between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from eqhls.errors import CompileError
from eqhls.exchange.formats import QuantNode
from eqhls.frontends.onnx.reading import Reading
from eqhls.frontends.onnx.rules.entry import Entry
from eqhls.frontends.onnx.site import Site
from eqhls.frontends.onnx.views import View
from eqhls.ops.requantize import Requantize

CURE = "quantize symmetrically, by one scale that is a power of two"


def stated(state: Reading, node: onnx.NodeProto) -> QuantNode:
    """Return what a QuantizeLinear rounds to. Raises CompileError for what is not fixed point."""
    scale = state.constant(node.input[1], node)
    zero = state.constants.get(node.input[2] if len(node.input) > 2 else "", np.zeros(1, np.uint8))
    if scale.size != 1 or zero.any():
        raise CompileError(state.place(node), "has a zero point, or a scale per channel", CURE)
    if zero.dtype.kind not in "iu":
        raise CompileError(state.place(node), f"rounds to {zero.dtype}", "round to integers of 8 or 16 bits")
    return QuantNode(float(scale.item()), 8 * zero.dtype.itemsize, zero.dtype.kind == "i", False, "ROUND")


def quantize(site: Site, given: dict[str, Any]) -> None:
    """The integers are only read by a DequantizeLinear of the same scale."""
    view, found = site.scalar(), stated(site.state, site.node)
    form, known = found.format(), site.state.nodes[view.name].op.rounds_to()
    if not known or any(QuantNode.of(f) != found for f in known):
        view = replace(view, name=site.add(Requantize((form,)), view.name))
    site.state.integers[site.node.output[0]] = (view, found.scale)


def dequantize(site: Site, given: dict[str, Any]) -> View:
    held = site.state.integers.get(site.node.input[0])
    scale = site.constant(1)
    zero = site.known(2)
    if held is None:
        raise site.refuse("reads integers that no QuantizeLinear makes", "keep the pairs together")
    if scale.size != 1 or float(scale.item()) != held[1] or (zero is not None and zero.any()):
        raise site.refuse(f"has other scales or zero points than QuantizeLinear ({held[1]:g}, 0)", CURE)
    return held[0]


def dequantized(state: Reading, node: onnx.NodeProto) -> np.ndarray:
    """Return a constant of integers as numbers; there may be one scale per channel."""
    integers, scale = state.constant(node.input[0], node), state.constant(node.input[1], node)
    zero = state.constants.get(node.input[2] if len(node.input) > 2 else "", np.zeros((), integers.dtype))
    given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if given.get("block_size"):
        raise CompileError(state.place(node), "has scales of blocks", CURE)
    shape = [1] * integers.ndim
    if scale.ndim == 1 and scale.size > 1:
        shape[given.get("axis", 1)] = scale.size
    wide = [
        v.astype(np.float64).reshape(shape) if v.size > 1 else v.astype(np.float64) for v in (zero, scale)
    ]
    return np.asarray((integers - wide[0]) * wide[1], dtype=scale.dtype).reshape(integers.shape)


SAYS = "in pairs, of one scale that is a power of two, zero point 0"
RULES: dict[str, Entry] = {
    "QuantizeLinear": Entry(quantize, "`Requantize`, or the format of a port", SAYS, ("axis",)),
    "DequantizeLinear": Entry(dequantize, "nothing", SAYS, ("axis",)),
}
