"""What all commands share: standard output, the display of progress, and arguments that mean one thing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TimeElapsedColumn


class Output(Console):
    """Standard output, whose reader may leave at any time, as `head` does."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


console = Output(highlight=False, markup=False, soft_wrap=True)

ModelArg = Annotated[Path, typer.Argument(help="a model folder, a .eq, .keras, .onnx or checkpoint file")]
ConfigArg = Annotated[Path | None, typer.Option(help="JSON with the arguments of a checkpoint")]
FolderArg = Annotated[Path, typer.Argument(help="a project folder that eqhls compiled")]
ScoreOption = Annotated[
    str,
    typer.Option(
        "--score", help="the output whose AUC is measured, the first if omitted; or NAME,NAME,.. by class"
    ),
]
EventsArg = Annotated[
    Path, typer.Argument(help="EVENTS.npz with p4 in GeV, jet, y; or a file of ROOT, Parquet, HDF5")
]


class Steps:
    """A progress display: a line for each step, at once, with the time so far; in a terminal a bar below."""

    def __enter__(self) -> Steps:
        log = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._bar = Progress(BarColumn(20), TimeElapsedColumn(), console=log, transient=True)
        self._task = self._bar.add_task("", total=1)
        self._bar.start()
        return self

    def __call__(self, text: str, share: float) -> None:
        """Name the step that begins and the share of the work that is done."""
        self._bar.update(self._task, completed=share)
        elapsed = timedelta(seconds=round(self._bar.tasks[self._task].elapsed or 0))
        self._bar.console.print(f"[{share:4.0%}] {elapsed} {text}")

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
