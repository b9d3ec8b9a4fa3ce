"""Tails of plain ONNX: whatever is accepted has the numbers of onnx's own evaluator; all else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from google.protobuf.message import DecodeError
from onnx import TensorProto, defs, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.intquant import int_quant
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2

from eqhls.complete import with_functions
from eqhls.errors import CompileError
from eqhls.exchange.domain import DOMAIN, QUANT_DOMAIN
from eqhls.fixed import Fixed, Rounding
from eqhls.frontends.onnx import qdq
from eqhls.frontends.onnx.plain import HONOURED, OLDEST, RULES
from eqhls.frontends.onnx.quantizers import QUANTIZERS
from eqhls.frontends.onnx.read import read_nodes, read_onnx
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Type
from eqhls.ops.input import Input
from eqhls.ops.requantize import Requantize
from eqhls.options import Options
from eqhls.quantize.assign import assign

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


@pytest.mark.parametrize("opset", [11, 13])
def test_old_batch_norms(opset: int) -> None:
    model = network("BatchNormalization", opset)
    graph = read_onnx(model)
    given = feeds(graph)
    (want,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)
    np.testing.assert_allclose(graph.scores(given)["y"].reshape(want.shape), want, atol=2e-6)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axis", [-1, 2])
def test_a_tensor_is_taken_apart_and_put_together(opset: int, axis: int) -> None:
    split = node("Split", ["v0"], ["e", "px", "py", "pz"], axis=-1)
    if opset >= 18:
        split.attribute.append(helper.make_attribute("num_outputs", 4))
    joined = node("Concat", ["e", "px", "py", "pz"], ["y"], axis=axis)
    check(file([split, joined], {}, {"v": "V.xyz[j:2]"}, opset))


def test_every_operator_is_tried() -> None:
    assert set(layers(NEWEST)) | set(qdq.RULES) == set(RULES) and set(HONOURED) <= set(RULES)


@pytest.mark.parametrize("opset", some(*TURNING))
def test_every_operator_in_every_opset(opset: int) -> None:
    for operator in operators(opset):
        check(network(operator, opset))


VALUES: dict[Any, tuple[Any, ...]] = {
    onnx.AttributeProto.INT: (0, 1, 2, 3, -1, -2, -3, 10, 11),
    onnx.AttributeProto.FLOAT: (0.0, 0.5, -1.0, 2.0, 0.01),
    onnx.AttributeProto.INTS: ([0], [1], [2], [-1], [3], [1, 2], [0, 2], [1, 1, 1, 1], [2, 2], [1, 2, 1]),
    onnx.AttributeProto.FLOATS: ([0.5],),
    onnx.AttributeProto.STRING: ("up", "down", "ROUND"),
    onnx.AttributeProto.STRINGS: (["a"],),
}


def variants(opset: int) -> Iterator[tuple[str, str, Any]]:
    for operator in operators(opset):
        for name, attribute in defs.get_schema(operator, opset, "").attributes.items():
            for value in VALUES[onnx.AttributeProto.AttributeType.Value(attribute.type.name)]:
                yield operator, name, value


@pytest.mark.parametrize("opset", some(13, NEWEST))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_attribute_is_honoured_or_refused(opset: int) -> None:
    """Every attribute of every operator gets other values: the numbers follow, or the file is refused."""
    accepted = 0
    for operator, name, value in variants(opset):
        model = network(operator, opset)
        changed = next(n for n in model.graph.node if n.op_type == operator)
        kept = [a for a in changed.attribute if a.name != name]
        del changed.attribute[:]
        changed.attribute.extend([*kept, helper.make_attribute(name, value)])
        try:
            read_onnx(model)
        except CompileError:
            continue
        accepted += 1
        check(model)
    assert accepted >= 12, "the test must not pass by refusals alone"


def test_the_walk_sees_a_rule_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a rule that says it honours an attribute and does not is caught."""
    monkeypatch.setitem(HONOURED, "HardSigmoid", ("alpha", "beta"))
    monkeypatch.setitem(RULES, "HardSigmoid", RULES["Sigmoid"])
    model = network("HardSigmoid", 17)
    model.graph.node[1].attribute.append(helper.make_attribute("alpha", 0.75))
    with pytest.raises((AssertionError, ValueError)):
        check(model)


def test_attributes_that_no_opset_knows_are_refused() -> None:
    for operator in operators(17):
        model = network(operator, 17)
        next(n for n in model.graph.node if n.op_type == operator).attribute.append(
            helper.make_attribute("own", 1)
        )
        refused(model, "the attribute 'own', which opset 17 does not know")


def test_operators_without_a_block_are_refused_by_name() -> None:
    """Every other operator of ONNX, reading values: among them LSTM, GRU, Resize and TopK."""
    names = {s.name: s.min_input for s in defs.get_all_schemas() if s.domain == "" and s.name not in RULES}
    assert len(names) > 100 and {"LSTM", "GRU", "Resize", "TopK"} <= set(names)
    for name, inputs in names.items():
        if name != "Constant":
            refused(
                file([node(name, ["x0"] * max(inputs, 1), ["y"])], opset=NEWEST), f"{name}: is not supported"
            )


@pytest.mark.parametrize("opset", [1, 9, OLDEST - 1, NEWEST + 1])
def test_opsets_that_are_not_read(opset: int) -> None:
    model = network("Relu", 17)
    model.opset_import[0].version = opset
    refused(model, f"is of opset {opset}; expected {OLDEST} to {NEWEST}")


def test_opsets_that_are_missing_or_two() -> None:
    model = network("Relu", 17)
    model.opset_import[0].domain = "com.other"
    refused(model, "an opset that the file does not import")
    model.opset_import.extend([helper.make_opsetid("", 11), helper.make_opsetid("ai.onnx", 17)])
    refused(model, r"imports the opsets \[11, 17\]")


@cache
def gemms() -> list[dict[str, Any]]:
    biases = {"b": B, "row": B[None], "one": B[:1], "scalar": B[0], "cell": B[:1, None], "": None}
    return [
        {"alpha": a, "beta": b, "transB": t, "bias": (k, v)}
        for a, b, t, (k, v) in product((1.0, 0.5), (1.0, -2.0), (0, 1), biases.items())
    ]


def test_gemm_in_all_its_forms() -> None:
    for form in gemms():
        name, bias = form["bias"]
        weight = W.T if form["transB"] else W
        inputs = ["f", "w", name] if name else ["f", "w"]
        scales = {k: form[k] for k in ("alpha", "beta", "transB")}
        check(
            file(
                [FLAT, node("Gemm", inputs, ["y"], **scales)], {"w": weight, **({name: bias} if name else {})}
            )
        )
    refused(file([FLAT, node("Gemm", ["f", "w", "b"], ["y"])], {"w": W, "b": B[:, None]}), "match the shapes")


CONSTANTS: dict[str, tuple[list[onnx.NodeProto], dict[str, Any]]] = {
    "transposed": ([node("Transpose", ["v"], ["w"])], {"v": U}),
    "cast": ([node("Cast", ["v"], ["w"], to=TensorProto.FLOAT)], {"v": np.array([[1, 2], [3, 4], [5, 6]])}),
    "to integers": (
        [node("Cast", ["v"], ["i"], to=TensorProto.INT64), node("Cast", ["i"], ["w"], to=TensorProto.FLOAT)],
        {"v": 3 * W},
    ),
    "reshaped": ([node("Reshape", ["v", "s"], ["w"])], {"v": U, "s": np.array([3, -1])}),
    "scaled": ([node("Mul", ["v", "a"], ["w"])], {"v": W, "a": 0.3}),
    "joined": ([node("Concat", ["v", "u"], ["w"], axis=1)], {"v": W[:, :1], "u": W[:, 1:]}),
    "cut": ([node("Split", ["v", "n"], ["w", "rest"], axis=1)], {"v": np.hstack([W, W]), "n": np.array([2, 2])}),
    "opened": (
        [node("Unsqueeze", ["v", "a"], ["u"]), node("Concat", ["u", "u"], ["w"], axis=1)],
        {"v": W[:, 0], "a": np.array([1])},
    ),
    "a product": ([node("MatMul", ["v", "u"], ["w"])], {"v": W, "u": W[:2]}),
    "a function": ([node("Softmax", ["v"], ["w"], axis=0)], {"v": W}),
    "gathered": ([node("Gather", ["v", "i"], ["w"], axis=1)], {"v": W, "i": np.array([1, 0])}),
    "a range of floats": (
        [node("Constant", [], ["c"], value_floats=[0.1, 0.2]), node("Expand", ["c", "s"], ["w"])],
        {"s": np.array([3, 2])},
    ),
    "the kernel of a norm": (
        [node("Add", ["s", "e"], ["se"]), node("Sqrt", ["se"], ["r"]), node("Div", ["v", "r"], ["w"])],
        {"v": W, "s": B**2, "e": 1e-3},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONSTANTS)
def test_operators_of_constants_are_computed(case: str) -> None:
    nodes, constants = CONSTANTS[case]
    check(file([FLAT, *nodes, node("MatMul", ["f", "w"], ["y"])], constants))


def test_constants_that_cannot_be_computed() -> None:
    cases = {
        "more than 16,777,216 numbers": [node("ConstantOfShape", ["s"], ["w"])],
        "constants do not determine": [node("RandomNormalLike", ["v"], ["w"])],
        "cannot be computed of its constants": [node("MatMul", ["v", "v"], ["w"])],
        "not a tensor of numbers": [node("Cast", ["v"], ["w"], to=TensorProto.STRING)],
        "expected a constant": [node("Mul", ["v", "one"], ["w"]), node("Pow", ["f", "f"], ["w2"])],
    }
    for message, nodes in cases.items():
        constants = {"v": W, "s": np.array([1 << 20, 1 << 20]), "one": 1.0}
        refused(file([FLAT, *nodes, node("MatMul", ["f", "w"], ["y"])], constants), message)


ACCEPTED: dict[str, onnx.ModelProto] = {
    "a constant of another rank": file([FLAT, node("Add", ["f", "c"], ["y"])], {"c": [[1.0, 2.0, 3.0]]}),
    "one number": file([FLAT, node("Add", ["c", "f"], ["y"])], {"c": 0.25}),
    "columns": file([node("Sub", ["c", "x0"], ["y"])], {"c": [[1.0], [2.0], [3.0]]}),
    "without axes": file(
        [
            FLAT,
            node("MatMul", ["f", "w"], ["m"]),
            node("Squeeze", ["m", "a"], ["s"]),
            node("Add", ["s", "c"], ["y"]),
        ],
        {"w": W[:, :1], "a": np.array([-1]), "c": 0.5},
    ),
    "axes in any order": file(
        [node("Unsqueeze", ["x0", "a"], ["u"]), node("Squeeze", ["u", "b"], ["y"])],
        {"a": np.array([4, 1]), "b": np.array([1, -1])},
    ),
    "sizes that are kept": file(
        [node("Reshape", ["x0", "s"], ["r"]), node("Reshape", ["r", "t"], ["y"])],
        {"s": np.array([0, 0, -1]), "t": np.array([-1, 1, 6])},
        {"x": "S[i:2,c:3]"},
    ),
    "a mix of an axis that was opened": file(
        [
            node("Squeeze", ["x0", "a"], ["s"]),
            node("MatMul", ["s", "w"], ["m"]),
            node("Reshape", ["m", "r"], ["y"]),
        ],
        {"a": np.array([3]), "w": W, "r": np.array([0, 2, 1, 2])},
        {"x": "S[i:2,c:3]"},
    ),
    "an output in another shape": file(
        [node("Squeeze", ["x0", "a"], ["s"]), node("Reshape", ["s", "r"], ["y"])],
        {"a": np.array([3]), "r": np.array([0, 3, 2])},
        {"x": "S[i:2,c:3]"},
    ),
    "an initializer that is an input": file([FLAT, node("MatMul", ["f", "w"], ["y"])], {"w": W}),
    "the components of a scalar": file(
        [node("Split", ["x0"], ["e"], axis=-1), node("Concat", ["e"], ["y"], axis=-1)], opset=17
    ),
}
ACCEPTED["a constant that widens"] = file(
    [FLAT, node("MatMul", ["f", "w"], ["m"]), node("Add", ["m", "c"], ["y"])], {"w": W[:, :1], "c": B}
)
for _equation in ("bij,bkj->bik", "...ij,...kj->...ik", "bij,bij->bj", "bij,bkl->blik", "abc,abd->acd"):
    _nodes = [HEAD, node("Tanh", ["m"], ["t"]), node("Einsum", ["m", "t"], ["y"], equation=_equation)]
    ACCEPTED[f"letters {_equation}"] = file(_nodes, SHAPES, {"x": "S[c:6]"})
ACCEPTED["a constant on the left"] = file([node("MatMul", ["w", "x0"], ["y"])], {"w": W.T})
ACCEPTED["an axis moved"] = file([node("Transpose", ["x0"], ["y"], perm=[0, 2, 1])], types={"x": "S[i:2]"})
ACCEPTED["an initializer that is an input"].graph.input.append(
    helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2])
)


@pytest.mark.parametrize("case", ACCEPTED)
def test_shapes_and_constants(case: str) -> None:
    check(ACCEPTED[case])


REFUSED: dict[str, tuple[onnx.ModelProto, str]] = {
    "a component as output": (
        file([node("Split", ["v0"], ["e", "y", "py", "pz"], axis=-1)], types={"v": "V.xyz[j:2]"}),
        r"output y: is component 1 of v, a V.xyz\[j:2\]; a single component is not invariant",
    ),
    "events squeezed": (file([squeezed("Squeeze", 17)], {"axes": np.array([0])}), r"the axes \[0\]"),
    "events opened": (file([squeezed("Unsqueeze", 17)], {"axes": np.array([0])}), "put the events first"),
    "events opened from behind": (file([squeezed("Unsqueeze", 17)], {"axes": np.array([-4])}), "put the events first"),
    "squeezed without axes": (file([node("Squeeze", ["x0"], ["y"])]), "names no axes"),
    "squeezed of three": (file([squeezed("Squeeze", 17)], {"axes": np.array([1])}), "without the axes"),
    "an axis twice": (file([squeezed("Unsqueeze", 17)], {"axes": np.array([1, 1])}), "expected different"),
    "an axis that is not there": (file([squeezed("Squeeze", 17)], {"axes": np.array([7])}), "from 0 to 2"),
    "two sizes left open": (file([node("Reshape", ["x0", "s"], ["y"])], {"s": np.array([-1, -1])}), "keep the events"),
    "events in numbers": (file([node("Reshape", ["x0", "s"], ["y"])], {"s": np.array([5, 3])}), "keep the events"),
    "events mixed by a constant": (
        file([FLAT, node("MatMul", ["w", "f"], ["y"])], {"w": U}), "multiplies the axis of the events by a constant"
    ),
    "a constant of more axes": (file([FLAT, node("Add", ["f", "c"], ["y"])], {"c": [[[1.0, 2, 3]]]}), "match the shapes"),
    "one number for every event": (
        file([FLAT, node("Add", ["f", "c"], ["y"])], {"c": np.ones((EVENTS, 1))}), "match the shapes"
    ),
    "a constant as output": (file([node("Identity", ["c"], ["y"])], {"c": W}), "output y: is a constant"),
    "an input as output": (file([FLAT], outputs=("x",)), "output x: is an input of the file"),
    "an output of nothing": (file([FLAT], outputs=("nothing",)), "output nothing: is not computed by any op"),
    "an output twice": (file([node("Relu", ["x0"], ["a/b"]), node("Tanh", ["x0"], ["a_b"])], outputs=("a/b", "a_b")), "name of another output|two values of this name"),
    "an output named as an operator": (
        file([node("Relu", ["x0"], ["r"], "y"), node("Tanh", ["r"], ["y"], "t")]), "output y: has the name of an operator"
    ),
    "an input without a size": (file([FLAT, node("Identity", ["f"], ["y"])]), r"input more: has the shape \(any, any\)"),
    "events last": (file([node("Relu", ["x0"], ["y"])], shapes={"x": [3, 1, "events"]}), "put the events first"),
    "another size": (file([node("Relu", ["x0"], ["y"])], shapes={"x": ["events", 4, 1]}), "put the events first"),
    "integers": (file([node("Relu", ["x0"], ["y"])]), "input x: is of INT64"),
    "a sparse tensor": (file([FLAT, node("MatMul", ["f", "w"], ["y"])]), "the sparse tensor 'w'"),
    "an operator with a meaning of its own": (file([node("Relu", ["x0"], ["y"])]), "Relu a meaning of its own"),
    "a branch": (
        file([node("If", ["c"], ["y"], then_branch=helper.make_graph([], "t", [], []), else_branch=helper.make_graph([], "e", [], []))], {"c": np.array(True)}),
        "constants do not determine",
    ),
    "no type to cast to": (file([node("Cast", ["x0"], ["y"])]), "do not fit"),
    "no input": (file([node("Relu", [], ["y"])]), "do not fit"),
    "the events moved": (file([node("Transpose", ["x0"], ["y"], perm=[1, 0, 2])]), "put the events first"),
    "a part of the events": (
        file([node("Gather", ["x0", "k"], ["y"])], {"k": np.array([0])}), "every event is computed by itself"
    ),
    "a sum over events": (
        file([node("ReduceSum", ["x0", "k"], ["y"])], {"k": np.array([0])}), "every event is computed by itself"
    ),
}  # fmt: skip
REFUSED["an input without a size"][0].graph.input.append(
    helper.make_tensor_value_info("more", TensorProto.FLOAT, ["e", "n"])
)
REFUSED["integers"][0].graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
REFUSED["a sparse tensor"][0].graph.sparse_initializer.append(
    helper.make_sparse_tensor(
        numpy_helper.from_array(np.ones(1, np.float32), "w"),
        numpy_helper.from_array(np.zeros(1, np.int64)),
        [3, 2],
    )
)
REFUSED["an operator with a meaning of its own"][0].functions.append(
    helper.make_function("", "Relu", ["a"], ["b"], [node("Neg", ["a"], ["b"])], [helper.make_opsetid("", 17)])
)


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_give_other_numbers_is_refused(case: str) -> None:
    refused(*REFUSED[case])


@pytest.mark.parametrize("order", [("x", "z"), ("z", "x")])
def test_ports_keep_the_order_of_the_file(order: tuple[str, str]) -> None:
    """Also against the order of use, and without any use."""
    model = file(
        [node("Tanh", ["z0"], ["t"]), node("Add", ["t", "x0"], ["y"])],
        types=dict.fromkeys((*order, "unused"), "S[c:3]"),
    )
    for k in (1, 2):
        first = model.graph.node[0]
        moved = onnx.NodeProto()
        moved.CopyFrom(first)
        del model.graph.node[0]
        model.graph.node.insert(k, moved)
    ordered = sorted(model.graph.node, key=lambda n: (n.op_type != "Input", n.input[0] == order[0]))
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    graph = check(model)
    assert [n.name for n in graph.inputs] == [*order, "unused"]


def test_a_port_between_operators_keeps_its_place() -> None:
    model = file([], types={"x": "S[c:3]", "z": "S[c:3]"})
    port_x, port_z = model.graph.node
    nodes = [port_z, node("Tanh", ["z0"], ["t"]), port_x, node("Add", ["t", "x0"], ["y"])]
    copies = [onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    assert [n.name for n in check(model).inputs] == ["x", "z"]


def test_outputs_have_the_names_and_the_order_of_the_file() -> None:
    nodes = [
        node("Relu", ["x0"], ["a"], "first"),
        node("Tanh", ["a"], ["b"], "second"),
        node("Identity", ["b"], ["c"], "third"),
        node("Flatten", ["b"], ["d"], "fourth"),
        node("Identity", ["x0"], ["same"], "fifth"),
    ]
    graph = check(file(nodes, outputs=("b", "a", "c", "d", "same")))
    assert graph.outputs == ("b", "a", "c", "d", "same") and graph.inputs[0].name == "x"


def declared(shapes: dict[str, list[Any]], opset: int = 17, version: int = 8) -> onnx.ModelProto:
    """A layer whose constants are inputs too, as the oldest files have them, with shapes."""
    model = file([FLAT, node("MatMul", ["f", "w"], ["y"])], {"w": W}, opset=opset)
    del model.functions[:]
    model.ir_version = version
    for value in (*model.graph.input, *model.graph.output):
        kind = helper.make_tensor_value_info(value.name, TensorProto.FLOAT, shapes[value.name])
        value.CopyFrom(kind)
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2]))
    return model


@pytest.mark.parametrize("version", [3, 4, 7, 8, onnx.IR_VERSION])
def test_old_and_new_files_are_read(version: int, tmp_path: Path) -> None:
    onnx.save(declared({"x": ["e", 3, 1], "y": ["e", 2]}, version=version), tmp_path / "net.onnx")
    np.testing.assert_allclose(read_onnx(tmp_path / "net.onnx").results[0].op.weight.array, W.T, atol=1e-6)


def test_functions_of_blocks_need_an_opset_that_can_say_them() -> None:
    with pytest.raises(CompileError, match="is of opset 12, expected 13 or later"):
        with_functions(network("Relu", 12))
    check(with_functions(network("Relu", 13)))


def test_files_of_the_future_are_refused(tmp_path: Path) -> None:
    onnx.save(declared({"x": ["e", 3, 1], "y": ["e", 2]}, version=99), tmp_path / "net.onnx")
    refused(tmp_path / "net.onnx", "refused by onnx.checker")


def test_constants_beside_the_file(tmp_path: Path) -> None:
    model = declared({"x": ["e", 3, 1], "y": ["e", 2]})
    onnx.save(model, tmp_path / "net.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").stat().st_size >= 24
    np.testing.assert_allclose(read_onnx(tmp_path / "net.onnx").results[0].op.weight.array, W.T, atol=1e-6)


@pytest.mark.parametrize("shape", [["e", 3], ["e", 2, 1], ["e"]])
def test_results_of_another_shape_than_declared_are_refused(shape: list[Any]) -> None:
    refused(declared({"x": ["e", 3, 1], "y": shape}), r"output y: is declared .*, but is \(events, 2\)")


def test_names_are_those_of_programs() -> None:
    """Exporters number values, and put slashes and dots into names."""
    nodes = [node("Relu", ["x0"], ["12"], "/fc.1/Relu"), node("Tanh", ["12"], ["r.é"], "3")]
    model = file(nodes, outputs=("12", "r.é"))
    model.graph.name = "7 nets.b"
    graph = read_onnx(model)
    assert graph.outputs == ("v12", "r._") and graph.name == "v7_nets_b"
    nodes = [node("Relu", ["x0"], ["a.b"]), node("Tanh", ["a.b"], ["a_b"]), node("Tanh", ["a_b"], ["y"])]
    refused(file(nodes), "a_b: has the name of a.b but for dots")
    refused(
        file([node("Relu", ["x0"], ["a/b"]), node("Tanh", ["a/b"], ["a_b"]), nodes[2]]),
        "two values of this name",
    )


def pair(step: Any, zero: Any, other: Any = None, through: str = "q") -> onnx.ModelProto:
    """QuantizeLinear and DequantizeLinear of x, the second of another scale if one is given."""
    nodes = [
        node("QuantizeLinear", ["x0", "s", "z"], ["q"]),
        node("DequantizeLinear", [through, "t", "z"], ["y"]),
    ]
    return file(nodes, {"s": step, "t": step if other is None else other, "z": zero})


def test_pairs_of_integers_are_formats() -> None:
    for zero, form in (
        (np.int8(0), (8, 4, True)),
        (np.uint8(0), (8, 3, False)),
        (np.int16(0), (16, 12, True)),
    ):
        graph = read_onnx(pair(2.0 ** (form[1] - form[0]), zero))
        assert [n.op.name() for n in graph] == ["input", "requantize"]
        (found,) = graph.results[0].op.rounds_to()
        assert (found.width, found.integer, found.signed) == form and found.rounding is Rounding.RND_CONV
    refused(pair(0.3, np.int8(0)), "expected a power of two")
    refused(pair(0.25, np.int8(3)), "has a zero point")
    refused(pair([0.25, 0.5, 0.25], np.int8(0)), "a scale per channel; quantize symmetrically")
    refused(pair(0.25, np.int8(0), other=0.5), "other scales or zero points")
    refused(pair(0.25, np.int8(0), through="x0"), "reads integers that no QuantizeLinear makes")
    cast = [node("QuantizeLinear", ["x0", "s", "z"], ["q"]), node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)]
    refused(file(cast, {"s": 0.25, "z": np.int8(0)}), "reads 'q', which no op computes")


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


def bipolar(scale: Any) -> onnx.ModelProto:
    return file([node("BipolarQuant", ["x0", "s"], ["y"], domain=QUANT_DOMAIN)], {"s": np.asarray(scale)})


def trunc(numbers: list[Any], types: dict[str, str] | None = None, **given: Any) -> onnx.ModelProto:
    """A Trunc of values by its numbers: four in version 1 of the domain, five in version 2."""
    constants = {f"k{k}": np.asarray(v, dtype=float) for k, v in enumerate(numbers)}
    given = {"rounding_mode": "FLOOR"} | given
    return file([node("Trunc", ["x0", *constants], ["y"], domain=QUANT_DOMAIN, **given)], constants, types)


WORDS = np.arange(-128, 128)
"""All values of the port of the quantizers below, in units of 1/16."""


def of_words(model: onnx.ModelProto) -> np.ndarray:
    """Return what a file computes of all words of its port, (256, 3)."""
    graph = assign(read_onnx(model), {}, Options())
    (result,) = graph.results
    raw = graph.evaluate({"x": np.repeat(WORDS, 3).reshape(-1, 3, 1)})[result.name]
    return (raw * result.type.formats.lsb)[..., 0]


PORT = {"x": "S[c:3]:fix<8,4>"}
X = np.repeat(WORDS / 16, 3).reshape(-1, 3).astype(np.float32)


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR", "DOWN", "HALF_UP", "HALF_DOWN"])
def test_what_truncates_values_is_qonnxs(mode: str) -> None:
    """Of both versions, for signed and unsigned results, that fit and that saturate."""
    for bits, out in ((8, 5), (8, 8), (9, 4)):
        model = trunc([2.0**-4, 0, bits, out], PORT, rounding_mode=mode)
        want = trunc_v1(X, np.float32(2**-4), np.float32(0), np.float32(bits), np.float32(out), mode)
        np.testing.assert_array_equal(of_words(model), want)
    for step, out, signed, narrow in product((2.0**-4, 2.0**-2, 1.0), (3, 5), (0, 1), (0, 1)):
        model = trunc(
            [2.0**-4, 0, 8, step, out], PORT, rounding_mode=mode, signed=signed, narrow=narrow * signed
        )
        numbers = [np.float32(v) for v in (2**-4, 0, 8)]
        sizes = np.float32(step), np.float32(out)
        want = trunc_v2(X, *numbers, narrow * signed, signed, *sizes, mode)
        np.testing.assert_array_equal(of_words(model), want)


def test_signs_and_scales_of_channels_are_qonnxs() -> None:
    scale = np.array([0.5, 2.0, 0.25], np.float32)
    across = scale[:, None]  # values of eqhls have a last axis for components
    signs = file([node("BipolarQuant", ["x0", "s"], ["y"], domain=QUANT_DOMAIN)], {"s": across}, PORT)
    np.testing.assert_array_equal(of_words(signs), binary_quant(X, scale))
    for bits, signed, mode in product((2, 4, 6), (0, 1), ("ROUND", "FLOOR", "HALF_UP")):
        model = quantized(bits, across, signed=signed, rounding_mode=mode, types=PORT)
        want = int_quant(X, scale, np.float32(0), np.float32(bits), signed, 0, mode)
        np.testing.assert_array_equal(of_words(model), want)


MODES = ("ROUND", "round", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")


@pytest.mark.parametrize("mode", [*MODES, "ROUND_TO_ZERO", "STOCHASTIC"])
@pytest.mark.parametrize(("signed", "narrow"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_quant_is_that_of_qonnx_or_refused(mode: str, signed: int, narrow: int) -> None:
    for bits, scale in product((1, 2, 5, 3.5), (0.25, 2.0, 0.3, -0.5)):
        model = quantized(bits, scale, signed=signed, narrow=narrow, rounding_mode=mode)
        try:
            graph = read_onnx(model)
        except CompileError:
            continue
        op = graph.results[0].op
        assert isinstance(op, Requantize) and isinstance(bits, int) and scale in (0.25, 2.0)
        form = op.formats[0]
        x = np.arange(-160, 161) / 64
        codes = np.rint(x / form.lsb * 64).astype(np.int64)  # arguments in 64ths of an LSB
        wide = Fixed(40, 40 - 6 - form.frac, True)
        raw = read_exact(op, wide, codes)
        want = int_quant(
            (codes / 64 * form.lsb).astype(np.float32),
            np.float32(scale),
            np.float32(0),
            np.array(bits),
            signed,
            narrow,
            mode,
        )
        np.testing.assert_array_equal(raw * form.lsb, want)


def read_exact(op: Requantize, wide: Fixed, codes: np.ndarray) -> np.ndarray:
    """Requantize integers of a wide format, exactly."""
    b = Builder("one")
    graph = b.graph(b.add("y", op, b.add("x", Input(Type(S, (), formats=(wide,)))))).formatted()
    return graph.evaluate({"x": codes[:, None]})["y"][:, 0]


def test_some_quants_are_accepted() -> None:
    """So that the test above does not pass by refusals: all modes but CEIL and UP, which have no format."""
    for mode in MODES:
        model = quantized(5, 0.25, rounding_mode=mode)
        if mode in ("CEIL", "UP"):
            refused(model, f"has the rounding '{mode}'")
        else:
            assert isinstance(read_onnx(model).results[0].op, Requantize)


@pytest.mark.parametrize("mode", MODES)
def test_quantized_weights_are_those_of_qonnx(mode: str) -> None:
    """Of constants, every scale, zero point and width is computed; the layer behind has the numbers."""
    cases = product((1, 2, 4, 3.5), (0.25, 0.3, [[0.5, 0.3]]), (0.0, 1.0), (0, 1), (0, 1))
    for bits, scale, zero, signed, narrow in cases:
        model = quantized(bits, scale, zero, source="w", signed=signed, narrow=narrow, rounding_mode=mode)
        graph = read_onnx(model)
        want = int_quant(
            (2 * W).astype(np.float32),
            np.asarray(scale, np.float32),
            np.float32(zero),
            np.array(bits, np.float32),
            signed,
            narrow,
            mode,
        )
        np.testing.assert_array_equal(graph.results[0].op.weight.array, want.T.astype(np.float32))


def test_bipolar_weights() -> None:
    bipolar = node("BipolarQuant", ["w", "s"], ["q"], domain=QUANT_DOMAIN)
    graph = read_onnx(file([FLAT, bipolar, node("MatMul", ["f", "q"], ["y"])], {"w": W, "s": 0.3}))
    np.testing.assert_array_equal(
        graph.results[0].op.weight.array, np.where(W.T >= 0, 1, -1) * np.float32(0.3)
    )


QUANTS: dict[str, tuple[onnx.ModelProto, str]] = {
    "part of a bit": (quantized(3.5, 0.25), "has 3.5 bits; expected a whole number"),
    "no bits": (quantized(0, 0.25), "width of 0 bits"),
    "endless bits": (quantized(np.inf, 0.25), "bits"),
    "too many bits": (quantized(64, 0.25), "width of 64 bits"),
    "a scale in between": (quantized(5, 0.3), "expected a power of two"),
    "a negative scale": (quantized(5, -0.5), "expected a power of two"),
    "no scale": (quantized(5, 0.0), "expected a power of two"),
    "one scale in between": (quantized(5, [0.5, 0.3, 0.5]), "has the scale 0.3"),
    "scales of rows and columns": (quantized(5, [[0.5, 0.25, 0.5], [1, 2, 1], [1, 1, 2]]), "has scales that vary along several axes"),
    "several widths": (quantized([5, 4, 5], [0.5, 0.25, 0.5]), "has several widths; give one for all channels"),
    "a zero point": (quantized(5, 0.5, 1.0), "zero point"),
    "no word about the sign": (quantized(5, 0.5, signed=None), "does not say whether it is signed"),
    "no word about the range": (quantized(5, 0.5, narrow=None), "does not say whether it is narrow"),
    "two signs": (quantized(5, 0.5, signed=2), "signed = 2; expected 0 or 1"),
    "an attribute more": (quantized(5, 0.5, channelwise=1), "the attribute 'channelwise'"),
    "bipolar values": (bipolar(0.3), "BipolarQuant: has the scale 0.3, which is no multiple"),
    "truncation with a zero point": (trunc([0.25, 1, 8, 5]), "Trunc: has a zero point; quantize symmetrically"),
    "truncation of thirds": (trunc([0.3, 0, 8, 5]), "Trunc: has the scale 0.30"),
    "truncation to thirds": (trunc([0.25, 0, 8, 0.3, 5]), "Trunc: has the scale 0.30"),
    "a sign of version 2": (trunc([0.25, 0, 8, 5], signed=1), "Trunc: has the attribute 'signed'; expected rounding_mode"),
    "truncation per channel": (trunc([[0.25, 0.5, 1.0], 0, 8, 5]), "Trunc: has 3 numbers as input 1"),
    "truncation that rounds up": (trunc([0.25, 0, 8, 5], rounding_mode="CEIL"), "has the rounding 'CEIL'"),
    "thresholds": (quantized(5, 0.5, operator="MultiThreshold"), "MultiThreshold: is not supported"),
    "small floats": (quantized(5, 0.5, operator="FloatQuant"), "FloatQuant: is not supported"),
    "plain operators of this domain": (quantized(5, 0.5, operator="Relu"), "Relu: is not supported; operators of QONNX"),
}  # fmt: skip


@pytest.mark.parametrize("case", QUANTS)
def test_quants_without_a_format_are_refused(case: str) -> None:
    refused(*QUANTS[case])


def test_a_scale_that_is_computed_is_refused() -> None:
    quant = node("Quant", ["x0", "f", "z", "b"], ["y"], domain=QUANT_DOMAIN, signed=1, narrow=0)
    refused(file([FLAT, quant], {"z": 0.0, "b": 4.0}), "reads 'f', expected a constant")


@pytest.mark.parametrize("domain", ["finn.custom_op.fpgadataflow", "finn", "com.microsoft", "ai.onnx.ml"])
def test_operators_of_other_domains_are_refused(domain: str) -> None:
    refused(file([node("Quant", ["x0"], ["y"], domain=domain)]), f"is of the domain '{domain}'")


def test_quantizers_are_those_that_are_tried() -> None:
    assert set(QUANTIZERS) == {"Quant", "IntQuant", "BipolarQuant", "Trunc"}
    assert isinstance(read_onnx(quantized(5, 0.25, operator="IntQuant")).results[0].op, Requantize)


def damaged(raw: bytes, rng: np.random.Generator) -> bytes:
    """One to three bytes changed."""
    out = bytearray(raw)
    for _ in range(rng.integers(1, 4)):
        where = rng.integers(len(out))
        out[where] = rng.integers(256) if rng.random() < 0.5 else out[where] ^ (1 << rng.integers(8))
    return bytes(out)


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_have_one_message_or_are_graphs(rng: np.random.Generator) -> None:
    """Never a traceback, never a message of two lines."""
    models = [network(o, 17).SerializeToString() for o in operators(17)]
    models += [quantized(5, 0.25).SerializeToString(), quantized(4, 0.3, source="w").SerializeToString()]
    found = {"graph": 0, "message": 0}
    for k in range(800):
        try:
            model = onnx.ModelProto.FromString(damaged(models[k % len(models)], rng))
        except DecodeError:
            continue
        try:
            read_onnx(model)
            found["graph"] += 1
        except CompileError as error:
            assert "\n" not in str(error)
            found["message"] += 1
    assert min(found.values()) > 50


def test_names_that_are_no_text_are_refused() -> None:
    raw = network("Relu", 17).SerializeToString().replace(b"Relu", b"Re\xff\xfe")
    refused(onnx.ModelProto.FromString(raw), "which is not text; the file is damaged")
