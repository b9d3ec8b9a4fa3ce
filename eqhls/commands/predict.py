"""eqhls predict: scores of events by one engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.many import FilesArg, SchedulerOption, WorkersOption, are_many, pool_of, predict_files
from eqhls.commands.shell import ConfigArg, show, told
from eqhls.engines import Engine
from eqhls.errors import CompileError
from eqhls.events.scores import save_predictions
from eqhls.flow import Compiled, open_project, predict_float, read_model
from eqhls.lower.packets import read_any_events


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
    engine: Annotated[
        Engine | None,
        typer.Option(help="the engine to run (default: the fastest one that gives the bits of the firmware)"),
    ] = None,
    config: ConfigArg = None,
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = "",
) -> None:
    """Score events with one engine."""
    pool = pool_of(workers, scheduler)
    if are_many(events, pool):
        predict_files(source, events, output, engine, config, pool)
        return
    file = events[0]
    project = open_project(source) if Compiled.is_project(source) else None
    if project is None and engine != "float":
        raise CompileError(
            "--engine",
            f"found {engine or 'integer'!r} for a model file, expected float",
            "compile the model first and give the project folder",
        )
    if project is None:
        graph = read_model(source, config)
        found = predict_float(graph, read_any_events(file, graph))
    else:
        found = project.prediction(file, engine)
    save_predictions(output, found)
    for note in found.notes:
        told(f"note: {note}")
    lost = 0 if found.saturated is None else int(found.saturated.sum())
    facts = {"wrote": output, "saturated": lost, "notes": list(found.notes)}
    show(facts, f"wrote {output}" + (f", {lost:,} input values saturated" if lost else ""))
