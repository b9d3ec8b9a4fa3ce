"""What an ONNX value stands for: elements of an op's value in the places of a tensor, and which axis counts
events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from eqhls.ir.types import Axis, Type

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An ONNX value: the op's value, and which element of it (counted in the order of its axes) lies in each
    place of one event. `index` has the rank of the ONNX tensor; its axis `event` is the one that also counts
    events, of size 1 unless it counts something else, too, of which `outer` entries outside the events.
    `component`: one component of a value."""

    name: str
    index: Index
    event: int = 0
    component: int | None = None
    outer: int = 1

    @classmethod
    def whole(cls, name: str, type: Type) -> View:
        """Return a value as an op gives it, with the events in front."""
        return cls(name, np.arange(type.elements).reshape(1, *type.shape))

    @property
    def rank(self) -> int:
        return self.index.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one event without the axis of the events."""
        sizes = self.index.shape
        return sizes[: self.event] + sizes[self.event + 1 :]

    @property
    def in_front(self) -> bool:
        """Whether the first axis counts events and nothing else."""
        return self.event == 0 and self.index.shape[:1] == (1,)

    def sizes(self, batch: int) -> tuple[int, ...]:
        """Return the ONNX shape for a number of events."""
        return tuple(batch * s if k == self.event else s for k, s in enumerate(self.index.shape))

    def natural(self, type: Type) -> bool:
        """Whether the places hold all elements of the value in their order."""
        return self.index.size == type.elements and bool((np.diff(self.index.ravel()) == 1).all())

    @property
    def before(self) -> int:
        """The number of entries outside the events."""
        return prod(self.index.shape[: self.event]) * self.outer

    def at(self, index: Index, event: int | None = None) -> View:
        """Return a view of the same value with other places."""
        return replace(self, index=index, event=self.event if event is None else event)

    def of(self, name: str, index: Index) -> View:
        """Return a view of another value that counts events alike."""
        return replace(self, name=name, index=index)

    def ranked(self, rank: int) -> View:
        """Return the same view with axes of size 1 put in front."""
        more = rank - self.rank
        return self.at(self.index.reshape((1,) * more + self.index.shape), self.event + more)


def plain_axes(view: View, type: Type) -> tuple[str, ...] | None:
    """Return the axis of the op's value that each place counts, "" for places of size 1, or None if the
    places are not those of the value, in whatever order."""
    axes = [a for a in type.axes if a.size > 1]
    if view.index.size != type.elements or type.dim != 1:
        return None
    steps = {prod(a.size for a in axes[k + 1 :]): a for k, a in enumerate(axes)}
    names: list[str] = []
    offsets = np.zeros(view.index.shape, dtype=np.int64)
    for k, size in enumerate(view.index.shape):
        if size == 1:
            names.append("")
            continue
        step = int(np.take(view.index, 1, axis=k).flat[0] - view.index.flat[0])
        axis = steps.get(step)
        if axis is None or axis.size != size:
            return None
        names.append(axis.name)
        offsets += step * np.arange(size).reshape([-1 if d == k else 1 for d in range(view.rank)])
    return tuple(names) if (offsets == view.index).all() else None


def places_of(type: Type, names: Sequence[str], shape: Sequence[int]) -> Index:
    """Return which element of a value of `type` lies in each place, if axis k counts the entries of the axis
    names[k], or repeats one (""). Axes without a place have size 1."""
    named = [a for a in type.axes if a.name in names]
    order = [[a.name for a in named].index(n) for n in names if n]
    index = np.arange(type.elements).reshape([a.size for a in named])
    index = index.transpose(order).reshape([type.size(n) if n else 1 for n in names])
    return np.broadcast_to(index, tuple(shape)).copy()


def axes_for(names: Sequence[str], shape: Sequence[int]) -> tuple[Axis, ...]:
    return tuple(Axis(n, s) for n, s in zip(names, shape, strict=True) if n)


def viewed_axes(view: View, type: Type, names: Sequence[str]) -> bool:
    """Whether the places are the elements of the value in their order, and its axes have these names."""
    wanted = axes_for(names, view.index.shape)
    return type.axes == wanted and view.natural(type) and type.dim == 1
