"""From a quantized graph to a netlist: bodies traced to wires, one event per clock."""

from __future__ import annotations

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, NumArray, element
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type
from eqhls.lower.netlist import Netlist, Port
from eqhls.lower.tracer import Tracer
from eqhls.options import Options


def lower(graph: Graph, options: Options) -> Netlist:
    """Return the pipelined netlist at II = 1, inputs and outputs registered.

    Raises CompileError where the graph is not quantized or needs wires of over 63 bits.
    """
    if not graph.quantized:
        raise CompileError(graph.name, "has values without a format", "quantize it first")
    tracer = Tracer()
    feeds = {n.name: _inputs(tracer, n.type) for n in graph.inputs}
    values = graph.run(feeds)
    outputs: list[tuple[Num, Fixed]] = []
    for node in graph.results:
        for index in np.ndindex(node.type.shape):
            num = element(values[node.name], index)
            outputs.append((num, node.type.format_of(index[-1])))
    return tracer.finish(
        options.ProjectName or graph.name,
        tuple(port(n.name, n.type) for n in graph.inputs),
        tuple(port(n.name, n.type) for n in graph.results),
        outputs,
        options.stage_ns,
    )


def port(name: str, kind: Type) -> Port:
    """Return the port of a tensor: elements in C order, each at its own width."""
    formats = tuple(kind.format_of(i[-1]) for i in np.ndindex(kind.shape))
    return Port(name, kind.shape, formats)


def _inputs(tracer: Tracer, kind: Type) -> NumArray:
    out = np.empty(kind.shape, dtype=object)
    for index in np.ndindex(kind.shape):
        out[index] = tracer.input(kind.format_of(index[-1]))
    return out
