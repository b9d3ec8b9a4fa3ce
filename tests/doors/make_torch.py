"""Write the files of `torch_onnx.py` with torch: `python tests/doors/make_torch.py` where torch 2.13, onnxscript
and onnx are installed. Each network is exported twice, by `dynamo=True` and by the old exporter; comments of the
exporters, which name source files, are removed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

FOLDER = Path(__file__).parent / "files" / "torch"
EVENTS = 96
Linear = nn.Linear


class DeepSet(nn.Module):
    def __init__(self, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.phi, self.rho, self.pool = Linear(3, 6), Linear(6, 2), pool

    def forward(self, x: Tensor) -> Tensor:
        return self.rho(torch.relu(self.pool(torch.relu(self.phi(x)))))


class Attention(nn.Module):
    """One head, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (Linear(4, n) for n in (4, 4, 4, 2))

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 2.0, -1)
        return self.out((weights @ self.v(x)).mean(1))


class Heads(nn.Module):
    """torch's own multi-head attention, with a sum around it."""

    def __init__(self) -> None:
        super().__init__()
        self.heads, self.out = nn.MultiheadAttention(4, 2, batch_first=True), Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out((x + self.heads(x, x, x, need_weights=False)[0]).mean(1))


class ScaledDot(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.out = Linear(4, 4), Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.q(x).view(x.shape[0], -1, 2, 2).transpose(1, 2)
        y = nn.functional.scaled_dot_product_attention(y, y, y)
        return self.out(y.transpose(1, 2).reshape(x.shape[0], -1, 4).mean(1))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = Linear(6, 6), Linear(6, 6), Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.a(x))
        return self.c(torch.relu(y + self.b(y)))


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = Linear(6, 4), Linear(3, 4), Linear(8, 2)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.c(torch.cat([torch.relu(self.a(x)), self.b(z)], 1))


class TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = Linear(6, 6), Linear(6, 2), Linear(6, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.relu(self.a(x))
        return self.b(y), torch.sigmoid(self.c(y))


class Ratio(nn.Module):
    """A layer of a unit vector, times how its size decays."""

    def __init__(self) -> None:
        super().__init__()
        self.a = Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        size = torch.linalg.norm(x, dim=1, keepdim=True)
        return self.a(x / (size + 0.1)) * torch.exp(-0.5 * size)


class Pairs(nn.Module):
    """Differences of all pairs of particles, by indices and broadcasting."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = Linear(3, 4), Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        pairs = x[:, :, None, :] - x[:, None, :, :]
        return self.b(torch.relu(self.a(pairs)).sum(dim=(1, 2)) + self.a(x[:, 0]))


def behind(function: nn.Module) -> nn.Module:
    return nn.Sequential(Linear(6, 8), function, Linear(8, 3))


def convolutions(rank: int) -> nn.Module:
    if rank == 1:
        first = (nn.Conv1d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(4, 4, 3), nn.ReLU())
        return nn.Sequential(*first, nn.AvgPool1d(2), nn.Flatten(), Linear(4, 2))
    first = (nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 2))
    return nn.Sequential(*first, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(4, 2))


PLAIN, JETS, PARTICLES = ((6,),), ((4, 3),), ((4, 4),)
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...]]] = {
    "mlp": (lambda: behind(nn.ReLU()), PLAIN),
    "batch_norm": (lambda: behind(nn.Sequential(nn.BatchNorm1d(8), nn.ReLU())), PLAIN),
    "sigmoid": (lambda: behind(nn.Sigmoid()), PLAIN),
    "silu": (lambda: behind(nn.SiLU()), PLAIN),
    "softmax": (lambda: nn.Sequential(behind(nn.ReLU()), nn.Softmax(-1)), PLAIN),
    "leaky_relu": (lambda: behind(nn.LeakyReLU(0.2)), PLAIN),
    "deep_set_sum": (lambda: DeepSet(lambda y: y.sum(1)), JETS),
    "deep_set_mean": (lambda: DeepSet(lambda y: y.mean(1)), JETS),
    "deep_set_max": (lambda: DeepSet(lambda y: y.amax(1)), JETS),
    "gelu": (lambda: behind(nn.GELU()), PLAIN),
    "gelu_tanh": (lambda: behind(nn.GELU("tanh")), PLAIN),
    "tanh": (lambda: behind(nn.Tanh()), PLAIN),
    "elu": (lambda: behind(nn.ELU()), PLAIN),
    "selu": (lambda: behind(nn.SELU()), PLAIN),
    "softplus": (lambda: behind(nn.Softplus()), PLAIN),
    "hard_sigmoid": (lambda: behind(nn.Hardsigmoid()), PLAIN),
    "hard_swish": (lambda: behind(nn.Hardswish()), PLAIN),
    "mish": (lambda: behind(nn.Mish()), PLAIN),
    "prelu": (lambda: behind(nn.PReLU(8)), PLAIN),
    "relu6": (lambda: behind(nn.ReLU6()), PLAIN),
    "log_sigmoid": (lambda: behind(nn.LogSigmoid()), PLAIN),
    "softsign": (lambda: behind(nn.Softsign()), PLAIN),
    "layer_norm": (lambda: behind(nn.Sequential(nn.LayerNorm(8), nn.ReLU())), PLAIN),
    "dropout": (lambda: behind(nn.Sequential(nn.ReLU(), nn.Dropout(0.2))), PLAIN),
    "conv1d": (lambda: convolutions(1), ((2, 8),)),
    "conv2d": (lambda: convolutions(2), ((1, 6, 6),)),
    "attention": (Attention, PARTICLES),
    "multi_head_attention": (Heads, PARTICLES),
    "scaled_dot_product": (ScaledDot, PARTICLES),
    "residual": (Residual, PLAIN),
    "two_inputs": (TwoInputs, ((6,), (3,))),
    "two_outputs": (TwoOutputs, PLAIN),
    "ratio": (Ratio, PLAIN),
    "pairs": (Pairs, JETS),
}


def made(name: str) -> nn.Module:
    """Return a network with seeded weights and, in batch norms, statistics as training leaves them."""
    torch.manual_seed(sum(map(ord, name)))
    network = NETWORKS[name][0]().eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.5)
            part.running_var.uniform_(0.5, 2)
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm | nn.PReLU):
            part.weight.data.uniform_(0.2, 1.5)
    return network


def export(
    network: nn.Module, inputs: tuple[Tensor, ...], outputs: list[str], dynamo: bool, path: Path
) -> None:
    names = ["x", "z"][: len(inputs)]
    if dynamo:
        shapes = {n: {0: torch.export.Dim("batch")} for n in names}
        given = {"dynamic_shapes": tuple(shapes.values()), "external_data": False, "verbose": False}
        if isinstance(network, nn.Sequential):
            given["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
    else:
        given = {"dynamic_axes": {n: {0: "batch"} for n in names}}
    torch.onnx.export(network, inputs, path, dynamo=dynamo, input_names=names, output_names=outputs, **given)
    model = onnx.load(path)
    for part in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    del model.graph.value_info[:]
    onnx.save(model, path)


def write(name: str) -> None:
    network, rng = made(name), np.random.default_rng(5)
    events = [rng.normal(size=(EVENTS, *s)).astype(np.float32) for s in NETWORKS[name][1]]
    events = [np.round(e * 256) / 256 for e in events]
    inputs = tuple(torch.tensor(e) for e in events)
    with torch.no_grad():
        found = network(*inputs)
    results = found if isinstance(found, tuple) else (found,)
    outputs = ["y", "w"][: len(results)]
    for kind, dynamo in (("dynamo", True), ("script", False)):
        export(network, tuple(x[:3] for x in inputs), outputs, dynamo, FOLDER / f"{name}_{kind}.onnx")
    arrays = dict(zip(("x", "z"), events, strict=False)) | dict(
        zip(outputs, (r.numpy() for r in results), strict=True)
    )
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in NETWORKS:
        write(each)
