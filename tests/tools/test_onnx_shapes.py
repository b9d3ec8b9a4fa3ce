"""Shapes and constants of plain ONNX files: computed as onnx's own evaluator does, or refused."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from plain_onnx import EVENTS, FLAT, HEAD, SHAPES, B, U, W, check, file, node, refused, squeezed


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
