"""eqhls compile: a model to a project folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import MODEL_HELP, Steps, show
from eqhls.errors import CompileError
from eqhls.flow import compile_model
from eqhls.options import TopForm, parse_clock, read_options
from eqhls.report.tables import summary_lines


def compile_command(
    model: Annotated[
        Path | None, typer.Argument(help=f"{MODEL_HELP} (default: KerasModel of the configuration)")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the project folder to write (or OutputDir)")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with hls4ml's keys (docs/hls4ml.md)")] = None,
    part: Annotated[str | None, typer.Option(help="FPGA part")] = None,
    clock: Annotated[str | None, typer.Option(help="e.g. 360MHz or 2.777ns")] = None,
    calibrate: Annotated[Path | None, typer.Option(help="sample events that calibrate the formats")] = None,
    dsp: Annotated[int | None, typer.Option(help="how many products, the widest first, get a DSP")] = None,
    hls_top: Annotated[
        TopForm | None, typer.Option(help="the HLS top that the scripts name (docs/hls-top.md)")
    ] = None,
    token_bits: Annotated[
        int | None, typer.Option(help="width of a control token in typed HLS tops; 0 for none")
    ] = None,
) -> None:
    """Compile MODEL to an HLS and RTL project in one folder.

    It is written whole or not at all, and holds what `eqhls verify` needs for the proof.
    """
    period = parse_clock(clock) if clock is not None else None
    wishes = {"Part": part, "ClockPeriod": period, "DSP": dsp, "HLSTop": hls_top, "TokenBits": token_bits}
    options = read_options(config, **wishes)
    if model is None and not options.KerasModel:
        raise CompileError("MODEL", "is not given", "name a model, or KerasModel in the configuration")
    with Steps() as progress:
        project = compile_model(model or options.KerasModel, calibrate, output, options, progress)
    facts = {"project": project.folder, "manifest": project.manifest}
    show(facts, *summary_lines(project.manifest), f"project      {project.folder}")
