"""The permutation group on particles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def permute(x: NDArray[Any], axis: int, order: NDArray[np.int64]) -> NDArray[Any]:
    """Return x with entry k along `axis` taken from order[k]."""
    return np.take(x, order, axis=axis)


def random_order(rng: np.random.Generator, size: int, free: tuple[int, ...]) -> NDArray[np.int64]:
    """Return a permutation of `size` slots that moves only the `free` ones."""
    order = np.arange(size)
    slots = np.array(free, dtype=np.int64)
    order[slots] = rng.permutation(slots)
    return order
