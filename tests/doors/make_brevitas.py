"""Write the QONNX files of `qonnx_files.py` with Brevitas: `python tests/doors/make_brevitas.py` where torch 2.13
and brevitas 0.13 are installed; then `make_qonnx.py` for what qonnx computes from them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch
from brevitas import nn as qnn
from brevitas.export import export_qonnx
from brevitas.quant import (
    Int8ActPerTensorFixedPoint,
    Int8WeightPerTensorFixedPoint,
    Int16Bias,
    Uint8ActPerTensorFixedPoint,
)
from torch import Tensor, nn

FOLDER = Path(__file__).parent / "files" / "qonnx"
WEIGHT = {"weight_quant": Int8WeightPerTensorFixedPoint, "weight_bit_width": 6}


def identity(bits: int) -> nn.Module:
    return qnn.QuantIdentity(bit_width=bits, act_quant=Int8ActPerTensorFixedPoint, return_quant_tensor=True)


def relu(bits: int) -> nn.Module:
    return qnn.QuantReLU(bit_width=bits, act_quant=Uint8ActPerTensorFixedPoint, return_quant_tensor=True)


def dense(inputs: int, outputs: int) -> nn.Module:
    return qnn.QuantLinear(inputs, outputs, bias=True, bias_quant=Int16Bias, **WEIGHT)


def plain(x: Any) -> Tensor:
    """Return the numbers of a quantized tensor; while Brevitas exports, they are plain already."""
    return getattr(x, "value", x)


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(identity(8), dense(6, 8), relu(6), dense(8, 3), identity(10))

    def forward(self, x: Tensor) -> Tensor:
        return plain(self.layers(x))


class DeepSet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.phi = nn.Sequential(identity(8), dense(3, 6), relu(6))
        self.rho = nn.Sequential(identity(10), dense(6, 2), identity(10))

    def forward(self, x: Tensor) -> Tensor:
        return plain(self.rho(plain(self.phi(x)).sum(1)))


class Convolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        conv = qnn.QuantConv1d(2, 4, 3, bias=True, bias_quant=Int16Bias, **WEIGHT)
        self.layers = nn.Sequential(identity(8), conv, relu(6))
        self.pool, self.last = nn.MaxPool1d(2), nn.Sequential(identity(8), dense(12, 2), identity(10))

    def forward(self, x: Tensor) -> Tensor:
        return plain(self.last(self.pool(plain(self.layers(x))).flatten(1)))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "brevitas_mlp": (Mlp, (6,)),
    "brevitas_deep_set": (DeepSet, (4, 3)),
    "brevitas_conv1d": (Convolution, (2, 8)),
}


def write(name: str) -> None:
    torch.manual_seed(sum(map(ord, name)))
    kind, shape = NETWORKS[name]
    network = kind()
    for _ in range(4):
        network(torch.randn(64, *shape))
    export_qonnx(
        network.eval(),
        args=torch.randn(1, *shape),
        export_path=str(FOLDER / f"{name}.onnx"),
        input_names=["x"],
        output_names=["y"],
        dynamo=False,
    )
    model = onnx.load(FOLDER / f"{name}.onnx")
    for part in (model, model.graph, *model.graph.node):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    onnx.save(model, FOLDER / f"{name}.onnx")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in NETWORKS:
        write(each)
