"""ONNX files that have no meaning as hardware of fixed size, each refused with the cure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from doors import Door, Made

node = helper.make_node


def writer(shape: list[Any], nodes: list[onnx.NodeProto], **constants: Any) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", *["n"] * (len(shape) - 1)])
        values = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
        graph = helper.make_graph(nodes, "net", [x], [y], values)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, folder / "net.onnx")
        return Made(folder / "net.onnx", {"x": np.zeros((2, 3))}, {"y": np.zeros((2, 3))})

    return make


RELU = [node("Relu", ["x"], ["y"])]
WEIGHTS = {k: np.zeros((1, 8, n), np.float32) for k, n in (("w", 3), ("r", 2))}
DOORS = [
    Door("free_particles", writer(["batch", "n", 3], RELU), "export with a free number of events and fixed other sizes", negative=True),
    Door("no_events", writer([], RELU), "has no shape of events; export with a free number of events", negative=True),
    Door("recurrent", writer(["batch", 4, 3], [node("LSTM", ["x", "w", "r"], ["y"], hidden_size=2)], **WEIGHTS), "LSTM: is not supported; of plain ONNX eqhls reads"),
    Door("mean_of_events", writer(["batch", 3], [node("ReduceMean", ["x"], ["y"], axes=[0])]), "every event is computed by itself", negative=True),
    Door("scale_of_thirds", writer(["batch", 3], [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["y"])], s=np.float32(1 / 3), z=np.int8(0)), "expected a power of two"),
    Door("batch_of_training", writer(["batch", 3, 2], [node("BatchNormalization", ["x", "s", "s", "s", "s"], ["y"], training_mode=1)], s=np.ones(3, np.float32)), "attribute training_mode: found 1; leave it out", negative=True),
]  # fmt: skip
