"""QONNX's Quant: nodes that state formats, and a local function for runtimes that do not know it.

Meaning as in QONNX: y = (round(clamp(x / scale + zeropt)) - zeropt) * scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

from eqhls.exchange.domain import OPSET, QUANT_DOMAIN
from eqhls.exchange.formats import QuantNode
from eqhls.fixed import Fixed

LABELS = ("ai.onnx.ml", 2)
"""The domain of LabelEncoder, by which the function tells the names of roundings apart."""

Pieces = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]


def quant_nodes(source: str, name: str, formats: Sequence[Fixed], element: int) -> Pieces:
    """Return the Quant nodes from a value to `name`, and their constants; one for each component if
    formats differ, between a Split and a Concat."""
    if len(formats) == 1:
        return _quant(source, name, name, formats[0], element)
    cut, fitted = ([f"{name}/{k}{end}" for k in range(len(formats))] for end in ("", "q"))
    nodes = [helper.make_node("Split", [source], cut, f"{name}/split", axis=-1)]
    constants: list[onnx.TensorProto] = []
    for k, form in enumerate(formats):
        more, values = _quant(cut[k], fitted[k], f"{name}/{k}", form, element)
        nodes, constants = nodes + more, constants + values
    return [*nodes, helper.make_node("Concat", fitted, [name], f"{name}/join", axis=-1)], constants


def _quant(source: str, to: str, name: str, form: Fixed, element: int) -> Pieces:
    kind = np.float64 if element == onnx.TensorProto.DOUBLE else np.float32
    said = QuantNode.of(form)
    values = {"scale": said.scale, "zeropt": 0.0, "bits": float(said.bits)}
    constants = [numpy_helper.from_array(np.array(v, dtype=kind), f"{name}/{k}") for k, v in values.items()]
    node = helper.make_node(
        "Quant",
        [source, *(c.name for c in constants)],
        [to],
        f"{name}/quant",
        domain=QUANT_DOMAIN,
        signed=int(said.signed),
        narrow=int(said.narrow),
        rounding_mode=said.mode,
    )
    return [node], constants


_QUANT = """
<domain: "qonnx.custom_op.general", opset_import: ["" : 17, "ai.onnx.ml" : 2]>
Quant <signed, narrow, rounding_mode> (x, scale, zeropt, bitwidth) => (y)
{
    signed_i = Constant <value_int: int = @signed> ()
    narrow_i = Constant <value_int: int = @narrow> ()
    sign = CastLike (signed_i, x)
    tight = CastLike (narrow_i, x)
    one_f = Constant <value_float: float = 1.0> ()
    half_f = Constant <value_float: float = 0.5> ()
    one = CastLike (one_f, x)
    half = CastLike (half_f, x)
    two = Add (one, one)
    bits = CastLike (bitwidth, x)
    magnitude = Sub (bits, sign)
    span = Pow (two, magnitude)
    full = Sub (span, one)
    unsigned = Sub (one, sign)
    top_cut = Mul (unsigned, tight)
    top = Sub (full, top_cut)
    below = Sub (tight, span)
    bottom = Mul (sign, below)
    scaled = Div (x, scale)
    moved = Add (scaled, zeropt)
    capped = Min (moved, top)
    q = Max (capped, bottom)
    even = Round (q)
    floor = Floor (q)
    ceil = Ceil (q)
    size = Abs (q)
    way = Sign (q)
    outer = Ceil (size)
    up = Mul (way, outer)
    inner = Floor (size)
    down = Mul (way, inner)
    more = Add (size, half)
    more_i = Floor (more)
    half_up = Mul (way, more_i)
    less = Sub (size, half)
    less_i = Ceil (less)
    half_down = Mul (way, less_i)
    name = Constant <value_string: string = @rounding_mode> ()
    code = ai.onnx.ml.LabelEncoder <keys_strings = ["FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"],
        values_int64s = [1, 2, 3, 4, 5, 6], default_int64 = 0> (name)
    c1 = Constant <value_int = 1> ()
    c2 = Constant <value_int = 2> ()
    c3 = Constant <value_int = 3> ()
    c4 = Constant <value_int = 4> ()
    c5 = Constant <value_int = 5> ()
    c6 = Constant <value_int = 6> ()
    is1 = Equal (code, c1)
    is2 = Equal (code, c2)
    is3 = Equal (code, c3)
    is4 = Equal (code, c4)
    is5 = Equal (code, c5)
    is6 = Equal (code, c6)
    r1 = Where (is1, floor, even)
    r2 = Where (is2, ceil, r1)
    r3 = Where (is3, up, r2)
    r4 = Where (is4, down, r3)
    r5 = Where (is5, half_up, r4)
    r = Where (is6, half_down, r5)
    back = Sub (r, zeropt)
    y = Mul (back, scale)
}
"""


def quant_function() -> onnx.FunctionProto:
    """Return Quant as a function of plain operators, for every rounding mode of QONNX."""
    function = parser.parse_function(_QUANT)
    assert function.domain == QUANT_DOMAIN and function.opset_import[0].version == OPSET
    return function
