"""Events of different numbers of particles: one list of four-vectors, and how many of them each event has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.ir.op import Floats

NOTHING: Mapping[str, Floats] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Particles:
    """Four-vectors p (T, 4), (E, px, py, pz) in GeV, of all events one behind the other, and the number of
    those of each event, counts (B,)."""

    p: Floats
    counts: Ints

    @property
    def events(self) -> Ints:
        """The event of each particle, (T,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


@dataclass(frozen=True, slots=True)
class Jets:
    """What networks read of B jets: constituents p4 (B, N, 4) by falling pT, padded with zeros; the whole
    jet (B, 4); n (B,), how many constituents it has; and the share of the constituents' pT that lies beyond
    the first N, (B,)."""

    p4: Floats
    jet: Floats
    n: Ints
    cut: Floats
    beside: Mapping[str, Floats] = field(default_factory=dict[str, Floats])


def rows(p: Floats) -> Particles:
    """Return the particles of padded events (B, M, 4): rows of zeros are padding."""
    there = (p != 0).any(axis=-1)
    return Particles(p[there], there.sum(axis=1))


def jets_of(
    found: Particles,
    constituents: int | None,
    jet: Floats | None = None,
    beside: Mapping[str, Floats] = NOTHING,
) -> Jets:
    """Return jets of so many constituents, by default as many as the largest has, at least one.

    Particles of equal pT keep their order; those of zeros are not particles. Without `jet` (B, 4), the sum of
    all constituents is the jet. `beside` are numbers of the particles, (T,). Raises CompileError for NaN and
    infinity, by event.
    """
    demand_finite("particles", found.p, found.events)
    real = (found.p != 0).any(axis=-1)
    events, p, size = found.events[real], found.p[real], len(found.counts)
    pt = np.hypot(p[:, 1], p[:, 2])
    order = np.lexsort((-pt, events))
    p, pt = p[order], pt[order]
    n = np.bincount(events, minlength=size)
    place = np.arange(len(p)) - np.repeat(np.cumsum(n) - n, n)
    slots = constituents if constituents is not None else max(int(n.max(initial=0)), 1)
    kept = place < slots
    at = (events[kept], place[kept])
    p4 = _placed(p[kept], at, (size, slots, 4))
    numbers = {k: _placed(v[real][order][kept], at, (size, slots)) for k, v in beside.items()}
    whole = np.stack([np.bincount(events, p[:, c], size) for c in range(4)], axis=-1).astype(np.float64)
    total = np.bincount(events, pt, size)
    cut = np.bincount(events[~kept], pt[~kept], size) / np.where(total > 0, total, 1.0)
    return Jets(p4, whole if jet is None else jet, n.astype(np.int64), cut, numbers)


def _placed(values: Floats, at: tuple[Ints, Ints], shape: tuple[int, ...]) -> Floats:
    """Return zeros with values put at their places."""
    out = np.zeros(shape)
    out[at] = values
    return out


def placed_lists(values: Floats, counts: Ints, slots: int | None) -> Floats:
    """Return lists (T,) of so many values each as rows (B, slots), cut and padded with zeros."""
    place = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = slots if slots is not None else max(int(counts.max(initial=0)), 1)
    kept = place < width
    events = np.repeat(np.arange(len(counts)), counts)
    return _placed(values[kept], (events[kept], place[kept]), (len(counts), width))


def demand_finite(name: str, values: Floats, events: Ints, first: int = 0) -> None:
    """Raise CompileError if a value of one of `events` is NaN or infinite. Their numbers start at `first`."""
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        event = first + int(events[bad].min())
        raise CompileError(name, f"event {event} holds NaN or infinity", "clean the events")
