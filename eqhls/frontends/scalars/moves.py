"""Layers and operations that only move elements: the framework itself says where each one goes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import keras
import numpy as np

from eqhls.frontends.scalars.build.tensors import moved
from eqhls.frontends.scalars.site import Site, Value

EXACT = 1 << 23
"""Whole numbers that float32 tells apart."""


def relocated(site: Site, x: Value, run: Callable[[Any], Any]) -> list[Value]:
    """Return what a function of the framework makes of a tensor if it only moves its elements.

    It is run on two events that hold the numbers of their elements. Raises CompileError if it computes
    something else, or lets events meet.
    """
    size = prod(x.shape)
    if 2 * size >= EXACT:
        raise site.refuse(f"moves {size:,} elements", f"expected less than {EXACT // 2:,}")
    numbers = (1 + np.arange(2 * size, dtype="float32")).reshape(2, *x.shape)
    try:
        found = run(keras.ops.convert_to_tensor(numbers))
    except (ValueError, TypeError, IndexError) as error:
        raise site.refuse(f"cannot be run on events by themselves ({error!s:.100})", _APART) from None
    parts = found if isinstance(found, list | tuple) else [found]
    return [_moved(site, x, np.asarray(keras.ops.convert_to_numpy(p), dtype=np.float64)) for p in parts]


_APART = "leave axis 0, the events, where it is"


def _moved(site: Site, x: Value, places: np.ndarray) -> Value:
    size = prod(x.shape)
    if places.ndim < 1 or len(places) != 2:
        raise site.refuse(f"makes {places.shape} of events {(2, *x.shape)}", _APART)
    first, second = places
    whole = (first == np.rint(first)).all() and first.min(initial=0) >= 0 and first.max(initial=0) <= size
    if not whole or (second != np.where(first > 0, first + size, 0)).any():
        raise site.refuse("does more than to move elements within an event", _APART)
    return moved(site, x, first.astype(np.int64) - 1)


def relocate(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """Read a layer that only moves elements."""
    return relocated(site, inputs[0], lambda x: layer(x, training=False) if _trains(layer) else layer(x))[0]


def _trains(layer: Any) -> bool:
    return bool(getattr(layer, "_call_has_training_arg", False))


def upsampled(site: Site, layer: Any, inputs: list[Value]) -> Value:
    if getattr(layer, "interpolation", "nearest") != "nearest":
        raise site.refuse(f"interpolates ({layer.interpolation})", "use interpolation='nearest'")
    return relocate(site, layer, inputs)
