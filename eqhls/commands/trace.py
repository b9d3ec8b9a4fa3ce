"""`eqhls trace`: every value of a project by name, in all engines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from eqhls.commands.shell import FolderArg, Steps, show
from eqhls.engines import TRACED, TracedEngine
from eqhls.errors import VerificationError
from eqhls.flow import open_project
from eqhls.trace.show import range_table, trace_lines, worst_table


def trace(
    folder: FolderArg,
    events: Annotated[Path | None, typer.Argument(help="EVENTS (default: the shipped vectors)")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="OUT.npz: all values")] = None,
    engine: Annotated[
        list[str] | None, typer.Option(help="float, integer, hls or rtl; may be repeated (default: all)")
    ] = None,
) -> None:
    """Show where the engines first differ, and how formats are used.

    Every value is shown by name in float64, integers, C++ and Verilog, the worst ops first.
    """
    asked = cast("tuple[TracedEngine, ...]", tuple(engine or TRACED))
    with Steps() as progress:
        found = open_project(folder).trace(events, asked, progress)
    if output is not None:
        found.save(output)
    written = f"written      {folder}/report: trace.json, trace.png"
    show(found.as_json(), range_table(found), worst_table(found), *trace_lines(found), written)
    if found.different:
        first = "; ".join(f"{e} at %{p.value}" for e, p in found.different.items())
        raise VerificationError(str(folder), f"engines differ: {first}", "the project must not be used")
