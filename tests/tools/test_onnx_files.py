"""ONNX files that are damaged, foreign or hostile: each gets its one message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from eqhls.backends.onnx.write import onnx_model
from eqhls.errors import CompileError
from eqhls.exchange.attributes import array_of
from eqhls.exchange.domain import DOMAIN, QUANT_DOMAIN, SPECIAL
from eqhls.flow import load_any
from eqhls.frontends.graphfile import load_model
from eqhls.groups.lorentz.reps import V
from eqhls.ir.graph import Builder
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2

ROOT = Path(__file__).resolve().parents[2]


def corrupted(change: Callable[[onnx.ModelProto], None], tmp: Path) -> Path:
    b = Builder("toy")
    p = b.add("p", Input(Type(V, (Axis("j", 3),))))
    pairs = b.add("g", Gram("j", "q"), p)
    log = b.add("l", Log2(0.25), pairs)
    graph = b.graph(b.add("y", Dense(Tensor(np.ones((1, 6)))), log))
    model = onnx_model(graph)
    change(model)
    path = tmp / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def node_of(model: onnx.ModelProto, operator: str) -> onnx.NodeProto:
    return next(n for n in model.graph.node if n.op_type.split(SPECIAL)[0] == operator)


def attribute(model: onnx.ModelProto, operator: str, name: str) -> onnx.AttributeProto:
    return next(a for a in node_of(model, operator).attribute if a.name == name)


def drop(model: onnx.ModelProto, operator: str, name: str) -> None:
    node_of(model, operator).attribute.remove(attribute(model, operator, name))


def weights(model: onnx.ModelProto, values: Any) -> None:
    attribute(model, "Dense", "weight").t.CopyFrom(numpy_helper.from_array(np.asarray(values)))


def external(model: onnx.ModelProto, location: str) -> None:
    tensor = attribute(model, "Dense", "weight").t
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def renamed(model: onnx.ModelProto, operator: str, to: str) -> None:
    node_of(model, operator).op_type = to


def tensor_dims(model: onnx.ModelProto, *dims: int) -> None:
    attribute(model, "Dense", "weight").t.dims[:] = dims


HOSTILE: dict[str, tuple[Callable[[onnx.ModelProto], Any], str]] = {
    "unknown operator": (lambda m: renamed(m, "Gram", "Grom"), "is not an op"),
    "foreign domain": (lambda m: setattr(node_of(m, "Gram"), "domain", "com.other"), "No opset import"),
    "too new": (lambda m: setattr(m.opset_import[1], "version", 2), "needs version 2 of com.eqhls"),
    "no import of the domain": (lambda m: m.opset_import.pop(), "refused by onnx.checker"),
    "missing attribute": (lambda m: drop(m, "Dense", "weight"), "has no attribute 'weight'"),
    "unknown attribute": (
        lambda m: setattr(attribute(m, "Log2", "floor"), "name", "flour"),
        "found the attribute 'flour'",
    ),
    "attribute of another type": (
        lambda m: attribute(m, "Log2", "frac").CopyFrom(helper.make_attribute("frac", "two")),
        "is a STRING, expected a INT",
    ),
    "bad value": (lambda m: setattr(attribute(m, "Log2", "floor"), "f", 0.3), "expected a power of two"),
    "infinite floor": (lambda m: setattr(attribute(m, "Log2", "floor"), "f", np.inf), "floor"),
    "type syntax": (lambda m: setattr(attribute(m, "Input", "type"), "s", b"W[j:3]"), "found 'W[j:3]'"),
    "text that is not text": (
        lambda m: setattr(attribute(m, "Input", "type"), "s", b"\xff\xfe"),
        "attribute type",
    ),
    "huge type": (lambda m: setattr(attribute(m, "Input", "type"), "s", b"V.xyz[j:900000000]"), "at most"),
    "nan weights": (lambda m: weights(m, [[np.nan] * 6]), "NaN or infinity"),
    "text weights": (lambda m: weights(m, [["a"] * 6]), "expected numbers"),
    "wrong shape": (lambda m: weights(m, np.ones((1, 5))), "dense"),
    "huge tensor": (lambda m: tensor_dims(m, 1 << 30, 1 << 30), "refused by onnx.checker"),
    "torn tensor": (lambda m: tensor_dims(m, 1, 7), "refused by onnx.checker"),
    "negative tensor": (lambda m: tensor_dims(m, -1, 6), "refused by onnx.checker"),
    "declared wrong": (
        lambda m: setattr(attribute(m, "Gram", "result_type"), "s", b"S[q:7]"),
        "is declared S[q:7]",
    ),
    "not equivariant": (
        lambda m: node_of(m, "Log2").input.__setitem__(0, node_of(m, "Gram").input[0]),
        "not equivariant",
    ),
    "no such value": (
        lambda m: node_of(m, "Log2").input.__setitem__(0, "nothing"),
        "refused by onnx.checker",
    ),
    "port without a type": (lambda m: node_of(m, "Gram").input.__setitem__(0, "p"), "operator Input"),
    "two of one name": (lambda m: setattr(node_of(m, "Log2"), "name", "g"), "two values of this name"),
    "input of a value": (
        lambda m: m.graph.node.append(
            helper.make_node("Input", ["y/value"], ["z"], "z", domain=DOMAIN, type="S[]")
        ),
        "expected one port",
    ),
    "plain operator": (
        lambda m: m.graph.node.insert(3, helper.make_node("Asinh", ["l/value"], ["sin"])),
        "Asinh: is not supported; of plain ONNX eqhls reads Abs",
    ),
    "plain operator on vectors": (
        lambda m: m.graph.node.insert(3, helper.make_node("Relu", ["p/value"], ["r"])),
        "expected scalars S",
    ),
    "quant without a scale": (
        lambda m: m.graph.node.insert(3, helper.make_node("Quant", ["l/value"], ["q"], domain=QUANT_DOMAIN)),
        "net.onnx",
    ),
    "weights of one axis": (lambda m: tensor_dims(m, 6), "found weights (6,)"),
    "table without knots": (
        lambda m: m.graph.node.insert(
            3,
            helper.make_node(
                "Table",
                ["l/value"],
                ["t"],
                domain=DOMAIN,
                knots=numpy_helper.from_array(np.array(1.0)),
                values=numpy_helper.from_array(np.ones(1)),
            ),
        ),
        "do not fit",
    ),
    "nan in a plain layer": (
        lambda m: m.graph.node.extend(
            [
                helper.make_node("Constant", [], ["nan"], value_floats=[float("nan")]),
                helper.make_node("Add", ["l/value", "nan"], ["z"]),
            ]
        ),
        "NaN or infinity",
    ),
    "loop": (
        lambda m: m.graph.node.append(
            helper.make_node(
                "If",
                ["y/value"],
                ["z"],
                then_branch=helper.make_graph([], "t", [], []),
                else_branch=helper.make_graph([], "e", [], []),
            )
        ),
        "net.onnx",
    ),
    "data outside": (lambda m: external(m, "../secret.bin"), "outside the folder"),
    "absolute data": (lambda m: external(m, "/etc/hostname"), "outside the folder"),
    "data through a link": (lambda m: external(m, "link.bin"), "outside the folder"),
    "no data": (lambda m: external(m, "none.bin"), "cannot be read"),
    "no operators": (lambda m: m.graph.ClearField("node"), "holds no operator"),
    "no output": (lambda m: m.graph.ClearField("output"), "net.onnx"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(case: str, tmp_path: Path) -> None:
    change, message = HOSTILE[case]
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(48))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = corrupted(change, folder)
    with pytest.raises(CompileError) as error:
        load_any(path)
    assert message in str(error.value) and "net.onnx" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no model", bytes(range(256)) * 4])
def test_files_that_are_no_models(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(CompileError, match="damaged or foreign"):
        load_any(tmp_path / "x.onnx")


def test_missing_and_cut_files(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="does not exist"):
        load_any(tmp_path / "none.onnx")
    whole = onnx_model(load_model(ROOT / "models" / "lgn_top_small")).SerializeToString()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CompileError, match=r"cut\.onnx"):
        load_any(tmp_path / "cut.onnx")


def test_external_data_beside_the_file(tmp_path: Path) -> None:
    path = corrupted(lambda m: external(m, "data.bin"), tmp_path)
    (tmp_path / "data.bin").write_bytes(np.arange(6.0).tobytes())
    op = load_any(path).results[0].op
    assert isinstance(op, Dense) and op.weight == Tensor([np.arange(6.0)])


@pytest.mark.parametrize("dims", [(1 << 30, 1 << 30), (2, 3), (-1,)])
def test_tensors_that_promise_more_than_they_hold(dims: tuple[int, ...]) -> None:
    with pytest.raises(CompileError, match="w: (has the shape|cannot be read)"):
        array_of(TensorProto(name="w", data_type=TensorProto.DOUBLE, dims=dims, raw_data=bytes(8)))
