"""Errors of counted rates: intervals of Clopper and Pearson (Biometrika 26 (1934) 404).

They come from the binomial probabilities themselves, so that they hold for any count: of all samples, at
least the stated share gives an interval with the true rate in it. Wilson's interval holds it in that share
of the samples on average, and less often at small rates, and p +- sqrt(p (1 - p) / n) much less often: there
a rate of a trigger would be understated.
"""

from __future__ import annotations

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.ir.op import Floats

ONE_SIGMA = 0.6827
"""Share of samples whose central interval holds the true rate."""
LIMIT = 0.95
"""Share of samples whose upper limit lies above the true rate."""
_HALVINGS = 52


def interval(passed: Ints, total: int) -> tuple[Floats, Floats]:
    """Return the ends of the central interval of a rate, of which `passed` of `total` events were counted.

    Raises CompileError if there are no events, or more have passed than there are.
    """
    tail = (1 - ONE_SIGMA) / 2
    return _lowest(passed, total, tail), 1 - _lowest(total - passed, total, tail)


def upper_limit(passed: Ints, total: int) -> Floats:
    """Return the rate below which the true one lies, about 3 / `total` if no event has passed."""
    return 1 - _lowest(total - passed, total, 1 - LIMIT)


def _lowest(passed: Ints, total: int, chance: float) -> Floats:
    """Return the rate at which `passed` or more of `total` events pass with a chance; 0 if none passed."""
    if total < 1 or bool((passed < 0).any()) or bool((passed > total).any()):
        raise CompileError("rate", f"found counts outside 0 to {total}", "count at least one event")
    counts, place = np.unique(np.asarray(passed, dtype=np.int64), return_inverse=True)
    some = np.maximum(counts, 1)
    low, high = np.zeros(len(counts)), some / total
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = at_least(some, total, middle) > chance
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(counts == 0, 0.0, high)[place].reshape(np.shape(passed))


def at_least(passed: Ints, total: int, rate: Floats) -> Floats:
    """Return the chance that `passed` or more of `total` events pass, for 1 <= passed and a rate of at most
    passed / total: the regularized incomplete beta function by its continued fraction (DLMF 8.17.22)."""
    a, b = passed.astype(np.float64), total - passed + 1.0
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])
    ways = factorials[total] - factorials[passed] - factorials[total - passed]
    fraction = np.ones(len(a))
    for m in range(int(15 + np.sqrt(total)), 0, -1):
        fraction = 1 + m * (b - m) * rate / ((a + 2 * m - 1) * (a + 2 * m)) / fraction
        m -= 1
        fraction = 1 - (a + m) * (a + b + m) * rate / ((a + 2 * m) * (a + 2 * m + 1)) / fraction
    with np.errstate(divide="ignore"):
        first = ways + a * np.log(rate) + b * np.log1p(-rate)
    return np.exp(first) / fraction
