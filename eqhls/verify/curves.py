"""Curves of a tagger for its report: ROC and score histograms of the float network and of the integers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.ir.op import Floats
from eqhls.verify.metrics import class_labels, confusion, discriminants
from eqhls.verify.workpoints import WorkingPoints

CURVES = "report/curves.json"
BINS = 40
SIGNAL_POINTS, BACKGROUND_POINTS = 101, 81
"""Efficiencies at which a ROC is kept: even in that of the signal, and in the logarithm of that of the
background down to one event."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Roc:
    """Efficiencies (points,) of signal and background for falling thresholds, from (0, 0) to (1, 1). Equal
    scores pass together, so that every point is one that a cut reaches."""

    signal: Floats
    background: Floats

    @classmethod
    def of(cls, scores: Floats, own: Mask) -> Roc:
        """Return the ROC of scores (events,), thinned to what a picture can show. `own` marks the signal, of
        which there must be some, and some events that are not."""
        order = np.argsort(-scores, kind="stable")
        last = np.append(np.diff(scores[order]) != 0, True)
        signal, background = (
            np.concatenate([[0.0], np.cumsum(m[order])[last] / m.sum()]) for m in (own, ~own)
        )
        least = 1 / float((~own).sum())
        kept = {0, len(signal) - 1}
        kept |= set(np.searchsorted(signal, np.linspace(0, 1, SIGNAL_POINTS)).tolist())
        kept |= set(np.searchsorted(background, np.geomspace(least, 1, BACKGROUND_POINTS)).tolist())
        places = np.array(sorted(min(k, len(signal) - 1) for k in kept))
        return cls(signal[places], background[places])

    def points(self) -> list[list[float]]:
        """Return pairs of signal and background efficiency."""
        return [
            [round(float(s), 6), round(float(b), 8)]
            for s, b in zip(self.signal, self.background, strict=True)
        ]


def curves(exact: Floats, floating: Floats, labels: NDArray[Any], found: WorkingPoints) -> str:
    """Return what report/curves.json holds: for each score on which working points were found, the ROC and
    the counts of events in bins of the score. Both arrays are (events, K) in real units; of two scores it is
    their difference that counts, as for the working points. Of three and more classes it also has the ROC of
    each against the rest, and the confusion matrix."""
    sides_of = {"float": floating, "fixed": exact}
    sides = {side: list(_columns(scores)) for side, scores in sides_of.items()}
    classes = class_labels(labels, exact.shape[1])
    out: list[dict[str, Any]] = []
    for k, cuts in enumerate(found.cuts):
        own = classes == (k if len(found.cuts) > 1 else 1)
        pair = {side: columns[k] for side, columns in sides.items()}
        edges = np.histogram_bin_edges(np.concatenate(list(pair.values())), BINS)
        out.append(
            {
                "port": cuts.port,
                "signal": cuts.signal,
                "background": cuts.background,
                "edges": [float(f"{e:.6g}") for e in edges],
                "sides": {side: _side(scores, own, edges) for side, scores in pair.items()},
            }
        )
    several = _classes(sides_of, classes, found) if len(found.cuts) > 1 else {}
    return json.dumps({"events": len(labels), "scores": out, **several}) + "\n"


def _classes(sides: Mapping[str, Floats], classes: NDArray[Any], found: WorkingPoints) -> dict[str, Any]:
    """Return the ROC of every class against the rest by softmax, and how many events of each class (rows)
    have their largest score for which class; of a tie each class has a share."""
    rocs = {side: discriminants(scores).T for side, scores in sides.items()}
    each = [
        {
            "name": cuts.signal,
            "sides": {s: Roc.of(columns[k], classes == k).points() for s, columns in rocs.items()},
        }
        for k, cuts in enumerate(found.cuts)
    ]
    won = {side: np.round(confusion(scores, classes), 3).tolist() for side, scores in sides.items()}
    return {"classes": each, "confusion": won}


def _columns(scores: Floats) -> Iterator[Floats]:
    if scores.shape[1] == 2:
        yield scores[:, 1] - scores[:, 0]
    else:
        yield from scores.T


def _side(scores: Floats, own: Mask, edges: Floats) -> dict[str, Any]:
    counts = {
        kind: np.histogram(scores[mask], edges)[0].tolist()
        for kind, mask in (("signal", own), ("background", ~own))
    }
    return {"roc": Roc.of(scores, own).points(), **counts}
