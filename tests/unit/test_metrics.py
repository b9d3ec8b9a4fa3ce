from __future__ import annotations

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.verify.metrics import (
    accuracy,
    auc,
    auc_loss_error,
    class_labels,
    confusion,
    discriminants,
    rejection,
    tagger_auc,
)


def test_auc_counts_ties_half() -> None:
    scores = np.array([0, 1, 1, 2])
    labels = np.array([0, 0, 1, 1])
    pairs = [(s > b) + 0.5 * (s == b) for s in (1, 2) for b in (0, 1)]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs))
    assert auc(-scores, labels) == pytest.approx(1 - np.mean(pairs))


def test_auc_needs_both_classes() -> None:
    with pytest.raises(CompileError, match="no event of class 0"):
        auc(np.zeros(3), np.ones(3))


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_scores_that_are_no_numbers(columns: int) -> None:
    """NaN has no rank: an AUC of it would be a number without a meaning."""
    scores, labels = np.arange(12.0 * columns).reshape(12, columns), np.arange(12) % max(columns, 2)
    assert 0 <= tagger_auc(scores, labels) <= 1
    scores[7, -1] = np.nan
    with pytest.raises(CompileError, match="not a number in 1 of 12 events, first in event 7"):
        tagger_auc(scores, labels)
    with pytest.raises(CompileError, match="first in event 7"):
        rejection(scores[:, -1], labels % 2)


def test_rejection() -> None:
    scores = np.concatenate([np.arange(100), np.arange(100) + 50])
    labels = np.repeat([0, 1], 100)
    assert rejection(scores, labels, 0.5) == float("inf") or rejection(scores, labels, 0.5) > 50
    assert rejection(scores, labels, 0.9) == pytest.approx(100 / 40, rel=0.1)


def test_two_logits_rank_by_their_difference() -> None:
    scores = np.array([[1.0, 3.0], [2.0, 1.0]])
    assert discriminants(scores).tolist() == [[2.0], [-1.0]]
    assert discriminants(scores[:, :1]).tolist() == [[1.0], [2.0]]


def test_three_logits_rank_by_softmax(rng: np.random.Generator) -> None:
    """One class against the rest, whatever is added to all logits of an event."""
    labels = np.arange(300) % 3
    logits = rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[labels]
    shifted = logits + rng.normal(0, 20, (300, 1))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    each = [auc(chances[:, k], (labels == k).astype(int)) for k in range(3)]
    assert tagger_auc(shifted, labels) == pytest.approx(np.mean(each))
    assert tagger_auc(shifted, labels) > 0.8 > np.mean([auc(shifted[:, k], labels == k) for k in range(3)])


LABELS = {
    "minus one": ([-1, 1, 1], 1, "holds the label -1, expected 0 and 1"),
    "one class": ([1, 1, 1], 2, "no event of class 0"),
    "two labels for three classes": ([0, 1, 1], 3, "no event of class 2"),
    "four labels for three classes": ([0, 1, 2, 3], 3, "holds the label 3, expected 0 to 2"),
    "between classes": ([0, 0.5, 1], 1, "holds the label 0.5"),
    "nan": ([0, 1, np.nan], 1, "holds the label nan"),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels_that_are_no_classes(case: str) -> None:
    labels, scores, message = LABELS[case]
    with pytest.raises(CompileError, match=message):
        class_labels(np.array(labels), scores)


def test_labels_may_be_floats_or_booleans() -> None:
    assert class_labels(np.array([0.0, 1.0]), 2).tolist() == [0, 1]
    assert class_labels(np.array([True, False]), 1).tolist() == [1, 0]


def test_the_error_of_a_loss_is_its_spread(rng: np.random.Generator) -> None:
    """Over many samples of the same two taggers, ties included."""
    found = []
    for _ in range(300):
        y = (np.arange(400) % 2).astype(int)
        x = y + rng.normal(size=400)
        noisy = np.round(2 * (x + 0.5 * rng.normal(size=400)))
        found.append((auc(x, y) - auc(noisy, y), auc_loss_error(x[:, None], noisy[:, None], y)))
    losses, errors = np.array(found).T
    assert 0.9 < errors.mean() / losses.std() < 1.1
    assert auc_loss_error(x[:, None], x[:, None], y) == 0


def test_the_error_of_a_loss_over_three_classes(rng: np.random.Generator) -> None:
    """The mean over the classes: their errors are correlated, which the sum over events takes in."""
    found = []
    for _ in range(300):
        y = np.arange(300) % 3
        x = rng.normal(size=(300, 3)) + np.eye(3)[y]
        noisy = x + 0.5 * rng.normal(size=x.shape)
        found.append((tagger_auc(x, y) - tagger_auc(noisy, y), auc_loss_error(x, noisy, y)))
    losses, errors = np.array(found).T
    assert 0.9 < errors.mean() / losses.std() < 1.1


def test_a_confusion_matrix_counts_every_event_once() -> None:
    scores = np.array([[3, 1, 0], [2, 2, 0], [0, 5, 1], [1, 1, 1], [0, 0, 4]])
    found = confusion(scores, np.array([0, 0, 1, 2, 2]))
    assert found.tolist() == [[1.5, 0.5, 0], [0, 1, 0], [1 / 3, 1 / 3, 4 / 3]]
    rng = np.random.default_rng(4)
    scores, labels = rng.integers(0, 6, (300, 4)), np.arange(300) % 4
    found = confusion(scores, labels)
    assert found.sum(axis=1).tolist() == pytest.approx([75.0] * 4)
    assert np.trace(found) / 300 == pytest.approx(accuracy(scores, labels))
