"""The table of files while they are worked on: in a terminal it is alive, elsewhere a line for each file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

SHOWN = 30
"""Rows of the table that are shown at a time: what runs, and what has ended last."""


@dataclass(frozen=True, slots=True)
class Row:
    """One file: what is being done with it, its events, and seconds of one process."""

    state: str = "waiting"
    events: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> str:
        return f"{self.events / self.seconds:,.0f}" if self.events and self.seconds else ""


class FileTable:
    """A row for each file: file, events, events/s, state."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._rows = {f: Row() for f in files}
        self._ended: list[Path] = []
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._alive = self._console.is_terminal
        self._start = time.monotonic()

    def __enter__(self) -> FileTable:
        self._live = Live(self._table(), console=self._console, transient=True, auto_refresh=False)
        if self._alive:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._alive:
            self._live.stop()

    def running(self, files: frozenset[Path]) -> None:
        """Say which files are worked on now; one whose worker was lost waits again."""
        for file, row in self._rows.items():
            if row.state in ("waiting", "running"):
                self._rows[file] = replace(row, state="running" if file in files else "waiting")
        self._show()

    def ended(self, file: Path, row: Row) -> None:
        """Say how a file has ended."""
        self._rows[file] = row
        self._ended.append(file)
        if not self._alive:
            rate = f", {row.rate} events/s" if row.rate else ""
            print_line = (
                f"[{len(self._ended)}/{len(self._rows)}] {file}: {row.events:,} events{rate}, {row.state}"
            )
            self._console.print(print_line)
        self._show()

    @property
    def rows(self) -> dict[Path, Row]:
        return dict(self._rows)

    def total(self) -> str:
        """Return all rows in words."""
        states = [r.state.partition(":")[0] for r in self._rows.values()]
        counts = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(sorted(states)))
        events = sum(r.events for r in self._rows.values())
        return f"{len(states)} files ({counts}), {events:,} events, {time.monotonic() - self._start:.1f} s"

    def _show(self) -> None:
        if self._alive:
            self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        table = Table("file", "events", "events/s", "state", title=self.total())
        running = [f for f, r in self._rows.items() if r.state == "running"]
        for file in (*self._ended[-SHOWN:], *running)[-SHOWN:]:
            row = self._rows[file]
            table.add_row(str(file), f"{row.events:,}" if row.events else "", row.rate, row.state)
        return table
