"""Working points: what passes a cut on the integer of a score, for whoever writes the menu of a trigger.

A cut is `raw >= threshold`. Every rate is a count of events with the interval of Clopper and Pearson; if no
event has passed, it is an upper limit.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.verify.intervals import LIMIT, ONE_SIGMA, interval, upper_limit
from eqhls.verify.metrics import accuracy, auc, class_aucs, class_labels

BACKGROUND = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
SIGNAL = (0.8, 0.5, 0.3)
CSV, JSON = "report/working_points.csv", "report/working_points.json"
METHOD = (
    f"Clopper-Pearson: low and high are the ends of the central interval of {ONE_SIGMA:.2%}, upper is the "
    f"upper limit of {LIMIT:.0%}; if nothing has passed, the efficiency is null and the upper limit holds"
)
LOGITS = (
    "The scores are logits of several classes. If they were trained with softmax, one of them alone is no "
    "discriminator: what an event adds to all of them changes no probability, but moves each across its "
    "threshold. Compare the AUC of each score with that by softmax, and cut on single scores only if the "
    "network was trained for it, one class against the rest."
)


@dataclass(frozen=True, slots=True)
class Rates:
    """How many of `total` events pass each threshold, and the efficiencies with their errors."""

    passed: Ints
    total: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    upper: NDArray[np.float64]

    @classmethod
    def of(cls, values: Ints, thresholds: Ints) -> Rates:
        """Count the values that are at least each threshold."""
        passed = _passing(values, thresholds)
        ends = interval(passed, len(values))
        return cls(passed, len(values), *ends, upper_limit(passed, len(values)))

    def row(self, place: int) -> dict[str, Any]:
        """Return the numbers of one threshold; the efficiency is None if nothing has passed."""
        passed = int(self.passed[place])
        return {
            "passed": passed,
            "events": self.total,
            "efficiency": passed / self.total if passed else None,
            "low": float(self.low[place]),
            "high": float(self.high[place]),
            "upper": float(self.upper[place]),
        }


@dataclass(frozen=True, slots=True)
class Cuts:
    """All cuts on one score: the integers that occur, in rising order, as thresholds. `lsb` is what one count
    is worth, `auc` that of the integer, and `softmax` that of the probability of the class; `classes` counts
    the events of each class that pass, for the background is the mixture of the sample."""

    port: str
    signal: str
    background: str
    lsb: float
    auc: float
    softmax: float
    thresholds: Ints
    passed: Rates
    wrong: Rates
    classes: tuple[Ints, ...]

    def row(self, place: int) -> dict[str, Any]:
        """Return everything about one threshold."""
        wrong, threshold = self.wrong.row(place), int(self.thresholds[place])
        return {
            "threshold": threshold,
            "score": threshold * self.lsb,
            "signal": self.passed.row(place),
            "background": wrong,
            "rejection": 1 / wrong["efficiency"] if wrong["efficiency"] else None,
        }

    def at_background(self, efficiency: float) -> dict[str, Any] | None:
        """Return the lowest threshold that at most this share of the background passes; None if that share
        is not reached at any integer that occurs."""
        fine = np.flatnonzero(self.wrong.passed <= efficiency * self.wrong.total)
        return self.row(int(fine[0])) if len(fine) else None

    def at_signal(self, efficiency: float) -> dict[str, Any]:
        """Return the highest threshold that at least this share of the signal passes."""
        fine = np.flatnonzero(self.passed.passed >= efficiency * self.passed.total)
        return self.row(int(fine[-1]))

    def summary(self) -> dict[str, Any]:
        """Return the two ladders."""
        ladder = [{"wanted": f"background <= {e:.4g}", "point": self.at_background(e)} for e in BACKGROUND]
        ladder += [{"wanted": f"signal >= {e:.4g}", "point": self.at_signal(e)} for e in SIGNAL]
        return {
            "port": self.port,
            "signal": self.signal,
            "background": self.background,
            "lsb": self.lsb,
            "auc": self.auc,
            "auc_softmax": self.softmax,
            "ladder": ladder,
        }


@dataclass(frozen=True, slots=True)
class WorkingPoints:
    """The cuts on every score of a tagger, and what it is worth without any; one score has no accuracy."""

    cuts: tuple[Cuts, ...]
    events: int
    accuracy: float | None

    def json(self) -> str:
        """Return the ladders of all scores."""
        found: dict[str, Any] = {"events": self.events, "intervals": METHOD, "accuracy": self.accuracy}
        found["auc"] = float(np.mean([c.softmax for c in self.cuts]))
        found["warning"] = LOGITS if len(self.cuts) > 1 else None
        found["ports"] = [c.summary() for c in self.cuts]
        return json.dumps(found, indent=1) + "\n"

    def csv(self) -> str:
        """Return a line for every integer of every score; the last columns count the events of each class."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        rates = ("passed", "events", "efficiency", "low", "high", "upper")
        kinds = ("signal", "background")
        classes = [f"passed_y{k}" for k in range(len(self.cuts[0].classes))]
        counted = [f"{k}_{r}" for k in kinds for r in rates]
        table.writerow(["port", "signal", "threshold", "score", *counted, "rejection", *classes])
        for cuts in self.cuts:
            for place, row in enumerate(map(cuts.row, range(len(cuts.thresholds)))):
                numbers = [row["score"], *(row[k][r] for k in kinds for r in rates), row["rejection"]]
                passed = [int(c[place]) for c in cuts.classes]
                table.writerow([cuts.port, cuts.signal, row["threshold"], *map(_digits, numbers), *passed])
        return text.getvalue()


def _digits(value: float | None) -> str:
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.6g}"


def working_points(raw: Ints, ports: Sequence[tuple[str, float]], labels: NDArray[Any]) -> WorkingPoints:
    """Return the cuts on the integers (events, K) of a tagger, whose K scores are `ports`: names, and what
    one count is worth. Of two logits it is their difference that is cut on.

    Raises CompileError for labels that are none of the classes or lack one, and for scores that are not
    integers.
    """
    if raw.ndim != 2 or raw.shape[1] != len(ports) or not np.issubdtype(raw.dtype, np.integer):
        raise CompileError(
            "scores",
            f"found {raw.dtype} of shape {raw.shape}, expected integers of shape (events, {len(ports)})",
            "take the raw words of an exact engine",
        )
    labels = class_labels(labels, raw.shape[1])
    real = raw * np.array([lsb for _, lsb in ports])
    softmax = class_aucs(real, labels)
    columns = _columns(raw, ports, labels)
    cuts = [_cuts(found, area, labels) for found, area in zip(columns, softmax, strict=True)]
    return WorkingPoints(tuple(cuts), len(raw), accuracy(real, labels) if raw.shape[1] > 1 else None)


@dataclass(frozen=True, slots=True)
class _Column:
    """What is cut on: its name, what one count is worth, its integers, the labels 0 and 1 of each event, and
    what they stand for."""

    port: str
    lsb: float
    raw: Ints
    own: Ints
    signal: str
    background: str


def _columns(raw: Ints, ports: Sequence[tuple[str, float]], labels: Ints) -> Iterator[_Column]:
    if len(ports) > 2:
        for k, (port, lsb) in enumerate(ports):
            yield _Column(port, lsb, raw[:, k], (labels == k).astype(np.int64), f"y = {k}", f"y != {k}")
        return
    (port, lsb), column = ports[-1], raw[:, -1]
    if len(ports) == 2:
        fine = min(lsb, ports[0][1])
        column = column * round(lsb / fine) - raw[:, 0] * round(ports[0][1] / fine)
        port, lsb = f"{port} - {ports[0][0]}", fine
    yield _Column(port, lsb, column, labels, "y = 1", "y = 0")


def _cuts(column: _Column, softmax: float, labels: Ints) -> Cuts:
    thresholds = np.unique(column.raw)
    signal, background = (Rates.of(column.raw[column.own == kind], thresholds) for kind in (1, 0))
    classes = [_passing(column.raw[labels == k], thresholds) for k in range(int(labels.max()) + 1)]
    return Cuts(
        column.port,
        column.signal,
        column.background,
        column.lsb,
        auc(column.raw, column.own),
        softmax,
        thresholds,
        signal,
        background,
        tuple(classes),
    )


def _passing(values: Ints, thresholds: Ints) -> Ints:
    """Count the values that are at least each threshold."""
    return len(values) - np.searchsorted(np.sort(values), thresholds, "left")
