"""The states of a search for formats as CSV and as a plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from eqhls.lazy import lazy
from eqhls.plots import COLOURS, NORMAL, SMALL, dress, figure
from eqhls.quantize.search import Merit, State, front

ticker = lazy("matplotlib.ticker")
COLUMNS = ("step", "cost", "auc_loss", "equivariance", "kept", "pareto", "auc_loss_held_out", "move")
LABELS = {
    "auc_loss": "AUC loss (float less fixed point)",
    "equivariance": "equivariance error (mean change / spread)",
}
COSTS = {
    "cells": "cost [cells: gates counted on intervals]",
    "LUT": "cost [LUT: estimate, with shift registers]",
}


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


@dataclass(frozen=True, slots=True)
class Search:
    """What a search for formats of a network found: its states, the choice, the bounds on the AUC loss and
    on the equivariance error, and the unit of the cost, cells (gates on intervals) or LUT."""

    name: str
    states: Sequence[State]
    chosen: State
    bounds: Merit
    unit: str


def figure_of(found: Search) -> Any:
    """Return the AUC loss against cost, and the equivariance error beside it unless it is 0 for all choices,
    as it is in networks that round nothing covariant."""
    exact = not any(s.merit.equivariance for s in found.states if isfinite(s.merit.equivariance))
    names = [n for n in LABELS if not (exact and n == "equivariance")]
    drawn = figure(2.6 + 4.4 * len(names), 4.4)
    panels = drawn.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        _panel(axes, found, name)
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside right center", fontsize=SMALL)
    drawn.suptitle(title_of(found), fontsize=NORMAL)
    if exact:
        drawn.supxlabel(
            "Nothing covariant is rounded: the equivariance error of all choices is 0.", fontsize=SMALL
        )
    return drawn


def title_of(found: Search) -> str:
    """Return the message: what the choice saves, and what it loses."""
    start, merit = found.states[0].merit, found.chosen.merit
    held = found.chosen.held_out
    other = f", {held.auc_loss:.4f} on held-out events" if held else ""
    saved = f"{start.cost:,} -> {merit.cost:,} {found.unit}"
    return f"{found.name}: {saved}\nfor an AUC loss of {merit.auc_loss:.4f}{other}"


def lowest(states: Iterable[State], name: str) -> list[State]:
    """Return the front in one measure: states by rising cost, each lower than all cheaper ones."""
    best: list[State] = []
    for state in sorted(states, key=lambda s: (s.merit.cost, _of(s.merit, name))):
        if not best or _of(state.merit, name) < _of(best[-1].merit, name):
            best.append(state)
    return best


def _of(merit: Merit, name: str) -> float:
    return merit.auc_loss if name == "auc_loss" else merit.equivariance


def _panel(axes: Any, found: Search, name: str) -> None:
    """Draw one measure against cost, on a scale that fits the bound and the front within it."""
    bound = _of(found.bounds, name)
    measured = [s for s in found.states if isfinite(_of(s.merit, name))]
    other = "equivariance" if name == "auc_loss" else "auc_loss"
    front = lowest((s for s in measured if _of(s.merit, other) <= _of(found.bounds, other)), name)
    held = [(s.merit.cost, _of(s.held_out, name)) for s in found.states if s.held_out]
    low, top = _scale([_of(s.merit, name) for s in (*front, found.chosen)] + [v for _, v in held], bound)
    shown = [s for s in measured if _of(s.merit, name) <= top]
    beyond = [s.merit.cost for s in measured if _of(s.merit, name) > top]
    axes.scatter(*_points(shown, name), s=16, color="0.7", label="measured")
    if beyond:
        axes.scatter(
            beyond, [top] * len(beyond), s=22, color="0.7", marker="^", clip_on=False, label="above the scale"
        )
    axes.plot(
        *_points(front, name),
        color=COLOURS[0],
        marker="o",
        ms=4,
        drawstyle="steps-post",
        label="Pareto front",
    )
    ring: dict[str, Any] = {"facecolors": "none", "edgecolors": COLOURS[1], "label": "on held-out events"}
    if held:
        axes.scatter([c for c, _ in held], [v for _, v in held], s=40, **ring)
    axes.axhline(bound, color="black", linestyle="--", linewidth=1, label="bound")
    axes.scatter(
        *_points([found.chosen], name), marker="*", s=170, color=COLOURS[1], label="choice", zorder=3
    )
    axes.annotate(
        f"choice: {found.chosen.merit.cost:,} {found.unit}",
        (found.chosen.merit.cost, _of(found.chosen.merit, name)),
        (6, -14),
        textcoords="offset points",
        fontsize=SMALL,
    )
    axes.set(xlabel=COSTS.get(found.unit, f"cost [{found.unit}]"), ylabel=LABELS[name], ylim=(low, top))
    axes.xaxis.set_major_locator(ticker.MaxNLocator(5))
    dress(axes)
    axes.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))


def _points(states: Sequence[State], name: str) -> tuple[list[int], list[float]]:
    return [s.merit.cost for s in states], [_of(s.merit, name) for s in states]


def _scale(values: Sequence[float], bound: float) -> tuple[float, float]:
    """Return the ends of an axis on which a bound and all values up to its double can be read."""
    near = [v for v in values if v <= 2 * bound] + [bound, 0.0]
    room = 0.15 * (max(near) - min(near)) or 1.0
    return min(near) - room, max(near) + room
