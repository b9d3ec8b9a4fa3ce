"""Where each element comes from: named axes resolved to flat indices for the C++ ops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eqhls.ir.types import Axis, Type, joined_axes, spread

Index = NDArray[np.int64]


def flat(type: Type) -> Index:
    """Return the flat index of every element, shape (*axes, 1)."""
    sizes = [a.size for a in type.axes]
    return np.arange(int(np.prod(sizes, dtype=np.int64))).reshape(*sizes, 1)


def over(type: Type, axes: tuple[Axis, ...]) -> Index:
    """Return, for each element of `axes`, the element of `kind` that broadcasts to it."""
    index = spread(flat(type), type, axes)
    return np.broadcast_to(index[..., 0], tuple(a.size for a in axes)).ravel()


def summed(type: Type, axes: tuple[Axis, ...], name: str) -> Index:
    """Return, for each element of `axes` without `name`, its elements of `kind` along `name`;
    shape (elements, terms)."""
    index = np.broadcast_to(spread(flat(type), type, axes)[..., 0], tuple(a.size for a in axes))
    where = [a.name for a in axes].index(name)
    moved = np.moveaxis(index, where, -1)
    return moved.reshape(-1, moved.shape[-1])


def along(type: Type, name: str, sizes: int) -> Index:
    """Return, for each element of `kind`, its position along the axis `name`."""
    where = type.index(name)
    shape = [1] * len(type.axes)
    shape[where] = sizes
    grid = np.arange(sizes).reshape(shape)
    return np.broadcast_to(grid, tuple(a.size for a in type.axes)).ravel()


def taken(type: Type, name: str, indices: tuple[int, ...]) -> Index:
    """Return the elements of `kind` at `indices` along `name`, in order."""
    return np.take(flat(type)[..., 0], indices, axis=type.index(name)).ravel()


def product_axes(a: Type, b: Type) -> tuple[Index, Index]:
    """Return the elements of both factors for each element of their product."""
    axes = joined_axes(a, b)
    return over(a, axes), over(b, axes)
