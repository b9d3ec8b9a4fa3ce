"""Modules of torch in memory. torch is the user's: if it is missing, these tests are skipped."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eqhls
from eqhls.errors import CompileError
from eqhls.frontends.torch import is_module, read_torch
from eqhls.lazy import lazy

torch = lazy("torch", "torch", "pip install torch onnxscript")
MISSING = [p for p in ("torch", "onnxscript") if importlib.util.find_spec(p) is None]
needs_torch = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} not installed: pip install torch onnxscript"
)


def checked(module: Any, events: dict[str, Any], example: Any = None) -> Any:
    graph = read_torch(module, example)
    with torch.no_grad():
        want = module.eval()(*(torch.tensor(v) for v in events.values()))
    given = {n.name: events[n.name].reshape(-1, *n.type.shape) for n in graph.inputs}
    (got,) = graph.scores(given).values()
    np.testing.assert_allclose(got.reshape(want.shape), want.numpy(), atol=1e-5)
    return graph


@needs_torch
def test_modules_become_graphs(rng: np.random.Generator) -> None:
    x = rng.normal(size=(7, 6)).astype(np.float32)
    mlp = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.SiLU(), torch.nn.Linear(8, 3)
    ).train()
    graph = checked(mlp, {"x": x})
    assert str(graph.inputs[0].type) == "S[c:6]" and graph.name == "Sequential"
    mlp.train()
    read_torch(mlp, x)
    assert mlp.training, "the user's module is left as it was"
    read_torch(mlp, {"x": x[:1]})


@needs_torch
def test_inputs_have_the_names_of_arguments(rng: np.random.Generator) -> None:
    class Pool(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.phi, self.rho = torch.nn.Linear(3, 4), torch.nn.Linear(6, 2)

        def forward(self, particles: Any, event: Any) -> Any:
            pooled = torch.relu(self.phi(particles)).mean(1)
            return self.rho(torch.cat([pooled, event], 1))

    events = {
        "particles": rng.normal(size=(7, 5, 3)).astype(np.float32),
        "event": rng.normal(size=(7, 2)).astype(np.float32),
    }
    graph = checked(Pool(), events, tuple(events.values()))
    assert [n.name for n in graph.inputs] == ["particles", "event"]
    with pytest.raises(CompileError, match="no known shape; give eqhls.frontends.torch.read_torch"):
        read_torch(Pool())
    with pytest.raises(CompileError, match="takes no input 'jets'"):
        read_torch(Pool(), {"jets": events["event"]})


@needs_torch
def test_what_cannot_be_exported_is_refused() -> None:
    class Branch(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else -x

    with pytest.raises(CompileError, match="cannot be exported by torch.onnx.export"):
        read_torch(Branch(), np.ones((2, 3)))


def test_modules_are_known_by_their_classes() -> None:
    """Without torch: a class that says where it is from."""
    base = type("Module", (), {"__module__": "torch.nn.modules.module"})
    assert is_module(type("Mine", (base,), {})()) and not is_module(object()) and not is_module(np.zeros(3))


@needs_torch
def test_samples_of_a_compile_are_the_example(rng: np.random.Generator, tmp_path: Path) -> None:
    class Pair(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = torch.nn.Linear(3, 2)

        def forward(self, a: Any, b: Any) -> Any:
            return self.last(torch.relu(a * b))

    module, events = Pair(), {k: rng.normal(size=(32, 3)).astype(np.float32) for k in ("a", "b")}
    project = eqhls.compile(module, events, tmp_path / "project")
    want = module(torch.tensor(events["a"]), torch.tensor(events["b"])).detach().numpy()
    given = {n.name: events[n.name].reshape(-1, *n.type.shape) for n in project.given.network.inputs}
    (got,) = project.given.network.scores(given).values()
    np.testing.assert_allclose(got.reshape(want.shape), want, atol=1e-5)
