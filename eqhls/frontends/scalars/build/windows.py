"""Convolutions and pooling: windows are wires, what is done in each is a matrix, a sum or a maximum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eqhls.frontends.scalars.build.arithmetic import affine, largest, summed
from eqhls.frontends.scalars.build.contract import dense, einsum
from eqhls.frontends.scalars.build.tensors import joined, moved, opened, reshaped
from eqhls.frontends.scalars.site import Site, Value

Pads = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Window:
    """What a window is along each axis of space: entries, steps from window to window, steps from entry to
    entry, and zeros in front of and behind the axis."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]

    def counts(self, space: Sequence[int]) -> tuple[int, ...]:
        """Return how many windows there are along each axis."""
        return tuple(
            (n + sum(p) - (k - 1) * d - 1) // s + 1
            for n, k, s, d, p in zip(space, self.size, self.stride, self.dilation, self.pads, strict=True)
        )

    def places(self, space: Sequence[int]) -> NDArray[np.int64]:
        """Return, for each entry of each window, its place in the flattened space, or -1 beyond its ends;
        shape (*counts, entries)."""
        found, rank = np.zeros((1,) * (2 * len(space)), dtype=np.int64), len(space)
        inside = np.ones_like(found, dtype=bool)
        for axis, count in enumerate(self.counts(space)):
            start = np.arange(count) * self.stride[axis] - self.pads[axis][0]
            place = start[:, None] + np.arange(self.size[axis]) * self.dilation[axis]
            shape = [1] * (2 * rank)
            shape[axis], shape[rank + axis] = place.shape
            found = found * space[axis] + place.reshape(shape)
            inside = inside & ((place >= 0) & (place < space[axis])).reshape(shape)
        whole = np.where(inside, found, -1)
        return np.broadcast_to(whole, (*self.counts(space), *self.size)).reshape(*self.counts(space), -1)


def window(
    space: Sequence[int],
    size: Sequence[int],
    stride: Sequence[int] | None = None,
    dilation: Sequence[int] | None = None,
    padding: Literal["valid", "same", "causal"] | Pads = "valid",
) -> Window:
    """Return a window over axes of these sizes, padded by name as in Keras or by numbers as in ONNX."""
    stride = tuple(stride or (1,) * len(size))
    dilation = tuple(dilation or (1,) * len(size))
    if not isinstance(padding, str):
        return Window(tuple(size), stride, dilation, tuple((int(a), int(b)) for a, b in padding))
    pads: list[tuple[int, int]] = []
    for n, k, s, d in zip(space, size, stride, dilation, strict=True):
        reach = (k - 1) * d
        lack = max((-(-n // s) - 1) * s + reach + 1 - n, 0)
        pads.append({"valid": (0, 0), "causal": (reach, 0), "same": (lack // 2, lack - lack // 2)}[padding])
    return Window(tuple(size), stride, dilation, tuple(pads))


def windowed(site: Site, x: Value, over: Window, repeat: bool = False) -> Value:
    """Return the windows of (*space, channels) as (*counts, entries, channels), zeros beyond the ends; or, if
    `repeat`, an entry of the same window, which no maximum notices."""
    *space, channels = x.shape
    places = over.places(space)
    if repeat:
        places = np.where(places < 0, places.max(axis=-1, keepdims=True), places)
    entry = places[..., None] * channels + np.arange(channels)
    return moved(site, x, np.where(places[..., None] < 0, -1, entry))


def convolved(
    site: Site, x: Value, kernel: ArrayLike, bias: ArrayLike | None, over: Window, groups: int = 1
) -> Value:
    """Return the convolution of (*space, channels) with a kernel (*size, channels / groups, filters)."""
    weights = np.asarray(kernel, dtype=np.float64)
    weights = weights.reshape(-1, *weights.shape[-2:])
    entries, inner, filters = weights.shape
    if entries == 1 and groups == 1 and not any(map(sum, over.pads)) and set(over.stride) == {1}:
        return dense(site, x, weights[0], bias)
    counts = over.counts(x.shape[:-1])
    cut = windowed(site, x, over)
    parts = list[Value]()
    for g in range(groups):
        own = np.arange(prod(cut.shape)).reshape(cut.shape)[..., g * inner : (g + 1) * inner]
        flat = moved(site, cut, own.reshape(*counts, entries * inner))
        share = slice(g * filters // groups, (g + 1) * filters // groups)
        offset = None if bias is None else np.asarray(bias)[share]
        parts.append(dense(site, flat, weights[..., share].reshape(entries * inner, -1), offset))
    return parts[0] if groups == 1 else joined(site, parts, len(counts))


def convolved_apart(site: Site, x: Value, kernel: ArrayLike, bias: ArrayLike | None, over: Window) -> Value:
    """Return the depthwise convolution of (*space, channels) with a kernel (*size, channels, multiplier)."""
    weights = np.asarray(kernel, dtype=np.float64)
    weights = weights.reshape(-1, *weights.shape[-2:])
    space = "stuvw"[: len(x.shape) - 1]
    product = einsum(site, f"{space}kc,kcm->{space}cm", windowed(site, x, over), weights)
    y = reshaped(site, product, (*product.shape[:-2], prod(product.shape[-2:])))
    return y if bias is None else affine(site, y, 1.0, bias)


def max_pooled(site: Site, x: Value, over: Window) -> Value:
    """Return the largest entry of each window of (*space, channels), by channel."""
    return largest(site, windowed(site, x, over, repeat=True), (len(x.shape) - 1,))


def average_pooled(site: Site, x: Value, over: Window, count_pads: bool = False) -> Value:
    """Return the mean of each window of (*space, channels), by channel; of the entries that are there unless
    zeros beyond the ends count."""
    space = x.shape[:-1]
    total = summed(site, windowed(site, x, over), (len(space),))
    there = (over.places(space) >= 0).sum(axis=-1)
    counts = np.full_like(there, prod(over.size)) if count_pads else there
    even = len(np.unique(counts)) == 1
    return affine(
        site, opened(site, total), 1.0 / counts.ravel()[0] if even else 1.0 / counts[..., None], None
    )
