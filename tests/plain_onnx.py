"""Files of plain ONNX operators, and what compares them with onnx's own evaluator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, defs, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from eqhls.errors import CompileError
from eqhls.exchange.domain import DOMAIN, QUANT_DOMAIN
from eqhls.frontends.onnx import qdq
from eqhls.frontends.onnx.plain import OLDEST, RULES
from eqhls.frontends.onnx.read import read_nodes, read_onnx
from eqhls.ir.graph import Graph

NEWEST = defs.onnx_opset_version()
OPSETS = range(OLDEST, NEWEST + 1)
TURNING = (OLDEST, 13, 18, NEWEST)
"""Opsets that `make test` tries: axes became inputs in 13 and 18."""


def some(*chosen: int) -> list[Any]:
    """All opsets, of which only the chosen ones are not slow."""
    return [o if o in chosen else pytest.param(o, marks=pytest.mark.slow) for o in OPSETS]


node = helper.make_node
EVENTS = 5


def file(
    nodes: list[onnx.NodeProto],
    constants: dict[str, Any] | None = None,
    types: dict[str, str] | None = None,
    opset: int = 17,
    outputs: tuple[str, ...] = ("y",),
    shapes: dict[str, list[Any]] | None = None,
) -> onnx.ModelProto:
    """Ports by name and type, given to plain operators as NAME0; the functions of the ports are identities."""
    types = {"x": "S[c:3]"} if types is None else types
    ports = [node("Input", [p], [f"{p}0"], f"port_{p}", domain=DOMAIN, type=t) for p, t in types.items()]
    same = helper.make_function(
        DOMAIN,
        "Input",
        ["a"],
        ["b"],
        [node("Identity", ["a"], ["b"])],
        [helper.make_opsetid("", opset)],
        ["type"],
    )
    inputs = [helper.make_tensor_value_info(p, TensorProto.FLOAT, (shapes or {}).get(p)) for p in types]
    values = [
        numpy_helper.from_array(np.asarray(v, None if np.asarray(v).dtype.kind in "iub" else np.float32), k)
        for k, v in (constants or {}).items()
    ]
    results = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
    graph = helper.make_graph([*ports, *nodes], "net", inputs, results, values)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=[same], ir_version=8)


def feeds(graph: Graph) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    return {n.name: rng.normal(size=(EVENTS, *n.type.shape)).astype(np.float32) for n in graph.inputs}


def check(model: onnx.ModelProto) -> Graph:
    """Compare every output of an accepted file with onnx's evaluator, event by event in order."""
    graph = read_onnx(onnx.ModelProto.FromString(model.SerializeToString()))
    given = feeds(graph)
    want = ReferenceEvaluator(model).run(None, given)
    got = graph.scores(given)
    assert [o.name for o in model.graph.output] == list(graph.outputs)
    views = read_nodes(model, "net").views
    for output, name, values in zip(model.graph.output, graph.outputs, want, strict=True):
        assert values.shape == (EVENTS, *views[output.name].shape)
        np.testing.assert_allclose(
            got[name].reshape(EVENTS, -1), values.reshape(EVENTS, -1), atol=2e-6, err_msg=name
        )
    return graph


def refused(model: onnx.ModelProto | Path, message: str) -> None:
    with pytest.raises(CompileError, match=message) as error:
        read_onnx(model)
    assert "\n" not in str(error.value)


RNG = np.random.default_rng(3)
W, U, B = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 3)), RNG.normal(size=2)
FLAT = node("Flatten", ["x0"], ["f"])
AXES: dict[str, Any] = {"axes": np.array([2])}


def squeezed(
    operator: str, opset: int, source: str = "x0", to: str = "y", axes: tuple[int, ...] = (2,)
) -> onnx.NodeProto:
    """Squeeze or Unsqueeze as its opset writes it; the constant `axes` has to say the same."""
    return node(operator, [source], [to], axes=axes) if opset < 13 else node(operator, [source, "axes"], [to])


ROWS: dict[str, Any] = {"s": np.array([0, 2, 2]), "w": np.array([[1.0, -0.5], [0.25, 2.0]])}
"""Six scalars as a matrix of 2 x 3, and constants for it."""
HEAD = node("Reshape", ["x0", "rows"], ["m"])
IMAGE = node("Reshape", ["x0", "image"], ["m"])
SHAPES: dict[str, Any] = {"rows": np.array([0, 2, 3]), "image": np.array([0, 2, 3])}
KINDS = {
    "Einsum": 12,
    "BatchNormalization": 14,
    "HardSwish": 14,
    "LayerNormalization": 17,
    "Mish": 18,
    "Gelu": 20,
    "Swish": 24,
}
"""Operators that came after the oldest opset; what older BatchNormalizations are, onnx's evaluator does not know
(`test_old_batch_norms`)."""


UNARY = {
    *("Identity", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Swish", "Softplus"),
    *(
        "Softsign",
        "Elu",
        "Selu",
        "Gelu",
        "Mish",
        "ThresholdedRelu",
        "Neg",
        "Abs",
        "Reciprocal",
        "Sqrt",
        "Log",
    ),
    *("Exp", "Erf", "Sin", "Cos", "Atan", "Dropout"),
}
"""Functions of every element."""


def operators(opset: int) -> list[str]:
    return [o for o in RULES if KINDS.get(o, 0) <= opset and o not in qdq.RULES]


def axed(operator: str, opset: int, since: int, axes: tuple[int, ...], **given: Any) -> list[onnx.NodeProto]:
    """An operator whose axes are an attribute before the opset `since`, and a constant input from then on."""
    if opset < since:
        return [HEAD, node(operator, ["m"], ["y"], axes=axes, **given)]
    return [HEAD, node(operator, ["m", "axes"], ["y"], **given)]


def layers(opset: int) -> dict[str, tuple[list[onnx.NodeProto], dict[str, Any]]]:
    """One network for every plain operator; x holds three scalars or, beside `HEAD`, six."""
    unary = [o for o in RULES if o in UNARY]
    found: dict[str, tuple[list[onnx.NodeProto], dict[str, Any]]] = {
        o: ([node("Abs", ["x0"], ["a"]), node(o, ["a"], ["y"])], {})
        if o in ("Sqrt", "Log")
        else ([node(o, ["x0"], ["y"])], {})
        for o in unary
    }
    ends = np.array([0]), np.array([2]), np.array([-1])
    pads = np.array([0, 0, 1, 0, 1, 0])
    later = opset >= 13
    found |= {
        "Cast": ([node("Cast", ["x0"], ["y"], to=TensorProto.DOUBLE)], {}),
        "Flatten": ([node("Flatten", ["x0"], ["y"], axis=1)], {}),
        "Reshape": ([node("Reshape", ["x0", "shape"], ["y"])], {"shape": np.array([0, -1])}),
        "Squeeze": ([squeezed("Squeeze", opset)], AXES),
        "Unsqueeze": ([squeezed("Unsqueeze", opset)], AXES),
        "Transpose": ([HEAD, node("Transpose", ["m"], ["y"], perm=[0, 2, 1])], {}),
        "Slice": (
            [HEAD, node("Slice", ["m", "start", "end", "axis"], ["y"])],
            dict(zip(("start", "end", "axis"), ends, strict=True)),
        ),
        "Gather": ([HEAD, node("Gather", ["m", "which"], ["y"], axis=2)], {"which": np.array([2, 0])}),
        "Split": (
            [
                HEAD,
                node("Split", ["m"], ["a", "b"], axis=1, **({"num_outputs": 2} if opset >= 18 else {})),
                node("Sub", ["a", "b"], ["y"]),
            ],
            {},
        ),
        "Concat": ([HEAD, node("Relu", ["m"], ["r"]), node("Concat", ["m", "r"], ["y"], axis=1)], {}),
        "Expand": (
            [
                HEAD,
                node("Unsqueeze", ["m", "axes"], ["u"])
                if later
                else node("Unsqueeze", ["m"], ["u"], axes=[1]),
                node("Expand", ["u", "to"], ["y"]),
            ],
            {"to": np.array([1, 2, 1, 1])} | ({"axes": np.array([1])} if later else {}),
        ),
        "Tile": ([HEAD, node("Tile", ["m", "times"], ["y"])], {"times": np.array([1, 2, 1])}),
        "Pad": ([HEAD, node("Pad", ["m", "pads"], ["y"])], {"pads": pads}),
        "Shape": (
            [
                HEAD,
                node("Shape", ["m"], ["s"]),
                node("Relu", ["m"], ["r"]),
                node("Reshape", ["r", "s"], ["y"]),
            ],
            {},
        ),
        "MatMul": ([FLAT, node("MatMul", ["f", "w"], ["y"])], {"w": W}),
        "Gemm": ([FLAT, node("Gemm", ["f", "w", "b"], ["y"])], {"w": np.hstack([W, W[:, :1]]), "b": W[:, 0]}),
        "Conv": (
            [IMAGE, node("Conv", ["m", "k", "b"], ["y"], pads=[1, 0])],
            {"k": RNG.normal(size=(3, 2, 2)), "b": W[:, 0]},
        ),
        "Einsum": ([HEAD, node("Einsum", ["m", "w"], ["y"], equation="bij,jk->bki")], {"w": W}),
        "BatchNormalization": (
            [IMAGE, node("BatchNormalization", ["m", "s", "b", "a", "v"], ["y"])],
            {"s": B, "b": B + 1, "a": B - 1, "v": B**2},
        ),
        "LayerNormalization": (
            [HEAD, node("LayerNormalization", ["m", "s", "b"], ["y"], axis=2)],
            {"s": W[:, 0], "b": W[:, 1]},
        ),
        "PRelu": ([HEAD, node("PRelu", ["m", "s"], ["y"])], {"s": W[:, 0]}),
        "Softmax": ([HEAD, node("Softmax", ["m"], ["y"], axis=2)], {}),
        "LogSoftmax": ([HEAD, node("LogSoftmax", ["m"], ["y"], axis=-1)], {}),
        "Add": ([node("Add", ["x0", "x0"], ["y"])], {}),
        "Sub": ([FLAT, node("Sub", ["one", "f"], ["y"])], {"one": [1.0, 2.0, 3.0]}),
        "Sum": ([node("Relu", ["x0"], ["r"]), node("Sum", ["x0", "r", "r"], ["y"])], {}),
        "Mean": ([node("Relu", ["x0"], ["r"]), node("Mean", ["x0", "r", "r"], ["y"])], {}),
        "Mul": ([HEAD, node("Mul", ["m", "w"], ["y"])], {"w": W.T}),
        "Div": ([node("Exp", ["x0"], ["e"]), node("Div", ["x0", "e"], ["y"])], {}),
        "Pow": ([node("Pow", ["x0", "p"], ["y"])], {"p": np.array([3.0])}),
        "Max": ([HEAD, node("Max", ["m", "w"], ["y"])], {"w": W.T}),
        "Min": ([HEAD, node("Min", ["w", "m", "b"], ["y"])], {"w": W.T, "b": 0.3}),
        "Clip": ([node("Clip", ["x0", "a", "b"], ["y"])], {"a": np.float64(-0.5), "b": np.float64(0.75)}),
        "Greater": (
            [HEAD, node("Greater", ["m", "w"], ["g"]), node("Where", ["g", "m", "w"], ["y"])],
            {"w": W.T},
        ),
        "Less": (
            [
                node("Neg", ["x0"], ["n"]),
                node("Less", ["x0", "n"], ["g"]),
                node("Where", ["g", "x0", "n"], ["y"]),
            ],
            {},
        ),
        "Where": (
            [node("Where", ["c", "x0", "z"], ["y"])],
            {"c": np.array([[True], [False], [True]]), "z": 2.0},
        ),
        "ReduceSum": (axed("ReduceSum", opset, 13, (1,)), {"axes": np.array([1])}),
        **{
            o: (axed(o, opset, 18, (2,)), {"axes": np.array([2])} if opset >= 18 else {})
            for o in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare")
        },
        **{o: ([IMAGE, node(o, ["m"], ["y"], kernel_shape=[2])], {}) for o in ("AveragePool", "MaxPool")},
        **{
            o: ([IMAGE, node(o, ["m"], ["y"])], {"image": np.array([0, 2, 3, 1])})
            for o in ("GlobalAveragePool", "GlobalMaxPool")
        },
    }
    return {
        o: (nodes, SHAPES | constants if nodes[0] in (HEAD, IMAGE) else constants)
        for o, (nodes, constants) in found.items()
    }


def network(operator: str, opset: int) -> onnx.ModelProto:
    nodes, constants = layers(opset)[operator]
    return file(nodes, constants, {"x": "S[c:6]"} if nodes[0] in (HEAD, IMAGE) else None, opset)


def quantized(
    bits: Any,
    scale: Any,
    zero: Any = 0.0,
    operator: str = "Quant",
    source: str = "x0",
    types: dict[str, str] | None = None,
    **given: Any,
) -> onnx.ModelProto:
    """A Quant of values, or of a constant `w` behind which a layer stands."""
    given = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"} | given
    given = {k: v for k, v in given.items() if v is not None}
    constants = {
        "s": np.asarray(scale),
        "z": np.asarray(zero),
        "b": np.asarray(bits, dtype=float),
        "w": 2 * W,
    }
    quant = node(
        operator,
        [source, "s", "z", "b"],
        ["y" if source == "x0" else "q"],
        "quant",
        domain=QUANT_DOMAIN,
        **given,
    )
    more = [] if source == "x0" else [FLAT, node("MatMul", ["f", "q"], ["y"])]
    return file([quant, *more], constants, types)
