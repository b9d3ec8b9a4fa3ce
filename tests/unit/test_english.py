"""Pages and docstrings are in plain English: none of the patterns over which a native reader stumbles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import english
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    p.relative_to(ROOT).as_posix()
    for p in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "models").rglob("*.md"))
)
BLOCK = re.compile(r"^```.*?^```", re.S | re.M)
NEXT = re.compile(r"\n\s*\n|\n(?=\s*[-*|#])")
"""Where a paragraph, an item or a row of a table ends."""

BAD_AND_GOOD = {
    "there are 5 numbers an event": "there are 5 numbers per event",
    "one gate a bit": "one gate per bit",
    "x is no checkpoint": "there is no checkpoint",
    "values are none": "there are none",
    "which the model has not": "which the model has not been given",
    "on four vectors per jet": "on four four-vectors per jet",
    "jet where left out": "where the jet lies",
    "zero where there is none": "zero where x is negative",
    "Raises CompileError where x is wide": "raises CompileError if it is missing. Return where it is",
    "Return the port, or None where it has no name": "Return where the port is, or None",
    "a name means nothing": "a name means one thing",
    "Whose numbers": "which numbers",
    "a slip of the pen": "a typo",
    "held against Keras": "held in memory",
    "every op, be it exact or not": "it may be exact",
    "x in the place of y": "in place of y",
    "a line each": "a line for each of them",
    "it goes on where it was": "it goes on until the end",
    "that differ in case alone": "in that case only",
    "all else is refused": "or else it is refused",
    "refused, also if it fits": "It is also refused if it fits",
    "the exit status tells": "the exit status is 1",
}
"""A bad sentence for every pattern, and a good one beside it that is left alone."""
BAD_MESSAGES = {
    "--config goes with a checkpoint": "--config applies to a checkpoint",
    "found what x has": "what x has is",
}


def paragraphs(page: str) -> Iterator[str]:
    """Yield the prose of a page, a paragraph, an item or a row at a time, on one line."""
    for text in NEXT.split(BLOCK.sub("", page)):
        yield " ".join(text.split())


def docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings of a module, those of its constants and fields among them, each on one line."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield " ".join(node.value.value.split())


def found(texts: Iterator[str]) -> dict[str, list[str]]:
    """Return the texts over which a reader stumbles, with the cures."""
    return {text: cures for text in texts if (cures := english.stumbles(text))}


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_plain_english(page: str) -> None:
    assert found(paragraphs((ROOT / page).read_text())) == {}


def test_docstrings_are_plain_english() -> None:
    files = sorted((ROOT / "eqhls").rglob("*.py"))
    texts = {f: list(docstrings(f.read_text())) for f in files}
    assert sum(map(len, texts.values())) > 2_000, "the collector has lost its way"
    assert {f: bad for f, lines in texts.items() if (bad := found(iter(lines)))} == {}


@pytest.mark.parametrize("bad", BAD_AND_GOOD)
def test_what_a_reader_stumbles_over_is_seen(bad: str) -> None:
    assert len(english.stumbles(bad)) == 1
    assert english.stumbles(BAD_AND_GOOD[bad]) == []


@pytest.mark.parametrize("bad", BAD_MESSAGES)
def test_what_no_message_says_is_seen(bad: str) -> None:
    assert len(english.stumbles(bad, english.OF_MESSAGES)) == 1
    assert english.stumbles(BAD_MESSAGES[bad], english.OF_MESSAGES) == []


@pytest.mark.parametrize("patterns", [english.STUMBLES, english.OF_MESSAGES])
def test_every_pattern_is_tried(patterns: dict[str, str]) -> None:
    sentences = [*BAD_AND_GOOD, *BAD_MESSAGES]
    assert [p for p in patterns if not any(re.search(p, s) for s in sentences)] == []


def test_prose_is_read_across_lines_and_code_is_not() -> None:
    page = "Some text is\nno text.\n\n```sh\nthis is no text\n```\n\n| a | is none |\n"
    assert list(found(paragraphs(page))) == ["Some text is no text.", "| a | is none |"]
