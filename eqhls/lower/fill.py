"""Stages filled: sums are added in another order, and compressed by counters if that saves stages for
little (ADR 25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eqhls.lower.sums import Forest, Ways, cheapest, fastest, forest, rebuilt
from eqhls.lower.timing import Draft
from eqhls.lower.trees import Tree


@dataclass(frozen=True, slots=True)
class Filling:
    """A way to add every sum, the stages that this takes and the LUTs."""

    stages: int
    lut: float
    ways: Mapping[int, Ways]
    picked: Mapping[int, Tree]


def filled(draft: Draft, price: float) -> Draft:
    """Return the draft with its sums added in as few stages as are worth their LUTs.

    Each stage fewer than adders need without counters may cost a share `price` of the LUTs that the draft
    takes with adders.
    """
    woods = forest(draft)
    plain, *compressed = _fillings(woods)
    limit = {f.stages: plain.lut * (1 + price * (plain.stages - f.stages)) for f in compressed}
    best = [plain, *(f for f in compressed if f.lut <= limit[f.stages])][-1]
    return rebuilt(woods, best.ways, best.picked)


def _fillings(woods: Forest) -> Iterator[Filling]:
    """Yield the fewest stages with adders alone, then one stage fewer each time: counters may be used in the
    sums that stand in the way, until they are used in every one of them."""
    heaps: set[int] = set()
    stages, ways = fastest(woods, heaps, {})
    slow: set[int] = set()
    while not slow or not slow <= heaps:
        if slow:
            heaps |= slow
            _, ways = fastest(woods, heaps, ways)
        picked, slow = cheapest(woods, ways, stages)
        if not slow:
            yield Filling(stages, _luts(woods, picked), ways, picked)
            stages -= 1


def _luts(woods: Forest, picked: Mapping[int, Tree]) -> float:
    rest = (c.lut for k, c in enumerate(woods.draft.cells) if k not in picked and k not in woods.inner)
    return sum(rest) + sum(t.lut for t in picked.values())
