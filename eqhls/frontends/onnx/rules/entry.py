"""What an operator is read by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from eqhls.frontends.onnx.site import Site
from eqhls.frontends.onnx.views import View

Rule = Callable[[Site, dict[str, Any]], View | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """The rule of an operator, what it is read as and under which conditions (for the documents), and the
    attributes that the rule honours; all others have their defaults."""

    read: Rule
    to: str
    says: str = ""
    honours: tuple[str, ...] = ()


def axes_of(site: Site, given: dict[str, Any], rank: int, k: int = 1) -> list[int] | None:
    """Return axes that are an attribute in old opsets and input k in new ones, counted from the front, or
    None if there are none. Raises CompileError for axes that are not there, or twice."""
    if given.get("axes") is not None:
        axes = [int(a) for a in given["axes"]]
    elif site.given(k):
        axes = [int(a) for a in site.constant(k).ravel()]
    else:
        return None
    found = [a + rank if a < 0 else a for a in axes]
    if len(set(found)) != len(found) or not all(0 <= a < rank for a in found):
        raise site.refuse(f"has the axes {axes}, expected different ones from 0 to {rank - 1}")
    return found


def axis_of(site: Site, axis: int, rank: int) -> int:
    """Return one axis, counted from the front."""
    if not -rank <= axis < rank:
        raise site.refuse(f"has the axis {axis} of {rank}", "count from 0, or from -1 backwards")
    return axis % rank


def per_event(site: Site, values: np.ndarray, view: View) -> np.ndarray:
    """Return a constant as every event sees it, to broadcast over the places of a view. Raises CompileError
    for one that tells events apart, or whose shape does not fit."""
    array = values.astype(np.float64)
    rank = max(array.ndim, view.rank)
    behind = view.rank - view.event
    array = array.reshape((1,) * (rank - array.ndim) + array.shape)
    place, size = rank - behind, view.index.shape[view.event]
    batch = site.state.batch
    if batch > 1 and array.shape[place] == batch * size:
        events = np.moveaxis(array, place, 0).reshape(batch, size, *np.delete(array.shape, place))
        if (events != events[:1]).any():
            raise site.refuse("has a constant that differs between events", "make it one of all events")
        array = np.moveaxis(events[0], 0, place)
    wide = (1,) * (rank - view.rank) + view.index.shape
    try:
        shape = np.broadcast_shapes(array.shape, wide)
    except ValueError:
        shape = None
    if shape is None or rank > view.rank or shape[place] != size:
        raise site.refuse(
            f"has a constant {list(values.shape)} beside {list(view.shape)} of an event", "match the shapes"
        )
    return array
