"""A torch network that keeps its Lorentz blocks on the way through ONNX to eqhls.

python docs/examples/from_torch.py net.onnx      (needs torch, onnxscript and eqhls[onnx])

While torch exports, the blocks become com.eqhls operators; at any other time they are torch. Then
`with_functions` adds the local functions, so that onnxruntime runs the file, and `eqhls compile` reads it.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import torch

from eqhls.complete import with_functions
from eqhls.text import write_file

PARTICLES, HIDDEN = 6, 4
METRIC = torch.diag(torch.tensor([1.0, -1.0, -1.0, -1.0]))


def block(name: str, inputs: tuple[torch.Tensor, ...], shape: tuple[int, ...], **fields: Any) -> torch.Tensor:
    """Return a com.eqhls operator for the exporter; `shape` is that of its result."""
    return torch.onnx.ops.symbolic(
        f"com.eqhls::{name}", inputs, fields, dtype=inputs[0].dtype, shape=shape, version=1
    )


class Tagger(torch.nn.Module):
    """Invariants of all pairs, a dense layer on them, a score: (events, 6, 4) to (events, 1)."""

    def __init__(self) -> None:
        super().__init__()
        pairs = PARTICLES * (PARTICLES + 1) // 2
        self.first, self.second = torch.nn.Linear(pairs, HIDDEN), torch.nn.Linear(HIDDEN, 1)

    def pairs(self, p: torch.Tensor) -> torch.Tensor:
        """Return <p_i, p_j> for i <= j, in the order 00, 01, .., 11, ..: shape (events, pairs, 1)."""
        pairs = PARTICLES * (PARTICLES + 1) // 2
        if torch.onnx.is_in_onnx_export():
            port = block("Input", (p,), p.shape, type=f"V.xyz[i:{PARTICLES}]")
            return block("Gram", (port,), (p.shape[0], pairs, 1), axis="i", to="p")
        left, right = torch.triu_indices(PARTICLES, PARTICLES)
        return torch.einsum("eim,mn,ein->ei", p[:, left], METRIC, p[:, right])[..., None]

    def forward(self, p: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.first(torch.flatten(self.pairs(p), 1)))
        return self.second(hidden)


def export(model: torch.nn.Module, path: Path) -> None:
    """Write a model of four-momenta (events, 6, 4) to an ONNX file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model.eval(),
            (torch.ones(2, PARTICLES, 4),),
            input_names=["p"],
            output_names=["score"],
            dynamic_shapes=({0: torch.export.Dim("events")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model_proto.graph.name = "tagger"
    model_proto = with_functions(program.model_proto)
    write_file(path, model_proto.SerializeToString(deterministic=True))


if __name__ == "__main__":
    torch.manual_seed(1)
    export(Tagger(), Path(sys.argv[1]))
    print(f"wrote {sys.argv[1]}")
