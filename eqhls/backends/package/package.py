"""A package: what one tool or one framework needs to take the IP, and how it is connected there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eqhls.errors import CompileError
from eqhls.lower.plan import Plan
from eqhls.text import Project

LINK_BITS = 64
"""The bits of a word of an optical link, as EMP and the trigger's objects have them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the design around the IP says: how many input links of 64 bits bring one event, over how many
    clocks (the time multiplexing of the trigger), and how wide a token of control bits travels beside it. The
    `version` is the number in the names of what is loaded by name, as emulators are.

    Raises CompileError for numbers that no design has.
    """

    links: int = 4
    tmux: int = 1
    token: int = 0
    version: int = 1

    def __post_init__(self) -> None:
        for name, least in (("links", 1), ("tmux", 1), ("token", 0), ("version", 1)):
            value = getattr(self, name)
            if value < least:
                raise CompileError(name, f"found {value}, expected {least} or more", "give a larger number")


@dataclass(frozen=True, slots=True)
class Package:
    """`eqhls package DIR --for NAME`: `write` returns the files, with paths below the project folder
    (ip/NAME/...), and `connect` the lines that tell on one screen how to connect them."""

    name: str
    summary: str
    write: Callable[[Plan, Settings], Project]
    connect: Callable[[Plan, Settings], str]
