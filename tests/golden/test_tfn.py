"""The importer of tensor field networks: equal to its equations, and to the numbers of the published code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tfn_numpy as independent
from clouds import BOUND, GOLDEN, MOVED, Golden, distance, random_points
from typer.testing import CliRunner

from eqhls.cli import app
from eqhls.errors import CompileError
from eqhls.events.read import from_mapping
from eqhls.events.scores import predict_floats
from eqhls.flow import load_any
from eqhls.frontends.checkpoints.load import load_checkpoint
from eqhls.frontends.checkpoints.tfn import graph_from, recognizes
from eqhls.frontends.graphfile import save_graph
from eqhls.ir.graph import Graph
from eqhls.passes import simplify

FOLDERS = sorted(f.name for f in GOLDEN.glob("tfn_*")) or ["tfn_cloud"]
published = pytest.mark.skipif(not (GOLDEN / FOLDERS[0]).is_dir(), reason="golden outputs are not there")
CONFIGS = {
    "one-layer": independent.config(3, 1, [2, 3], 3, 3.0, 2),
    "two-layers": independent.config(4, 2, [3, 1, 2], 4, 3.5, 3),
    "three-layers": independent.config(3, 1, [1, 2, 3, 2], 5, 4.0, 1),
    "four-layers": independent.config(3, 3, [2, 1, 1, 2, 1], 2, 2.5, 2),
    "one-point": independent.config(1, 2, [2, 2, 2], 3, 3.0, 2),
}


def scores(graph: Graph, events: dict[str, Any]) -> np.ndarray:
    return predict_floats(graph, from_mapping(graph, events)).scores


@published
@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("moved", MOVED)
def test_the_published_outputs(name: str, moved: str) -> None:
    golden = Golden(GOLDEN / name, "scalars")
    assert distance(scores(load_any(golden.folder), golden.events(moved)), golden.want(moved)) < BOUND


@published
@pytest.mark.parametrize("name", FOLDERS)
def test_the_equations_are_the_published_ones(name: str) -> None:
    golden = Golden(GOLDEN / name, "scalars")
    got = independent.scores(golden.state, golden.config, *golden.events("base").values())
    assert distance(got, golden.want("base")) < BOUND


@pytest.mark.parametrize("name", CONFIGS)
def test_equal_to_the_equations(name: str, rng: np.random.Generator) -> None:
    """The first event has two points in one place: there the vector of a pair is zero, its distance is not."""
    config = CONFIGS[name]
    state, points = independent.weights(rng, config), config["n_points"]
    pos, s = random_points(rng, 7, points), rng.normal(size=(7, points, config["scalars_in"]))
    assert recognizes(state)
    want, graph = independent.scores(state, config, pos, s), graph_from(state, config)
    assert np.ptp(want, axis=0).min() > 1e-3, "the events must differ"
    for form in (graph, simplify(graph)):
        assert distance(scores(form, {"pos": pos, "scalars": s}), want) < BOUND


@pytest.mark.parametrize(
    "key", ["rbf_gamma", "rbf_low", "rbf_high", "epsilon", "radial_nonlin", "feature_nonlin"]
)
def test_every_setting_is_read(key: str, rng: np.random.Generator) -> None:
    config = CONFIGS["two-layers"]
    state = independent.weights(rng, config)
    pos, s = random_points(rng, 4, 4), rng.normal(size=(4, 4, 2))
    old = config[key]
    other = {"relu": "silu", "elu": "tanh"}[old] if isinstance(old, str) else old + 0.5
    first, second = (
        scores(graph_from(state, c), {"pos": pos, "scalars": s}) for c in (config, config | {key: other})
    )
    assert distance(first, second) > 1e-4


def test_gamma_follows_from_the_range(rng: np.random.Generator) -> None:
    config = CONFIGS["two-layers"]
    state = independent.weights(rng, config)
    assert graph_from(state, {k: v for k, v in config.items() if k != "rbf_gamma"}) == graph_from(
        state, config
    )


def test_predict_reads_a_folder(rng: np.random.Generator, tmp_path: Path) -> None:
    """weights.npz and config.json as the published code's converter writes them; labels and more beside."""
    config = CONFIGS["three-layers"]
    state = independent.weights(rng, config)
    pos, s = random_points(rng, 5, 3), rng.normal(size=(5, 3, 1))
    np.savez(tmp_path / "weights.npz", **state)
    (tmp_path / "config.json").write_text(
        json.dumps(config | {"seed": 1, "variables": [*state], "vec": "no"})
    )
    np.savez(tmp_path / "inputs.npz", pos=pos, scalars=s, label=np.zeros(5, int), rot3=np.eye(3))
    command = ["predict", str(tmp_path), str(tmp_path / "inputs.npz"), "--engine", "float", "-o"]
    result = CliRunner().invoke(app, [*command, str(tmp_path / "out.npz")])
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "out.npz") as file:
        got = file["scores"]
    assert distance(got, independent.scores(state, config, pos, s)) < BOUND


def test_the_graph_is_kept_as_text(rng: np.random.Generator, tmp_path: Path) -> None:
    config = CONFIGS["three-layers"]
    graph = graph_from(independent.weights(rng, config), config)
    save_graph(graph, tmp_path / "graph")
    assert load_any(tmp_path / "graph") == graph


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"output_biases": None}, {}, "has no tensor output_biases"),
        ({"output_biases": np.zeros(2)}, {}, r"output_biases: has the shape .2,.; expected .3"),
        ({"head": np.zeros(2)}, {}, "does not read the tensor head"),
        ({}, {"pool": "sum"}, "cannot be compiled with pool = 'sum'; expected 'mean'"),
        ({}, {"layer_dims": [3, 1, 2, 2]}, "has no tensor layer2/convolution"),
        ({}, {"layer_dims": [3, 1]}, r"has the shape"),
        ({}, {"layer_dims": 3}, "layer_dims: found 3; give the channels"),
        ({}, {"n_points": 0}, "n_points: found 0; give a whole number from 1 to 1000"),
        ({}, {"n_points": None}, "n_points: found None"),
        ({}, {"scalars_in": True}, "scalars_in: found True"),
        ({}, {"rbf_high": 0.0}, "rbf_high: found 0.0; give a number above rbf_low"),
        ({}, {"rbf_gamma": -1}, "rbf_gamma: found -1.0; give a positive number"),
        ({}, {"rbf_low": "no"}, "rbf_low: found 'no'; give a finite number"),
        ({}, {"radial_nonlin": "gelu"}, "cannot be compiled with radial_nonlin = 'gelu'"),
        ({}, {"rbf-count": 4}, "rbf-count: is not a setting; write rbf_count"),
        ({}, {"stabilizer": "so2"}, "stabilizer: found 'so2', a setting of another family"),
    ],
)  # fmt: skip
def test_broken_files_and_settings(
    change: dict[str, Any], settings: dict[str, Any], message: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    config = CONFIGS["two-layers"]
    state = independent.weights(rng, config) | change
    np.savez(tmp_path / "weights.npz", **{k: v for k, v in state.items() if v is not None})
    (tmp_path / "config.json").write_text(json.dumps(config | settings))
    with pytest.raises(CompileError, match=message):
        load_checkpoint(tmp_path)
