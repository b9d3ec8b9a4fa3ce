"""What all commands share: standard output, the display of progress, and common arguments."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TimeElapsedColumn
from rich.text import Text

from eqhls.columns import PIPED
from eqhls.errors import CompileError


class Output(Console):
    """Standard output, whose reader may leave at any time, as `head` does."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _width() -> int | None:
    """Return the width of a line if it is not a terminal that has one, and COLUMNS does not say it."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED


console = Output(width=_width(), highlight=False, markup=False, soft_wrap=True)

MODEL_HELP = "a model folder, a .eq, .keras, .onnx or checkpoint file"
ModelArg = Annotated[Path, typer.Argument(help=MODEL_HELP)]
ConfigArg = Annotated[Path | None, typer.Option(help="JSON with the arguments of a checkpoint")]
FolderArg = Annotated[Path, typer.Argument(help="a project folder that eqhls compiled")]
ScoreOption = Annotated[
    str,
    typer.Option(
        "--score", help="the output whose AUC is measured (default: the first); NAME,NAME,..: one per class"
    ),
]
EventsArg = Annotated[
    Path, typer.Argument(help="EVENTS.npz with p4 in GeV, jet, y; or a file of ROOT, Parquet, HDF5")
]


class Told:
    """What a command says beside its result: on standard error unless it is to be quiet, and in a log file
    if there is one, with the time of day."""

    def __init__(self) -> None:
        self.quiet = False
        self.json = False
        self.log: Path | None = None
        self.again = ""
        """How to go on after Ctrl-C, if a command knows better than what is said of all of its kind."""

    def __call__(self, line: str) -> None:
        """Say one line."""
        if not self.quiet:
            print(line, file=sys.stderr)
        self.note(line)

    def note(self, line: str) -> None:
        """Write one line into the log file alone."""
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}\n")

    def keep(self, log: Path | None) -> None:
        """Write messages into this file, too. Raises CompileError if it cannot be written."""
        self.log = log
        try:
            self.note(" ".join(["eqhls", *sys.argv[1:]]))
        except OSError as error:
            self.log = None
            raise CompileError(
                str(log), f"cannot be written ({error.strerror})", "name another file for --log"
            ) from None


told = Told()


def show(facts: Mapping[str, Any], *lines: Any) -> None:
    """Print the result of a command: lines and tables for people, or, with --json, `facts` as one object."""
    if told.json:
        print(json.dumps(facts, indent=1, default=str))
        return
    for line in lines:
        console.print(line)


JsonOption = Annotated[bool, typer.Option("--json", help="print the result as one JSON object")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="show the result alone, without progress and notes")
]
LogOption = Annotated[
    Path | None,
    typer.Option("--log", metavar="FILE", help="write progress, notes and errors into FILE as well"),
]


def with_common_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the options that all have: what it says beside its result, and where."""
    own = inspect.signature(command, eval_str=True)
    kinds = {"json": JsonOption, "quiet": QuietOption, "log": LogOption}
    defaults = {"json": False, "quiet": False, "log": None}

    def run(**given: Any) -> None:
        told.json, told.quiet = given.pop("json"), given.pop("quiet")
        told.keep(given.pop("log"))
        command(**given)

    more = [
        inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=defaults[n], annotation=kind)
        for n, kind in kinds.items()
    ]
    changed: Any = run
    changed.__doc__, changed.__name__ = command.__doc__, command.__name__
    changed.__signature__ = own.replace(parameters=[*own.parameters.values(), *more])
    changed.__annotations__ = {n: p.annotation for n, p in changed.__signature__.parameters.items()}
    return changed


class InStep(ProgressColumn):
    """How long the step that runs has been running."""

    def render(self, task: Task) -> Text:
        since = float(task.fields["since"])
        return Text(f"{timedelta(seconds=round((task.elapsed or 0.0) - since))} in this step")


class Steps:
    """A progress display: a line for each step, at once, with the time so far; in a terminal a bar below, and
    beside it how long the step has been running."""

    def __enter__(self) -> Steps:
        log = Console(stderr=True, highlight=False, markup=False, soft_wrap=True, quiet=told.quiet)
        columns = (BarColumn(20), TimeElapsedColumn(), InStep())
        self._bar = Progress(*columns, console=log, transient=True)
        self._task = self._bar.add_task("", total=1, since=0.0)
        self._bar.start()
        return self

    def __call__(self, text: str, share: float) -> None:
        """Name the step that begins and the share of the work that is done."""
        passed = self._bar.tasks[self._task].elapsed or 0.0
        self._bar.update(self._task, completed=share, since=passed)
        line = f"[{share:4.0%}] {timedelta(seconds=round(passed))} {text}"
        self._bar.console.print(line)
        told.note(line)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
