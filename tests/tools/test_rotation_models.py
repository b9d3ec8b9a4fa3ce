"""The trained networks of points that the project ships: the importers give what was trained, and it is proved."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType

import jax
import numpy as np
import pytest

from eqhls.events.read import Events, from_mapping, read_events, rounded
from eqhls.events.scores import from_raw, predict_floats
from eqhls.flow import compile_model, load_any, read_model
from eqhls.options import read_options
from eqhls.quantize.assign import assign
from eqhls.verify.metrics import tagger_auc
from eqhls.verify.symmetry import derive

FOLDER = Path(__file__).resolve().parents[2] / "models" / "rotation"
FEATURES = {"tfn": "scalars", "e3nn": "x"}
FOUND = {"tfn": 0.9664, "e3nn": 0.9564}
"""AUC on the validation jets, as printed by train.py."""
CLAIMS = {
    "tfn": "O(3;Z): no covariant component is rounded",
    "e3nn": "O(3;Z): %c1_0110_x_y.q rounds components, oddly",
}
HARDWARE = [
    pytest.param("tfn", 39_600, 31, marks=pytest.mark.slow),
    pytest.param("e3nn", 49_200, 22, marks=pytest.mark.slow),
]
"""Minutes each: in `make test` the network of Cormorant goes all the way."""
SHOWN = 2000
"""Events that go all the way."""


@cache
def networks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rotation_networks", FOLDER / "networks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def events(name: str) -> Events:
    return read_events(FOLDER / name / "events.npz", load_any(FOLDER / name))


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_the_importer_gives_what_was_trained(name: str) -> None:
    """jax, by the equations under the published names, against the graph of ops."""
    with np.load(FOLDER / name / "events.npz") as file:
        pos, x = (file[k][:200].astype(np.float64) for k in ("pos", FEATURES[name]))
    settings = json.loads((FOLDER / name / "config.json").read_text())
    with np.load(FOLDER / name / "weights.npz") as file, jax.enable_x64(True):
        state = {k: file[k].astype(np.float64) for k in file.files}
        want = np.asarray(getattr(networks(), name)(state, settings, pos, x))
    graph = load_any(FOLDER / name)
    got = predict_floats(graph, from_mapping(graph, {"pos": pos, FEATURES[name]: x})).scores
    assert np.ptp(want) > 1
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_it_ranks_jets_in_floats_and_in_integers(name: str) -> None:
    """The formats that are shipped cost at most .005 of the AUC, and keep the symmetries of the lattice."""
    graph, given = read_model(FOLDER / name), events(name)
    assert given.labels is not None
    floating = tagger_auc(predict_floats(graph, given).scores, given.labels)
    assert floating == pytest.approx(FOUND[name], abs=1e-3)
    fixed = assign(graph, given.floats, read_options(FOLDER / name / "formats.yml"))
    assert derive(fixed).describe() == CLAIMS[name]
    raw = fixed.evaluate(rounded(fixed, given).raw)
    assert floating - tagger_auc(from_raw(fixed, raw).scores, given.labels) < 0.005


@pytest.mark.parametrize(("name", "luts", "clocks"), HARDWARE)
def test_it_goes_all_the_way(name: str, luts: int, clocks: int, tmp_path: Path) -> None:
    """No bit differs anywhere, rotations of the lattice and permutations of points included."""
    file, options = FOLDER / name / "events.npz", read_options(FOLDER / name / "formats.yml")
    project = compile_model(FOLDER / name, file, tmp_path / name, options)
    assert project.manifest["lut_estimate"] <= luts and project.manifest["latency_cycles"] <= clocks
    with np.load(file) as every:
        np.savez(tmp_path / "events.npz", **{k: every[k][:SHOWN] for k in every.files})
    evidence = project.verify(tmp_path / "events.npz")
    assert evidence.ok, [s for s in evidence.stages if not s.ok]
