"""Operators of plain ONNX whose inputs are all constants: computed while reading, by onnx itself."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from eqhls.errors import CompileError
from eqhls.exchange.attributes import MOST_ELEMENTS
from eqhls.frontends.onnx.reading import printable

RANDOM = (
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
)
GRAPHS = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
FAULTS = (
    shape_inference.InferenceError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
"""What onnx's inference and evaluator raise for operators that do not fit their constants."""


def folded(node: onnx.NodeProto, constants: Mapping[str, np.ndarray], opset: int) -> dict[str, np.ndarray]:
    """Return the results of an operator of constants by name.

    Raises CompileError for operators that draw random numbers or hold graphs, and for results that are not
    numbers, or more than a network can need.
    """
    where = printable(node.op_type)
    if node.op_type in RANDOM or any(a.type in GRAPHS for a in node.attribute):
        raise CompileError(where, "has a result that constants do not determine", "write it as a constant")
    model = _model(node, constants, opset)
    try:
        _check_size(shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True))
        with np.errstate(all="ignore"):
            results = ReferenceEvaluator(model).run(None, {})
    except FAULTS as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise CompileError(
            where,
            f"cannot be computed of its constants ({printable(first[:200])})",
            "write its result as a constant",
        ) from None
    found = dict(zip([o.name for o in model.graph.output], results, strict=True))
    for value in found.values():
        if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fiub":
            raise CompileError(
                where, "has a result that is not a tensor of numbers", "write it as a constant"
            )
    return {name: np.asarray(value) for name, value in found.items()}


def _model(node: onnx.NodeProto, constants: Mapping[str, np.ndarray], opset: int) -> onnx.ModelProto:
    plain = onnx.NodeProto()
    plain.CopyFrom(node)
    plain.domain = ""
    values = [numpy_helper.from_array(np.asarray(constants[n]), n) for n in dict.fromkeys(node.input) if n]
    results = [helper.make_empty_tensor_value_info(o) for o in node.output if o]
    graph = helper.make_graph([plain], "constants", [], results, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def _check_size(model: onnx.ModelProto) -> None:
    """Refuse results that would fill the memory, before they are computed."""
    for output in model.graph.output:
        dims = output.type.tensor_type.shape.dim
        if not output.type.HasField("tensor_type") or not all(d.HasField("dim_value") for d in dims):
            raise ValueError("the shape of the result is not known")
        if prod(d.dim_value for d in dims) > MOST_ELEMENTS:
            raise ValueError(f"the result has more than {MOST_ELEMENTS:,} numbers")
