"""Normalization over the elements of an event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from eqhls.frontends.scalars.build.arithmetic import affine, averaged, multiplied, squared, subtracted, summed
from eqhls.frontends.scalars.build.functions import coded_power
from eqhls.frontends.scalars.build.tensors import opened
from eqhls.frontends.scalars.site import Site, Value


def layer_norm(
    site: Site,
    x: Value,
    places: Sequence[int],
    epsilon: float,
    factor: ArrayLike | None = None,
    shift: ArrayLike | None = None,
) -> Value:
    """Return (x - mean) / sqrt(variance + epsilon) over some places of the shape, times a factor, plus a
    shift, which broadcast against x."""
    x = opened(site, x)
    away = subtracted(site, x, averaged(site.at("mean"), x, places, keep=True))
    return _trained(site, _normalized(site, away, places, epsilon), factor, shift)


def rms_norm(
    site: Site, x: Value, places: Sequence[int], epsilon: float, factor: ArrayLike | None = None
) -> Value:
    """Return x / sqrt(mean of x**2 + epsilon) over some places of the shape, times a factor."""
    return _trained(site, _normalized(site, opened(site, x), places, epsilon), factor, None)


def unit_norm(site: Site, x: Value, places: Sequence[int]) -> Value:
    """Return x / sqrt(sum of x**2) over some places of the shape."""
    x = opened(site, x)
    total = summed(site, squared(site, x), places, keep=True)
    return multiplied(site, x, coded_power(site, total, -0.5, 0.0, 2.0**-12))


def _normalized(site: Site, x: Value, places: Sequence[int], epsilon: float) -> Value:
    mean = averaged(site.at("variance"), squared(site, x), places, keep=True)
    return multiplied(site, x, coded_power(site, mean, -0.5, epsilon, epsilon or 2.0**-12))


def _trained(site: Site, x: Value, factor: ArrayLike | None, shift: ArrayLike | None) -> Value:
    if factor is None and shift is None:
        return x
    return affine(site, x, np.ones(()) if factor is None else factor, shift)
