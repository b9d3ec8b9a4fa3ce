"""Windows of convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from eqhls.frontends.onnx.site import Site
from eqhls.frontends.onnx.views import Index, View


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows over the axes behind channels: how long each axis is, its kernel, strides, dilations, and the
    padding in front and behind; `sizes` are how many windows there are along each."""

    lengths: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    ceil_mode: bool

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(self._size(k) for k in range(len(self.kernel)))

    def _size(self, k: int) -> int:
        free = self.lengths[k] + sum(self.pads[k]) - (self.dilations[k] * (self.kernel[k] - 1) + 1)
        steps = free / self.strides[k]
        count = (ceil(steps) if self.ceil_mode else free // self.strides[k]) + 1
        last = (count - 1) * self.strides[k]
        return count - (self.ceil_mode and last >= self.lengths[k] + self.pads[k][0])

    def _positions(self, k: int) -> Index:
        """Return where each window (rows) looks along an axis, counted from its first element."""
        starts = np.arange(self._size(k)) * self.strides[k] - self.pads[k][0]
        return starts[:, None] + np.arange(self.kernel[k]) * self.dilations[k]

    def index(self, index: Index) -> Index:
        """Return the elements of each window, shape (events, channels, *sizes, kernel), -1 for padding."""
        rank = len(self.kernel)
        for k in range(rank):
            where = self._positions(k)
            axis = 2 + 2 * k
            outside = (where < 0) | (where >= self.lengths[k])
            index = np.take(index, np.where(outside, 0, where), axis=axis)
            shape = [1] * axis + list(where.shape) + [1] * (index.ndim - axis - 2)
            index = np.where(outside.reshape(shape), -1, index)
        order = (0, 1, *(2 + 2 * k for k in range(rank)), *(3 + 2 * k for k in range(rank)))
        index = index.transpose(order)
        return index.reshape(*index.shape[: 2 + rank], -1)

    def inside(self) -> np.ndarray:
        """Return how many places of each window lie in the padded tensor."""
        counts = np.ones(())
        for k in range(len(self.kernel)):
            where = self._positions(k)
            there = (where >= -self.pads[k][0]) & (where < self.lengths[k] + self.pads[k][1])
            counts = counts[..., None] * there.sum(axis=1)
        return counts.ravel()


def windows_of(site: Site, view: View, given: dict[str, Any], kernel: Sequence[int]) -> Windows:
    """Return the windows that an operator asks for. Raises CompileError for those that do not fit."""
    lengths, rank = view.index.shape[2:], view.rank - 2
    kernel = tuple(given.get("kernel_shape") or kernel)
    strides = tuple(given.get("strides") or (1,) * rank)
    dilations = tuple(given.get("dilations") or (1,) * rank)
    flat = list(given.get("pads") or (0,) * (2 * rank))
    auto = given.get("auto_pad", b"NOTSET").decode()
    if not len(kernel) == len(strides) == len(dilations) == len(flat) // 2 == rank:
        raise site.refuse(f"has windows {kernel} over {rank} axes", "one number for each axis")
    if min((*kernel, *strides, *dilations)) < 1 or min(flat) < 0:
        raise site.refuse(f"has kernel {kernel}, strides {strides}, dilations {dilations}, pads {flat}")
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise site.refuse(f"has auto_pad = {auto}", "expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    pads = list(zip(flat[:rank], flat[rank:], strict=True))
    if auto.startswith("SAME"):
        pads = [
            _same(n, k, s, d, auto) for n, k, s, d in zip(lengths, kernel, strides, dilations, strict=True)
        ]
    found = Windows(lengths, kernel, strides, dilations, tuple(pads), bool(given.get("ceil_mode")))
    if min(found.sizes) < 1:
        raise site.refuse(f"has windows {kernel} larger than {lengths}", "make them smaller, or pad")
    site.sized((view.index.shape[1], *found.sizes, *kernel))
    if any(max(p) > d * (k - 1) for p, k, d in zip(pads, kernel, dilations, strict=True)):
        raise site.refuse(f"pads by {flat} beside windows {kernel}", "some windows would see padding alone")
    return found


def _same(length: int, kernel: int, stride: int, dilation: int, mode: str) -> tuple[int, int]:
    whole = max((ceil(length / stride) - 1) * stride + dilation * (kernel - 1) + 1 - length, 0)
    small = whole // 2
    return (small, whole - small) if mode == "SAME_UPPER" else (whole - small, small)
