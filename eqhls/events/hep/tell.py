"""Notes on the jets that were read: how, what was cut, what looks wrong, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from eqhls.events.hep.convert import Batch
from eqhls.events.hep.layouts import Layout
from eqhls.events.oddities import odd_momenta


@dataclass(frozen=True, slots=True)
class Told:
    """Counts of what was read so far: jets, those that lost constituents and the pT that these had, jets of
    each label, and lines on the momenta of the first chunk."""

    jets: int = 0
    cut: int = 0
    share: float = 0.0
    labels: tuple[tuple[float, int], ...] = ()
    lines: tuple[str, ...] = ()

    def add(self, batch: Batch) -> Told:
        """Return the counts with those of one more chunk."""
        counts = dict(self.labels)
        if batch.y is not None:
            for value, number in zip(*np.unique(batch.y, return_counts=True), strict=True):
                counts[float(value)] = counts.get(float(value), 0) + int(number)
        lines = self.lines if self.jets else tuple(odd_momenta("particles", batch.jets.p4, 0.0))
        lost = batch.jets.cut
        return replace(
            self,
            jets=self.jets + len(batch.entry),
            cut=self.cut + int((lost > 0).sum()),
            share=self.share + float(lost.sum()),
            labels=tuple(sorted(counts.items())),
            lines=lines,
        )


def reading(layout: Layout) -> str:
    """Return a line on what was taken for what."""
    jet = (
        f"the jet from {_said(layout.jet.values())}"
        if layout.jet
        else "the jet is the sum of its constituents"
    )
    index = f", by {layout.index.jet} and {layout.index.particle}" if layout.index else ""
    one = layout.labels[0] if len(layout.labels) == 1 else ""
    several = ", ".join(f"{k} = {name}" for k, name in enumerate(layout.labels))
    labels = f"labels from {one}" if one else f"labels {several}" if several else "no labels"
    return f"read as {layout.name}: particles from {_said(layout.particles.values())}{index}; {jet}; {labels}"


def cutting(told: Told, constituents: int | None) -> list[str]:
    """Return a line on constituents that were left out."""
    if not told.cut:
        return []
    return [
        f"constituents beyond the first {constituents} are left out of {told.cut:,} of {told.jets:,} jets, "
        f"with {told.share / told.jets:.1%} of the pT on average; the jet and n count them"
    ]


def _said(names: Iterable[str]) -> str:
    return ", ".join(names)
