"""Post-training quantization: take bits away while the tagger and the symmetry stand it.

A lazy greedy search. Every group of values has moves (one bit less below, one bit less above); the move
whose last known saving is largest is measured, and kept if both bounds hold. Vector inputs are one
group: their steps keep their ratios, so the lattice of the exact symmetry stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.common import integers
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.table import Table
from eqhls.options import Entry, Formats, Options, Sections
from eqhls.quantize.assign import ADDRESS_BITS, assign

GENEROUS = 2
"""Fraction bits that tables and weights start with above what they have."""
MIN_WIDTH = 2

Report = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Knob:
    """The formats of one value or of its weights: one for all components, or one each."""

    name: str
    weights: bool
    formats: tuple[Fixed, ...]

    @property
    def text(self) -> str:
        return "|".join(map(str, self.formats))


@dataclass(frozen=True, slots=True)
class Move:
    """One bit less of all knobs of a group: the lowest one, or the highest one."""

    group: str
    top: bool

    def __str__(self) -> str:
        return f"{self.group}: one {'integer' if self.top else 'fraction'} bit less"


@dataclass(frozen=True, slots=True)
class Merit:
    """What a choice of formats is worth: cost in cells, AUC lost, change under boosts over spread."""

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
    """One point of the search: the formats of every group, how it was reached, what it is worth."""

    knobs: tuple[tuple[str, tuple[Knob, ...]], ...]
    merit: Merit
    move: str = "start"
    kept: bool = True

    @property
    def options(self) -> Options:
        return options_of(dict(self.knobs))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is searched: the network, samples that calibrate what stays open, and the measures.

    `cost` of a quantized graph in cells; `quality` gives AUC loss and equivariance error.
    """

    graph: Graph
    samples: Mapping[str, Floats]
    cost: Callable[[Graph], int]
    quality: Callable[[Graph], tuple[float, float]]

    def quantized(self, options: Options) -> Graph:
        return assign(self.graph, self.samples, options).formatted()


Knobs = dict[str, tuple[Knob, ...]]


def search(problem: Problem, auc_loss: float, equivariance: float, report: Report) -> list[State]:
    """Return every state that was measured, in order; the last kept one is the choice.

    Raises CompileError where the widest formats already miss a bound.
    """
    bounds = Merit(0, auc_loss, equivariance)
    state = _start(problem, bounds)
    visited = [state]
    savings = dict.fromkeys(_moves(dict(state.knobs)), 2 * state.merit.cost)
    first = state.merit.cost
    while savings:
        move = max(savings, key=lambda m: (savings[m], str(m)))
        tried = _tried(problem, state, move)
        saved = 0 if tried is None else state.merit.cost - problem.cost(tried[1])
        others = [v for m, v in savings.items() if m != move]
        if tried is None or saved <= 0:
            del savings[move]
            continue
        if others and saved < max(others):
            savings[move] = saved
            continue
        found = _measured(problem, tried[0], tried[1], state.merit.cost - saved, str(move), bounds)
        visited.append(found)
        if found.kept:
            state = found
            savings[move] = saved
        else:
            del savings[move]
        report(_progress(found), 1 - state.merit.cost / first)
    return visited


def front(states: list[State]) -> list[State]:
    """Return the states that could be measured and that no other one dominates, cheapest first, each
    merit once."""
    unique = list({s.merit: s for s in reversed(states) if isfinite(s.merit.auc_loss)}.values())
    best = [s for s in unique if not any(o.merit.dominates(s.merit) for o in unique)]
    return sorted(best, key=lambda s: (s.merit.cost, s.merit.auc_loss))


def options_of(knobs: Knobs) -> Options:
    """Return the options that ask for these formats, by name."""
    entries: dict[str, Entry] = {}
    for knob in (k for group in knobs.values() for k in group):
        now = entries.get(knob.name, Entry()).Precision
        field = "weight" if knob.weights else "result"
        entries[knob.name] = Entry(Precision=Formats(**(now.model_dump() | {field: knob.text})))
    return Options(HLSConfig=Sections(LayerName=entries))


def starting_knobs(graph: Graph, base: Graph) -> Knobs:
    """Return the groups of values whose formats can shrink, with the widths to begin from.

    `graph` is the network, `base` the same quantized generously.
    """
    read_by_table = {n.inputs[0] for n in graph if isinstance(n.op, Table)}
    groups: dict[str, list[Knob]] = {}
    for node in graph:
        for group, knob in _knobs_of(node, base, node.name in read_by_table):
            groups.setdefault(group, []).append(knob)
    return {g: tuple(k) for g, k in groups.items()}


def _knobs_of(node: Node, base: Graph, address: bool) -> Iterator[tuple[str, Knob]]:
    kind = base.node(node.name).type
    match base.node(node.name).op:
        case Input():
            if max(f.width for f in kind.formats) > MIN_WIDTH:
                group = "vector inputs" if kind.rep is Rep.V else node.name
                yield group, Knob(node.name, False, kind.formats)
        case Table(out=Fixed() as out, levels=None):
            yield node.name, Knob(node.name, False, (_finer(out, GENEROUS),))
        case ChannelMix() | Dense() as op:
            yield f"{node.name} weights", Knob(node.name, True, (_weight_format(op),))
        case _ if address and kind.rep is Rep.S:
            yield node.name, Knob(node.name, False, (_address(kind.formats),))
        case _:
            pass


def _weight_format(op: ChannelMix | Dense) -> Fixed:
    parts = [t for t in (op.weight, op.bias) if t is not None]
    frac = max(integers(t)[1] for t in parts)
    top = max(int(abs(t.array * 2.0**frac).max(initial=1)) for t in parts)
    return Fixed.covering(-top, top, frac)


def _address(formats: tuple[Fixed, ...]) -> Fixed:
    wide = max(formats, key=lambda f: f.width)
    width = min(wide.width, ADDRESS_BITS)
    return Fixed(width, wide.integer, wide.signed, Rounding.RND, Overflow.SAT)


def _finer(form: Fixed, bits: int) -> Fixed:
    return replace(form, width=form.width + bits, rounding=Rounding.RND, overflow=Overflow.SAT)


def _moves(knobs: Knobs) -> list[Move]:
    """Inputs and weights lose fraction bits only: their range is given."""
    moves = [Move(g, False) for g in knobs]
    fixed = {g for g, ks in knobs.items() if any(k.weights or len(k.formats) > 1 for k in ks)}
    return moves + [Move(g, True) for g in knobs if g not in fixed and g != "vector inputs"]


def _shrunk(knobs: Knobs, move: Move) -> Knobs | None:
    def less(form: Fixed) -> Fixed:
        return replace(form, width=form.width - 1, integer=form.integer - move.top)

    group = knobs[move.group]
    if min(f.width for k in group for f in k.formats) <= MIN_WIDTH:
        return None
    return knobs | {move.group: tuple(replace(k, formats=tuple(map(less, k.formats))) for k in group)}


def _start(problem: Problem, bounds: Merit) -> State:
    base = problem.quantized(Options())
    knobs = starting_knobs(problem.graph, base)
    if not knobs:
        raise CompileError(problem.graph.name, "has no formats to search", "it has no tables or weights")
    graph = problem.quantized(options_of(knobs))
    state = State(tuple(knobs.items()), Merit(problem.cost(graph), *problem.quality(graph)))
    for what, found, bound, flag in (
        ("AUC loss", state.merit.auc_loss, bounds.auc_loss, "--auc-loss"),
        ("equivariance error", state.merit.equivariance, bounds.equivariance, "--equivariance"),
    ):
        if found > bound:
            raise CompileError(
                problem.graph.name,
                f"has an {what} of {found:.3g} with the widest formats, expected at most {bound:g}",
                f"allow more ({flag}), or give finer inputs",
            )
    return state


def _tried(problem: Problem, state: State, move: Move) -> tuple[Knobs, Graph] | None:
    """Return the formats and the graph after a move, or None where it cannot be made."""
    knobs = _shrunk(dict(state.knobs), move)
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


def _progress(state: State) -> str:
    return (
        f"{'kept' if state.kept else 'back'}  {state.merit.cost} cells, AUC loss {state.merit.auc_loss:.5f}, "
        f"equivariance {state.merit.equivariance:.2e}  ({state.move})"
    )
