"""The command line: arguments -> compile; one line a mistake, exit status 2."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from eqhls.backends.hls.build import build_project
from eqhls.commands.config import config_command
from eqhls.commands.events import events_command
from eqhls.commands.many import (
    FilesArg,
    OptionalFilesArg,
    SchedulerOption,
    WorkersOption,
    are_many,
    complain,
    events_drawn,
    pool_of,
    predict_files,
    verify_files,
)
from eqhls.commands.shell import MODEL_HELP, ConfigArg, FolderArg, ModelArg, ScoreOption, Steps, console
from eqhls.commands.trace import trace
from eqhls.commands.train import train_command
from eqhls.compile import Compiled, compile_model, open_project, predict_float, read_model
from eqhls.engines import Engine
from eqhls.errors import CompileError, VerificationError
from eqhls.events.read import read_events
from eqhls.events.scores import save_predictions
from eqhls.frontends.open import load_any
from eqhls.lazy import lazy
from eqhls.many.tasks import Failed
from eqhls.options import parse_clock, read_options
from eqhls.report.catalogue import catalogue, operators
from eqhls.report.html import write_report
from eqhls.report.tables import cost_lines, evidence_table, model_table, summary_lines
from eqhls.text import write_file
from eqhls.tune import quantize_model
from eqhls.verify.synth import synthesize
from eqhls.version import VERSION

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


onnx = lazy("eqhls.backends.onnx.write", "ONNX", "pip install 'eqhls[onnx]'")


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version and stop")] = False,
) -> None:
    """Compile trained Lorentz-equivariant networks to verified trigger firmware."""
    if version:
        console.print(f"eqhls {VERSION}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        console.print(context.get_help())
        raise typer.Exit(2)


@app.command("compile")
def compile_command(
    model: Annotated[
        Path | None, typer.Argument(help=f"{MODEL_HELP}; KerasModel of the configuration if left out")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the project folder to write (or OutputDir)")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with hls4ml's keys (docs/hls4ml.md)")] = None,
    part: Annotated[str | None, typer.Option(help="FPGA part")] = None,
    clock: Annotated[str | None, typer.Option(help="e.g. 360MHz or 2.777ns")] = None,
    calibrate: Annotated[Path | None, typer.Option(help="sample events that calibrate the formats")] = None,
    dsp: Annotated[int | None, typer.Option(help="how many products, the widest first, get a DSP")] = None,
) -> None:
    """Compile MODEL to an HLS project and to RTL in one folder."""
    period = parse_clock(clock) if clock is not None else None
    options = read_options(config, Part=part, ClockPeriod=period, DSP=dsp)
    if model is None and not options.KerasModel:
        raise CompileError("MODEL", "is not given", "name a model, or KerasModel in the configuration")
    with Steps() as progress:
        project = compile_model(model or options.KerasModel, calibrate, output, options, progress)
    for line in (*summary_lines(project.manifest), f"project      {project.folder}"):
        console.print(line)


app.command("config")(config_command)


@app.command("quantize")
def quantize_command(
    model: ModelArg,
    events: Annotated[
        list[Path],
        typer.Option(help="EVENTS.npz with labels y; several times, or a pattern in quotes, for many files"),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="the folder to write")],
    auc_loss: Annotated[
        float, typer.Option(help="the largest loss of AUC against the float network")
    ] = 0.002,
    equivariance: Annotated[
        float,
        typer.Option(
            help="the largest mean change of the output under transformations, divided by its spread"
        ),
    ] = 1e-3,
    cost: Annotated[
        Literal["gates", "lut"],
        typer.Option(help="the cost: gates (quick), or lut (the estimate of the netlist)"),
    ] = "gates",
    seed: Annotated[int, typer.Option(help="the seed with which events are drawn")] = 1,
    score: ScoreOption = "",
) -> None:
    """Search the cheapest formats of MODEL under bounds on AUC and on equivariance."""
    with Steps() as progress:
        sample = events_drawn(model, events, seed)
        found = quantize_model(model, sample, output, auc_loss, equivariance, cost, seed, progress, score)
    merit, held = found.choice.merit, found.choice.held_out
    assert held is not None
    for line in (
        f"measured     {found.measured} choices of formats",
        f"cost         {merit.cost} {found.unit}, {found.lut_estimate} LUT by the netlist's estimate "
        f"and {found.srl_luts} in shift registers",
        f"AUC loss     {held.auc_loss:.5f} +- {found.loss_error:.5f} on events that the search did not see "
        f"(at most {auc_loss:g}), {merit.auc_loss:.5f} on those that it did",
        f"equivariance {held.equivariance:.2e} (at most {equivariance:g})",
        f"written      {found.folder}: config.yml, model, pareto.csv, pareto.png",
    ):
        console.print(line)


app.command("events")(events_command)


@app.command()
def predict(
    source: Annotated[Path, typer.Argument(help="a project folder, or a model (float engine only)")],
    events: FilesArg,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="OUT.npz: scores, raw, format (of several outputs: scores_NAME, ..); a folder if many",
        ),
    ],
    engine: Annotated[Engine, typer.Option(help="whose numbers")] = "integer",
    config: ConfigArg = None,
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = "",
) -> None:
    """Score EVENTS with one engine."""
    pool = pool_of(workers, scheduler)
    if are_many(events, pool):
        predict_files(source, events, output, engine, config, pool)
        return
    file = events[0]
    project = open_project(source) if Compiled.is_project(source) else None
    if project is None and engine != "float":
        raise CompileError(
            "--engine",
            f"found {engine!r} for a model file, expected float",
            "compile the model first and give the project folder",
        )
    if project is None:
        graph = read_model(source, config)
        found = predict_float(graph, read_events(file, graph))
    else:
        found = project.prediction(file, engine)
    save_predictions(output, found)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    lost = 0 if found.saturated is None else int(found.saturated.sum())
    console.print(f"wrote {output}" + (f", {lost:,} input values saturated" if lost else ""))


@app.command()
def simulate(
    folder: FolderArg,
    events: Annotated[Path | None, typer.Argument(help="other events than tb_data")] = None,
    waves: Annotated[str, typer.Option(help="vcd or fst (fst needs lz4.h)")] = "",
) -> None:
    """Run the cocotb bench on Verilator; the exit status is 1 if a test fails."""
    result = open_project(folder).simulate(events, waves)
    for name, passed, message in result.tests:
        console.print(f"{'pass' if passed else 'FAIL'}  {name}  {message}")
    console.print(f"{result.events} events, {result.events_per_second:,.0f} events/s through cocotb")
    if not result.ok:
        raise VerificationError(str(folder), "the bench found a mismatch", "see the JUnit XML in sim/")


@app.command()
def verify(
    folder: FolderArg,
    events: OptionalFilesArg = None,
    symmetry: Annotated[bool, typer.Option("--symmetry", help="only the exact symmetry tests")] = False,
    score: ScoreOption = "",
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = "",
) -> None:
    """Compare all engines bit for bit, test the exact symmetries, and measure the AUC if labels are given."""
    project, pool = open_project(folder), pool_of(workers, scheduler)
    failed, files = list[Failed](), events or []
    if files and not symmetry and are_many(files, pool):
        evidence, failed = verify_files(folder, files, score, pool)
    else:
        with Steps() as progress:
            file = files[0] if files else None
            evidence = (
                project.verify_symmetry(progress) if symmetry else project.verify(file, progress, score)
            )
    console.print(evidence_table(project.manifest, evidence))
    for line in (*summary_lines(project.manifest, evidence), f"project      {project.folder}"):
        console.print(line)
    if all(s.ok for s in evidence.stages if s.name != "inputs"):
        complain(failed)
    if not evidence.ok:
        lost = ", ".join(evidence.missing) or ", ".join(s.name for s in evidence.stages if not s.ok)
        raise VerificationError(str(folder), f"not verified: {lost}", "the project must not be used")


@app.command()
def report(folder: FolderArg) -> None:
    """Write report/report.html and report.json."""
    console.print(f"wrote {write_report(open_project(folder).folder)}")


@app.command()
def info(model: ModelArg, config: ConfigArg = None) -> None:
    """Show the ops, types and sizes of a model, and what it would cost."""
    graph = read_model(model, config)
    console.print(model_table(graph))
    for line in cost_lines(graph):
        console.print(line)


@app.command()
def export(
    model: ModelArg,
    output: Annotated[Path, typer.Option("-o", "--output", help="the .onnx file to write")],
    engine: Annotated[
        str,
        typer.Option(
            help="the arithmetic of the exported model: float, or integer if every value has a format"
        ),
    ] = "",
    double: Annotated[
        bool, typer.Option("--double", help="use double precision for ports and values")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="write standard ONNX operators only, with Quant nodes kept")
    ] = False,
) -> None:
    """Write MODEL as an ONNX file of com.eqhls operators that onnxruntime runs (docs/onnx.md)."""
    if engine not in ("", "float", "integer"):
        raise CompileError("--engine", f"found {engine!r}, expected float or integer", "choose one of these")
    graph = load_any(model)
    exact = graph.quantized if not engine else engine == "integer"
    onnx.export_onnx(graph, output, exact, double, plain)
    console.print(f"wrote {output}, {'integer' if exact else 'float'} numbers")


@app.command()
def build(folder: FolderArg) -> None:
    """Run Vitis or Vivado HLS, if one is installed, and print its report."""
    console.print(build_project(folder))


@app.command()
def synth(folder: FolderArg) -> None:
    """Count LUT, FF and DSP with Yosys for xcup (an estimate; some minutes)."""
    with Steps() as progress:
        counts = synthesize(folder, progress)
    console.print(f"Yosys estimate (synth_xilinx -family xcup): {counts}")


app.command()(trace)


@app.command("catalogue")
def catalogue_command(
    output: Annotated[Path, typer.Option("-o", "--output")] = Path("docs/ops.md"),
    onnx: Annotated[bool, typer.Option("--onnx", help="the page of ONNX operators")] = False,
) -> None:
    """Write docs/ops.md, the page of all ops, from the code (for maintainers)."""
    write_file(output, operators() if onnx else catalogue())
    console.print(f"wrote {output}")


app.command("train")(train_command)


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
        return _said("interrupted", INTERRUPTED) if status == INTERRUPTED else status
    except VerificationError as error:
        return _said(str(error), 1)
    except CompileError as error:
        return _said(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _said("interrupted", INTERRUPTED)
    except OSError as error:
        if error.errno not in SYSTEM:
            raise
        return _said(f"{error.filename or 'disk'}: {error.strerror}; free space or choose another place", 2)
    except Exception as error:
        if not type(error).__module__.startswith(("click", "typer")):
            raise
        return _said(error.format_message() if hasattr(error, "format_message") else str(error), 2)  # pyright: ignore


def _said(line: str, status: int) -> int:
    print(f"eqhls: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
