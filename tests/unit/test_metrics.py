from __future__ import annotations

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.verify.metrics import auc, auc_loss_error, discriminant, rejection


def test_auc_counts_ties_half() -> None:
    scores = np.array([0, 1, 1, 2])
    labels = np.array([0, 0, 1, 1])
    pairs = [(s > b) + 0.5 * (s == b) for s in (1, 2) for b in (0, 1)]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs))
    assert auc(-scores, labels) == pytest.approx(1 - np.mean(pairs))


def test_auc_needs_both_classes() -> None:
    with pytest.raises(CompileError, match="both"):
        auc(np.zeros(3), np.ones(3))


def test_rejection() -> None:
    scores = np.concatenate([np.arange(100), np.arange(100) + 50])
    labels = np.repeat([0, 1], 100)
    assert rejection(scores, labels, 0.5) == float("inf") or rejection(scores, labels, 0.5) > 50
    assert rejection(scores, labels, 0.9) == pytest.approx(100 / 40, rel=0.1)


def test_two_logits_rank_by_their_difference() -> None:
    scores = np.array([[1.0, 3.0], [2.0, 1.0]])
    assert discriminant(scores).tolist() == [2.0, -1.0]
    assert discriminant(scores[:, :1]).tolist() == [1.0, 2.0]
    with pytest.raises(CompileError, match="are 3 an event"):
        discriminant(np.zeros((2, 3)))


def test_the_error_of_a_loss_is_its_spread(rng: np.random.Generator) -> None:
    """Over many samples of the same two taggers, ties included."""
    found = []
    for _ in range(300):
        y = (np.arange(400) % 2).astype(int)
        x = y + rng.normal(size=400)
        noisy = np.round(2 * (x + 0.5 * rng.normal(size=400)))
        found.append((auc(x, y) - auc(noisy, y), auc_loss_error(x, noisy, y)))
    losses, errors = np.array(found).T
    assert 0.9 < errors.mean() / losses.std() < 1.1
    assert auc_loss_error(x, x, y) == 0
