"""Cormorant, from its equations: equal to the numbers of its own code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cormorant_numpy as independent
import numpy as np
import pytest

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden2"
FOLDERS = sorted(f.name for f in GOLDEN.glob("cormorant_*")) or ["cormorant_md17"]
BOUND = 1e-10
MOVED = ("base", "rot", "oct", "rot3", "inv", "shift", "perm")


def close(got: np.ndarray, want: np.ndarray) -> None:
    assert (np.abs(got - want) <= BOUND * np.abs(want)).all(), (np.abs(got - want) / np.abs(want)).max()


def moved(events: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Return the events as they are after a transformation of the golden set."""
    points = {k: events[k] for k in ("pos", "charges", "one_hot", "atom_mask")}
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
    return {**arrays, "config": json.loads((folder / "config.json").read_text())}


@pytest.mark.parametrize("name", MOVED)
def test_our_own_evaluation_agrees_with_the_reference_implementation(
    golden: dict[str, Any], name: str
) -> None:
    """So that the tests that need no golden files test the right equations."""
    score = independent.Reference(golden["weights"], golden["config"])
    close(score(moved(golden["inputs"], name)), golden["outputs"][f"out_{name}"])


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
