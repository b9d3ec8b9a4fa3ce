"""Tables in a terminal, in which names, formats and numbers stay whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

PIPED = 200
"""Characters of a line if nobody says how many there are: in a file, and in the input of another program."""
_BREAKS = re.compile(r"(?<=\|)|(?<=\]:)|(?<=, )(?!\w+:)")


class Breakable:
    """A list of names, or a type such as V[j:16]:ufix<10,11>|fix<9,8>: it is broken behind a comma, a bar and
    the colon before its formats, and nowhere else."""

    def __init__(self, text: str) -> None:
        self.text, self.parts = text, _BREAKS.split(text)
        self.narrowest = max(len(part.rstrip()) for part in self.parts)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.narrowest, len(self.text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = ""
        for part in self.parts:
            if line and len((line + part).rstrip()) > options.max_width:
                yield Text(line.rstrip())
                line = ""
            line += part
        yield Text(line.rstrip())


def table(title: str, texts: Mapping[str, Sequence[str]], numbers: Mapping[str, Iterable[str]]) -> Table:
    """Return a table of columns of equal length: those of text, of which the first holds names that are never
    broken, and those of numbers on the right. Without vertical lines, most fit 80 characters; one that does
    not is wider than the terminal, for no number is cut."""
    look: Any = {"box": box.SIMPLE_HEAD, "show_edge": False, "pad_edge": False, "padding": (0, 1, 0, 0)}
    made = Table(title=title, title_justify="left", **look)
    cells = {name: [Breakable(text) for text in held] for name, held in texts.items()}
    counts = {name: list(held) for name, held in numbers.items()}
    for k, (name, held) in enumerate(cells.items()):
        width = max((cell.narrowest for cell in held), default=0)
        made.add_column(name, no_wrap=k == 0, min_width=max(width, len(name)))
    for name, held in counts.items():
        made.add_column(name, justify="right", min_width=max(map(len, held), default=0))
    for row in zip(*cells.values(), *counts.values(), strict=True):
        made.add_row(*row)
    return made
