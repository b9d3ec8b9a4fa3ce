"""Sums put together anew, by when their terms arrive, so that stages are filled.

A tree of adders whose inner sums nobody else reads is one sum of many terms, and may be added in any order.
First every sum is added the fastest way, which says how few stages there can be. Then, from the end, each
takes the cheapest way that keeps to a number of stages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from eqhls.lower.netlist import Cell, Count, Operand, Sum, operands, rewired, sum_frac
from eqhls.lower.rows import Row
from eqhls.lower.timing import START, Draft, Time, after, before, in_time
from eqhls.lower.trees import Problem, Tree, latest, trees


@dataclass(frozen=True, slots=True)
class Forest:
    """The sums of a draft: the terms of each, and the cells that are inside of one."""

    draft: Draft
    terms: Mapping[int, tuple[Operand, ...]]
    inner: frozenset[int]


@dataclass(frozen=True, slots=True)
class Ways:
    """How a sum may be added, the fastest way first; `base` is the place of its lowest bit in the draft."""

    problem: Problem
    base: int
    trees: tuple[Tree, ...]


def forest(draft: Draft) -> Forest:
    """Find the sums of many terms."""
    uses = Counter(o.cell for c in draft.cells for o in operands(c))
    uses.update(o.cell for o in draft.results)
    open_sums = {k for k, c in enumerate(draft.cells) if isinstance(c, Sum) and _is_open(c)}
    terms: dict[int, tuple[Operand, ...]] = {}
    inner: set[int] = set()
    for k, cell in enumerate(draft.cells):
        if k not in open_sums:
            continue
        found: list[Operand] = []
        for o in operands(cell):
            child = draft.cells[o.cell]
            if o.cell in terms and uses[o.cell] == 1 and _is_whole(child, draft.cells):
                inner.add(o.cell)
                found += [Operand(t.cell, t.shift + o.shift, t.minus != o.minus) for t in terms[o.cell]]
            else:
                found.append(o)
        terms[k] = tuple(found)
    roots = {k: _felt(draft, k, t) for k, t in terms.items() if k not in inner}
    return Forest(draft, roots, frozenset(inner))


def _felt(draft: Draft, root: int, terms: tuple[Operand, ...]) -> tuple[Operand, ...]:
    """Leave out terms that begin above the highest bit of a sum, for they cancel or overflow; two at least
    are kept, so that there is something to add."""
    top = draft.cells[root].width - 1 - draft.cells[root].frac
    inside = [o for o in terms if o.shift - draft.cells[o.cell].frac <= top]
    above = [o for o in terms if o not in inside]
    return (*inside, *above[: max(2 - len(inside), 0)])


def _is_open(cell: Sum) -> bool:
    return len(cell.terms) > 1 and not cell.offset


def _is_whole(cell: Cell, cells: Sequence[Cell]) -> bool:
    """Whether a sum keeps its lowest bits."""
    return isinstance(cell, Sum) and sum_frac(cell, cells) == cell.frac


def fastest(woods: Forest, heaps: Set[int], known: Mapping[int, Ways]) -> tuple[int, dict[int, Ways]]:
    """Return how few stages there can be if the sums in `heaps` may be compressed by counters, and the ways
    to add every sum; `known` are those of another choice, which are kept if nothing has changed."""
    draft = woods.draft
    times: list[Time] = []
    ways: dict[int, Ways] = {}
    for k, (cell, delay) in enumerate(zip(draft.cells, draft.delays, strict=True)):
        if k in woods.terms:
            ready = tuple(times[o.cell] for o in woods.terms[k])
            old = known.get(k)
            same = old is not None and (old.problem.times, old.problem.counters) == (ready, k in heaps)
            ways[k] = old if old is not None and same else _ways(woods, k, ready, k in heaps)
            times.append(ways[k].trees[0].ends)
        else:
            start = max((times[o.cell] for o in operands(cell)), default=START)
            times.append(after(start, delay, draft.stage_ns))
    return max(times)[0] + 1, ways


def _ways(woods: Forest, root: int, ready: tuple[Time, ...], counters: bool) -> Ways:
    draft, cell, terms = woods.draft, woods.draft.cells[root], woods.terms[root]
    base = min(o.shift - draft.cells[o.cell].frac for o in terms)
    rows = tuple(_row(draft, o, base) for o in terms)
    low = -cell.frac - base
    problem = Problem(rows, ready, (low, low + cell.width - 1), draft.stage_ns, counters)
    return Ways(problem, base, trees(problem))


def _row(draft: Draft, o: Operand, base: int) -> Row:
    cell = draft.cells[o.cell]
    low = o.shift - cell.frac - base
    lo, hi = draft.spans[o.cell]
    return Row(low, low + cell.width - 1, cell.signed, o.minus, (lo << low, hi << low))


def cheapest(woods: Forest, ways: Mapping[int, Ways], stages: int) -> tuple[dict[int, Tree], set[int]]:
    """Return the cheapest way to add every sum that keeps to a number of stages, and the sums of which none
    does: for them the fastest. With them stand the sources from which even a way without sums is too long."""
    draft = woods.draft
    due: list[Time] = [(stages - 1, draft.stage_ns)] * len(draft.cells)
    picked: dict[int, Tree] = {}
    slow: set[int] = set()
    for k in reversed(range(len(draft.cells))):
        if k in woods.inner:
            continue
        if k in woods.terms:
            fitting = [t for t in ways[k].trees if in_time(t.ends, due[k], draft.stage_ns)]
            picked[k] = fitting[-1] if fitting else ways[k].trees[0]
            slow |= set() if fitting else {k}
            terms, needed = woods.terms[k], latest(ways[k].problem, picked[k], due[k])
        else:
            terms, start = operands(draft.cells[k]), before(due[k], draft.delays[k], draft.stage_ns)
            needed = [start] * len(terms)
            slow |= {k} if not terms and start < START else set()
        for o, time in zip(terms, needed, strict=True):
            due[o.cell] = min(due[o.cell], time)
    return picked, slow


def rebuilt(woods: Forest, ways: Mapping[int, Ways], picked: Mapping[int, Tree]) -> Draft:
    """Return the draft with every sum added the way that was picked."""
    draft = woods.draft
    cells, delays, spans = list[Cell](), list[float](), list[tuple[int, int]]()
    to: dict[int, int] = {}
    for k, cell in enumerate(draft.cells):
        if k in woods.inner:
            continue
        if k in picked:
            terms = [replace(o, cell=to[o.cell]) for o in woods.terms[k]]
            new = _grown(cell, terms, ways[k].base, picked[k], len(cells))
        else:
            new = [(rewired(cell, to), draft.delays[k])]
        cells += [c for c, _ in new]
        delays += [ns for _, ns in new]
        spans += [draft.spans[k]] * len(new)
        to[k] = len(cells) - 1
    results = tuple(replace(o, cell=to[o.cell]) for o in draft.results)
    return Draft(tuple(cells), tuple(delays), tuple(spans), results, draft.stage_ns)


def _grown(root: Cell, terms: list[Operand], base: int, tree: Tree, first: int) -> list[tuple[Cell, float]]:
    """Return the cells of a tree, which will be numbered from `first`, and their delays."""
    known = list(terms)
    found: list[tuple[Cell, float]] = []
    for step in tree.steps:
        row, lut = step.row, step.price.lut
        chosen = (known[i] for i in step.inputs)
        inputs = sorted((replace(o, minus=o.minus != step.flipped) for o in chosen), key=lambda o: o.minus)
        form = (row.high - row.low + 1, row.signed, -(row.low + base), 0, lut)
        if step.weight is not None:
            cell: Cell = Count(*form, tuple(inputs), step.weight, step.fill)
        elif step is tree.steps[-1]:
            cell = Sum(root.width, root.signed, root.frac, 0, lut, tuple(inputs), 0, 0)
        else:
            cell = Sum(*form, tuple(inputs), 0, 0)
        known.append(Operand(first + len(found), 0, row.minus))
        found.append((cell, step.price.ns))
    return found
