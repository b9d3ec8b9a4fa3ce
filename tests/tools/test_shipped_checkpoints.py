"""The trained checkpoints that the project ships: the importers give what they were trained as, and rank jets."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType

import jax
import numpy as np
import pytest

from eqhls.events.read import from_arrays, rounded
from eqhls.events.scores import from_raw, predict_floats
from eqhls.flow import compile_model, load_any, read_model
from eqhls.options import Options, read_options
from eqhls.quantize.assign import assign
from eqhls.verify.metrics import tagger_auc

FOLDER = Path(__file__).resolve().parents[2] / "models" / "checkpoints"
NUMBER = {"nano": "nobj_avg", "pelican": "nobj_avg", "lgn": "scale", "lorentznet": "n_nodes"}
"""The argument that a network's function takes beside the momenta."""
FOUND = {"nano": 0.963, "pelican": 0.963, "lgn": 0.953, "lorentznet": 0.945}
"""AUC on 20,000 jets, as printed by train.py."""

HARDWARE = [
    ("nano", 14_200, 22),
    pytest.param("lorentznet", 31_000, 28, marks=pytest.mark.slow),
    pytest.param("pelican", 26_900, 27, marks=pytest.mark.slow),
    pytest.param("lgn", 132_000, 32, marks=pytest.mark.slow),
]


@cache
def networks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("networks", FOLDER / "networks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def jets() -> tuple[np.ndarray, np.ndarray]:
    with np.load(FOLDER / "events.npz") as file:
        return file["p4"].astype(np.float64), file["y"]


@pytest.mark.parametrize("name", sorted(NUMBER))
def test_the_importer_gives_what_was_trained(name: str) -> None:
    """jax, by the equations under the published names, against the graph of ops."""
    p4 = jets()[0][:200].copy()
    p4[::7, 2:] = 0
    number = json.loads((FOLDER / name / "config.json").read_text())["args"][NUMBER[name]]
    graph = load_any(FOLDER / name)
    with np.load(FOLDER / name / "state_dict.npz") as file, jax.enable_x64(True):
        state = {k: file[k].astype(np.float64) for k in file.files}
        want = np.asarray(getattr(networks(), name)(state, p4, number))
    got = predict_floats(graph, from_arrays(graph, p4)).scores
    assert np.ptp(want) > 1
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("found", [False, True], ids=["calibrated", "found"])
@pytest.mark.parametrize("name", sorted(NUMBER))
def test_it_ranks_jets_in_floats_and_in_integers(name: str, found: bool) -> None:
    """Formats from calibration alone cost at most .005 of the AUC, and so do those that the search found and
    that are shipped: what a key of them rounds must stay what it was."""
    p4, y = jets()
    graph = read_model(FOLDER / name)
    events = from_arrays(graph, p4)
    floating = tagger_auc(predict_floats(graph, events).scores, y)
    assert floating > FOUND[name] - 0.006
    options = read_options(FOLDER / name / "formats.yml") if found else Options()
    fixed = assign(graph, events.floats, options)
    raw = fixed.evaluate(rounded(fixed, events).raw)
    assert floating - tagger_auc(from_raw(fixed, raw).scores, y) < 0.005


@pytest.mark.parametrize(("name", "luts", "clocks"), HARDWARE)
def test_it_goes_all_the_way(name: str, luts: int, clocks: int, tmp_path: Path) -> None:
    """With the formats that the search found, as docs/quantize.md says: no bit differs anywhere."""
    options = read_options(FOLDER / name / "formats.yml")
    p4, _ = jets()
    project = compile_model(FOLDER / name, p4, tmp_path / name, options)
    assert project.manifest["lut_estimate"] <= luts and project.manifest["latency_cycles"] <= clocks
    evidence = project.verify(FOLDER / "events.npz")
    assert evidence.ok, [s for s in evidence.stages if not s.ok]
