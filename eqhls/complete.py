"""ONNX files of other programs, completed: com.eqhls operators get the functions that run them.

This needs the reader and the writer of ONNX, neither of which knows the other.
"""

from __future__ import annotations

import onnx
from onnx import helper

from eqhls.backends.onnx.body import FLOAT
from eqhls.backends.onnx.write import Functions, attributes
from eqhls.errors import CompileError
from eqhls.exchange.domain import DOMAIN, IR_VERSION
from eqhls.exchange.domain import VERSION as DOMAIN_VERSION
from eqhls.frontends.onnx.read import calls

FUNCTIONS = 13
"""The oldest opset in which the functions of ops can be written: sums take their axes as an input."""


def with_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model of com.eqhls operators, as other programs export it, with the functions that run it
    and every attribute written out.

    Values are FLOAT and the numbers those of the float references. Raises CompileError as `read_onnx` does.
    """
    out = onnx.ModelProto()
    out.CopyFrom(model)
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if opset < FUNCTIONS:
        found = f"is of opset {opset}, expected {FUNCTIONS} or later"
        raise CompileError(model.graph.name, found, "export it as a later opset")
    functions = Functions(False, FLOAT, opset)
    for call, node, types in calls(out):
        call.op_type = functions.of(node.op, types).name
        del call.attribute[:]
        call.attribute.extend(attributes(node))
    kept = [f for f in model.functions if f.domain != DOMAIN]
    del out.functions[:]
    out.functions.extend([*kept, *functions.made.values()])
    if not any(o.domain == DOMAIN for o in out.opset_import):
        out.opset_import.append(helper.make_opsetid(DOMAIN, DOMAIN_VERSION))
    out.ir_version = max(out.ir_version, IR_VERSION)
    return out
