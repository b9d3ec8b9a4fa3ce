"""docs/layers.md is what `python docs/layers.py` writes."""

from __future__ import annotations

import re
import runpy
import warnings
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from eqhls.frontends.scalars.handlers import CALLS, CURES, HANDLERS
    from eqhls.frontends.scalars.operations import OPERATIONS

pytestmark = pytest.mark.filterwarnings("ignore")
DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "layers.md").read_text()
KERAS = {
    cells[0].strip(" `"): cells[1].strip()
    for line in PAGE.splitlines()
    if line.startswith("| `") and len(cells := line.strip("|").split("|")) == 4
}
CALLED = {"GroupedQueryAttention": "GroupQueryAttention"}
"""Classes that keras.layers has under another name."""
SOME = (
    "Activation",
    "Dot",
    "EinsumDense",
    "GlobalMaxPooling1D",
    "LSTM",
    "Lambda",
    "Softmax",
    "TimeDistributed",
)


@pytest.fixture(scope="module")
def tried() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "layers.py"))


@pytest.mark.parametrize("name", SOME)
def test_a_row_is_what_is_tried(name: str, tried: dict[str, Any]) -> None:
    assert KERAS[name] == tried["keras_layer"](name)


def test_the_page_has_every_reader_and_every_cure() -> None:
    read = {c.__name__ for c in (*HANDLERS, *CALLS) if c.__module__.startswith("keras.")}
    assert read == {name for name, cell in KERAS.items() if not cell.startswith(("refused", "not built"))}
    own = {n for n, cell in KERAS.items() if cell.startswith("refused:")}
    assert own == {CALLED.get(n, n) for n in CURES} - {"RNN", "Discretization"}
    listed = PAGE[PAGE.index("## Operations") : PAGE.index("are wires")].split("\n\n")[1]
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(OPERATIONS)


@pytest.mark.slow
def test_the_page_is_current(tried: dict[str, Any]) -> None:
    assert tried["page"]() == PAGE, "run python docs/layers.py"
