"""The five-class networks on trigger words, as they are shipped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import eqhls
from eqhls.engines import Ints
from eqhls.frontends.graphfile import load_model
from eqhls.ir.graph import Graph
from eqhls.verify.metrics import auc, tagger_auc

MODELS = Path(__file__).resolve().parents[2] / "models"
TURN = 1440
FEW = 400


@cache
def graph(name: str) -> Graph:
    return load_model(MODELS / name)


@cache
def words() -> dict[str, Ints]:
    """Return the words of the test jets by port, and labels y."""
    with np.load(MODELS / "tag5" / "events.npz") as file:
        return {k: file[k].astype(np.int64) for k in file.files}


def logits(name: str, jets: dict[str, Ints]) -> np.ndarray:
    """Return the integers of the network, (jets, classes)."""
    model = graph(name)
    feeds = {n.name: jets[n.name].reshape(-1, *n.type.shape) for n in model.inputs}
    return model.evaluate(feeds)[model.outputs[0]][..., 0]


def real(name: str, jets: dict[str, Ints]) -> np.ndarray:
    return logits(name, jets) * graph(name).results[0].type.formats.lsb


def wrapped(phi: Ints, turn: int = TURN) -> Ints:
    return (phi + turn // 2) % turn - turn // 2


def moved(jets: dict[str, Ints], step: int, boost: int, turn: int = TURN) -> dict[str, Ints]:
    """Return jets turned about the beam and boosted along it; empty slots stay as they are."""
    filled = jets["pt"] > 0
    return jets | {
        "phi": np.where(filled, wrapped(jets["phi"] + step, turn), jets["phi"]),
        "eta": np.where(filled, jets["eta"] + boost, jets["eta"]),
        "jet_phi": wrapped(jets["jet_phi"] + step, turn),
        "jet_eta": jets["jet_eta"] + boost,
    }


def few() -> dict[str, Ints]:
    return {k: v[:FEW] for k, v in words().items()}


def test_classes_are_told_apart() -> None:
    """By softmax of the integers; a raw logit of this network is not a discriminator."""
    assert len(words()["y"]) == 5000
    assert tagger_auc(real("tag5", words()), words()["y"]) >= 0.915


def test_single_ports_are_discriminators() -> None:
    """A trigger compares one integer with one threshold."""
    y, ports = words()["y"], logits("tag5_ports", words())
    alone = [auc(ports[:, k], (y == k).astype(int)) for k in range(5)]
    softmax = logits("tag5", words())
    assert np.mean(alone) >= 0.915
    assert np.mean(alone) > np.mean([auc(softmax[:, k], (y == k).astype(int)) for k in range(5)]) + 0.02


@pytest.mark.parametrize("name", ["tag5", "tag5_ports"])
def test_turns_and_boosts_change_no_bit(name: str) -> None:
    jets, rng = few(), np.random.default_rng(1)
    want = logits(name, jets)
    for _ in range(3):
        step, boost = int(rng.integers(TURN)), int(rng.integers(-300, 300))
        assert (logits(name, moved(jets, step, boost)) == want).all()


def test_the_test_of_turns_can_fail() -> None:
    """One word that is left behind, or a turn of another length, is seen."""
    jets = few()
    want = logits("tag5", jets)
    left = moved(jets, 97, 31)
    left["phi"][:, 1] = jets["phi"][:, 1]
    longer = moved(jets, 600, 0, 2048)
    for other in (left, longer):
        assert (logits("tag5", other) != want).any(axis=1).mean() > 0.05


def test_the_whole_path_fits(tmp_path: Path) -> None:
    """Words to logits, front end included, and the symmetry follows from the types of the ports."""
    manifest = eqhls.compile(MODELS / "tag5", output=tmp_path / "tag5").manifest
    assert manifest["lut_estimate"] <= 12_500
    assert manifest["latency_ns"] <= 65 and manifest["stage_depth_ns"] <= 2.5
    assert "eta" in manifest["symmetry"] and "phi modulo 1440" in manifest["symmetry"]
