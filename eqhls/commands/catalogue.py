"""eqhls catalogue: the pages that are written from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import show
from eqhls.report.catalogue import catalogue, operators
from eqhls.text import write_file


def catalogue_command(
    output: Annotated[Path, typer.Option("-o", "--output")] = Path("docs/ops.md"),
    onnx: Annotated[bool, typer.Option("--onnx", help="the page of ONNX operators")] = False,
) -> None:
    """Write the pages that are made from the code."""
    write_file(output, operators() if onnx else catalogue())
    show({"wrote": output}, f"wrote {output}")
