"""The notebooks of the documents print what they keep, and their pictures are there."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from tools_needed import need_module

NAMES = ("own-lgn", "shipped-network")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"


def test_every_notebook_is_run() -> None:
    assert sorted(p.stem for p in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_prints_what_it_keeps(name: str) -> None:
    """In the folder where it lies, as Jupyter runs it; a cell that fails raises."""
    for module in ("nbclient", "ipykernel"):
        need_module(module, module)
    notebooks = importlib.import_module("notebooks")  # not above, because it needs both
    path = FOLDER / f"{name}.ipynb"
    kept = notebooks.shown(notebooks.read(path))
    assert len(kept) > 3 and kept == notebooks.shown(notebooks.executed(path))
