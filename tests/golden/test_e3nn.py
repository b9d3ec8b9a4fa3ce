"""The importer of e3nn's convolutions with a gate: equal to the equations, and to the numbers of e3nn itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import e3nn_numpy as independent
import numpy as np
import pytest
from clouds import BOUND, GOLDEN, MOVED, Golden, distance, random_points
from typer.testing import CliRunner

from eqhls.cli import app
from eqhls.errors import CompileError
from eqhls.events import irreps
from eqhls.events.read import from_mapping
from eqhls.events.scores import predict_floats
from eqhls.flow import load_any
from eqhls.frontends.checkpoints.e3nn import graph_from, recognizes
from eqhls.frontends.checkpoints.load import load_checkpoint
from eqhls.frontends.graphfile import save_graph
from eqhls.ir.graph import Graph
from eqhls.passes import simplify

FOLDERS = sorted(f.name for f in GOLDEN.glob("e3nn_*")) or ["e3nn_a"]
published = pytest.mark.skipif(not (GOLDEN / FOLDERS[0]).is_dir(), reason="golden outputs are not there")
ALL = "1x0e+1x1o+1x2e"
CONFIGS = {
    "scalars": independent.config(4, "1x0e", "1x0e+1x1o", "2x0e", "1x1o", "1x0e"),
    "l2": independent.config(3, "2x0e", ALL, "1x0e", "1x1o+2x2e", "1x0e+1x2e"),
    "mean": independent.config(4, "2x0e", ALL, "2x0e", "1x1o", "3x0e") | {"pool": "mean"},
    "all-parities": independent.config(
        3, "1x0e+1x0o+1x1o+1x1e", ALL, "1x0o+2x0e", "1x1e+1x1o+1x2o+1x2e", "1x0e+1x0o+1x1o+1x1e+1x2o+1x2e"
    ),
    "tensors-in": independent.config(3, "1x2e+2x1o+1x2o", ALL, "1x0e+1x0o", "2x1o+1x2e", "1x2e+1x0e"),
    "ops-twice": independent.config(3, "1x0e+1x1o+2x0e", ALL, "1x0e", "1x1o+1x2e+1x1o", "1x1o+1x0e+1x1o"),
    "unreached": independent.config(3, "1x0e", "1x0e+1x1o", "1x0e+1x0o", "1x1o+1x1e", "1x0e+1x2o+1x0o"),
    "only-scalars": independent.config(3, "2x0e", "1x0e", "3x0e", "", "2x0e"),
    "no-gate": independent.config(3, "1x1o", "1x1o", "1x0o", "1x1e", "1x1o+1x0e"),
}


def features(rng: np.random.Generator, config: dict[str, Any], events: int) -> dict[str, np.ndarray]:
    points, size = config["n_points"], independent.size(config["irreps_in"])
    return {"pos": random_points(rng, events, points), "x": rng.normal(size=(events, points, size))}


def scores(graph: Graph, events: dict[str, Any]) -> np.ndarray:
    return predict_floats(graph, from_mapping(graph, events)).scores


@published
@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("moved", MOVED)
def test_the_published_outputs(name: str, moved: str) -> None:
    golden = Golden(GOLDEN / name, "x")
    text = golden.config["irreps_in"]
    assert text in ("2x0e", "1x0e+1x1o"), "say which columns are vectors"
    golden = Golden(GOLDEN / name, "x", 1 if "1o" in text else None)
    assert distance(scores(load_any(golden.folder), golden.events(moved)), golden.want(moved)) < BOUND


@published
@pytest.mark.parametrize("name", FOLDERS)
def test_the_equations_are_the_published_ones(name: str) -> None:
    golden = Golden(GOLDEN / name, "x")
    got = independent.scores(golden.state, golden.config, *golden.events("base").values())
    assert distance(got.reshape(len(got), -1), golden.want("base")) < BOUND


@pytest.mark.parametrize("name", CONFIGS)
def test_equal_to_the_equations(name: str, rng: np.random.Generator) -> None:
    config = CONFIGS[name]
    state, events = independent.weights(rng, config), features(rng, config, 6)
    assert recognizes(state)
    want = independent.scores(state, config, *events.values()).reshape(6, -1)
    assert np.abs(want).max(axis=0).max() > 1e-2
    graph = graph_from(state, config)
    for form in (graph, simplify(graph)):
        assert distance(scores(form, events), want) < BOUND


def test_what_no_product_reaches_is_zero(rng: np.random.Generator) -> None:
    config = CONFIGS["unreached"]
    graph = graph_from(independent.weights(rng, config), config)
    events = features(rng, config, 4)
    found = predict_floats(graph, from_mapping(graph, events))
    assert [*found.outputs] == ["out_1x0e", "out_1x2o", "out_1x0o"]
    assert not found["out_1x2o"].scores.any() and not found["out_1x0o"].scores.any()
    assert found["out_1x0e"].scores.any()


@pytest.mark.parametrize("key", ["radius", "neighbours", "silu_fc", "scalar0", "gate0"])
def test_every_constant_is_read(key: str, rng: np.random.Generator) -> None:
    config = CONFIGS["l2"]
    state, events = independent.weights(rng, config), features(rng, config, 4)
    inner = config["normalize2mom"]
    other = {"normalize2mom": inner | {key: 1.5}} if key in inner else {key: 1.5}
    want = independent.scores(state, config | other, *events.values()).reshape(4, -1)
    assert distance(scores(graph_from(state, config | other), events), want) < BOUND
    assert distance(scores(graph_from(state, config), events), want) > 1e-3


def test_predict_reads_a_folder(rng: np.random.Generator, tmp_path: Path) -> None:
    """`scores` holds all ops as e3nn lays them out; each op has an array of its own beside it."""
    config = CONFIGS["tensors-in"]
    state, events = independent.weights(rng, config), features(rng, config, 5)
    np.savez(tmp_path / "weights.npz", **state)
    (tmp_path / "config.json").write_text(
        json.dumps(config | {"seed": 1, "edges": "all", "outputs": "points"})
    )
    np.savez(tmp_path / "inputs.npz", **events, rot3=np.eye(3))
    command = ["predict", str(tmp_path), str(tmp_path / "inputs.npz"), "--engine", "float", "-o"]
    result = CliRunner().invoke(app, [*command, str(tmp_path / "out.npz")])
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "out.npz") as file:
        found = {k: file[k] for k in ("scores", "scores_out_1x0e")}
    want = independent.scores(state, config, *events.values())
    assert distance(found["scores"], want.reshape(5, -1)) < BOUND
    assert distance(found["scores_out_1x0e"], want[..., 5]) < BOUND


def test_the_graph_is_kept_as_text(rng: np.random.Generator, tmp_path: Path) -> None:
    config = CONFIGS["all-parities"]
    graph = graph_from(independent.weights(rng, config), config)
    save_graph(graph, tmp_path / "graph")
    assert load_any(tmp_path / "graph") == graph


def test_arrays_of_irreps() -> None:
    blocks = irreps.parse("x", "1x0e+2x1o+1x0e+1x2e")
    assert irreps.names("x", blocks) == ("x_1x0e", "x_2x1o", "x_1x0e_2", "x_1x2e")
    assert irreps.written(blocks) == "1x0e+2x1o+1x0e+1x2e"


@pytest.mark.parametrize("text", ["", "2x0", "0x0e", "x1o", "1x1o+", "1x9e", 3])
def test_texts_that_are_no_irreps(text: Any) -> None:
    with pytest.raises(CompileError, match="write irreps such as|irreps of l up to 3 are known"):
        irreps.parse("x", text)


def test_an_array_of_irreps_has_all_columns(rng: np.random.Generator) -> None:
    config = CONFIGS["tensors-in"]
    graph, events = graph_from(independent.weights(rng, config), config), features(rng, config, 2)
    with pytest.raises(CompileError, match=r"x: has shape .2, 3, 15., expected .events, .., 16"):
        from_mapping(graph, events | {"x": events["x"][..., :-1]})


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"c1.fc.layer0.weight": np.zeros((4, 5))}, {}, r"c1.fc.layer0.weight: has the shape .4, 5.; expected"),
        ({"c2.fc.layer2.weight": np.zeros(2)}, {}, "does not read the tensor c2.fc.layer2.weight"),
        ({}, {"sh": "1x0e+1x1e"}, "sh: found 1x1e; expected one of each l"),
        ({}, {"sh": "2x0e"}, "sh: found 2x0e; expected one of each l"),
        ({}, {"sh": "1x0e+1x3o"}, "sh: found 1x3o; features of l up to 2 are read"),
        ({}, {"scalars": "1x0e+1x1o"}, "scalars: found 1x1o; expected scalars"),
        ({}, {"gated": "1x0e"}, "gated: found 1x0e; expected no scalars"),
        ({}, {"irreps_in": "2x0"}, "irreps_in: found '2x0'; write irreps"),
        ({}, {"gate_irreps_in": "9x0e"}, "gate_irreps_in: found 9x0e; scalars and gated irreps give"),
        ({}, {"conv1_paths": []}, "conv1_paths: are not the products of a full convolution"),
        ({}, {"conv2_paths": 3}, "conv2_paths: is not a list of"),
        ({}, {"normalize2mom": {}}, "normalize2mom: silu_fc: found None; give a finite number"),
        ({}, {"radius": 0}, "radius: found 0.0; give a positive number"),
        ({}, {"pool": "max"}, "cannot be compiled with pool = 'max'"),
        ({}, {"basis": 2.5}, "basis: found 2.5; give a whole number"),
        ({}, {"layer_dims": [1]}, "layer_dims: found .1., a setting of another family"),
    ],
)  # fmt: skip
def test_broken_files_and_settings(
    change: dict[str, Any], settings: dict[str, Any], message: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    config = CONFIGS["l2"]
    np.savez(tmp_path / "weights.npz", **independent.weights(rng, config) | change)
    (tmp_path / "config.json").write_text(json.dumps(config | settings))
    with pytest.raises(CompileError, match=message):
        load_checkpoint(tmp_path)
