"""The command line: what works, and one mistake of every kind with one clear line and status 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eqhls.frontends.graphfile import graph_files
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "lgn_top_small"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eqhls.cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "p"
    done = run("compile", MODEL, "-o", path, "--clock", "300MHz", "--part", "xcvu9p-flga2104-2L-e")
    assert done.returncode == 0, done.stderr
    assert "alkaid's estimate" in done.stdout and "300 MHz" in done.stdout
    assert "xcvu9p" in (path / "project.tcl").read_text()
    return path


def test_predict_all_engines(folder: Path, tmp_path: Path) -> None:
    """p4 in GeV, any number of constituents, jet and y optional; the exact engines agree."""
    with np.load(MODEL / "jets_p4.npz") as file:
        p4, jet = file["p4"], file["jet"]
    np.savez(tmp_path / "e.npz", p4=p4, jet=jet)
    found = {}
    for engine in ("float", "integer", "emulator", "hls", "rtl"):
        done = run(
            "predict", folder, tmp_path / "e.npz", "--engine", engine, "-o", tmp_path / f"{engine}.npz"
        )
        assert done.returncode == 0, done.stderr
        with np.load(tmp_path / f"{engine}.npz") as out:
            found[engine] = {k: out[k] for k in out.files}
    assert found["float"]["scores"].dtype == np.float64 and found["float"]["scores"].shape == (len(p4), 1)
    assert "raw" not in found["float"]
    for engine in ("emulator", "hls", "rtl"):
        np.testing.assert_array_equal(found[engine]["raw"], found["integer"]["raw"])
        assert found[engine]["raw"].dtype == np.int64 and str(found[engine]["format"]).startswith("fix<")
    assert np.corrcoef(found["float"]["scores"][:, 0], found["integer"]["scores"][:, 0])[0, 1] > 0.95


def features(folder: Path, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Write a network on three features as graph.eq, and events of floats as x.npz; return both."""
    b, weights = Builder("mlp"), np.array([[0.5, -0.25, 1.5], [1.25, 0.75, -0.5]])
    b.add("x", Input(Type(S, (Axis("c", 3),))))
    b.add("h", Dense(Tensor(weights)), "x")
    graph = b.graph(b.add("sum", ParticleSum("c"), b.add("r", Relu(), "h")))
    for name, content in graph_files(graph).items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    x = rng.normal(size=(40, 3)).astype(np.float32)
    np.savez(folder / "x.npz", x=x)
    return weights, x


def test_features_in_and_scores_out_are_floats(tmp_path: Path, rng: np.random.Generator) -> None:
    """One file of floats calibrates a network on plain features, and is scored; what saturates is counted."""
    weights, x = features(tmp_path, rng)
    np.savez(tmp_path / "loud.npz", x=100 * x)
    done = run("compile", tmp_path / "graph.eq", "-o", tmp_path / "p", "--calibrate", tmp_path / "x.npz")
    assert done.returncode == 0, done.stderr
    done = run("predict", tmp_path / "p", tmp_path / "x.npz", "-o", tmp_path / "s.npz")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "s.npz") as out:
        scores, raw = out["scores"], out["raw"]
    want = np.maximum(x.astype(float) @ weights.T, 0).sum(axis=1)
    assert scores.dtype == np.float64 and raw.dtype == np.int64
    assert np.abs(scores.ravel() - want).max() < 0.02
    loud = run("predict", tmp_path / "p", tmp_path / "loud.npz", "-o", tmp_path / "l.npz")
    assert loud.returncode == 0 and "input values saturate" in loud.stderr and "saturated" in loud.stdout


@pytest.mark.slow
def test_features_that_calibrate_a_network_verify_it(tmp_path: Path, rng: np.random.Generator) -> None:
    features(tmp_path, rng)
    for words in (
        ("compile", tmp_path / "graph.eq", "-o", tmp_path / "p", "--calibrate", tmp_path / "x.npz"),
        ("verify", tmp_path / "p", tmp_path / "x.npz"),
    ):
        done = run(*words)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("n", [1, 3, 32])
def test_predict_with_other_shapes(n: int, tmp_path: Path) -> None:
    with np.load(MODEL / "jets_p4.npz") as file:
        np.savez(tmp_path / "e.npz", p4=file["p4"][:20, :n])
    done = run("predict", MODEL, tmp_path / "e.npz", "--engine", "float", "-o", tmp_path / "o.npz")
    assert done.returncode == 0, done.stderr


def test_info() -> None:
    done = run("info", MODEL)
    assert done.returncode == 0 and "pair_sum" in done.stdout


MISTAKES = {
    "missing model": (("compile", "nowhere", "-o", "{tmp}/x"), "does not exist"),
    "foreign model": (("compile", "README.md", "-o", "{tmp}/x"), "not of a supported kind"),
    "empty folder": (("compile", "docs", "-o", "{tmp}/x"), "has no graph.eq"),
    "clock": (("compile", MODEL, "-o", "{tmp}/x", "--clock", "fast"), "expected e.g. 360MHz"),
    "config": (("compile", MODEL, "-o", "{tmp}/x", "--config", "{tmp}/c.yml"), "did you mean 'Part'"),
    "no config": (("compile", MODEL, "-o", "{tmp}/x", "--config", "{tmp}/none.yml"), "cannot be read"),
    "output in use": (("compile", MODEL, "-o", "{tmp}/mine"), "files that eqhls did not write"),
    "output nowhere": (("compile", MODEL, "-o", "/proc/none/x"), "cannot be written"),
    "output is a file": (("compile", MODEL, "-o", "{tmp}/c.yml"), "found a file"),
    "not a project": (("verify", "docs"), "not a project folder"),
    "engine": (
        ("predict", MODEL, "{tmp}/e.npz", "--engine", "gpu", "-o", "{tmp}/o.npz"),
        "'gpu' is not one of 'float', 'integer', 'emulator', 'hls', 'rtl'",
    ),
    "engine of a model": (
        ("predict", MODEL, "{tmp}/e.npz", "--engine", "rtl", "-o", "{tmp}/o.npz"),
        "compile the model first",
    ),
    "missing events": (
        ("predict", MODEL, "{tmp}/none.npz", "--engine", "float", "-o", "{tmp}/o.npz"),
        "does not exist",
    ),
    "text as events": (
        ("predict", MODEL, "{tmp}/c.yml", "--engine", "float", "-o", "{tmp}/o.npz"),
        "is not a file of events; give an .npz file",
    ),
    "no p4": (("predict", MODEL, "{tmp}/e.npz", "--engine", "float", "-o", "{tmp}/o.npz"), "give p4 in GeV"),
    "nan": (
        ("predict", MODEL, "{tmp}/nan.npz", "--engine", "float", "-o", "{tmp}/o.npz"),
        "event 1 holds NaN",
    ),
    "shape": (
        ("predict", MODEL, "{tmp}/shape.npz", "--engine", "float", "-o", "{tmp}/o.npz"),
        "has shape (2, 4)",
    ),
    "object array": (
        ("predict", MODEL, "{tmp}/object.npz", "--engine", "float", "-o", "{tmp}/o.npz"),
        "object",
    ),
    "labels": (
        ("predict", MODEL, "{tmp}/labels.npz", "--engine", "float", "-o", "{tmp}/o.npz"),
        "3 labels for 2 events",
    ),
    "truncated weights": (("info", "{tmp}/cut"), "graph.npz"),
    "nan weights": (("info", "{tmp}/nanweights"), "NaN or infinity"),
    "damaged keras": (("info", "{tmp}/bad.keras"), "cannot be loaded"),
    "unknown command": (("compyle",), "compyle"),
    "missing argument": (("info",), "Missing argument"),
    "no model": (("compile",), "MODEL: is not given; name a model, or KerasModel"),
    "no HLS tool": (("build", "{folder}"), "vitis-run"),
}


def prepare(tmp: Path) -> None:
    (tmp / "c.yml").write_text("Prt: xcvu9p\n")
    (tmp / "mine").mkdir()
    (tmp / "mine" / "thesis.tex").write_text("years of work")
    one = np.ones((2, 3, 4))
    nan = one.copy()
    nan[1, 2, 3] = np.nan
    np.savez(tmp / "e.npz", momenta=one)
    np.savez(tmp / "nan.npz", p4=nan)
    np.savez(tmp / "shape.npz", p4=one[:, 0])
    np.savez(tmp / "object.npz", p4=np.array([{}, {}], dtype=object))
    np.savez(tmp / "labels.npz", p4=one, y=np.zeros(3))
    for name in ("cut", "nanweights"):
        (tmp / name).mkdir()
        (tmp / name / "graph.eq").write_bytes((MODEL / "graph.eq").read_bytes())
    weights = (MODEL / "graph.npz").read_bytes()
    (tmp / "cut" / "graph.npz").write_bytes(weights[: len(weights) // 2])
    with np.load(MODEL / "graph.npz") as file:
        arrays = {k: file[k].copy() for k in file.files}
    arrays["f.values"][0, 0] = np.inf
    np.savez(tmp / "nanweights" / "graph.npz", **arrays)
    (tmp / "bad.keras").write_bytes((MODEL / "model.keras").read_bytes()[:3000])


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case: str, tmp_path: Path, folder: Path) -> None:
    """One line, the place and the remedy, status 2, no traceback, nothing of the user's touched."""
    prepare(tmp_path)
    arguments, message = MISTAKES[case]
    done = run(*(str(a).format(tmp=tmp_path, folder=folder) for a in arguments))
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    assert not (tmp_path / "x").exists() and not (tmp_path / "o.npz").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")], "a half-written file was left"
