"""When values arrive: a time is a stage of the pipeline and the nanoseconds of logic in it.

All delays are in the units of alkaid's estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eqhls.lower.netlist import Cell, Operand, operands

Time = tuple[int, float]
"""A stage, and how much of it has passed."""
ROUNDING = 1e-9
START: Time = (0, 0.0)


@dataclass(frozen=True, slots=True)
class Draft:
    """Cells in SSA order that have no stages yet, and of each the delay in ns and the interval of its raw
    values; the operand behind each output element; and what a stage may take."""

    cells: tuple[Cell, ...]
    delays: tuple[float, ...]
    spans: tuple[tuple[int, int], ...]
    results: tuple[Operand, ...]
    stage_ns: float

    @property
    def lut_estimate(self) -> float:
        return sum(c.lut for c in self.cells)


def after(ready: Time, delay: float, stage_ns: float) -> Time:
    """Return when an operation ends that has its operands at a time: in the same stage if it fits, else in
    the next one. An operation of no delay is a matter of wires and fits; one that is longer than a stage has
    one of its own."""
    stage, passed = ready
    if delay > 0 and passed > 0 and passed + delay > stage_ns + ROUNDING:
        return stage + 1, delay
    return stage, passed + delay


def before(due: Time, delay: float, stage_ns: float) -> Time:
    """Return until when an operation must have its operands to end at a time."""
    stage, left = due
    if delay <= 0:
        return due
    if delay <= left + ROUNDING:
        return stage, max(left - delay, 0.0)
    if delay <= stage_ns + ROUNDING:
        return stage - 1, max(stage_ns - delay, 0.0)
    return (stage, 0.0) if left >= stage_ns - ROUNDING else (stage - 1, 0.0)


def in_time(ends: Time, due: Time, stage_ns: float) -> bool:
    """Whether an operation that ends at a time does so until another. One that is longer than a stage may end
    after the stage that it has for itself."""
    if ends[0] != due[0]:
        return ends[0] < due[0]
    return ends[1] <= due[1] + ROUNDING or due[1] >= stage_ns - ROUNDING


def arrivals(draft: Draft) -> list[Time]:
    """Return when every cell has its value if each is computed as early as it can be."""
    times: list[Time] = []
    for cell, delay in zip(draft.cells, draft.delays, strict=True):
        ready = max((times[o.cell] for o in operands(cell)), default=START)
        times.append(after(ready, delay, draft.stage_ns))
    return times


def depths(draft: Draft, stages: Sequence[int]) -> tuple[float, ...]:
    """Return the logic of every stage, in ns."""
    passed: list[float] = []
    deepest = [0.0] * (max(stages, default=-1) + 1)
    for cell, delay, stage in zip(draft.cells, draft.delays, stages, strict=True):
        chained = (passed[o.cell] for o in operands(cell) if stages[o.cell] == stage)
        passed.append(max(chained, default=0.0) + delay)
        deepest[stage] = max(deepest[stage], passed[-1])
    return tuple(deepest)


def depth(draft: Draft, stages: Sequence[int]) -> float:
    """Return the logic of the deepest stage, in ns."""
    return max(depths(draft, stages), default=0.0)


def placed(draft: Draft, stages: Sequence[int]) -> tuple[Cell, ...]:
    """Return the cells in their stages."""
    return tuple(replace(c, stage=s) for c, s in zip(draft.cells, stages, strict=True))
