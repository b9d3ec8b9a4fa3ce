"""eqhls simulate: the cocotb bench of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import FolderArg, show
from eqhls.errors import VerificationError
from eqhls.flow import open_project


def simulate(
    folder: FolderArg,
    events: Annotated[
        Path | None, typer.Argument(help="events to run instead of the vectors in tb_data/")
    ] = None,
    waves: Annotated[str, typer.Option(help="write waveforms: vcd, or fst (needs lz4.h)")] = "",
) -> None:
    """Run the cocotb bench of a project on Verilator.

    The exit status is 1 if a test fails.
    """
    result = open_project(folder).simulate(events, waves)
    show(
        {"ok": result.ok, "events": result.events, "tests": {name: ok for name, ok, _ in result.tests}},
        *(f"{'pass' if ok else 'FAIL'}  {name}  {message}" for name, ok, message in result.tests),
        f"{result.events} events, {result.events_per_second:,.0f} events/s through cocotb",
    )
    if not result.ok:
        raise VerificationError(str(folder), "the bench found a mismatch", "see the JUnit XML in sim/")
