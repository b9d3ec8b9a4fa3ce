"""The search for formats as a user starts it: measures, choice, files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from eqhls.errors import CompileError
from eqhls.events.read import Events, halves, rounded, sampled
from eqhls.events.scores import from_raw, predict_floats
from eqhls.flow import EventsLike, events_of, project_graph, read_model
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.lower.netlist import Netlist
from eqhls.lower.schedule import lower
from eqhls.options import Options
from eqhls.passes import run as run_passes
from eqhls.passes.cost import gates
from eqhls.plots import png
from eqhls.progress import Report, silent
from eqhls.quantize.assign import assign, ranges
from eqhls.quantize.search import Merit, Problem, State, confirmed, search
from eqhls.report.pareto import Search, figure_of, pareto_csv
from eqhls.text import MANIFEST, check_target, sums, write_project
from eqhls.verify.metrics import auc_loss_error, tagger_auc
from eqhls.verify.symmetry_stages import equivariance_error
from eqhls.verify.tagger import Tagger, tagger_of

SEARCH_EVENTS = 10_000
"""Events that a search takes: it measures its candidates on half of them, and its choice on the others."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """The choice of a search: folder with config.yml, model/, pareto.csv and pareto.png; its cost counted in
    `unit`, LUTs of the netlist by estimate and in shift registers, and the standard error of the AUC loss
    on held-out events."""

    folder: Path
    choice: State
    unit: str
    measured: int
    lut_estimate: int
    srl_luts: int
    loss_error: float


def quantize_model(
    model: object,
    events: EventsLike,
    output: Path | str,
    auc_loss: float = 0.002,
    equivariance: float = 1e-3,
    cost: Literal["gates", "lut"] = "gates",
    seed: int = 1,
    report: Report = silent,
    score: str = "",
) -> Quantized:
    """Search the cheapest formats under both bounds, and write the choice and the Pareto front.

    `events` need labels; half of them choose, the others confirm the choice. `cost` counts gates on
    intervals (quick), or takes the LUTs of the netlist for every candidate, by estimate and in shift
    registers. The AUC is that of the output `score` (eqhls.verify.tagger). Raises CompileError for missing
    labels, for a network no better than chance, and for bounds that cannot be met.
    """
    folder = Path(output)
    check_target(folder)
    graph = read_model(model)
    drawn = sampled(events_of(events, graph), SEARCH_EVENTS, seed)
    for note in drawn.notes:
        report(f"note: {note}", 0.0)
    if drawn.labels is None:
        raise CompileError("events", "have no labels", "give y (the class of each event) in the .npz file")
    first, second = halves(drawn)
    tagger = tagger_of(graph, score, drawn.labels)
    for half in (first, second):
        tagger_of(graph, score, half.labels)
    price, unit = (gates, "cells") if cost == "gates" else (_luts, "LUT")
    seen = ranges(graph, _calibration(graph, drawn))
    quality = _quality(graph, tagger, first, proven=True)
    confirm = _quality(graph, tagger, second, proven=False)
    problem = Problem(graph, seen, price, quality, confirm, unit)
    found = search(problem, auc_loss, equivariance, report)
    bounds = Merit(0, auc_loss, equivariance)
    best, states = confirmed(problem, found, bounds, report)
    config = best.options.model_dump(mode="json", exclude_defaults=True)
    fixed = problem.quantized(best.options)
    files: dict[str, str | bytes] = {
        "config.yml": yaml.safe_dump(config, sort_keys=True),
        "pareto.csv": pareto_csv(states),
        "pareto.png": png(figure_of(Search(graph.name, states, best, bounds, unit))),
    }
    files |= project_graph(fixed)
    manifest = {"name": graph.name, "quantized": True, "seed": seed, "sha256": sums(files)}
    files[MANIFEST] = json.dumps(manifest, indent=1) + "\n"
    write_project(files, folder)
    error = _loss_error(graph, fixed, tagger, second)
    netlist = _netlist(fixed)
    return Quantized(folder, best, unit, len(states), round(netlist.lut_estimate), netlist.srl_luts, error)


def _calibration(graph: Graph, events: Events) -> Mapping[str, Floats]:
    """Return no samples if the model needs none: `eqhls compile --config` then gives the same graph."""
    try:
        assign(graph, {}, Options())
    except CompileError:
        return events.floats
    return {}


def _netlist(graph: Graph) -> Netlist:
    return lower(run_passes(graph), Options())


def _luts(graph: Graph) -> int:
    netlist = _netlist(graph)
    return round(netlist.lut_estimate) + netlist.srl_luts


def _quality(
    graph: Graph, tagger: Tagger, events: Events, proven: bool
) -> Callable[[Graph], tuple[float, float]]:
    """Return the measure of AUC loss, against the float network, and of the equivariance error, which is
    not measured if it is `proven` to be 0 and that is enough."""
    assert events.labels is not None
    labels = events.labels
    floating = tagger_auc(tagger.scores(predict_floats(graph, events)), labels)
    if floating <= 0.5:
        raise CompileError(
            "events",
            f"the float network has an AUC of {floating:.3f} on them, no better than chance",
            "give the labels (1 for signal) and the constituents that it was trained on",
        )

    def quality(fixed: Graph) -> tuple[float, float]:
        ready = rounded(fixed, events)
        loss = floating - tagger_auc(_fixed(fixed, tagger, ready), labels)
        return loss, equivariance_error(fixed, ready, proven)

    return quality


def _loss_error(graph: Graph, fixed: Graph, tagger: Tagger, events: Events) -> float:
    assert events.labels is not None
    floating = tagger.scores(predict_floats(graph, events))
    return auc_loss_error(floating, _fixed(fixed, tagger, rounded(fixed, events)), events.labels)


def _fixed(fixed: Graph, tagger: Tagger, events: Events) -> Floats:
    return tagger.scores(from_raw(fixed, fixed.evaluate(events.raw)))
