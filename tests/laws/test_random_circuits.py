"""Random netlists: the float reference, the body on integers and the netlist of the hardware agree in every bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from designs import together

from eqhls.backends.hls.emit import emit
from eqhls.fixed import Fixed, Formats, Overflow, Rounding
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph
from eqhls.ir.logic import ARITY, BITWISE, Cell, Kind, Logic, Out, Term
from eqhls.ir.op import Example
from eqhls.ir.types import Axis, Type
from eqhls.lower.layout import Layout
from eqhls.lower.netlist import simulate
from eqhls.lower.plan import Plan
from eqhls.lower.schedule import lower
from eqhls.ops.circuit import Circuit
from eqhls.options import Options
from eqhls.text import write_project
from eqhls.verify.csim import CSim

ELEMENTS, CELLS, OUTPUTS, EVENTS, WIDEST = 4, 40, 8, 300, 24
KINDS = [k for k in Kind if k is not Kind.IN]


def random_logic(rng: np.random.Generator) -> Logic:
    """Return a netlist in which words cut, wrap and hold, its last cells as outputs."""
    cells = [_read(rng, k % ELEMENTS) for k in range(ELEMENTS + 2)]
    tables: list[tuple[int, ...]] = []
    while len(cells) < CELLS:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        count = int(rng.integers(1, 4)) if kind is Kind.SUM else ARITY[kind]
        terms = tuple(_term(rng, kind, k, len(cells)) for k in range(count))
        value, width, drop = int(rng.integers(-20, 20)), int(rng.integers(1, 10)), int(rng.integers(0, 3))
        if kind is Kind.TABLE:
            bits = cells[terms[0].cell].width
            if bits > 6:
                continue
            tables.append(tuple(int(v) for v in rng.integers(-40, 40, 1 << bits)))
            value = len(tables) - 1
        elif kind not in (Kind.CONST, Kind.SUM):
            value = 0
        if kind is Kind.MUL and sum(cells[t.cell].width for t in terms) > WIDEST:
            continue
        cells.append(Cell(kind, width, bool(rng.integers(2)), terms, value, drop))
    outputs = tuple(Out(k, int(rng.integers(-1, 4))) for k in range(CELLS - OUTPUTS, CELLS))
    return Logic(tuple(cells), outputs, tuple(tables))


def _read(rng: np.random.Generator, element: int) -> Cell:
    width, signed = int(rng.integers(1, 7)), bool(rng.integers(2))
    rounding = list(Rounding)[int(rng.integers(len(Rounding)))]
    fits = [o for o in Overflow if (signed or o is not Overflow.WRAP_SM) and (width > 1 or not o.saturates)]
    fit = fits[int(rng.integers(len(fits)))]
    form = Fixed(width, int(rng.integers(-1, 5)), signed, rounding, fit)
    return Cell(Kind.IN, width, signed, (), element, 0, form)


def _term(rng: np.random.Generator, kind: Kind, place: int, before: int) -> Term:
    shifted = kind in (Kind.SUM, Kind.RELU, *BITWISE) or (kind is Kind.MUX and place > 0)
    minus = kind is Kind.SUM and bool(rng.integers(2))
    return Term(int(rng.integers(before)), int(rng.integers(3)) if shifted else 0, minus)


def drawn(seeds: range) -> tuple[Graph, dict[str, np.ndarray]]:
    """Return a graph of random netlists, each behind a port of its own, and raw events of all ports."""
    rng = np.random.default_rng([seeds[0], 27])
    type = Type(S, (Axis("c", ELEMENTS),), formats=Formats([Fixed(9, 5)]))
    result = Type(S, (Axis("c", OUTPUTS),))
    graph = together(
        "random_circuits", [Example(Circuit(random_logic(rng), (ELEMENTS,), result), (type,)) for _ in seeds]
    )
    raw = rng.integers(-(1 << 8), 1 << 8, (EVENTS, ELEMENTS, 1))
    return graph, {n.name: raw for n in graph.inputs}


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 60), marks=pytest.mark.slow)], ids=str)
def test_all_ways_of_a_netlist_agree(seeds: range) -> None:
    graph, feeds = drawn(seeds)
    netlist = lower(graph, Options())
    found = iter(simulate(netlist, netlist.inputs.columns(feeds)))
    integers, changing = graph.evaluate(feeds), 0
    floats = graph.scores({n.name: feeds[n.name] * n.type.formats.lsb for n in graph.inputs})
    for node in graph.results:
        np.testing.assert_array_equal(floats[node.name], integers[node.name] * node.type.formats.lsb)
        wires = np.stack([next(found) for _ in range(OUTPUTS)], axis=1)
        np.testing.assert_array_equal(wires, integers[node.name][..., 0])
        changing += int((np.ptp(wires, axis=0) > 0).sum())
    assert changing > 2 * len(seeds), "most outputs are constant"


@pytest.mark.slow
def test_the_cpp_of_netlists_agrees(tmp_path: Path) -> None:
    graph, feeds = drawn(range(12))
    write_project({**emit(Plan.of(graph, Options())), "eqhls.json": "{}"}, tmp_path / "p")
    got = Layout.of(graph.results).unpack(CSim(tmp_path / "p").run(Layout.of(graph.inputs).pack(feeds)))
    for name, want in graph.evaluate(feeds).items():
        np.testing.assert_array_equal(got[name], want)
