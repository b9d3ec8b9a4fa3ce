"""Modules of torch in memory, checked against torch. torch is the user's: without it there is nothing to hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.frontends.torchmodels import read_torch
from eqhls.ir.types import Type

torch: Any = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
PORT = {"x": Type.parse("S[c:6]:fix<8,4>")}


def rounded(module: Any, bits: int = 4) -> Any:
    """Return a module with weights of some fraction bits."""
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_((weight * 2**bits).round() / 2**bits)
    return module


def test_a_sequential_computes_what_torch_does() -> None:
    torch.manual_seed(5)
    nn = torch.nn
    module = rounded(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU6(), nn.Linear(4, 2)))
    graph = read_torch("mlp", module, PORT).formatted()
    raw = np.random.default_rng(1).integers(-128, 128, (500, 6, 1))
    found = graph.evaluate({"x": raw})["y"][..., 0] * graph.node("y").type.formats.lsb
    want = module(torch.tensor(raw[..., 0] / 16.0, dtype=torch.float32)).detach().numpy()
    np.testing.assert_array_equal(found, want)


def test_what_has_no_fixed_point_is_refused() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(6, 2), torch.nn.Sigmoid())
    with pytest.raises(CompileError, match="no quantizer gives a format"):
        read_torch("gate", rounded(module), PORT)
    with pytest.raises(CompileError, match="one format"):
        read_torch("gate", module, {"x": Type.parse("S[c:6]")})
