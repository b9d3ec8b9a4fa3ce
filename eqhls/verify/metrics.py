"""Figures of merit of a tagger: two classes, or several against one another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError


def discriminants(scores: NDArray[Any]) -> NDArray[Any]:
    """Return what tells classes apart, (events, D), of scores (events, K).

    One score is its own discriminant, and of two logits it is the difference. Of more logits each class
    has one, the log-odds of its softmax probability: l_k - log sum_{i != k} exp l_i. A logit alone would
    not do: softmax and its loss leave the sum of all logits open, so that it varies from event to event.
    Raises CompileError for scores that are not a number.
    """
    refuse_nan(scores)
    if scores.shape[1] == 1:
        return scores
    if scores.shape[1] == 2:
        return scores[:, 1:] - scores[:, :1]
    others = [np.delete(scores, k, axis=1) for k in range(scores.shape[1])]
    return np.stack(
        [scores[:, k] - np.logaddexp.reduce(rest, axis=1) for k, rest in enumerate(others)], axis=1
    )


def class_labels(labels: NDArray[Any], scores: int) -> Ints:
    """Return labels (events,) of a network with so many scores per event as integers: 0 and 1 for one
    score or two, 0 to K - 1 for K. Raises CompileError for other labels and for a class without events."""
    classes = max(scores, 2)
    expected = "0 and 1" if classes == 2 else f"0 to {classes - 1}"
    remedy = f"label the {classes} classes {expected}, or leave y out: an AUC is measured only with labels"
    found = np.unique(labels)
    if not np.isin(found, np.arange(classes)).all():
        strange = found[~np.isin(found, np.arange(classes))]
        raise CompileError("y", f"holds the label {strange[0]}, expected {expected}", remedy)
    missing = sorted(set(range(classes)) - set(found.astype(int).tolist()))
    if missing:
        raise CompileError("y", f"has no event of class {missing[0]}", remedy)
    return labels.astype(np.int64)


def auc(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the area under the ROC curve; ties count one half (Mann-Whitney).

    `scores` and `labels` have shape (events,); labels are 0 or 1 and both must occur.
    """
    labels = class_labels(labels, 1)
    refuse_nan(scores)
    positive = int((labels == 1).sum())
    negative = len(labels) - positive
    total = _midranks(scores)[labels == 1].sum()
    return float((total - positive * (positive + 1) / 2) / (positive * negative))


def refuse_nan(scores: NDArray[Any]) -> None:
    """Raise CompileError if a score is not a number: it has no rank among the others."""
    bad = np.isnan(scores).reshape(len(scores), -1).any(axis=1)
    if bad.any():
        raise CompileError(
            "scores",
            f"are not a number in {int(bad.sum())} of {len(scores)} events, first in event {bad.argmax()}",
            "look for infinite or missing inputs, or for a logarithm or a root of a negative number",
        )


def class_aucs(scores: NDArray[Any], labels: NDArray[Any]) -> tuple[float, ...]:
    """Return the AUC of each class against the rest, of scores (events, K); of one score or two logits the
    only one. Classes are told apart by the softmax of all logits, never by a logit alone."""
    columns, wanted = _problems(scores, labels)
    return tuple(auc(column, own) for column, own in zip(columns, wanted, strict=True))


def tagger_auc(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the AUC of scores (events, K): of three and more classes the mean over the classes, each
    against the rest."""
    return float(np.mean(class_aucs(scores, labels)))


def accuracy(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the share of events whose own class has the largest of K >= 2 scores (events, K). If m classes
    share the largest, as integers may, each counts 1 / m, as a coin would."""
    labels = class_labels(labels, scores.shape[1])
    if scores.shape[1] < 2:
        raise CompileError(
            "accuracy",
            "found one score per event, expected one for each class",
            "choose a threshold among the working points instead",
        )
    refuse_nan(scores)
    largest = scores == scores.max(axis=1, keepdims=True)
    return float((largest[np.arange(len(labels)), labels] / largest.sum(axis=1)).mean())


def confusion(scores: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    """Return, for each class of events (rows) and each of K >= 2 scores, how many events have their largest
    score there. If m scores share the largest, each counts 1 / m, as in `accuracy`."""
    refuse_nan(scores)
    largest = scores == scores.max(axis=1, keepdims=True)
    shares = largest / largest.sum(axis=1, keepdims=True)
    own = class_labels(labels, scores.shape[1])
    return np.stack([shares[own == k].sum(axis=0) for k in range(scores.shape[1])])


def auc_loss_error(reference: NDArray[Any], scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the standard error of the difference of two `tagger_auc` on the same events, of scores
    (events, K): each event's share of pairs ranked right, compared event by event (DeLong et al.,
    Biometrics 44 (1988) 837)."""
    total: NDArray[Any] = np.zeros(len(labels))
    before, wanted = _problems(reference, labels)
    after, _ = _problems(scores, labels)
    for old, new, own in zip(before, after, wanted, strict=True):
        for kind in (0, 1):
            lost = _shares(old, own, kind) - _shares(new, own, kind)
            total[own == kind] += (lost - lost.mean()) / np.sqrt(len(lost) * max(len(lost) - 1, 1))
    return float(np.sqrt((total**2).sum()) / len(wanted))


def _problems(scores: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Return the discriminants (D, events) and for each the labels 0 and 1 that it should tell apart."""
    labels = class_labels(labels, scores.shape[1])
    columns = discriminants(scores).T
    return columns, [labels] if len(columns) == 1 else [
        (labels == k).astype(int) for k in range(len(columns))
    ]


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
    refuse_nan(scores)
    threshold = np.quantile(scores[labels == 1], 1 - signal)
    passed = float((scores[labels == 0] > threshold).mean())
    return 1 / passed if passed else float("inf")
