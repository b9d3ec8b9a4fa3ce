"""The command line: names of commands, and what becomes of errors: one line, and an exit status.

A command's module is imported when the command runs, so that `eqhls --help` waits for none of them.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from eqhls.commands.shell import told, with_common_options
from eqhls.errors import CompileError, VerificationError
from eqhls.lazy import submodule
from eqhls.version import VERSION

FIRMWARE, PROOF, MODELS, EVENTS = "From a model to firmware", "Proof", "Models", "Events"
SHIPPING, MAINTAINERS = "Into a design", "For maintainers"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: the function, in eqhls/commands, that it calls, the first sentence of its help, an example,
    and the panel in which the list of commands shows it."""

    name: str
    function: str
    summary: str
    example: str
    panel: str

    def load(self) -> Any:
        """Import the command."""
        module, function = self.function.split(":")
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        found = getattr(submodule(f"eqhls.commands.{module}", "eqhls", "install eqhls again"), function)
        single.command(self.name, epilog=f"Example: {self.example}")(with_common_options(found))
        return typer.main.get_command(single)


COMMANDS = (
    Entry(
        "compile",
        "compile:compile_command",
        "Compile MODEL to an HLS and RTL project in one folder.",
        "eqhls compile models/tag16 -o build/tag16 --clock 360MHz",
        FIRMWARE,
    ),
    Entry(
        "config",
        "config:config_command",
        "Write a configuration file for MODEL as a starting point.",
        "eqhls config models/lgn_top -o config.yml",
        FIRMWARE,
    ),
    Entry(
        "build",
        "build:build",
        "Run Vitis or Vivado HLS on a project, and print its report.",
        "eqhls build build/tag16",
        FIRMWARE,
    ),
    Entry(
        "synth",
        "build:synth",
        "Count LUT, FF and DSP of a project with Yosys.",
        "eqhls synth build/tag16",
        FIRMWARE,
    ),
    Entry(
        "verify",
        "verify:verify",
        "Prove a project: every bit, and every exact symmetry.",
        "eqhls verify build/tag16 models/tag16/events.npz",
        PROOF,
    ),
    Entry(
        "simulate",
        "simulate:simulate",
        "Run the cocotb bench of a project on Verilator.",
        "eqhls simulate build/tag16 --waves vcd",
        PROOF,
    ),
    Entry(
        "trace",
        "trace:trace",
        "Show where the engines first differ, and how formats are used.",
        "eqhls trace build/tag16 models/tag16/events.npz",
        PROOF,
    ),
    Entry(
        "report",
        "report:report",
        "Write the page of a project, or compare several.",
        "eqhls report build/tag16 build/lgn_top --format md",
        PROOF,
    ),
    Entry(
        "package",
        "package:package_command",
        "Write what a tool or a framework needs to take the IP.",
        "eqhls package build/tag16 --for emp --links 4 --tmux 6",
        SHIPPING,
    ),
    Entry(
        "patterns",
        "patterns:patterns",
        "Write EMPv2 pattern files, or check one that a board wrote.",
        "eqhls patterns build/tag16 -o in.txt --frames 1024",
        SHIPPING,
    ),
    Entry(
        "info",
        "info:info",
        "Show the ops and types of a model, and what it would cost.",
        "eqhls info models/lgn_top",
        MODELS,
    ),
    Entry(
        "train",
        "train:train_command",
        "Train a network, float first and then quantized.",
        "eqhls train lgn --data jets.root:Jets --constituents 10 -o my_lgn",
        MODELS,
    ),
    Entry(
        "quantize",
        "quantize:quantize_command",
        "Search the cheapest formats of MODEL.",
        "eqhls quantize net.keras --events jets.npz -o quantized --auc-loss 0.001",
        MODELS,
    ),
    Entry(
        "export",
        "export:export",
        "Write MODEL as an ONNX file that onnxruntime runs.",
        "eqhls export models/lgn_top -o lgn_top.onnx",
        MODELS,
    ),
    Entry(
        "events",
        "events:events_command",
        "Convert a file of ROOT, Parquet or HDF5 to events.",
        "eqhls events jets.root -o events.npz --constituents 16",
        EVENTS,
    ),
    Entry(
        "predict",
        "predict:predict",
        "Score events with one engine.",
        "eqhls predict build/tag16 models/tag16/events.npz -o scores.npz --engine rtl",
        EVENTS,
    ),
    Entry(
        "catalogue",
        "catalogue:catalogue_command",
        "Write the pages that are made from the code.",
        "eqhls catalogue -o docs/ops.md",
        MAINTAINERS,
    ),
)


class Later(TyperCommand):
    """Stands for a command until it is called: the list of commands needs its name and a sentence alone."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, help=entry.summary, rich_help_panel=entry.panel)
        self.entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself, which is imported now."""
        return self.entry.load().make_context(info_name, args, parent=parent, **extra)


class Commands(TyperGroup):
    """The group of all commands, in their order."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: dict[str, Any] = {e.name: Later(e) for e in COMMANDS}


app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version and stop")] = False,
) -> None:
    """Compile trained equivariant networks to verified trigger firmware."""
    if version:
        typer.echo(f"eqhls {VERSION}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


NOTHING = "nothing was written: run the same command again"
AGAIN = {
    "compile": NOTHING,
    "build": "the synthesis tool begins anew: run the same command again",
    "synth": NOTHING,
    "verify": "what was built is kept: run the same command again",
    "simulate": "what was built is kept: run the same command again",
    "trace": "what was built is kept: run the same command again",
    "report": NOTHING,
    "package": NOTHING,
    "patterns": "a file that was written is whole: run the same command again",
    "train": "the same command goes on behind the last whole epoch",
    "quantize": NOTHING,
    "export": NOTHING,
    "predict": "of many files those that are done are kept: the same command goes on with the others",
    "events": NOTHING,
}
"""How to go on after Ctrl-C."""
INTERRUPTED, TERMINATED, UNREAD = 130, 143, 141
"""Exit statuses: 128 and the number of the signal that a shell would name."""
SYSTEM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)
"""What the system may refuse whatever the program does: one line, like any other bad input."""


def main() -> None:
    """Run the command line; user errors become one line and exit status 2, failed proofs 1, Ctrl-C 130."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _stop)
    try:
        status = _status()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = UNREAD
    sys.exit(status)


def _stop(number: int, frame: object) -> None:
    """End as on Ctrl-C, so that nothing half written and no child stays."""
    sys.exit(128 + number)


def _status() -> int:
    try:
        status = app(standalone_mode=False) or 0
        return _said(_interrupted(), INTERRUPTED) if status == INTERRUPTED else status
    except VerificationError as error:
        return _said(str(error), 1)
    except CompileError as error:
        return _said(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _said(_interrupted(), INTERRUPTED)
    except OSError as error:
        if error.errno not in SYSTEM:
            raise
        return _said(f"{error.filename or 'disk'}: {error.strerror}; free space or choose another place", 2)
    except Exception as error:
        if not type(error).__module__.startswith(("click", "typer")):
            raise
        return _said(error.format_message() if hasattr(error, "format_message") else str(error), 2)  # pyright: ignore


def _interrupted() -> str:
    """Say that the user has stopped the command, and how to go on."""
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    again = told.again or AGAIN.get(command, "")
    return f"interrupted; {again}" if again else "interrupted"


def _said(line: str, status: int) -> int:
    print(f"eqhls: {line}", file=sys.stderr)
    told.note(line)
    return status


if __name__ == "__main__":
    main()
