"""Reading is a function of the file alone: the same graph, and the same project byte by byte, under every Keras
backend, instruction set and BLAS kernel that this machine can be made to use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numpy._core import _multiarray_umath as umath

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import hashlib, sys
from pathlib import Path
import eqhls
from eqhls.ir.text import print_graph
from eqhls.options import Options

root, folder = Path(sys.argv[1]), Path(sys.argv[2])
models = [*sorted(root.glob("models/*/model.keras")), *sorted(root.glob("models/peers/deepset*.keras"))]
models += sorted(p.parent for p in root.glob("models/checkpoints/*/state_dict.npz"))
for path in models:
    text, arrays = print_graph(eqhls.load_any(path))
    digest = hashlib.sha256(text.encode())
    for key in sorted(arrays):
        digest.update(key.encode() + arrays[key].tobytes())
    print(path.relative_to(root), digest.hexdigest())
samples = root / "models" / "checkpoints" / "events.npz"
for name, model, events in (
    ("trained", root / "models" / "lgn_top_small" / "model.keras", None),
    ("calibrated", root / "models" / "checkpoints" / "nano", samples),
):
    project = eqhls.compile(model, events, folder / name)
    for path in sorted(p for p in project.folder.rglob("*") if p.is_file()):
        if path.name != "time_per_step.json":
            print(path.relative_to(folder), hashlib.sha256(path.read_bytes()).hexdigest())
"""


def dispatched() -> str:
    """The instruction sets that NumPy chooses at run time on this machine; it can be told to leave them alone."""
    chosen, here = umath.__cpu_dispatch__, umath.__cpu_features__
    return ",".join(name for name in chosen if here[name])


def variants() -> dict[str, dict[str, str]]:
    found = {
        "jax": {"KERAS_BACKEND": "jax"},
        "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
        "another BLAS kernel": {"OPENBLAS_CORETYPE": "Prescott"},
    }
    if features := dispatched():
        found["baseline NumPy"] = {"NPY_DISABLE_CPU_FEATURES": features, "OPENBLAS_CORETYPE": "Haswell"}
    return found


def run(folder: Path, changes: dict[str, str]) -> list[str]:
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONWARNINGS": "ignore"} | changes
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ROOT, folder],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return run(tmp_path_factory.mktemp("here"), {})


@pytest.mark.parametrize("name", variants())
def test_a_file_is_one_graph_and_one_project(name: str, here: list[str], tmp_path: Path) -> None:
    assert len(here) > 100
    there = run(tmp_path, variants()[name])
    assert [line for line in there if line not in here] == [] and len(there) == len(here)
