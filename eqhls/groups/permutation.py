"""The permutation group on particles."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError


def permute(x: NDArray[Any], axis: int, order: NDArray[np.int64]) -> NDArray[Any]:
    """Return x with entry k along `axis` taken from order[k]."""
    return np.take(x, order, axis=axis)


def random_order(rng: np.random.Generator, size: int, free: tuple[int, ...]) -> NDArray[np.int64]:
    """Return a permutation of `size` slots that moves only the `free` ones."""
    order = np.arange(size)
    slots = np.array(free, dtype=np.int64)
    order[slots] = rng.permutation(slots)
    return order


def pairs_of(n: int) -> list[tuple[int, int]]:
    """Return the pairs i <= j of n particles, in the order of triangular storage: 00, 01, .., 11, .."""
    return [(i, j) for i in range(n) for j in range(i, n)]


def triangle(n: int) -> NDArray[np.int64]:
    """Return the place in triangular storage of every pair of n particles, shape (n, n)."""
    at = np.zeros((n, n), dtype=np.int64)
    for k, (i, j) in enumerate(pairs_of(n)):
        at[i, j] = at[j, i] = k
    return at


def corner(pairs: int) -> int:
    """Return the number of particles that have so many pairs i <= j. Raises CompileError if none."""
    n = isqrt(2 * pairs)
    if n * (n + 1) != 2 * pairs:
        raise CompileError("pairs", f"found {pairs} pairs", "expected n (n + 1) / 2: 1, 3, 6, 10, ..")
    return n
