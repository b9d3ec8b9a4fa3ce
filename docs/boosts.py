"""Draw docs/boosts.png: what boosts and rotations do to models/lgn_top, as `eqhls verify` draws it.

    python docs/boosts.py [FILE]

The stage needs neither a compilation nor a simulation: the integers of the network are enough.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from eqhls.events.read import read_events
from eqhls.flow import read_model
from eqhls.passes import run
from eqhls.verify.approximate import boost_curve

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "models" / "lgn_top"


def draw(file: Path) -> None:
    """Write the picture, and print what the stage says."""
    graph = run(read_model(MODEL))
    with tempfile.TemporaryDirectory() as folder:
        stage = boost_curve(graph, read_events(MODEL / "events.npz", graph), Path(folder))
        shutil.copyfile(Path(folder) / "report" / "boosts.png", file)
    print(stage.detail)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "boosts.png")
