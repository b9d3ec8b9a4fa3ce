"""eqhls config: write a configuration as a starting point."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import ModelArg, show
from eqhls.flow import read_model
from eqhls.report.template import Granularity, template
from eqhls.text import write_file


def config_command(
    model: ModelArg,
    output: Annotated[Path, typer.Option("-o", "--output", help="the .yml file to write")],
    granularity: Annotated[
        Granularity, typer.Option("-g", "--granularity", help="what gets an entry of its own")
    ] = "name",
    config_checkpoint: Annotated[
        Path | None, typer.Option(help="JSON with the arguments of a checkpoint")
    ] = None,
) -> None:
    """Write a configuration file for MODEL as a starting point.

    It has every key with its default, and every value of the network by name.
    """
    write_file(output, template(read_model(model, config_checkpoint), granularity))
    show({"wrote": output}, f"wrote {output}")
