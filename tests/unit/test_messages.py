"""What eqhls says: every error names a cure, in plain English, and no sentence changes unseen."""

from __future__ import annotations

import re

import english
import messages
import pytest
from messages import Message

COMPOSED = re.compile(r"\{\*\w")
"""Errors whose problem and remedy come together from a function."""


@pytest.mark.parametrize("name", ["messages", "help"])
def test_sentences_are_the_reviewed_ones(name: str) -> None:
    """`python tests/messages.py` writes both files; read the difference before it is committed."""
    kept, text = {
        "messages": (messages.MESSAGES, messages.messages_text),
        "help": (messages.HELP, messages.help_text),
    }[name]
    assert kept.read_text() == text(), "run python tests/messages.py, and read what has changed"


def test_every_error_says_what_to_do() -> None:
    found = messages.messages()
    assert len(found) > 500, "the collector has lost its way"
    silent = [f"{m.file}: {m}" for m in found if not m.remedy and not COMPOSED.search(m.problem)]
    assert not silent


def test_errors_are_plain_english() -> None:
    every = english.STUMBLES | english.OF_MESSAGES
    found = [(str(m), english.stumbles(f"{m.problem}; {m.remedy}", every)) for m in messages.messages()]
    assert not [f for f in found if f[1]]
    assert not english.stumbles(" ".join(messages.HELP.read_text().split()), every)


def test_the_collector_reads_sources() -> None:
    """An error with a text of its own, one of an op, and one of alternatives."""
    found = {m.problem for m in messages.messages()}
    assert "is not a project folder (no {MANIFEST})" in found
    assert "has no format of its own" in found
    assert "[has no value for output %{lost[0]} | has no output]" in found
    assert str(Message("f", "port", "is wide", "narrow it")) == "port: is wide; narrow it"
