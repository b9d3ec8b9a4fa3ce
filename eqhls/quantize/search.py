"""Post-training quantization: take bits away as long as the tagger and the symmetry allow it.

A lazy greedy search. Every group of values has moves (one bit less below, one bit less above); the move
whose last known saving is largest is measured, and kept if both bounds hold. It descends twice: under the
bounds at once, and under a fraction of them first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.options import Options
from eqhls.progress import Report
from eqhls.quantize.assign import assigned
from eqhls.quantize.knobs import Knob, Knobs, Move, moves, options_of, shrunk, starting_knobs

GENEROUS = range(10)
"""Fraction bits that functions, rounded covariants, and ports and weights which have no format of their own,
start with above what they would get: the first number that is within the bounds."""

SCHEDULES = ((1.0,), (0.25, 0.5, 1.0))
"""Fractions of the bounds under which the search descends, one after another, each time from the start:
large savings first, or those first that cost nothing."""


@dataclass(frozen=True, slots=True)
class Merit:
    """What a choice of formats is worth: cost, AUC lost, change under boosts over spread."""

    cost: int
    auc_loss: float
    equivariance: float

    def within(self, bounds: Merit) -> bool:
        return self.auc_loss <= bounds.auc_loss and self.equivariance <= bounds.equivariance

    def dominates(self, other: Merit) -> bool:
        mine = (self.cost, self.auc_loss, self.equivariance)
        theirs = (other.cost, other.auc_loss, other.equivariance)
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class State:
    """One point of the search: the formats of every group, how it was reached, what it is worth, and what
    on events that the search did not see if that was asked."""

    knobs: tuple[tuple[str, tuple[Knob, ...]], ...]
    merit: Merit
    move: str = "start"
    kept: bool = True
    held_out: Merit | None = None

    @property
    def options(self) -> Options:
        return options_of(dict(self.knobs))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is searched: the network, the ranges of its values on samples, which calibrate what stays open,
    and the measures.

    `cost` of a quantized graph in `unit`; `quality` gives AUC loss and equivariance error, `confirm` the same
    on other events.
    """

    graph: Graph
    ranges: Mapping[str, Floats]
    cost: Callable[[Graph], int]
    quality: Callable[[Graph], tuple[float, float]]
    confirm: Callable[[Graph], tuple[float, float]]
    unit: str = "cells"

    def quantized(self, options: Options) -> Graph:
        return assigned(self.graph, self.ranges, options)


def search(problem: Problem, auc_loss: float, equivariance: float, report: Report) -> list[State]:
    """Return every state that was measured, in order.

    Raises CompileError if the widest formats already miss a bound.
    """
    start = _start(problem, Merit(0, auc_loss, equivariance), report)
    best, visited = start.merit.cost, [start]
    for shares in SCHEDULES:
        state = start
        for share in shares:
            bounds = Merit(0, share * auc_loss, share * equivariance)
            for found in _descent(problem, state, bounds) if state.merit.within(bounds) else ():
                visited.append(found)
                state = found if found.kept else state
                best = min(best, state.merit.cost)
                report(_progress(found, problem.unit), 1 - best / start.merit.cost)
    return visited


def confirmed(
    problem: Problem, states: Sequence[State], bounds: Merit, report: Report
) -> tuple[State, list[State]]:
    """Return the cheapest kept state that is within the bounds on events that the search did not see, and
    all states, with what was found there: the smallest of many losses on one sample is too good.

    Raises CompileError if not even the start is.
    """
    seen: dict[int, State] = {}
    kept = sorted((s for s in states if s.kept), key=lambda s: s.merit.cost)
    for state in kept:
        held = Merit(state.merit.cost, *problem.confirm(problem.quantized(state.options)))
        seen[id(state)] = replace(state, held_out=held)
        report(
            f"on other events: {held.cost} {problem.unit}, AUC loss {held.auc_loss:.5f}",
            len(seen) / len(kept),
        )
        if held.within(bounds):
            return seen[id(state)], [seen.get(id(s), s) for s in states]
    held = next(s.held_out for s in seen.values() if s.held_out)
    raise _missed(problem.graph.name, held, bounds, "on held-out events")


def _descent(problem: Problem, state: State, bounds: Merit) -> Iterator[State]:
    """Yield what is measured on the way down, until no move saves anything within the bounds."""
    savings = dict.fromkeys(moves(dict(state.knobs)), 2 * state.merit.cost)
    while savings:
        move = max(savings, key=lambda m: (savings[m], str(m)))
        tried = _tried(problem, state, move)
        saved = 0 if tried is None else state.merit.cost - problem.cost(tried[1])
        others = [v for m, v in savings.items() if m != move]
        if tried is None or saved <= 0:
            del savings[move]
            continue
        savings[move] = saved
        if others and saved < max(others):
            continue
        found = _measured(problem, tried[0], tried[1], state.merit.cost - saved, str(move), bounds)
        yield found
        if found.kept:
            state = found
        else:
            del savings[move]


def front(states: list[State]) -> list[State]:
    """Return the states that could be measured and that no other one dominates, cheapest first, each
    merit once."""
    unique = list({s.merit: s for s in reversed(states) if isfinite(s.merit.auc_loss)}.values())
    best = [s for s in unique if not any(o.merit.dominates(s.merit) for o in unique)]
    return sorted(best, key=lambda s: (s.merit.cost, s.merit.auc_loss))


def _start(problem: Problem, bounds: Merit, report: Report) -> State:
    """Return the first of ever wider choices that is within the bounds."""
    base = problem.quantized(Options())
    states: list[State] = []
    for generous in GENEROUS:
        try:
            knobs, graph = opened(problem, base, generous)
            merit = Merit(problem.cost(graph), *problem.quality(graph))
        except CompileError:
            if not states:
                raise
            break
        move = f"start, {generous} bits wider" if generous else "start"
        states.append(State(tuple(knobs.items()), merit, move, merit.within(bounds)))
        report(_progress(states[-1], problem.unit), 0.0)
        if merit.within(bounds):
            return states[-1]
    nearest = min(states, key=lambda s: (max(s.merit.auc_loss, bounds.auc_loss), s.merit.equivariance))
    raise _missed(problem.graph.name, nearest.merit, bounds)


def opened(problem: Problem, base: Graph, generous: int) -> tuple[Knobs, Graph]:
    """Return knobs for all that may be rounded, and the graph with them: wider inputs may make results
    outgrow the limit, which then are rounded too and get knobs in turn.

    Raises CompileError if the network has nothing to turn.
    """
    knobs: Knobs = {}
    graph = base
    while more := {g: k for g, k in starting_knobs(problem.graph, graph, generous).items() if g not in knobs}:
        knobs |= more
        graph = problem.quantized(options_of(knobs))
    if not knobs:
        raise CompileError(problem.graph.name, "has no formats to search", "it has no tables or weights")
    return knobs, graph


def _missed(name: str, merit: Merit, bounds: Merit, where: str = "with the widest formats") -> CompileError:
    what, found, bound, flag = (
        ("AUC loss", merit.auc_loss, bounds.auc_loss, "--auc-loss")
        if merit.auc_loss > bounds.auc_loss
        else ("equivariance error", merit.equivariance, bounds.equivariance, "--equivariance")
    )
    return CompileError(
        name,
        f"has an {what} of {found:.3g} {where}, expected at most {bound:g}",
        f"relax the bound ({flag}), or use finer formats at the inputs",
    )


def _tried(problem: Problem, state: State, move: Move) -> tuple[Knobs, Graph] | None:
    """Return the formats and the graph after a move, or None if it cannot be made."""
    knobs = shrunk(dict(state.knobs), move)
    if knobs is None:
        return None
    try:
        return knobs, problem.quantized(options_of(knobs))
    except CompileError:
        return None


def _measured(problem: Problem, knobs: Knobs, graph: Graph, cost: int, move: str, bounds: Merit) -> State:
    try:
        merit = Merit(cost, *problem.quality(graph))
    except CompileError:
        merit = Merit(cost, float("inf"), float("inf"))
    return State(tuple(knobs.items()), merit, move, merit.within(bounds))


def _progress(state: State, unit: str) -> str:
    merit = state.merit
    return (
        f"{'kept' if state.kept else 'back'}  {merit.cost} {unit}, AUC loss {merit.auc_loss:.5f}, "
        f"equivariance {merit.equivariance:.2e}  ({state.move})"
    )
