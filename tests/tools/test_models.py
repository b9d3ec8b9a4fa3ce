"""The other shipped models, all the way."""

from __future__ import annotations

from pathlib import Path

import pytest

import eqhls

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "luts", "stages"),
    [
        pytest.param("lgn_top", 25_600, 25, marks=pytest.mark.slow),
        ("lgn_top_lab", 22_200, 16),
        ("pelican_nano", 41_500, 17),
        pytest.param("pelican_top", 86_000, 27, marks=pytest.mark.slow),
    ],
)
def test_the_other_models_verify(name: str, luts: int, stages: int, tmp_path: Path) -> None:
    """Every stage, from four-momenta in GeV: two levels, the laboratory frame with O(3,1;Z), PELICAN."""
    project = eqhls.compile(ROOT / "models" / name, output=tmp_path / name)
    assert project.manifest["lut_estimate"] <= luts and project.manifest["latency_cycles"] - 1 <= stages
    assert project.manifest["stage_depth_ns"] <= 2.5
    evidence = project.verify(ROOT / "models" / name / "jets_p4.npz")
    assert evidence.ok, [s for s in evidence.stages if not s.ok]
