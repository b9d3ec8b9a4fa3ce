"""Which events a design needs: those that reach what others do not, chosen from many by the netlist."""

from __future__ import annotations

import numpy as np

from eqhls.engines import Ints
from eqhls.events.vectors import Feeds, port_events
from eqhls.ir.graph import Graph
from eqhls.lower.netlist import Cell, Constant, Lookup, Netlist, simulate

FIRST = 4000
"""Events that are taken whatever they reach."""
HITS = 8
"""Events that shall read every entry of every table: what one of them reads may be masked behind it."""
POOL_VALUES = 1 << 28
"""Values of cells that a choice may compute, for a second or two."""
SMALLEST, LARGEST = 8192, 1 << 16
"""Events to choose from, however large or small the netlist."""


def covering_events(graph: Graph, netlist: Netlist, rng: np.random.Generator) -> Feeds:
    """Return raw integers for every port: random words of every kind (`port_events`), then from a large pool
    of such events those that read entries of tables which fewer than HITS have read before, or that show a
    bit of a cell as 0 or as 1 for the first time."""
    pool = min(max(POOL_VALUES // max(len(netlist.cells), 1), SMALLEST), LARGEST)
    feeds = port_events(graph, rng, pool)
    rows = _reaching(netlist, netlist.inputs.columns(feeds), FIRST)
    return {name: raw[rows] for name, raw in feeds.items()}


def _reaching(netlist: Netlist, inputs: list[Ints], first: int) -> Ints:
    """Return the numbers of the first events, and of those behind them that reach what they do not."""
    addresses = {c.a.cell for c in netlist.cells if isinstance(c, Lookup)}
    wanted = np.zeros(len(inputs[0]), dtype=bool)
    wanted[:first] = True

    def watch(k: int, values: Ints) -> None:
        cell = netlist.cells[k]
        if isinstance(cell, Constant):
            return
        if k in addresses:
            wanted[_leading(values, HITS)] = True
        for seen in (values, ~values):
            wanted[_showing(cell, seen, first)] = True

    simulate(netlist, inputs, watch)
    return np.flatnonzero(wanted)


def _leading(values: Ints, hits: int) -> Ints:
    """Return where each value occurs for the first times, at most `hits` of them."""
    order = np.argsort(values, kind="stable")
    found = values[order]
    again = np.zeros(len(order), dtype=bool)
    again[hits:] = found[hits:] == found[:-hits]
    return order[~again]


def _showing(cell: Cell, values: Ints, first: int) -> list[int]:
    """Return events that show bits which are 0 in all of the first ones."""
    mask = (1 << cell.width) - 1
    new = int(np.bitwise_or.reduce(values) & ~np.bitwise_or.reduce(values[:first])) & mask
    rows: list[int] = []
    while new:
        rows.append(int(np.argmax((values & new) != 0)))
        new &= ~int(values[rows[-1]])
    return rows
