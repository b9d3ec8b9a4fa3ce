"""From a quantized graph to a netlist: bodies traced to wires, one event per clock."""

from __future__ import annotations

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

CHECK_EVENTS = 64
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
    """Raise CompileError unless netlist and integer model agree on random events and on the corners."""
    rng = np.random.default_rng(len(netlist.cells))
    feeds = {n.name: _events(n.type, rng) for n in graph.inputs}
    want = graph.evaluate(feeds)
    elements = [feeds[n.name][(slice(None), *i)] for n in graph.inputs for i in np.ndindex(n.type.shape)]
    found = iter(simulate(netlist, elements))
    for node in graph.results:
        for i in np.ndindex(node.type.shape):
            wrong = int((next(found) != want[node.name][(slice(None), *i)]).sum())
            if wrong:
                raise CompileError(
                    f"netlist of {graph.name}",
                    f"output {node.name}{list(i)} differs from the integer model in {wrong} of "
                    f"{CHECK_EVENTS} events",
                    "this is a fault of eqhls or of alkaid: please report it with the model",
                )


def _events(kind: Type, rng: np.random.Generator) -> Ints:
    """Two thirds of the events over the whole range, a third small; then the smallest, the largest, zero."""
    forms = [kind.format_of(c) for c in range(kind.rep.dim)]
    low, high = (np.array([getattr(f, end) for f in forms]) for end in ("lo", "hi"))
    raw = rng.integers(low, high + 1, (CHECK_EVENTS, *kind.shape))
    raw[::3] >>= rng.integers(0, 9, (len(raw[::3]), *kind.shape[:-1], 1))
    raw[1], raw[2], raw[3] = low, high, 0
    return np.clip(raw, low, high)


def port(name: str, kind: Type) -> Port:
    """Return the port of a tensor: elements in C order, each at its own width."""
    formats = tuple(kind.format_of(i[-1]) for i in np.ndindex(kind.shape))
    return Port(name, kind.shape, formats)


def _inputs(tracer: Any, kind: Type) -> NumArray:
    out = np.empty(kind.shape, dtype=object)
    for index in np.ndindex(kind.shape):
        out[index] = tracer.input(kind.format_of(index[-1]))
    return out
