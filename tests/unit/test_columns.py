"""Tables of the command line: what may be broken, and where, at any width."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from eqhls.columns import PIPED, table

ROOT = Path(__file__).resolve().parents[2]
TYPE = "V.lc[i:2, j:16]:ufix<10,11>|fix<9,8>|fix<9,8>"


def printed(width: int) -> list[list[str]]:
    """Return the rows of a table, each as the words that stand in it."""
    texts = {
        "value": ["a_name_that_is_long", "p"],
        "reads": ["first, second", ""],
        "type": [TYPE, "S[]:fix<4,4>"],
    }
    console = Console(width=width, file=StringIO(), record=True, soft_wrap=True)
    console.print(table("values", texts, {"products": ["12,345", ""]}))
    return [line.split() for line in console.export_text().splitlines()[3:]]


def test_a_type_is_broken_behind_bars_and_before_its_formats() -> None:
    """In any width the same words stand there; a narrow table breaks lists, never a name or a format."""
    whole, *_ = printed(120)
    assert whole == ["a_name_that_is_long", "first,", "second", *TYPE.split(), "12,345"]
    narrow = printed(50)
    assert narrow[0] == ["a_name_that_is_long", "first,", "V.lc[i:2,", "j:16]:", "12,345"]
    assert narrow[1:4] == [["second", "ufix<10,11>|"], ["fix<9,8>|"], ["fix<9,8>"]]
    assert narrow[4:] == [["p", "S[]:fix<4,4>"]]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        table("values", {"value": ["p"]}, {"products": []})


def test_a_table_in_a_pipe_is_as_wide_as_it_wants() -> None:
    """What another program reads is not broken at 80 characters, if COLUMNS does not ask for it."""
    script = "from eqhls.commands.shell import console; print(console.width)"
    for given, width in (({}, PIPED), ({"COLUMNS": "70"}, 70)):
        environment = {"PATH": "", "PYTHONPATH": str(ROOT), **given}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert int(done.stdout) == width
