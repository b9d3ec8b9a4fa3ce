"""The other shipped models: what they cost, and all the way."""

from __future__ import annotations

from pathlib import Path

import pytest

import eqhls

ROOT = Path(__file__).resolve().parents[2]
COSTS = {
    "lgn_top": (25_600, 25),
    "lgn_top_lab": (22_200, 16),
    "pelican_nano": (41_500, 17),
    "pelican_top": (86_000, 27),
}
"""LUT by alkaid's estimate, and stages."""


@pytest.mark.parametrize(
    "name", [n if n != "pelican_top" else pytest.param(n, marks=pytest.mark.slow) for n in COSTS]
)
def test_the_other_models_keep_within_their_bounds(name: str, tmp_path: Path) -> None:
    luts, stages = COSTS[name]
    manifest = eqhls.compile(ROOT / "models" / name, output=tmp_path / name).manifest
    assert manifest["lut_estimate"] <= luts and manifest["latency_cycles"] - 1 <= stages
    assert manifest["stage_depth_ns"] <= 2.5


@pytest.mark.parametrize(
    "name", [n if n == "lgn_top_lab" else pytest.param(n, marks=pytest.mark.slow) for n in COSTS]
)
def test_the_other_models_verify(name: str, tmp_path: Path) -> None:
    """Every stage, from four-momenta in GeV: two levels, the laboratory frame with O(3,1;Z), PELICAN."""
    project = eqhls.compile(ROOT / "models" / name, output=tmp_path / name)
    evidence = project.verify(ROOT / "models" / name / "jets_p4.npz")
    assert evidence.ok, [s for s in evidence.stages if not s.ok]
