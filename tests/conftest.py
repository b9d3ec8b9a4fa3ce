"""What all tests share."""

from __future__ import annotations

import sys

import hypothesis
import numpy as np
import pytest

SEED = 20261

# every run draws the same examples, and a slow machine is not a failure
hypothesis.settings.register_profile("same everywhere", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same everywhere")


@pytest.fixture(autouse=True)
def _same_keras_weights() -> None:
    """Untrained layers start from the same weights in every run; Keras is not imported for it."""
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(SEED)


@pytest.fixture
def rng() -> np.random.Generator:
    """The one source of randomness; its seed is printed where a test fails."""
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)
