"""Every command that a page shows is one that there is: with these options and this many arguments."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import cast

import pytest
import typer

from eqhls.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    p.relative_to(ROOT)
    for p in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "models").rglob("*.md"))
    if p.name != "CHANGELOG.md"
)
ENTRIES = {entry.name: entry for entry in COMMANDS}
UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""That of the click which typer ships, under another name than that of click."""
PARTS = {"BadParameter", "MissingParameter", "BadOptionUsage"}
"""Errors that a command in the middle of a sentence may raise, because it is not complete."""
_FENCED = re.compile(r"^```(?:sh|bash)\n(.*?)^```$", re.M | re.S)
_INDENTED = re.compile(r"^    (\S.*)$", re.M)
_INLINE = re.compile(r"`(eqhls [a-z][^`]*)`")
_SPLIT = re.compile(r"\s*(?:\|\|?(?= )|&&|;)\s*")
"""What ends a command in a shell; the bar of alternatives has no space behind it."""


def shown(text: str) -> list[str]:
    """Return the commands of eqhls in the blocks of code of a page."""
    lines = [line for block in _FENCED.findall(text) for line in block.splitlines()]
    lines += _INDENTED.findall(_FENCED.sub("", text))
    parts = [part for line in lines for part in _SPLIT.split(re.sub(r"\s+# .*", "", line))]
    found = [re.sub(r"^(?:time|(?:\w+=\S+)) ", "", part) for part in parts]
    return [part for part in found if re.match(r"eqhls [a-z-]", part)]


def words_of(command: str) -> list[str]:
    """Return the words of a command as if all that is optional were given, and the first of alternatives."""
    text = re.sub(r"\.\.(?=\s|$)|\s\d?>\s?\S+", " ", re.sub(r"[\[\]]", " ", command))
    return [re.sub(r"(\w)\|.*", r"\1", word) for word in shlex.split(text)]


def check(command: str, *, whole: bool = True) -> None:
    """Raise UsageError unless eqhls takes the command, whose values may be names of things. One that is not
    `whole`, in the middle of a sentence, may lack arguments and the values of its options."""
    _, name, *rest = words_of(command)
    if name.startswith("-"):
        assert name in ("--version", "--help", "--install-completion", "--show-completion"), command
        return
    assert name in ENTRIES, f"there is no command {name}: {command}"
    try:
        ENTRIES[name].load().make_context(name, rest)
    except UsageError as error:
        if type(error).__name__ not in ({"BadParameter"} if whole else PARTS):
            raise


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_its_commands_are_taken(page: Path) -> None:
    text = (ROOT / page).read_text()
    for command in shown(text):
        check(command)
    for command in _INLINE.findall(text):
        check(command, whole=False)


def test_what_is_made_is_a_target() -> None:
    """`make NAME` in the blocks and sentences of all pages; the benches of projects have two of their own."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)) | {"icarus", "verilator"}
    for page in PAGES:
        named = re.findall(r"(?:`|^    )make ([a-z-]+)", (ROOT / page).read_text(), re.M)
        assert set(named) <= targets, page
    assert "bench" in targets and "benches" not in targets


def test_most_commands_stand_on_a_page() -> None:
    """The negative control of what is found, and of what is refused."""
    named = {words_of(c)[1] for page in PAGES for c in shown((ROOT / page).read_text())}
    assert set(ENTRIES) <= named, "docs/commands.md shows each"
    check("eqhls verify DIR [EVENTS.npz] --from STAGE")
    for wrong in ("eqhls verify DIR --form STAGE", "eqhls trace", "eqhls predict DIR E.npz --engine"):
        with pytest.raises(UsageError):
            check(wrong)
    with pytest.raises(AssertionError, match="no command"):
        check("eqhls prove DIR")
