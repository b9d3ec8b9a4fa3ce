"""Registers placed late: operations move to other stages within their slack if fewer bits have to be kept.

A pure function from stages to stages. Depth and number of stages stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from eqhls.lower.netlist import Constant, Input, operands
from eqhls.lower.timing import ROUNDING, Draft

SWEEPS = 2
"""Times that all cells are tried: a second sweep finds next to nothing."""
LARGEST = 48
"""Cells that move together at most."""


def settled(draft: Draft, stages: Sequence[int]) -> list[int]:
    """Return the stages of cells after all moves, one stage at a time, that save register bits.

    A cell moves with the cells of its stage that need its value, or, backwards, whose values it needs; and,
    if that saves nothing, with those that share its operands. Last cells come first on the way to later
    stages.
    """
    bench = _Bench(draft, list(stages))
    order = [k for k, c in enumerate(draft.cells) if not isinstance(c, Constant | Input)]
    for _ in range(SWEEPS):
        moved = sum(bench.push(k, 1) for k in reversed(order)) + sum(bench.push(k, -1) for k in order)
        if not moved:
            break
    return bench.stages


class _Bench:
    """The stages of cells while they move."""

    def __init__(self, draft: Draft, stages: list[int]) -> None:
        self.stages = stages
        self._sources = [tuple(dict.fromkeys(o.cell for o in operands(c))) for c in draft.cells]
        self._users: list[list[int]] = [[] for _ in draft.cells]
        for k, sources in enumerate(self._sources):
            for i in sources:
                self._users[i].append(k)
        self._draft = draft
        self._end = max(stages)
        self._results = {o.cell for o in draft.results}
        self._fixed = {k for k, c in enumerate(draft.cells) if isinstance(c, Constant | Input)}
        self._bits = [0 if isinstance(c, Constant) else c.width for c in draft.cells]

    def push(self, cell: int, by: int) -> int:
        """Move a cell, as far as that saves bits; backwards only if it does, forwards if it costs none."""
        moved = 0
        while any(self._try(group, by) for group in self._groups(cell, by)):
            moved += 1
        return moved

    def _groups(self, cell: int, by: int) -> Iterator[set[int]]:
        alone = self._cone((cell,), by)
        if alone:
            yield alone
        stage = self.stages[cell]
        near = [u for i in self._sources[cell] for u in self._users[i]] if by > 0 else []
        together = self._cone((k for k in near if self.stages[k] == stage), by)
        if together and together != alone:
            yield together

    def _cone(self, cells: Iterable[int], by: int) -> set[int] | None:
        """Return the cells of a stage that must move with others of it, or None if they cannot."""
        group, queue = set[int](), list(cells)
        while queue:
            k = queue.pop()
            if k in group:
                continue
            group.add(k)
            if k in self._fixed or not 0 <= self.stages[k] + by <= self._end or len(group) > LARGEST:
                return None
            near = self._users[k] if by > 0 else self._sources[k]
            queue += [i for i in near if self.stages[i] == self.stages[k] and self._bits[i]]
        return group

    def _try(self, group: set[int], by: int) -> bool:
        touched = group | {i for k in group for i in self._sources[k]}
        before = self._kept(touched)
        self._move(group, by)
        saved = before - self._kept(touched)
        if (saved > 0 or (saved == 0 and by > 0)) and self._fits(group):
            return True
        self._move(group, -by)
        return False

    def _move(self, group: set[int], by: int) -> None:
        for k in group:
            self.stages[k] += by

    def _kept(self, cells: Iterable[int]) -> int:
        """Return the register bits behind cells."""
        return sum(self._bits[k] * (self._last(k) - self.stages[k]) for k in cells)

    def _last(self, cell: int) -> int:
        if cell in self._results:
            return self._end
        return max((self.stages[u] for u in self._users[cell]), default=self.stages[cell])

    def _fits(self, group: set[int]) -> bool:
        """Whether no chain of operations through cells that have moved is too long for a stage."""
        passed: dict[int, float] = {}
        for k in sorted(self._downstream(group)):
            start = self._start(k, passed)
            passed[k] = start + self._draft.delays[k]
            if start > 0 and self._draft.delays[k] > 0 and passed[k] > self._draft.stage_ns + ROUNDING:
                return False
        return True

    def _downstream(self, group: set[int]) -> set[int]:
        found, queue = set[int](), list(group)
        while queue:
            k = queue.pop()
            if k not in found:
                found.add(k)
                queue += [u for u in self._users[k] if self.stages[u] == self.stages[k]]
        return found

    def _start(self, cell: int, passed: dict[int, float]) -> float:
        """Return the logic in front of a cell in its stage."""
        chained = (i for i in self._sources[cell] if self.stages[i] == self.stages[cell])
        return max((self._passed(i, passed) for i in chained), default=0.0)

    def _passed(self, cell: int, passed: dict[int, float]) -> float:
        if cell not in passed:
            passed[cell] = self._start(cell, passed) + self._draft.delays[cell]
        return passed[cell]
