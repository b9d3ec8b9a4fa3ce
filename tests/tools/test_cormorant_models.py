"""Cormorant down to gates: the trained network that the project ships, and a seeded one with cross products."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import cormorant_numpy as independent
import jax
import numpy as np
import pytest

from eqhls.compile import Compiled, compile_model, load_any, read_model
from eqhls.events.read import Events, from_mapping, read_events, rounded
from eqhls.events.scores import from_raw, predict_floats
from eqhls.frontends.checkpoints.cormorant import graph_from
from eqhls.options import Options, read_options
from eqhls.passes import run
from eqhls.quantize.assign import assign
from eqhls.verify.metrics import tagger_auc
from eqhls.verify.sampling import lattice_events
from eqhls.verify.symmetry import derive
from eqhls.verify.testbuild import guarded
from eqhls.verify.trials import check_group, check_pairs

ROTATION = Path(__file__).resolve().parents[2] / "models" / "rotation"
FOLDER = ROTATION / "cormorant"
FOUND = 0.964
"""AUC on the validation jets, as printed by train.py."""
LUTS, CLOCKS = 29_500, 26
"""By alkaid's estimate, at 360 MHz, with formats.yml."""


@cache
def network() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cormorant_network", ROTATION / "cormorant_network.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def events() -> Events:
    return read_events(FOLDER / "events.npz", load_any(FOLDER))


def test_the_importer_gives_what_was_trained() -> None:
    """jax, by the equations under the published names, against the graph of ops."""
    settings = json.loads((FOLDER / "config.json").read_text())
    with np.load(FOLDER / "events.npz") as file:
        pos, charges = (file[k][:200].astype(np.float64) for k in ("pos", "charges"))
    with np.load(FOLDER / "weights.npz") as file, jax.enable_x64(True):
        state = {k: file[k].astype(np.float64) for k in file.files}
        want = np.asarray(network().cormorant(state, settings, pos, charges))
    got = predict_floats(load_any(FOLDER), events()).scores[:200]
    assert np.ptp(want) > 1
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def test_it_ranks_jets_in_floats_and_in_integers() -> None:
    graph, given = read_model(FOLDER), events()
    assert given.labels is not None
    floating = tagger_auc(predict_floats(graph, given).scores, given.labels)
    assert floating == pytest.approx(FOUND, abs=1e-3)
    fixed = assign(graph, given.floats, read_options(FOLDER / "formats.yml"))
    raw = fixed.evaluate(rounded(fixed, given).raw)
    assert floating - tagger_auc(from_raw(fixed, raw).scores, given.labels) < 0.002


def test_all_exact_symmetries_are_found(rng: np.random.Generator) -> None:
    """Of one level nothing covariant is rounded and no product is odd: all 48 elements of the lattice, rational
    rotations, permutations and translations."""
    graph = run(assign(read_model(FOLDER), events().floats, read_options(FOLDER / "formats.yml")))
    symmetry = derive(graph)
    assert symmetry.describe() == "O(3;Z): no covariant component is rounded"
    assert symmetry.permutable == (0, 1, 2, 3)
    assert len(symmetry.claims) > len(symmetry.permutations), "translations"
    test = guarded(graph, 4)
    found = lattice_events(graph, test, rng, 100)
    for check in (check_group, check_pairs):
        result = check(symmetry, test, found, test.evaluate, "integer", rng)
        assert result.ok and result.transformed >= 300


def test_it_goes_all_the_way(tmp_path: Path) -> None:
    """No bit differs anywhere, and no output of a transformed event."""
    options, file = read_options(FOLDER / "formats.yml"), FOLDER / "events.npz"
    project = compile_model(FOLDER, file, tmp_path / "cormorant", options)
    assert project.manifest["lut_estimate"] <= LUTS and project.manifest["latency_cycles"] <= CLOCKS
    evidence = project.verify(file)
    assert evidence.ok, [s for s in evidence.stages if not s.ok]


SEEDED = {
    "model": "CormorantMD17",
    "n_atoms": 2,
    "num_species": 1,
    "charge_power": 1,
    "charge_scale": 4,
    "cutoff_type": ["learn", "hard"],
    "hard_cut_rad": 3.0,
    "soft_cut_rad": 1.7,
    "soft_cut_width": 0.3,
    "maxl": 1,
    "max_sh": 1,
    "num_cg_levels": 2,
    "num_channels": [1, 1, 1],
    "basis_set": [0, 1],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, dict[str, np.ndarray]]:
    rng = np.random.default_rng(5)
    found = independent.random_events(rng, SEEDED, 200, absent=1)
    found["charges"] = found["charges"].astype(np.float64)
    graph = graph_from(independent.random_state(rng, SEEDED), SEEDED)
    ready, narrow = from_mapping(graph, found), {"Precision": {"result": "fix<7,3,RND_CONV,SAT_SYM>"}}
    options = Options.model_validate({"HLSConfig": {"LayerName": {"pos": narrow}}})
    return compile_model(graph, ready.floats, tmp_path_factory.mktemp("cormorant") / "p", options), found


def test_integers_follow_the_float_network(project: tuple[Compiled, dict[str, np.ndarray]]) -> None:
    compiled, found = project
    fixed, floating = compiled.predict(found), compiled.predict(found, "float")
    assert np.corrcoef(fixed.ravel(), floating.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("engine", ["hls", "rtl"])
def test_every_bit(project: tuple[Compiled, dict[str, np.ndarray]], engine: str) -> None:
    compiled, found = project
    want = compiled.predict(found, "integer")
    assert len(np.unique(want)) > 50
    np.testing.assert_array_equal(compiled.predict(found, engine), want)


def test_odd_products_leave_proper_rotations(
    project: tuple[Compiled, dict[str, np.ndarray]], rng: np.random.Generator
) -> None:
    """Vectors are rounded oddly: the 24 rotations of the lattice are exact, its reflections are not."""
    graph = project[0].graph
    symmetry = derive(graph)
    assert symmetry.describe().startswith("O(3;Z), proper elements: %") and "oddly" in symmetry.describe()
    assert symmetry.permutable == (0, 1) and not symmetry.whole
    test = guarded(graph, 4)
    found = lattice_events(graph, test, rng, 100)
    result = check_group(symmetry, test, found, test.evaluate, "integer", rng)
    assert result.ok and result.transformed >= 300
    wrong = replace(symmetry, proper_only=False)
    assert check_group(wrong, test, found, test.evaluate, "integer", rng).mismatches > 0
