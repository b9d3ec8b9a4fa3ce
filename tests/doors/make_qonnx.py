"""Write what `qonnx_files.py` needs beside Brevitas's files: files as QONNX's tools write them by hand, and what
qonnx's own executor (onnxruntime for QuantizeLinear) computes: `python tests/doors/make_qonnx.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

FOLDER = Path(__file__).parent / "files" / "qonnx"
EVENTS, DOMAIN = 96, "qonnx.custom_op.general"
node = helper.make_node
RNG = np.random.default_rng(11)


def quant(
    x: str, y: str, step: Any, bits: int, signed: int = 1, narrow: int = 0, mode: str = "ROUND"
) -> list[Any]:
    names = [f"{y}_{k}" for k in ("scale", "zero", "bits")]
    values = [numpy_helper.from_array(np.float32(v), n) for n, v in zip(names, (step, 0, bits), strict=True)]
    return [
        node("Quant", [x, *names], [y], y, domain=DOMAIN, signed=signed, narrow=narrow, rounding_mode=mode),
        *values,
    ]


def file(name: str, size: int, *parts: Any, version: int = 1, **constants: Any) -> None:
    """Write a graph from six numbers x to `size` numbers y: operators, and constants by their names. `version`: that
    of QONNX's domain."""
    listed = [p for part in parts for p in (part if isinstance(part, list) else [part])]
    nodes = [p for p in listed if isinstance(p, onnx.NodeProto)]
    values = [p for p in listed if isinstance(p, onnx.TensorProto)]
    values += [numpy_helper.from_array(v, k) for k, v in constants.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 6])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", size])
    graph = helper.make_graph(nodes, name, [x], [y], values)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, version)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), FOLDER / f"{name}.onnx")


def weights(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.6, shape).astype(np.float32)


def by_hand() -> None:
    file(
        "quant_mlp", 2,
        quant("x", "xq", 2**-4, 8), quant("w1", "w1q", 2**-3, 4, narrow=1), node("MatMul", ["xq", "w1q"], ["a"]),
        node("Relu", ["a"], ["r"]), quant("r", "rq", 2**-3, 6, signed=0), quant("w2", "w2q", 2**-4, 5),
        node("MatMul", ["rq", "w2q"], ["b"]), quant("b", "y", 2**-3, 9, mode="FLOOR"),
        w1=weights(6, 8), w2=weights(8, 2),
    )  # fmt: skip
    bipolar = node("BipolarQuant", ["w", "one"], ["wq"], domain=DOMAIN)
    file(
        "bipolar_weights", 4,
        quant("x", "xq", 2**-3, 6, narrow=1, mode="HALF_UP"), bipolar, node("MatMul", ["xq", "wq"], ["a"]),
        node("Add", ["a", "shift"], ["s"]), quant("s", "y", 2**-2, 7, mode="DOWN"),
        w=weights(6, 4), one=np.float32(0.5), shift=np.array([0.25, -0.5, 1.0, 0.0], np.float32),
    )  # fmt: skip
    ends = {"step": np.float32(2**-4), "zero": np.int8(0), "wide": np.float32(2**-2), "none": np.uint8(0)}
    file(
        "quantize_linear", 2,
        node("QuantizeLinear", ["x", "step", "zero"], ["xi"]), node("DequantizeLinear", ["xi", "step", "zero"], ["xq"]),
        node("DequantizeLinear", ["w1i", "step", "zero"], ["w1"]), node("MatMul", ["xq", "w1"], ["a"]),
        node("Relu", ["a"], ["r"]), node("QuantizeLinear", ["r", "wide", "none"], ["ri"]),
        node("DequantizeLinear", ["ri", "wide", "none"], ["rq"]),
        node("DequantizeLinear", ["w2i", "step", "zero"], ["w2"]), node("MatMul", ["rq", "w2"], ["y"]),
        w1i=np.round(weights(6, 8) * 16).astype(np.int8), w2i=np.round(weights(8, 2) * 16).astype(np.int8), **ends,
    )  # fmt: skip


STEPS = np.array([2**-5, 2**-2, 2**-4, 1, 2**-3, 2**-6], np.float32)


def trunc(x: str, y: str, *numbers: float, **given: Any) -> list[Any]:
    """Return a Trunc with its constants: scale, zero point, bits, and then bits or scale and bits of the result."""
    names = [f"{y}_{k}" for k in range(len(numbers))]
    values = [numpy_helper.from_array(np.float32(v), n) for n, v in zip(names, numbers, strict=True)]
    return [node("Trunc", [x, *names], [y], y, domain=DOMAIN, **given), *values]


def of_values() -> None:
    """Quantizers of values that are several ops: a step per channel, signs, truncation by both versions."""
    file(
        "scales_per_channel", 3,
        quant("x", "xq", STEPS[None], 6), node("MatMul", ["xq", "w1"], ["a"]), node("Relu", ["a"], ["r"]),
        quant("r", "rq", STEPS[None, :4] * 2, 5, signed=0, mode="FLOOR"), node("MatMul", ["rq", "w2"], ["y"]),
        w1=np.round(weights(6, 4) * 8) / 8, w2=np.round(weights(4, 3) * 8) / 8,
    )  # fmt: skip
    file(
        "bipolar_values", 2,
        quant("x", "xq", 2**-4, 8), node("MatMul", ["xq", "w1"], ["a"]),
        node("BipolarQuant", ["a", "half"], ["s"], domain=DOMAIN), node("MatMul", ["s", "w2"], ["b"]),
        node("BipolarQuant", ["xq", "each"], ["t"], domain=DOMAIN), node("MatMul", ["t", "w3"], ["c"]),
        node("Add", ["b", "c"], ["y"]),
        half=np.float32(0.5), each=STEPS[None], w1=np.round(weights(6, 8) * 8) / 8,
        w2=np.round(weights(8, 2) * 8) / 8, w3=np.round(weights(6, 2) * 8) / 8,
    )  # fmt: skip
    file(
        "trunc", 2,
        quant("x", "xq", 2**-4, 8), node("MatMul", ["xq", "w1"], ["a"]),
        trunc("a", "t", 2**-7, 0, 14, 9, rounding_mode="FLOOR"), node("MatMul", ["t", "w2"], ["y"]),
        w1=np.round(weights(6, 8) * 8) / 8, w2=np.round(weights(8, 2) * 8) / 8,
    )  # fmt: skip
    file(
        "trunc_of_version_2", 2,
        quant("x", "xq", 2**-4, 8), node("MatMul", ["xq", "w1"], ["a"]), node("Relu", ["a"], ["r"]),
        trunc("r", "t", 2**-7, 0, 13, 2**-3, 7, rounding_mode="ROUND", signed=0, narrow=0),
        node("MatMul", ["t", "w2"], ["y"]),
        version=2, w1=np.round(weights(6, 8) * 8) / 8, w2=np.round(weights(8, 2) * 8) / 8,
    )  # fmt: skip


def computed(path: Path, events: np.ndarray) -> np.ndarray:
    """Return what the file's own executor computes, event by event if the file has a fixed number of them."""
    model = onnx.load(path)
    if not any(n.domain for n in model.graph.node):
        return onnxruntime.InferenceSession(str(path)).run(None, {"x": events})[0]
    dims = model.graph.input[0].type.tensor_type.shape.dim
    size = dims[0].dim_value or len(events)
    dims[0].dim_value = size
    wrapped = ModelWrapper(model).transform(InferShapes())
    parts = [execute_onnx(wrapped, {"x": events[k : k + size]})["y"] for k in range(0, len(events), size)]
    return np.concatenate(parts)


def main() -> None:
    by_hand()
    later = {FOLDER / f"{n}.onnx" for n in LATER}
    write_events(sorted(set(FOLDER.glob("*.onnx")) - later))
    of_values()
    write_events(sorted(later))


LATER = ("scales_per_channel", "bipolar_values", "trunc", "trunc_of_version_2")
"""Files that draw their numbers after the others, so that those stay as they are."""


def write_events(paths: list[Path]) -> None:
    for path in paths:
        dims = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
        events = np.round(RNG.normal(0, 1.5, (EVENTS, *(d.dim_value for d in dims[1:]))) * 64) / 64
        x = events.astype(np.float32)
        np.savez_compressed(path.with_suffix(".npz"), x=x, y=computed(path, x))


if __name__ == "__main__":
    main()
