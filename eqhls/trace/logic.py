"""Which value the logic of a netlist is for, and in which stage of the pipeline it lies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eqhls.engines import Ints
from eqhls.ir.graph import Graph
from eqhls.lower.netlist import Constant, Input, Netlist, operands
from eqhls.trace.places import places

MOST, NUMBERS = 1000, 1 << 22
"""Events on which values are looked for in the netlist, and numbers of all values together."""
Logic = Mapping[str, list[tuple[int, float]]]
"""The stages in which a value is computed, from 1, with the LUTs that it takes there, by value."""


def logic_of(graph: Graph, netlist: Netlist, feeds: Mapping[str, Ints]) -> Logic:
    """Return the stages and the LUTs of every value that the netlist computes.

    A cell counts to the first value, in the order of the graph, that needs it: so terms that several ops
    share count once, and the LUTs of all values are those of the netlist. Of a value that optimisation
    dissolved, the cells count to the next one that exists (`places`).
    """
    count = max(min(MOST, NUMBERS // sum(n.type.elements for n in graph)), 1)
    some = {name: raw[:count] for name, raw in feeds.items()}
    found: dict[str, dict[int, float]] = {}
    for cell, name in enumerate(_owners(graph, netlist, some)):
        one = netlist.cells[cell]
        if name and not isinstance(one, Input | Constant):
            stages = found.setdefault(name, {})
            stages[one.stage + 1] = stages.get(one.stage + 1, 0.0) + one.lut
    return {
        n.name: [(k, round(lut, 1)) for k, lut in sorted(found[n.name].items())]
        for n in graph
        if n.name in found
    }


def _owners(graph: Graph, netlist: Netlist, feeds: Mapping[str, Ints]) -> list[str]:
    """Return the value that each cell counts to, or nothing for a cell that nobody needs."""
    integer = graph.evaluate(feeds, tuple(n.name for n in graph))
    where = places(graph, netlist, feeds, integer)
    ends = zip(netlist.results, netlist.outputs.fields, strict=True)
    last = {(f.port, f.index): o.cell for o, f in ends}
    owners = [""] * len(netlist.cells)
    for node in graph:
        for index in np.ndindex(node.type.shape):
            at = where.get((node.name, index))
            root = last.get((node.name, index), at.cell if at else None)
            if root is not None:
                _claim(netlist, root, node.name, owners)
    return owners


def _claim(netlist: Netlist, root: int, name: str, owners: list[str]) -> None:
    """Give a value the cells behind one of its elements that no value has yet."""
    waiting = [root]
    while waiting:
        cell = waiting.pop()
        if not owners[cell]:
            owners[cell] = name
            waiting += [o.cell for o in operands(netlist.cells[cell])]
