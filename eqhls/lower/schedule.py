"""From a quantized graph to a netlist: bodies traced to wires, one event per clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, NumArray, element
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type
from eqhls.lazy import lazy
from eqhls.lower.netlist import Netlist, Port, simulate
from eqhls.options import Options
from eqhls.vectors import port_events

CHECK_VALUES = 1 << 27
"""Values of cells that the check of a netlist computes, for about a second."""
FEWEST, MOST = 1024, 8192
"""Events of that check, however large or small the netlist."""
tracing = lazy("eqhls.lower.tracer")
"""alkaid comes with it, which only those who compile wait for."""


def lower(graph: Graph, options: Options) -> Netlist:
    """Return the pipelined netlist at II = 1, inputs and outputs registered.

    Every netlist is run against the integer model before it is returned: an optimiser's fault must end
    a compilation, not reach a trigger. Raises CompileError then, and where the graph is not quantized or
    needs wires of over 63 bits.
    """
    if not graph.quantized:
        raise CompileError(graph.name, "has values without a format", "quantize it first")
    tracer = tracing.Tracer(options.stage_ns)
    feeds = {n.name: _inputs(tracer, n.type) for n in graph.inputs}
    values = graph.run(feeds)
    outputs: list[tuple[Num, Fixed]] = []
    for node in graph.results:
        for index in np.ndindex(node.type.shape):
            num = element(values[node.name], index)
            outputs.append((num, node.type.format_of(index[-1])))
    netlist = tracer.finish(
        options.ProjectName or graph.name,
        tuple(port(n.name, n.type) for n in graph.inputs),
        tuple(port(n.name, n.type) for n in graph.results),
        outputs,
    )
    _check(graph, netlist)
    return netlist


def _check(graph: Graph, netlist: Netlist) -> None:
    """Raise CompileError unless netlist and integer model agree on words of every kind."""
    events = min(max(CHECK_VALUES // max(len(netlist.cells), 1), FEWEST), MOST)
    feeds = port_events(graph, np.random.default_rng(len(netlist.cells)), events)
    want = graph.evaluate(feeds, graph.outputs)
    found = iter(simulate(netlist, elements(graph, feeds)))
    for node in graph.results:
        for i in np.ndindex(node.type.shape):
            wrong = int((next(found) != want[node.name][(slice(None), *i)]).sum())
            if wrong:
                raise CompileError(
                    f"netlist of {graph.name}",
                    f"output {node.name}{list(i)} differs from the integer model in {wrong} of "
                    f"{events} events",
                    "this is a fault of eqhls or of alkaid: please report it with the model",
                )


def elements(graph: Graph, feeds: Mapping[str, Ints]) -> list[Ints]:
    """Return what `simulate` takes: the elements of all ports in the order of the packed word."""
    return [feeds[n.name][(slice(None), *i)] for n in graph.inputs for i in np.ndindex(n.type.shape)]


def port(name: str, kind: Type) -> Port:
    """Return the port of a tensor: elements in C order, each at its own width."""
    formats = tuple(kind.format_of(i[-1]) for i in np.ndindex(kind.shape))
    return Port(name, kind.shape, formats)


def _inputs(tracer: Any, kind: Type) -> NumArray:
    out = np.empty(kind.shape, dtype=object)
    for index in np.ndindex(kind.shape):
        out[index] = tracer.input(kind.format_of(index[-1]))
    return out
