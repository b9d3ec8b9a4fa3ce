"""Linear maps of all elements of an event: convolutions, averages, what moves elements.

Each is a function of arrays (events, *shape), and its matrix is what it makes of every unit. And the largest
of several elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from eqhls.errors import CompileError
from eqhls.frontends.scalars.site import Site, Value, axis_of
from eqhls.ir.op import Floats, Tensor
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.relu import Relu

Map = Callable[[Floats], Floats]


def named(site: Site, x: Value) -> bool:
    """Whether each axis of Keras's is a named axis of the value."""
    try:
        return all(bool(axis_of(site, x, k)) for k, size in enumerate(x.shape) if size > 1)
    except CompileError:
        return False


def mapped(site: Site, x: Value, function: Map, bias: Floats | None = None) -> Value:
    """Append a linear map of arrays (events, *shape), plus a bias of the shape of its result."""
    size = prod(x.shape)
    images = function(np.eye(size).reshape(size, *x.shape))
    offset = None if bias is None else Tensor(np.broadcast_to(bias, images.shape[1:]).ravel())
    name = site.add(Dense(Tensor(images.reshape(size, -1).T), offset), x.name)
    return Value(name, images.shape[1:])


def along_last(site: Site, x: Value, weight: Floats, bias: Floats | None) -> Value:
    """Append weight @ x + bias along the last axis; on a named one it says which."""
    if len(x.shape) > 1 and x.shape[-1] > 1 and named(site, x):
        axis = axis_of(site, x, len(x.shape) - 1)
        mix = ChannelMix(Tensor(weight), None if bias is None else Tensor(bias), axis=axis)
        return Value(site.add(mix, x.name), (*x.shape[:-1], len(weight)))
    return mapped(site, x, lambda v: v @ weight.T, bias)


@dataclass(frozen=True, slots=True)
class Windows:
    """How a window moves over the axes between the events and the channels."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation: tuple[int, ...]

    def counts(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return how many places the window has along each axis."""
        if self.padding != "valid":
            return tuple(-(-n // s) for n, s in zip(shape, self.strides, strict=True))
        reach = (d * (k - 1) + 1 for k, d in zip(self.sizes, self.dilation, strict=True))
        return tuple((n - r) // s + 1 for n, r, s in zip(shape, reach, self.strides, strict=True))

    def before(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return how far the first window begins in front of each axis."""
        found = list[int]()
        for n, k, s, d in zip(shape, self.sizes, self.strides, self.dilation, strict=True):
            reach = d * (k - 1)
            if self.padding == "same":
                reach = max((-(-n // s) - 1) * s + reach + 1 - n, 0) // 2
            found.append(0 if self.padding == "valid" else reach)
        return tuple(found)

    def taken(self, x: Floats, outside: float = 0.0) -> Iterator[tuple[tuple[int, ...], Floats]]:
        """Yield each place inside the window and what lies there in every window, (events, *places, c);
        `outside` is the value beyond the edges."""
        shape = x.shape[1:-1]
        counts, before = self.counts(shape), self.before(shape)
        for place in np.ndindex(*self.sizes):
            steps = [
                np.arange(c) * s + p * d - b
                for c, s, p, d, b in zip(counts, self.strides, place, self.dilation, before, strict=True)
            ]
            kept = np.ones((1, *counts, 1), dtype=bool)
            for k, (i, n) in enumerate(zip(steps, shape, strict=True)):
                kept &= np.expand_dims((i >= 0) & (i < n), [j for j in range(kept.ndim) if j != k + 1])
            clipped = np.ix_(*(np.clip(i, 0, n - 1) for i, n in zip(steps, shape, strict=True)))
            yield place, np.where(kept, x[(slice(None), *clipped)], outside)


def convolved(windows: Windows, kernel: Floats) -> Map:
    """Return the convolution with a kernel (*sizes, in, out), as Keras counts."""
    return lambda x: sum((v @ kernel[place] for place, v in windows.taken(x)), np.zeros(1))


def depthwise(windows: Windows, kernel: Floats) -> Map:
    """Return the convolution of each channel with kernels of its own (*sizes, in, copies)."""

    def function(x: Floats) -> Floats:
        parts = (v[..., None] * kernel[place] for place, v in windows.taken(x))
        total = sum(parts, np.zeros(1))
        return total.reshape(*total.shape[:-2], -1)

    return function


def averaged(windows: Windows) -> Map:
    """Return the mean over each window, of what lies inside the edges."""

    def function(x: Floats) -> Floats:
        counted = sum((v for _, v in windows.taken(np.ones((1, *x.shape[1:])))), np.zeros(1))
        return sum((v for _, v in windows.taken(x)), np.zeros(1)) / counted

    return function


def largest(site: Site, x: Value, windows: Windows) -> Value:
    """Append the largest value of each window: a tree of max(a, b) = b + relu(a - b)."""
    numbers = np.arange(1.0, prod(x.shape) + 1).reshape(1, *x.shape)
    places = np.stack([v[0] for _, v in windows.taken(numbers, outside=0.0)]).astype(int) - 1
    first = np.where(places >= 0, places, 0).max(axis=0)
    return most(site, x, [np.where(p >= 0, p, first) for p in places])


def most(site: Site, x: Value, places: Sequence[np.ndarray]) -> Value:
    """Append the largest of several choices of elements; each holds, for every result, the number of one."""
    unit = np.eye(prod(x.shape))
    left = [site.add(Dense(Tensor(unit[p.ravel()])), x.name, part=f"take{k}") for k, p in enumerate(places)]
    for depth in range(len(left).bit_length()):
        pairs = zip(left[::2], left[1::2], strict=False)
        odd = left[len(left) - len(left) % 2 :]
        left = [larger(site.at(f"max{depth}_{k}"), a, b) for k, (a, b) in enumerate(pairs)] + odd
    return Value(left[0], places[0].shape)


def larger(site: Site, a: str, b: str) -> str:
    """Append max(a, b)."""
    above = site.add(Relu(), site.add(Add((1,)), a, b, part="difference"), part="above")
    return site.add(Add(), b, above, part="larger")
