"""The states of a search for formats as CSV and as a plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from eqhls.lazy import lazy
from eqhls.quantize.search import State, front

figures, ticker = lazy("matplotlib.figure"), lazy("matplotlib.ticker")
COLUMNS = ("step", "cost", "auc_loss", "equivariance", "kept", "pareto", "auc_loss_held_out", "move")


def pareto_csv(states: Sequence[State]) -> str:
    """Return every measured state in order, and whether it is on the Pareto front; equal searches
    give equal bytes."""
    best = {id(s) for s in front(list(states))}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for step, s in enumerate(states):
        m = s.merit
        numbers = (m.cost, f"{m.auc_loss:.6f}", f"{m.equivariance:.6g}")
        held = f"{s.held_out.auc_loss:.6f}" if s.held_out else ""
        table.writerow((step, *numbers, int(s.kept), int(id(s) in best), held, s.move))
    return text.getvalue()


def pareto_png(
    states: Sequence[State], chosen: State, auc_loss: float, equivariance: float, unit: str = "cells"
) -> bytes:
    """Return a plot of both errors against cost in `unit`, with the bounds, the front, and what was found
    on events that the search did not see."""
    figure = figures.Figure(figsize=(8, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    found = [s for s in states if np.isfinite(s.merit.auc_loss)]
    best = front(found)
    for axes, name, bound in zip(panels, ("auc_loss", "equivariance"), (auc_loss, equivariance), strict=True):
        for shown, style in (
            (found, {"color": "0.75", "label": "measured"}),
            (best, {"label": "Pareto front"}),
        ):
            axes.scatter(
                [s.merit.cost for s in shown], [getattr(s.merit, name) for s in shown], s=14, **style
            )
        axes.scatter(
            [chosen.merit.cost], [getattr(chosen.merit, name)], marker="*", s=120, color="C3", label="choice"
        )
        held = [(s.merit.cost, getattr(s.held_out, name)) for s in states if s.held_out]
        axes.scatter(
            *zip(*held, strict=True), s=40, facecolors="none", edgecolors="C3", label="on other events"
        )
        axes.axhline(bound, color="black", linestyle="--", linewidth=1, label="bound")
        axes.set(xlabel=f"estimated {unit}", ylabel=name.replace("_", " "))
        axes.xaxis.set_major_locator(ticker.MaxNLocator(5))
    panels[0].legend(fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, metadata={"Software": None})
    return buffer.getvalue()
