"""Cormorant down to gates: the trained network that the project ships, and a seeded one with cross products."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from functools import cache
from math import ceil, log2
from pathlib import Path
from types import ModuleType

import cormorant_numpy as independent
import jax
import numpy as np
import pytest

from eqhls.events.read import Events, from_mapping, read_events, rounded
from eqhls.events.scores import from_raw, predict_floats
from eqhls.flow import Compiled, compile_model, load_any, read_model
from eqhls.frontends.checkpoints.cormorant import graph_from
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph
from eqhls.options import Options, read_options
from eqhls.passes import run, simplify
from eqhls.quantize.assign import assign, ranges
from eqhls.verify.metrics import tagger_auc
from eqhls.verify.sampling import lattice_events
from eqhls.verify.symmetry import derive
from eqhls.verify.testbuild import guarded
from eqhls.verify.trials import check_group, check_pairs

ROTATION = Path(__file__).resolve().parents[2] / "models" / "rotation"
FOLDER = ROTATION / "cormorant"
FOUND = 0.964
"""AUC on the validation jets, as printed by train.py."""
LUTS, CLOCKS = 30_000, 21
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
    "n_atoms": 3,
    "num_species": 1,
    "charge_power": 1,
    "charge_scale": 4,
    "cutoff_type": [],
    "maxl": 1,
    "max_sh": 1,
    "num_cg_levels": 2,
    "num_channels": [1, 1, 1],
    "basis_set": [0, 0],
}
"""Two levels: the second one multiplies vectors by vectors."""
PORTS = {"pos": "fix<7,4,RND_CONV,SAT_SYM>", "charges": "ufix<3,3,RND,SAT>"}
BITS = 8


def seeded(points: int) -> tuple[Graph, dict[str, np.ndarray]]:
    """Return the network of so many points, and events as its ports take them."""
    rng, config = np.random.default_rng(5), SEEDED | {"n_atoms": points}
    graph = simplify(graph_from(independent.random_state(rng, config), config))
    return graph, from_mapping(graph, independent.random_events(rng, config, 200)).floats


def narrow(graph: Graph, floats: dict[str, np.ndarray]) -> Options:
    """Formats of BITS bits for everything that is mixed, added or read from tables but positions."""
    formats = dict(PORTS)
    for name, largest in ranges(graph, floats).items():
        node = graph.node(name)
        if node.op.name() in ("channel_mix", "add", "composed") and name not in ("r", "score"):
            modes = "RND,SAT" if node.type.rep is S else "RND_CONV,SAT_SYM"
            formats[name] = f"fix<{BITS},{ceil(log2(largest.max())) + 1},{modes}>"
    layers = {name: {"Precision": {"result": text}} for name, text in formats.items()}
    return Options.model_validate({"HLSConfig": {"LayerName": layers}})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, dict[str, np.ndarray]]:
    graph, found = seeded(3)
    return compile_model(graph, found, tmp_path_factory.mktemp("p") / "p", narrow(graph, found)), found


def test_integers_follow_the_float_network(project: tuple[Compiled, dict[str, np.ndarray]]) -> None:
    compiled, found = project
    fixed, floating = compiled.predict(found), compiled.predict(found, "float")
    assert np.corrcoef(fixed.ravel(), floating.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("engine", ["hls", "rtl"])
def test_every_bit(project: tuple[Compiled, dict[str, np.ndarray]], engine: str) -> None:
    compiled, found = project
    want = compiled.predict(found, "integer")
    assert len(np.unique(want)) > 50
    np.testing.assert_array_equal(compiled.predict(found, engine), want)


def test_odd_products_leave_proper_rotations(rng: np.random.Generator) -> None:
    """Vectors are rounded oddly: the 24 rotations of the lattice are exact, its reflections are not. Four points,
    for three lie in a plane, and a reflection in it moves none of them."""
    graph, found = seeded(4)
    graph = run(assign(graph, found, narrow(graph, found)))
    symmetry = derive(graph)
    assert symmetry.describe().startswith("O(3;Z), proper elements: %") and "oddly" in symmetry.describe()
    assert symmetry.permutable == (0, 1, 2, 3) and not symmetry.whole
    test = guarded(graph, 4)
    points = lattice_events(graph, test, rng, 100)
    result = check_group(symmetry, test, points, test.evaluate, "integer", rng)
    assert result.ok and result.transformed >= 300
    wrong = replace(symmetry, proper_only=False)
    assert check_group(wrong, test, points, test.evaluate, "integer", rng).mismatches > 0
