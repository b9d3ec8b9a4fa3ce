"""Every plain ONNX operator in every opset and with every attribute: honoured or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import defs, helper
from plain_onnx import (
    NEWEST,
    OPSETS,
    TURNING,
    check,
    feeds,
    file,
    layers,
    network,
    node,
    operators,
    refused,
    some,
)

from eqhls.errors import CompileError
from eqhls.frontends.onnx import qdq
from eqhls.frontends.onnx.plain import HONOURED, OLDEST, RULES
from eqhls.frontends.onnx.read import read_onnx


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
