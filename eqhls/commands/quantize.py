"""eqhls quantize: the cheapest formats under bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from eqhls.commands.many import SchedulerOption, WorkersOption, events_drawn, pool_of
from eqhls.commands.shell import ModelArg, ScoreOption, Steps, show
from eqhls.tune import quantize_model


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
    seed: Annotated[int, typer.Option(help="the random seed for sampling events")] = 1,
    score: ScoreOption = "",
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = "",
) -> None:
    """Search the cheapest formats of MODEL.

    They stay within bounds on the loss of AUC and on equivariance (docs/quantize.md).
    """
    pool = pool_of(workers, scheduler)
    with Steps() as progress:
        sample = events_drawn(model, events, seed, pool)
        found = quantize_model(model, sample, output, auc_loss, equivariance, cost, seed, progress, score)
    merit, held = found.choice.merit, found.choice.held_out
    assert held is not None
    facts = {
        "folder": found.folder,
        "measured": found.measured,
        "lut_estimate": found.lut_estimate,
        "auc_loss": held.auc_loss,
        "equivariance": held.equivariance,
    }
    show(
        facts,
        f"measured     {found.measured} choices of formats",
        f"cost         {merit.cost} {found.unit}, {found.lut_estimate} LUT by the netlist's estimate "
        f"and {found.srl_luts} in shift registers",
        f"AUC loss     {held.auc_loss:.5f} +- {found.loss_error:.5f} on held-out events "
        f"(at most {auc_loss:g}), {merit.auc_loss:.5f} on those of the search",
        f"equivariance {held.equivariance:.2e} (at most {equivariance:g})",
        f"written      {found.folder}: config.yml, model, pareto.csv, pareto.png",
    )
