"""What all tests share."""

from __future__ import annotations

import numpy as np
import pytest

SEED = 20261


@pytest.fixture
def rng() -> np.random.Generator:
    """The one source of randomness; its seed is printed where a test fails."""
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)
