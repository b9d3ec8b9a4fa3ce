"""How to add many rows: adders of two and three terms and counters of bits, by the times at which they come.

A search over levels. At every moment, what has arrived goes through one level of adders or of counters, or
waits for more or for the next stage. Of all ways that end at the same time the cheapest is kept.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from eqhls.lower.rows import FULL, LEVEL, MOST, Price, Row, adder, columns, counter
from eqhls.lower.timing import Time, after, before

TRIED = 8
"""How often a search goes on from as many rows in a stage: the cheapest ways come first."""
BEHIND = 2
"""Stages behind the first way to end within which cheaper ones are looked for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of a tree: the sum of two or three rows (`weight` None), or bit `weight` of the number of ones
    in every column of up to six rows, with `fill` in the places below. Inputs count the terms, then the
    steps. `flipped` inputs count the other way round: what is added is subtracted."""

    inputs: tuple[int, ...]
    row: Row
    price: Price
    weight: int | None = None
    fill: int = 0
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """A way to add rows, when it ends, and its LUTs."""

    steps: tuple[Step, ...]
    ends: Time
    lut: float


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows and their times; the places of the result, above which nothing counts; what a stage may take; and
    whether counters may be used."""

    rows: tuple[Row, ...]
    times: tuple[Time, ...]
    out: tuple[int, int]
    stage_ns: float
    counters: bool


@dataclass(frozen=True, slots=True)
class _State:
    now: Time
    live: tuple[tuple[Time, int], ...]
    steps: tuple[Step, ...]
    lut: float


def trees(problem: Problem) -> tuple[Tree, ...]:
    """Return ways to add the rows, the fastest first, each cheaper than all that end before it."""
    first = min(t[0] for t in problem.times)
    moved = replace(problem, times=tuple((s - first, passed) for s, passed in problem.times))
    found = _search(replace(moved, counters=False))
    if problem.counters:
        found = front((*found, *_search(moved)))
    return tuple(replace(t, ends=(t.ends[0] + first, t.ends[1])) for t in found)


@lru_cache(maxsize=4096)
def _search(problem: Problem) -> tuple[Tree, ...]:
    live = tuple(sorted((t, k) for k, t in enumerate(problem.times)))
    start = _State(live[1][0], live, (), 0.0)
    found = [_plain(problem, start)]
    queue, pushed = [(start.now, start.lut, 0, start)], 0
    tried, seen = Counter[tuple[int, int]](), dict[tuple[object, ...], float]()
    while queue:
        *_, state = heapq.heappop(queue)
        place = (state.now[0], len(state.live))
        tried[place] += 1
        if tried[place] > TRIED or _is_late(state, found):
            continue
        for new in _moves(problem, state):
            key = (new.now, tuple(t for t, _ in new.live))
            if len(new.live) == 1:
                found.append(Tree(new.steps, new.now, new.lut))
            elif new.lut < seen.get(key, float("inf")):
                seen[key] = new.lut
                pushed += 1
                heapq.heappush(queue, (new.now, new.lut, pushed, new))
    return front(found)


def _plain(problem: Problem, state: _State) -> Tree:
    """Return a tree of the first level that fits at any moment."""
    while len(state.live) > 1:
        state = next(_moves(problem, state))
    return Tree(state.steps, state.now, state.lut)


def _is_late(state: _State, found: Sequence[Tree]) -> bool:
    """Whether no way from here can be worth its time."""
    first, least = min(t.ends for t in found), min(t.lut for t in found)
    return state.now[0] > first[0] + BEHIND or (state.lut >= least and state.now >= first)


def front(found: Sequence[Tree]) -> tuple[Tree, ...]:
    """Keep the trees than which none is as fast and as cheap."""
    kept: list[Tree] = []
    for tree in sorted(found, key=lambda t: (t.ends, t.lut)):
        if not kept or tree.lut < kept[-1].lut:
            kept.append(tree)
    return tuple(kept)


def _row(problem: Problem, state: _State, index: int) -> Row:
    known = len(problem.rows)
    return problem.rows[index] if index < known else state.steps[index - known].row


def _moves(problem: Problem, state: _State) -> Iterator[_State]:
    """Yield what may come next: a level of adders or counters on the rows that are there, or a wait."""
    ready = [k for t, k in state.live if t <= state.now]
    late = [t for t, _ in state.live if t > state.now]
    ready.sort(key=lambda k: (_row(problem, state, k).low, _row(problem, state, k).high, k))
    for groups, build in _levels(problem, ready, bool(late)):
        new = _level(problem, state, groups, build)
        if new is not None:
            yield new
    following = (state.now[0] + 1, 0.0)
    then = min([*late, following])
    if late or state.now[1] > 0:
        yield _State(then, state.live, state.steps, state.lut)


Group = tuple[int, ...]
Build = Callable[[Problem, _State, Group], tuple[Step, ...]]


def _levels(problem: Problem, ready: Sequence[int], late: bool) -> Iterator[tuple[list[Group], Build]]:
    count = len(ready)
    if count < 2:
        return
    threes = [tuple(ready[k : k + 3]) for k in range(0, count, 3)]
    if count > 2:
        yield [g for g in threes if len(g) > 1], _sum
        if count % 3 == 2:
            yield threes[:-1], _sum
    if count > 1:
        yield [tuple(ready[k : k + 2]) for k in range(0, count - 1, 2)], _sum
    if problem.counters and count >= FULL:
        if count > FULL + 1:
            yield _sixes(ready), _count
        if count < MOST:
            yield [tuple(ready[:FULL])], _count


def _sixes(ready: Sequence[int]) -> list[Group]:
    """Return groups of six, and of what remains five or three."""
    groups = [tuple(ready[k : k + MOST]) for k in range(0, len(ready), MOST)]
    if len(groups[-1]) == FULL + 1:
        groups[-1] = groups[-1][:FULL]
    return [g for g in groups if len(g) >= FULL]


def _level(problem: Problem, state: _State, groups: Sequence[Group], build: Build) -> _State | None:
    """Return the state behind a level, or None if it does not fit into what is left of the stage."""
    steps, times, used = list(state.steps), list[tuple[Time, int]](), set[int]()
    lut = state.lut
    for group in groups:
        for step in build(problem, state, group):
            end = after(state.now, step.price.ns, problem.stage_ns)
            if end[0] != state.now[0] or (end[1] > problem.stage_ns and len(group) > 2):
                return None
            times.append((end, len(problem.rows) + len(steps)))
            steps.append(step)
            lut += step.price.lut
        used |= set(group)
    live = tuple(sorted([(t, k) for t, k in state.live if k not in used] + times))
    now = max(live[:2][-1][0], state.now)
    return _State(now, live, tuple(steps), lut)


def _flip(rows: Sequence[Row], most: int) -> tuple[bool, list[Row]]:
    """Turn all signs if more than `most` rows are subtracted."""
    if sum(r.minus for r in rows) <= most:
        return False, list(rows)
    return True, [replace(r, minus=not r.minus) for r in rows]


def _sum(problem: Problem, state: _State, group: Group) -> tuple[Step, ...]:
    rows = [_row(problem, state, k) for k in group]
    if len(group) == len(state.live):
        row = Row(*problem.out, False, False, None)
        return (Step(group, row, adder(rows, problem.out)),)
    flipped, rows = _flip(rows, len(rows) - 1)
    low, top = min(r.low for r in rows), problem.out[1]
    row = _whole(rows, low, top, flipped)
    return (Step(group, row, adder(rows, (row.low, row.high)), flipped=flipped),)


def _whole(rows: Sequence[Row], low: int, top: int, minus: bool) -> Row:
    """Return the row of a sum, which will be added or subtracted."""
    ends = [r.ends for r in rows if r.ends is not None]
    lo, hi = sum(e[0] for e in ends), sum(e[1] for e in ends)
    bits = max((hi >> low).bit_length(), (~lo >> low).bit_length() if lo < 0 else 0) + (lo < 0)
    high = low + max(bits, 1) - 1
    if len(ends) < len(rows) or high > top:
        return Row(low, top, False, minus, None)
    return Row(low, high, lo < 0, minus, (lo, hi))


def _count(problem: Problem, state: _State, group: Group) -> tuple[Step, ...]:
    """Rows that are subtracted are complemented, and the ones that this leaves out go below the carries."""
    flipped, rows = _flip([_row(problem, state, k) for k in group], len(group) // 2)
    low, top = min(r.low for r in rows), problem.out[1]
    endless = any(r.signed or r.minus or r.reach is None for r in rows)
    high = top if endless else min(max(r.high for r in rows), top)
    heights = columns(rows, low, high)
    ones = sum(r.minus for r in rows)
    steps: list[Step] = []
    for weight in range(2 if len(rows) == FULL else 3):
        fill = (0, min(ones, 1), max(ones - 1, 0))[weight]
        places = [low + k for k, (bits, known) in enumerate(heights) if bits + known >> weight]
        if not places and not fill:
            continue
        first = low if fill else places[0] + weight
        end = (places[-1] if places else low - 1) + weight
        lost, last = endless or end > top, min(end, top)
        if first > top:
            continue
        reach = None if lost else (0, ((1 << (last - first + 1)) - 1) << first)
        row = Row(first, top if lost else last, False, flipped, reach)
        price = Price(counter(heights[: top - weight - low + 1], weight), LEVEL)
        steps.append(Step(group, row, price, weight, fill, flipped))
    return tuple(steps)


def latest(problem: Problem, tree: Tree, due: Time) -> list[Time]:
    """Return until when every term must be there if a tree is to end at a time."""
    known = len(problem.rows)
    times: list[Time] = [due] * (known + len(tree.steps))
    for k in reversed(range(len(tree.steps))):
        step = tree.steps[k]
        needed = before(times[known + k], step.price.ns, problem.stage_ns)
        for i in step.inputs:
            times[i] = min(times[i], needed)
    return times[:known]
