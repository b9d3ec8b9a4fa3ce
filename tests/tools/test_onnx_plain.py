"""Files of plain ONNX: ports, names, versions and damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper
from plain_onnx import FLAT, W, check, file, network, node, operators, quantized, refused

from eqhls.complete import with_functions
from eqhls.errors import CompileError
from eqhls.frontends.onnx.read import read_onnx


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
    refused(file(nodes), "a_b: has a name that differs from a.b only in dots")
    refused(
        file([node("Relu", ["x0"], ["a/b"]), node("Tanh", ["a/b"], ["a_b"]), nodes[2]]),
        "two values of this name",
    )


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
