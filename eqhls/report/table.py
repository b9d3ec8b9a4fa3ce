"""Tables of a report as values, whatever format they are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eqhls.report.drawing import Figure


@dataclass(frozen=True, slots=True)
class Mark:
    """A text that says whether something holds: the template gives it a sign and a colour."""

    text: str
    ok: bool

    def __str__(self) -> str:
        return self.text


Entry = str | Mark | tuple[Mark, ...]
"""A cell: a text, or marks, each on a line of its own."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: what it shows, the names of its columns, its rows, and how many columns at the left are text;
    the others are numbers. `folded` tables are shown when the reader asks for them. If there are `names`,
    they are the identifiers of the rows, and `links` those of the parts of the page that the first columns of
    the rows lead to."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    texts: int = 1
    folded: bool = False
    names: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: its identifier and title, sentences, pictures, and tables."""

    name: str
    title: str
    lines: tuple[Entry, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()


def pairs(caption: str, values: Mapping[str, Any], folded: bool = False) -> Table:
    """Return a table of two columns of texts."""
    rows = tuple((k, v if isinstance(v, Mark) else str(v)) for k, v in values.items())
    return Table(caption, ("", ""), rows, 2, folded)
