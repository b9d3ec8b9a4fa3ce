"""Plain ONNX operators, read as ops on scalars.

Only scalars come here: what plain operators do to components is not known to be equivariant. Operators of
constants are computed (`folding`). Every attribute is honoured by its rule or has the value that it has when
it is left out; otherwise it is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import defs, helper

from eqhls.errors import CompileError
from eqhls.frontends.onnx import qdq
from eqhls.frontends.onnx.folding import folded
from eqhls.frontends.onnx.reading import Reading
from eqhls.frontends.onnx.rules import arithmetic, functions, linear, shapes, sums
from eqhls.frontends.onnx.rules.entry import Entry
from eqhls.frontends.onnx.site import Site

OLDEST = 11
"""The oldest opset that is read."""
RULES: dict[str, Entry] = {
    **shapes.RULES,
    **linear.RULES,
    **arithmetic.RULES,
    **functions.RULES,
    **sums.RULES,
    **qdq.RULES,
}
HONOURED: dict[str, tuple[str, ...]] = {name: e.honours for name, e in RULES.items() if e.honours}
"""The attributes that rules read. How Cast rounds and saturates matters for 8-bit floats alone."""


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
        elif node.op_type == "DequantizeLinear" and all(n in state.constants for n in node.input if n):
            state.constants[node.output[0]] = qdq.dequantized(state, node)
        elif node.input and all(n in state.constants for n in node.input if n):
            state.constants.update(folded(node, state.constants, state.opset))
        else:
            _read_values(state, node)
    except CompileError as error:
        raise (error if error.where.startswith(state.where) else error.at(state.place(node))) from None
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise CompileError(
            state.place(node),
            f"has inputs or attributes that do not fit ({error})",
            "export it again with a current exporter",
        ) from None


def _read_values(state: Reading, node: onnx.NodeProto) -> None:
    entry = RULES.get(node.op_type)
    if entry is None:
        raise CompileError(
            state.place(node),
            "is not supported",
            f"of plain ONNX eqhls reads {', '.join(sorted(RULES))}, on scalars; "
            "use operators of com.eqhls for the rest",
        )
    view = entry.read(Site(state, node), attributes_of(node, state.opset))
    if view is not None:
        state.views[node.output[0]] = view


def attributes_of(node: onnx.NodeProto, opset: int) -> dict[str, Any]:
    """Return the attributes of an operator, those that are left out too.

    Raises CompileError for one that its rule does not honour and that is not as if it were left out.
    """
    try:
        known = defs.get_schema(node.op_type, opset, "").attributes
    except defs.SchemaError:
        problem = f"is not an operator of opset {opset}"
        raise CompileError(node.op_type, problem, "export it again with a later opset") from None
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
