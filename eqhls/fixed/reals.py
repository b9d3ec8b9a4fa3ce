"""Real numbers assigned to ap_fixed formats: what `quantize` does to exact numbers, on arrays of float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed.format import Fixed, Overflow, Rounding

Reals = NDArray[np.float64]


def assigned(x: Reals, to: Fixed) -> NDArray[np.int64]:
    """Return the raw integers of real numbers of any shape in a format, rounded and fitted by its modes."""
    scaled = np.asarray(x, dtype=np.float64) * 2.0**to.frac
    return _fitted(_rounded(scaled, to.rounding), scaled, to).astype(np.int64)


def _rounded(x: Reals, mode: Rounding) -> Reals:
    below = np.floor(x)
    rest = x - below
    over, half = rest > 0.5, rest == 0.5
    match mode:
        case Rounding.TRN:
            return below
        case Rounding.TRN_ZERO:
            return np.trunc(x)
        case Rounding.RND:
            up = over | half
        case Rounding.RND_MIN_INF:
            up = over
        case Rounding.RND_ZERO:
            up = over | (half & (x < 0))
        case Rounding.RND_INF:
            up = over | (half & (x >= 0))
        case Rounding.RND_CONV:
            up = over | (half & (below % 2 == 1))
    return below + up


def _fitted(x: Reals, source: Reals, to: Fixed) -> Reals:
    outside = (x < to.lo) | (x > to.hi)
    match to.overflow:
        case Overflow.SAT | Overflow.SAT_SYM:
            return np.clip(x, to.lo, to.hi)
        case Overflow.SAT_ZERO:
            return np.where(outside, 0.0, x)
        case Overflow.WRAP:
            return _wrapped(x, to.lo, to.width)
        case Overflow.WRAP_SM:
            kept = _wrapped(x, to.lo, to.width)
            deleted = np.floor(np.floor(source) * 2.0**-to.width) % 2 == 1
            return np.where(outside & (deleted != (kept < 0)), -1 - kept, kept)


def _wrapped(x: Reals, lo: int, width: int) -> Reals:
    return x - np.floor((x - lo) * 2.0**-width) * 2.0**width
