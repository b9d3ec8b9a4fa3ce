"""The taggers from trigger words that the project ships: what they cost, what they tell apart, what moves nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import eqhls
from eqhls.engines import Ints
from eqhls.events.read import Events, read_events
from eqhls.flow import load_any
from eqhls.verify.metrics import auc

FOLDER = Path(__file__).resolve().parents[2] / "models"
TURN = 1440
FOUND = {"tag16": 0.9816, "tag16_small": 0.9787, "tag32": 0.9820}
"""AUC on all test jets, as printed by train.py."""
SLACK = 0.003
"""What a fifth of them, the jets that are shipped, may fall short by chance."""
LUT, CYCLES = 4_700, 9
BUILT = 300
"""Jets that go through the engines of the firmware."""


@cache
def events(name: str) -> Events:
    return read_events(FOLDER / name / "events.npz", load_any(FOLDER / name))


def scores(name: str, raw: dict[str, Ints]) -> Ints:
    graph = load_any(FOLDER / name)
    return graph.evaluate(raw)[graph.outputs[0]].ravel()


def wrapped(phi: Ints, turn: int = TURN) -> Ints:
    return (phi + turn // 2) % turn - turn // 2


def moved(raw: dict[str, Ints], turn: int, boost: int) -> dict[str, Ints]:
    """Return all angles turned and all rapidities shifted; an empty slot stays what it is."""
    filled = raw["pt"] > 0
    found = {k: np.where(filled, raw[k] + boost, raw[k]) if k == "eta" else raw[k] for k in raw}
    found["phi"] = np.where(filled, wrapped(raw["phi"] + turn), raw["phi"])
    if "jet_phi" in raw:
        found |= {"jet_phi": wrapped(raw["jet_phi"] + turn), "jet_eta": raw["jet_eta"] + boost}
    return found


@pytest.mark.parametrize("name", sorted(FOUND))
def test_integers_are_those_of_training(name: str) -> None:
    """Scores of the shipped graph, against those of the network as it was trained."""
    with np.load(FOLDER / name / "events.npz") as file:
        expected, labels = file["expected"], file["y"]
    found = scores(name, events(name).raw)
    assert np.array_equal(found, expected)
    assert auc(found, labels) >= FOUND[name] - SLACK


def test_turns_and_boosts_leave_every_bit() -> None:
    raw = {k: v[:1000] for k, v in events("tag16").raw.items()}
    before = scores("tag16", raw)
    for turn, boost in ((1, 0), (0, -1), (719, 211), (1213, -300)):
        assert np.array_equal(scores("tag16", moved(raw, turn, boost)), before)


def test_controls_of_turns_and_boosts_are_seen() -> None:
    """One word left behind, and angles that turn modulo 2048."""
    raw = {k: v[:1000] for k, v in events("tag16").raw.items()}
    before = scores("tag16", raw)
    for name, step in (("phi", 32), ("eta", -32)):
        one = raw | {name: raw[name].copy()}
        one[name][:, 1] = wrapped(one[name][:, 1] + step)
        assert (scores("tag16", one) != before).mean() > 0.1
    other = moved(raw, 0, 0) | {k: wrapped(raw[k] + 600, 2048) for k in ("phi", "jet_phi")}
    assert (scores("tag16", other) != before).mean() > 0.05


def test_tag16_is_built_within_its_bounds(tmp_path: Path) -> None:
    """The whole path in hardware, front end included: estimate, clocks, and bits of RTL and of the C++."""
    project = eqhls.compile(FOLDER / "tag16", output=tmp_path / "tag16")
    manifest = project.manifest
    assert manifest["lut_estimate"] <= LUT and manifest["latency_cycles"] <= CYCLES
    with np.load(FOLDER / "tag16" / "events.npz") as file:
        words = {k: file[k][:BUILT] for k in file.files if k not in ("y", "expected")}
        labels, expected = file["y"][:BUILT], file["expected"][:BUILT]
    lsb = project.graph.results[0].type.formats[0].lsb
    for engine in ("integer", "rtl"):
        found = project.predict(words, engine=engine)
        assert np.array_equal(np.ravel(found) / lsb, expected)
    assert auc(expected, labels) >= 0.96
