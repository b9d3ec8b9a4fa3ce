"""Words of the trigger through every engine, the search for formats and the proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import words_network

from eqhls.events.layouts import LAYOUTS, pack
from eqhls.events.words import CONSTITUENT, massless
from eqhls.flow import Compiled, compile_model, events_of
from eqhls.tune import quantize_model


def words(rng: np.random.Generator, events: int = 200, n: int = 6) -> dict[str, np.ndarray]:
    """PUPPI words of falling pt in a cone, empty ones at the end, and labels that depend on them."""
    pt = -np.sort(-rng.integers(1, 400, (events, n))) * (np.arange(n) < rng.integers(2, n + 1, (events, 1)))
    eta, phi = (c + rng.integers(-150, 151, (events, n)) for c in rng.integers(-700, 700, (2, events, 1)))
    one = dict(zip(CONSTITUENT, (pt, eta * (pt > 0), ((phi + 720) % 1440 - 720) * (pt > 0)), strict=True))
    total = massless(one).sum(axis=1)
    heavy = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
    return {"puppi": pack(LAYOUTS["l1ct"], one), "y": (heavy > np.median(heavy)).astype(int)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder = tmp_path_factory.mktemp("words") / "project"
    return compile_model(words_network(), output=folder)


def test_every_engine_reads_puppi_words(project: Compiled, rng: np.random.Generator) -> None:
    given: dict[str, Any] = words(rng)
    want = words_network().evaluate(events_of(given, project.graph).raw)["score"]
    for engine in ("integer", "hls", "rtl"):
        found = project.prediction(given["puppi"], engine)
        np.testing.assert_array_equal(found.raw, want.reshape(len(want), 1), engine)
        assert any("jet is missing" in note for note in found.notes)


def test_a_search_keeps_the_words(tmp_path: Path, rng: np.random.Generator) -> None:
    """It reads words with labels, and leaves their formats alone."""
    np.savez(tmp_path / "events.npz", **words(rng))
    found = quantize_model(words_network(), tmp_path / "events.npz", tmp_path / "out", auc_loss=0.05)
    config = (tmp_path / "out" / "config.yml").read_text()
    assert found.measured > 1 and not any(f"{name}:" in config for name in CONSTITUENT)
