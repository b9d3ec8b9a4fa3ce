"""The stages of the proof about labelled events: what the tagger is worth, and where to cut on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.events.scores import Prediction
from eqhls.ir.graph import Graph
from eqhls.text import write_file
from eqhls.verify.curves import CURVES, curves
from eqhls.verify.evidence import Stage
from eqhls.verify.metrics import accuracy, class_aucs
from eqhls.verify.tagger import Tagger
from eqhls.verify.workpoints import CSV, JSON, Cuts, WorkingPoints, working_points

SHOWN = 0.01
"""Background efficiency of the working point that is printed."""


def merit_stages(
    folder: Path, graph: Graph, tagger: Tagger, exact: Prediction, floating: Prediction, labels: NDArray[Any]
) -> Iterator[Stage]:
    """Yield the figures of merit of the integers beside those of the network as it was given, and write the
    working points to report/."""
    yield _auc(tagger, exact, floating, labels, len(graph.outputs))
    found = working_points(tagger.raw(exact), tuple(tagger.ports(graph)), labels)
    write_file(folder / CSV, found.csv())
    write_file(folder / JSON, found.json())
    write_file(folder / CURVES, curves(tagger.scores(exact), tagger.scores(floating), labels, found))
    yield _cuts(found)


def _auc(
    tagger: Tagger, exact: Prediction, floating: Prediction, labels: NDArray[Any], outputs: int
) -> Stage:
    scores = tagger.scores(exact)
    each = class_aucs(scores, labels)
    fixed, given = float(np.mean(each)), float(np.mean(class_aucs(tagger.scores(floating), labels)))
    numbers: list[tuple[str, float]] = [("float", given), ("fixed", fixed)]
    detail = f"float {given:.4f}, fixed {fixed:.4f} on {len(labels)} events"
    if len(each) > 1:
        numbers += [("accuracy", accuracy(scores, labels)), *((f"class {k}", a) for k, a in enumerate(each))]
        detail += f", mean over {len(each)} classes against the rest"
    if outputs > 1:
        detail += f", of the output{'s' * (len(tagger.outputs) > 1)} {', '.join(tagger.outputs)}"
    return Stage("auc", True, detail, tuple(numbers))


def _cuts(found: WorkingPoints) -> Stage:
    integers = sum(len(cuts.thresholds) for cuts in found.cuts)
    alone = "; no cut on one score alone if they were trained with softmax" * (len(found.cuts) > 1)
    return Stage(
        "working points",
        True,
        f"{'; '.join(map(_shown, found.cuts))}; {CSV} has all {integers} thresholds{alone}",
        (("scores", len(found.cuts)), ("thresholds", integers)),
    )


def _shown(cuts: Cuts) -> str:
    """Return one working point in words."""
    at = cuts.at_background(SHOWN)
    if at is None:
        return (
            f"no integer of {cuts.port} that occurs leaves {SHOWN:.0%} of the background ({cuts.background})"
        )
    rates = (f"{percent(at[kind])} of {getattr(cuts, kind)}" for kind in ("signal", "background"))
    return f"{cuts.port} >= {at['threshold']} ({at['score']:g}): {', '.join(rates)}"


def percent(rate: dict[str, Any]) -> str:
    """Return an efficiency with its interval, or the limit if nothing has passed."""
    if rate["efficiency"] is None:
        return f"< {100 * rate['upper']:.2g} %"
    value, low, high = (100 * rate[key] for key in ("efficiency", "low", "high"))
    digits = max(0, min(6, 1 - int(np.floor(np.log10(max(high - low, 1e-9) / 2)))))
    return f"{value:.{digits}f} (+{high - value:.{digits}f} -{value - low:.{digits}f}) %"
