"""The importer of Cormorant: equal to its equations, and to the numbers of its own code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cormorant_numpy as independent
import numpy as np
import pytest
from typer.testing import CliRunner

from eqhls.cli import app
from eqhls.errors import CompileError
from eqhls.flow import load_any
from eqhls.frontends.checkpoints.cormorant import graph_from, recognizes
from eqhls.frontends.checkpoints.load import load_checkpoint
from eqhls.frontends.graphfile import save_graph
from eqhls.ir.graph import Graph
from eqhls.passes import simplify

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden2"
FOLDERS = sorted(f.name for f in GOLDEN.glob("cormorant_*")) or ["cormorant_md17"]
BOUND = 1e-10
MOVED = ("base", "rot", "oct", "rot3", "inv", "shift", "perm")
PORTS = ("pos", "charges", "one_hot", "atom_mask")

MD17: dict[str, Any] = {
    "model": "CormorantMD17",
    "n_atoms": 4,
    "num_species": 2,
    "charge_power": 1,
    "charge_scale": 4,
    "cutoff_type": ["learn"],
    "hard_cut_rad": 2.5,
    "soft_cut_rad": 1.7,
    "soft_cut_width": 0.3,
    "maxl": 1,
    "max_sh": 1,
    "num_cg_levels": 2,
    "num_channels": [2, 1, 2],
    "basis_set": [1, 1],
    "basis_set_input_mpnn": [3, 3],
}
QM9 = MD17 | {"model": "CormorantQM9", "layer_width": 5, "cutoff_type": ["learn", "hard"], "charge_power": 2}
CONFIGS: dict[str, dict[str, Any]] = {
    "linear": MD17,
    "linear-l3": MD17 | {"maxl": 3, "max_sh": 3, "num_cg_levels": 3, "num_channels": [1, 2, 1, 1]},
    "one-level": MD17 | {"num_cg_levels": 1, "num_channels": [2, 3], "charge_power": 0, "basis_set": [2, 0]},
    "no-cut": MD17 | {"cutoff_type": [], "num_species": 1},
    "hard": MD17 | {"cutoff_type": ["hard"], "hard_cut_rad": [1.5, 2.5], "basis_set": [0, 2]},
    "soft": MD17 | {"cutoff_type": ["soft"], "soft_cut_rad": [1.0, 2.0], "soft_cut_width": [0.2, -0.4]},
    "learned-radius": MD17 | {"cutoff_type": ["learn_rad", "hard"]},
    "learned-width": MD17 | {"cutoff_type": ["learn_width"]},
    "levels-2-0-2": MD17
    | {"maxl": [2, 0, 2], "max_sh": [1, 2, 3], "num_cg_levels": 3, "num_channels": [1] * 4},
    "levels-3-1": MD17 | {"maxl": [3, 1], "max_sh": [3, 0]},
    "unreached": MD17 | {"maxl": 3, "max_sh": 1},
    "messages": QM9,
    "messages-l2": QM9 | {"maxl": 2, "max_sh": 2, "num_species": 3, "activation": "elu"},
    "messages-twice": QM9 | {"num_mpnn_levels": 3, "basis_set_input_mpnn": [1, 2], "cutoff_type": ["soft"]},
}


def feeds(events: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    arrays = {k: np.asarray(events[k], dtype=np.float64) for k in PORTS}
    return {k: v if k == "pos" else v[..., None] for k, v in arrays.items()}


def score(graph: Graph, events: dict[str, np.ndarray]) -> np.ndarray:
    return graph.reference(feeds(events))[graph.outputs[0]].reshape(len(events["pos"]))


def close(got: np.ndarray, want: np.ndarray) -> None:
    assert (np.abs(got - want) <= BOUND * np.abs(want)).all(), (np.abs(got - want) / np.abs(want)).max()


@pytest.mark.parametrize("name", CONFIGS)
def test_equal_to_the_equations(name: str, rng: np.random.Generator, tmp_path: Path) -> None:
    """As written, and as the passes make it; from a folder, so that every tensor and setting is accounted for."""
    config = CONFIGS[name]
    state, events = independent.random_state(rng, config), independent.random_events(rng, config, 8)
    assert recognizes(state)
    want = independent.Reference(state, config)(events)
    assert np.ptp(want) > 1e-3 * np.abs(want).max(), "the events must differ"
    np.savez(tmp_path / "weights.npz", **state)
    (tmp_path / "config.json").write_text(json.dumps({"family": "cormorant", **config}))
    graph = load_checkpoint(tmp_path)
    close(score(graph, events), want)
    close(score(simplify(graph), events), want)


def test_only_proper_rotations_commute(rng: np.random.Generator) -> None:
    config = CONFIGS["linear-l3"]
    state, events = independent.random_state(rng, config), independent.random_events(rng, config, 8)
    graph = graph_from(state, config)
    want = score(graph, events)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    close(score(graph, events | {"pos": events["pos"] @ turn.T + 0.7}), want)
    mirrored = score(graph, events | {"pos": -events["pos"]})
    assert np.abs(mirrored - want).max() > 1e-3 * np.abs(want).max()


def test_absent_points_change_nothing(rng: np.random.Generator) -> None:
    """Not by their place, their charge or their species."""
    config = CONFIGS["messages"]
    state, events = independent.random_state(rng, config), independent.random_events(rng, config, 8)
    graph, gone = graph_from(state, config), ~events["atom_mask"]
    other = {
        "pos": events["pos"] + 3.0 * gone[..., None],
        "charges": events["charges"] + 2 * gone,
        "one_hot": events["one_hot"] | gone[..., None],
    }
    close(score(graph, events | other), score(graph, events))
    whole = events | {"atom_mask": np.ones_like(gone)}
    assert np.abs(score(graph, whole) - score(graph, events)).max() > 1e-3


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"cutoff_type": ["gaussian"]},
            r"cutoff_type: found \['gaussian'\]; expected a list of some of hard, soft",
        ),
        ({"cutoff_type": 3}, "cutoff_type: found 3"),
        ({"cutoff_type": ["hard"]}, "soft_cut_rad"),
        ({"cutoff_type": ["soft"], "soft_cut_rad": None}, "soft_cut_rad"),
        ({"cutoff_type": ["learn", "hard"], "hard_cut_rad": None}, "hard_cut_rad: is missing"),
        ({"hard_cut_rad": [1.0]}, "hard_cut_rad: found .*one for each of the 2 levels"),
        ({"soft_cut_rad": "wide"}, "soft_cut_rad: found 'wide'"),
        ({"n_atoms": None}, "n_atoms: is missing"),
        ({"n_atoms": 10**6}, "n_atoms: found 1000000"),
        ({"charge_scale": 0}, "charge_scale: found 0; expected a positive number"),
        ({"charge_power": -1}, "charge_power: found -1"),
        ({"num_species": 3}, "input_func_atom.lin.weight"),
        ({"maxl": 2}, r"maxl: found 2, but the tensors have \[1, 1\]"),
        ({"max_sh": [1, 2]}, r"max_sh: found \[1, 2\], but the tensors have \[1, 1\]"),
        ({"num_cg_levels": 3}, "num_cg_levels: found 3, but the tensors have 2"),
        ({"num_channels": [2, 2, 2]}, r"num_channels: .* have \[2, 1, 2\]"),
        ({"basis_set": [2, 0]}, r"basis_set: found \[2, 0\], but the tensors have \[1, 1\]"),
        ({"model": "CormorantQM9"}, "model: found 'CormorantQM9', but the tensors have 'CormorantMD17'"),
        ({"activation": "gelu"}, "activation: found 'gelu'"),
        ({"m_order": "m = l .. -l"}, "m_order: found"),
        ({"stabilizer": "so3"}, "stabilizer: found 'so3', a setting of another family"),
        ({"max-sh": 1}, "max-sh: is not a setting; write max_sh"),
    ],
)
def test_settings_that_are_refused(
    change: dict[str, Any], match: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    np.savez(tmp_path / "weights.npz", **independent.random_state(rng, MD17))
    (tmp_path / "config.json").write_text(
        json.dumps({k: v for k, v in (MD17 | change).items() if v is not None})
    )
    with pytest.raises(CompileError, match=match):
        load_checkpoint(tmp_path)


HEAD = "cormorant_cg.{}_levels.{}.cat_mix.mix_reps.weights.{}"


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("output_layer_atom.lin.bias", None, "has no tensor output_layer_atom.lin.bias"),
        ("output_layer_atom.lin.weight", np.ones((1, 4)), "reads 4 values, expected 18"),
        ("rad_funcs.rad_funcs.1.phases", np.ones((1, 1, 1, 3)), r"phases: has the shape \(1, 1, 1, 3\)"),
        ("rad_funcs.rad_funcs.1.scales", None, "has no tensor rad_funcs.rad_funcs.1.scales"),
        (HEAD.format("atom", 0, 0), None, r"has the spins \[1\]; expected 0 up"),
        (HEAD.format("edge", 1, 5), np.ones((1, 2, 2)), r"has the spins \[0, 1, 5\]"),
        (HEAD.format("atom", 1, 1), np.ones((2, 3, 2)), r"weights.1: has the shape \(2, 3, 2\)"),
        ("head.weight", np.ones((2, 3)), "head.weight"),
    ],
)
def test_damaged_states_are_refused(
    key: str, value: Any, match: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    state = {k: v for k, v in (independent.random_state(rng, MD17) | {key: value}).items() if v is not None}
    np.savez(tmp_path / "weights.npz", **state)
    sizes = {k: v for k, v in MD17.items() if k not in ("maxl", "max_sh", "num_channels", "basis_set")}
    (tmp_path / "config.json").write_text(json.dumps(sizes))
    with pytest.raises(CompileError, match=match):
        load_checkpoint(tmp_path)


def test_the_graph_is_kept_as_text(rng: np.random.Generator, tmp_path: Path) -> None:
    config = CONFIGS["messages-l2"]
    graph = graph_from(independent.random_state(rng, config), config)
    save_graph(graph, tmp_path / "net")
    assert load_any(tmp_path / "net") == graph


def moved(events: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Return the events as they are after a transformation of the golden set."""
    points = {k: events[k] for k in PORTS}
    match name:
        case "rot":
            return points | {"pos": np.einsum("exy,ejy->ejx", events["rot"], events["pos"])}
        case "oct" | "rot3":
            return points | {"pos": events["pos"] @ events[name].T}
        case "inv":
            return points | {"pos": -events["pos"]}
        case "shift":
            return points | {"pos": events["pos"] + events["shift"]}
        case "perm":
            return {k: v[:, events["perm"]] for k, v in points.items()}
        case _:
            return points


@pytest.fixture(scope="module", params=FOLDERS)
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    folder = GOLDEN / request.param
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    arrays = {
        n: dict(np.load(folder / f"{n}.npz")) for n in ("weights", "inputs", "outputs", "intermediates")
    }
    graph = load_checkpoint(folder)
    config = json.loads((folder / "config.json").read_text())
    return {**arrays, "folder": folder, "config": config, "graph": graph, "simple": simplify(graph)}


@pytest.mark.parametrize("name", MOVED)
def test_equal_to_the_reference_implementation(golden: dict[str, Any], name: str) -> None:
    want = golden["outputs"][f"out_{name}"]
    for graph in (golden["graph"], golden["simple"]):
        close(score(graph, moved(golden["inputs"], name)), want)


def test_predicted_from_the_command_line(golden: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    folder = golden["folder"]
    given = ["predict", str(folder), str(folder / "inputs.npz"), "--engine", "float", "-o", str(out)]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.output
    want = golden["outputs"]["out_base"]
    with np.load(out) as file:
        close(file["scores"], want.reshape(len(want), -1))


@pytest.mark.parametrize("name", MOVED)
def test_our_own_evaluation_agrees_with_the_reference_implementation(
    golden: dict[str, Any], name: str
) -> None:
    """So that the tests that need no golden files test the right equations."""
    reference = independent.Reference(golden["weights"], golden["config"])
    close(reference(moved(golden["inputs"], name)), golden["outputs"][f"out_{name}"])


def test_an_inversion_is_no_symmetry(golden: dict[str, Any]) -> None:
    outputs = golden["outputs"]
    assert np.abs(outputs["out_inv"] - outputs["out_base"]).max() > 1e-4


def test_our_own_features_agree_level_by_level(golden: dict[str, Any]) -> None:
    stages = golden["intermediates"]
    rows = len(stages["norms"])
    levels = independent.Reference(golden["weights"], golden["config"]).levels(
        {k: v[:rows] for k, v in moved(golden["inputs"], "base").items()}
    )
    for n, features in enumerate(levels):
        head = "input" if n == 0 else f"level{n - 1}"
        for ell, x in enumerate(features):
            want = stages[f"{head}/atom_l{ell}"]
            want = want[..., 0] + 1j * want[..., 1]
            assert np.abs(x - want).max() <= 1e-12 * np.abs(want).max(), (head, ell)


def test_random_states_have_the_tensors_of_the_reference(
    golden: dict[str, Any], rng: np.random.Generator
) -> None:
    made = independent.random_state(rng, golden["config"])
    assert {k: v.shape for k, v in made.items()} == {k: v.shape for k, v in golden["weights"].items()}
