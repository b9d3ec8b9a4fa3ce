"""Figures of merit of a binary tagger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError


def discriminant(scores: NDArray[Any]) -> NDArray[Any]:
    """Return one number an event of scores (events, K): the only one, or how far the second logit exceeds
    the first. Raises CompileError for more classes."""
    if scores.shape[1] == 1:
        return scores[:, 0]
    if scores.shape[1] != 2:
        raise CompileError("scores", f"are {scores.shape[1]} an event", "an AUC needs one, or two logits")
    return scores[:, 1] - scores[:, 0]


def auc(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the area under the ROC curve; ties count one half (Mann-Whitney).

    `scores` and `labels` have shape (events,); labels are 0 or 1 and both must occur.
    """
    positive = int((labels == 1).sum())
    negative = len(labels) - positive
    if not positive or not negative or not np.isin(labels, (0, 1)).all():
        raise CompileError("labels", "are not 0 and 1, both present", "give y with both classes")
    total = _midranks(scores)[labels == 1].sum()
    return float((total - positive * (positive + 1) / 2) / (positive * negative))


def auc_loss_error(reference: NDArray[Any], scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the standard error of the difference of two AUCs on the same events (DeLong et al.,
    Biometrics 44 (1988) 837): each event's share of pairs ranked right, compared event by event."""
    parts = [_shares(reference, labels, kind) - _shares(scores, labels, kind) for kind in (0, 1)]
    return float(np.sqrt(sum(np.var(part, ddof=1) / len(part) for part in parts)))


def _shares(scores: NDArray[Any], labels: NDArray[Any], kind: int) -> NDArray[Any]:
    """Return, for each event of a class, the share of the other class below it."""
    own = labels == kind
    return (_midranks(scores)[own] - _midranks(scores[own])) / (~own).sum() * (2 * kind - 1)


def _midranks(x: NDArray[Any]) -> NDArray[Any]:
    """Return ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def rejection(scores: NDArray[Any], labels: NDArray[Any], signal: float = 0.3) -> float:
    """Return 1 / background efficiency at the given signal efficiency."""
    threshold = np.quantile(scores[labels == 1], 1 - signal)
    passed = float((scores[labels == 0] > threshold).mean())
    return 1 / passed if passed else float("inf")
