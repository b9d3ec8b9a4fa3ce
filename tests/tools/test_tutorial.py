"""The pages that lead from jets to a payload, to a board and to several cores, from top to bottom in a shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import follow
from portbenches import verilated
from tools_needed import need

SHORT_AND_WHOLE = pytest.mark.parametrize(
    "long", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["short", "whole"]
)


@SHORT_AND_WHOLE
def test_from_jets_to_a_payload(tmp_path: Path, long: bool) -> None:
    """docs/tutorial.md, which ends in a payload that gives every bit; `verify` takes minutes."""
    need("iverilog")
    assert follow("tutorial.md", tmp_path, long=long, trained=True) == 8 + long


def test_on_a_board_of_ones_own(tmp_path: Path) -> None:
    """docs/own-board.md: part and clock, AXI4-Stream with pauses, a link of 32 bits."""
    need("iverilog")
    assert follow("own-board.md", tmp_path) == 4


@SHORT_AND_WHOLE
def test_several_cores_in_one_design(tmp_path: Path, long: bool) -> None:
    """docs/two-cores.md in Icarus and in a C++ program, and its bench in Verilator."""
    need("iverilog")
    assert follow("two-cores.md", tmp_path) == 5
    if long:
        files = [*(tmp_path / "three.f").read_text().split(), "three.sv"]
        said = verilated(tmp_path, ["--timing", *files], "three")
        assert said.count(": 500 results, 0 wrong\n") == 3, said


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    """docs/own-network.md: layers in Keras, and ops by hand."""
    assert follow("own-network.md", tmp_path) == 2


def test_what_a_page_says_is_held_against_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a word, and a number where numbers count."""
    monkeypatch.setattr("pages.ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    for shown, trained, right in (
        ("AUC  0.97\n", True, True),
        ("AUC  0.97\n", False, False),
        ("AUC 12,000.5\n", True, True),
        ("auc 0.96\n", True, False),
        ("AUC 0.96\n", False, True),
    ):
        (tmp_path / "docs" / "x.md").write_text(f"```sh\necho AUC 0.96\n```\n```text\n{shown}```\n")
        place = tmp_path / f"{shown}{trained}".replace("\n", "")
        place.mkdir()
        if right:
            assert follow("x.md", place, trained=trained) == 1
            continue
        with pytest.raises(AssertionError, match="and the commands print"):
            follow("x.md", place, trained=trained)
