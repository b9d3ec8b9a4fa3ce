"""What is not exact, measured: the output against boosts and rotations, for several LSBs of the inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from eqhls.errors import CompileError
from eqhls.events.ports import fitted
from eqhls.events.read import Events
from eqhls.groups.group import Group
from eqhls.groups.registry import group_of
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats, Reading
from eqhls.ir.types import Type
from eqhls.plots import png
from eqhls.text import write_file
from eqhls.verify.boostplot import Boosts, figure_of
from eqhls.verify.evidence import Stage
from eqhls.verify.testbuild import refined

FINE_BITS = (0, 2, 4)
FINER_BITS = (6, 8)
"""Bits beside those, with which the largest transformation alone is measured: if the change stops falling,
it is no longer the ports that make it."""
FINEST = 10
EVENTS = 200
FLOAT_BOUND = 1e-6
"""By how much of their size rounding in float64 may move the values of `continuous_ends`."""


def boost_curve(graph: Graph, events: Events, folder: Path) -> Stage:
    """Transform real events (particles, jet and spurions) by random elements of the group of all its `sizes`,
    quantize them with 0, 2 and 4 more bits than the ports have, and measure how far the integer output
    moves; of the largest size also with 6 and 8 more bits. Writes report/boosts.png.
    """
    if not _covariant(graph):
        return Stage("boosts", True, "not applicable: no input is a four-vector or a tensor")
    fitting = [fine for fine in FINE_BITS if _fits(graph, fine)]
    if not fitting:
        return Stage("boosts", True, "not measured: no guard bits fit into 63-bit arithmetic")
    group = _group(graph)
    table = {fine: [_deviation(graph, events, fine, size) for size in group.sizes] for fine in fitting}
    most = group.sizes[-1]
    finer = {fine: _deviation(graph, events, fine, most) for fine in FINER_BITS if _fits(graph, fine)}
    moved = [_float_deviation(graph, events, size) for size in group.sizes]
    floats, relative = max(rms for rms, _ in moved), max(part for _, part in moved)
    spread = max(float(v.std()) for v in graph.scores(events.floats).values())
    drawn = figure_of(Boosts(graph.name, group, table, [rms for rms, _ in moved], spread))
    write_file(folder / "report" / "boosts.png", png(drawn))
    numbers = tuple(
        (f"rms_{group.symbol}_{g}_bits_{f}", v)
        for f, row in table.items()
        for g, v in zip(group.sizes, row, strict=True)
    )
    numbers += tuple((f"rms_{group.symbol}_{most}_bits_{f}", v) for f, v in finer.items())
    first, last = table[fitting[0]][-1], table[fitting[-1]][-1]
    cut = any(n.op.cuts_components(graph.types_into(n)) for n in graph)
    rounded = "" if set(graph.outputs) <= set(continuous_ends(graph)) else " before the formats of a netlist"
    return Stage(
        "boosts",
        cut or relative < FLOAT_BOUND,
        f"rms change of the output at {group.symbol} {group.sizes[-1]:g}: {first:.3g} with the ports' LSBs, "
        f"{last:.3g} with {fitting[-1]} bits more, {floats:.1g} in float64{rounded} (spread {spread:.3g})"
        + (", where a bound on components breaks the symmetry" if cut else ""),
        (*numbers, ("float", floats), ("spread", spread)),
    )


def _covariant(graph: Graph) -> bool:
    """Whether any input moves with the event."""
    return any(n.type.rep is not S for n in graph.inputs)


def mean_change(graph: Graph, events: Events, size: float | None = None) -> float:
    """Return mean |f(g x) - f(x)| over the spread of f, for elements of one typical size, with ports so
    fine that the formats behind them are what is left; the largest of all outputs that are not constant.
    Raises CompileError if all are."""
    typical = _group(graph).typical if size is None else size
    before, after = _outputs(graph, _finest(graph), events, typical)
    spreads = {k: float(v.std()) for k, v in before.items()}
    changes = [float(np.abs(after[k] - before[k]).mean() / s) for k, s in spreads.items() if s]
    if not changes:
        raise CompileError(graph.name, "has the same output for all events", "give more bits")
    return max(changes)


def _finest(graph: Graph) -> Graph:
    """Return the test build with as many more bits on its ports, up to FINEST, as 63-bit arithmetic holds."""
    for fine in range(FINEST, 0, -2):
        try:
            return refined(graph, _guard(graph), fine)
        except CompileError:
            continue
    return refined(graph, _guard(graph))


def _group(graph: Graph) -> Group:
    """Return the group of the inputs that move with the event."""
    return group_of(next(n.type.rep for n in graph.inputs if n.type.rep is not S))


def _guard(graph: Graph) -> int:
    return max(group_of(n.type.rep).guard(n.type.basis) for n in graph.inputs if n.type.rep is not S)


def _fits(graph: Graph, fine: int) -> bool:
    """Whether the test build with more bits stays within 63-bit arithmetic."""
    try:
        return refined(graph, _guard(graph), fine).quantized
    except CompileError:
        return False


def _moved(
    graph: Graph, test: Graph, events: Events, amount: float
) -> tuple[dict[str, Floats], dict[str, Floats], Floats]:
    """Return float events of the test build before and after one random transformation each, and the
    transformations (events, d, d)."""
    rng = np.random.default_rng(5)
    size = min(EVENTS, len(events))
    before: dict[str, Floats] = {}
    for node in test.inputs:
        source = graph.node(node.name).op
        value = source.constant_values() if source.constant else events.floats[node.name][:size]
        before[node.name] = np.broadcast_to(value, (size, *node.type.shape)).copy()
    after = {k: v.copy() for k, v in before.items()}
    group = _group(graph)
    elements = np.stack([group.of_size(rng, amount) for _ in range(size)])
    for node in test.inputs:
        if node.type.rep is not S:
            after[node.name] = _acted(node.type, elements, before[node.name])
    return before, after, elements


def _acted(type: Type, elements: Floats, x: Floats) -> Floats:
    """Return each event of x (events, *axes, components) under its own transformation."""
    lead = elements.reshape(len(x), *(1 for _ in type.axes), *elements.shape[1:])
    return type.rep.act(type.basis, lead, x)


def _deviation(graph: Graph, events: Events, fine: int, amount: float) -> float:
    before, after = _outputs(graph, refined(graph, _guard(graph), fine), events, amount)
    return _rms(before, after)


def _outputs(
    graph: Graph, test: Graph, events: Events, amount: float
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return the transformed integer outputs of a test build, and those of the transformed events, in real
    units."""
    before, after, elements = _moved(graph, test, events, amount)
    first, second = (
        test.evaluate({n.name: fitted(n, side[n.name]) for n in test.inputs}) for side in (before, after)
    )
    kinds = {n.name: n.type for n in test.results}
    return (
        {k: _acted(type, elements, first[k] * type.formats.lsb) for k, type in kinds.items()},
        {k: second[k] * type.formats.lsb for k, type in kinds.items()},
    )


def continuous_ends(graph: Graph) -> tuple[str, ...]:
    """Return the values up to which the float64 references follow their inputs continuously: the outputs,
    and in place of those behind an op that assigns its inputs to formats first, what that op reads. There a
    value on a tie moves by a whole LSB, however little a transformation moves it."""
    stepped, ends = set[str](), dict[str, None]()
    for node in graph:
        if node.op.reads is Reading.INNER:
            ends |= dict.fromkeys(n for n in node.inputs if n not in stepped)
            stepped.add(node.name)
        elif not stepped.isdisjoint(node.inputs):
            stepped.add(node.name)
    return tuple(ends | dict.fromkeys(n for n in graph.outputs if n not in stepped))


def _float_deviation(graph: Graph, events: Events, amount: float) -> tuple[float, float]:
    """Return how far the float64 values at the `continuous_ends` move, and the largest of that over the size
    of a value."""
    test = refined(graph, _guard(graph))
    test = replace(test, outputs=continuous_ends(test))
    before, after, elements = _moved(graph, test, events, amount)
    first, second = (test.scores(side) for side in (before, after))
    moved = {n.name: _acted(n.type, elements, first[n.name]) for n in test.results}
    sizes = {k: max(1.0, float(np.sqrt((v**2).mean()))) for k, v in moved.items()}
    relative = max(_rms({k: moved[k]}, {k: second[k]}) / size for k, size in sizes.items())
    return _rms(moved, second), relative


def _rms(before: dict[str, Floats], after: dict[str, Floats]) -> float:
    """Return the root mean square of what changes, over all outputs."""
    changes = np.concatenate([(after[k] - before[k]).ravel() for k in before])
    return float(np.sqrt((changes**2).mean()))
