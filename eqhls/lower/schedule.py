"""From a quantized graph to a netlist: bodies traced to wires, one event per clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.events.vectors import port_events
from eqhls.fixed import NumArray, element
from eqhls.ir.graph import Graph
from eqhls.lazy import lazy
from eqhls.lower.layout import Layout
from eqhls.lower.netlist import Netlist, simulate
from eqhls.options import Options

CHECK_VALUES = 1 << 27
"""Values of cells that the check of a netlist computes, for about a second."""
FEWEST, MOST = 1024, 8192
"""Events of that check, however large or small the netlist."""
tracing = lazy("eqhls.lower.tracer")
"""alkaid comes with it, which only those who compile wait for."""


def lower(graph: Graph, options: Options) -> Netlist:
    """Return the pipelined netlist at II = 1, inputs and outputs registered.

    Every netlist is run against the integer model before it is returned: an optimiser's fault must end
    a compilation, not reach a trigger. Raises CompileError then, and if the graph is not quantized or
    needs wires of over 63 bits.
    """
    if not graph.quantized:
        raise CompileError(graph.name, "has values without a format", "quantize it first")
    netlist, products = _traced(graph, options)
    if options.DSP:
        lut = netlist.lut_estimate
        netlist, _ = _traced(graph, options, _widest(products, options.DSP))
        netlist = replace(netlist, lut_without_dsp=lut)
    _check(graph, netlist)
    return netlist


def _traced(
    graph: Graph, options: Options, whole: frozenset[int] = frozenset()
) -> tuple[Netlist, Sequence[int]]:
    """Return a netlist whose products with these numbers are DSPs, and the sizes of all products."""
    tracer = tracing.Tracer(options.stage_ns, options.StagePrice, whole)
    inputs, outputs = Layout.of(graph.inputs), Layout.of(graph.results)
    values = graph.run(_inputs(tracer, inputs))
    results = [(element(values[f.port], f.index), f.form) for f in outputs.fields]
    return tracer.finish(graph.name, inputs, outputs, results), tracer.products


def _widest(products: Sequence[int], count: int) -> frozenset[int]:
    """Return the numbers of the widest products, of equal ones the first."""
    if count > len(products):
        raise CompileError(
            "DSP",
            f"found {count}, but the network has {len(products)} products of two variables that need a "
            "multiplier",
            f"give at most {len(products)}",
        )
    return frozenset(sorted(range(len(products)), key=lambda k: (-products[k], k))[:count])


def _check(graph: Graph, netlist: Netlist) -> None:
    """Raise CompileError unless netlist and integer model agree on words of every kind."""
    events = min(max(CHECK_VALUES // max(len(netlist.cells), 1), FEWEST), MOST)
    feeds = port_events(graph, np.random.default_rng(len(netlist.cells)), events)
    want = graph.evaluate(feeds, graph.outputs)
    outputs = netlist.outputs
    results = simulate(netlist, netlist.inputs.columns(feeds))
    for field, found, right in zip(outputs.fields, results, outputs.columns(want), strict=True):
        wrong = int((found != right).sum())
        if wrong:
            raise CompileError(
                f"netlist of {graph.name}",
                f"output {field.port}{list(field.index)} differs from the integer model in {wrong} of "
                f"{events} events",
                "this is a fault of eqhls or of alkaid: please report it with the model",
            )


def _inputs(tracer: Any, layout: Layout) -> dict[str, NumArray]:
    """Return the wires of all ports, fed in the order of the word."""
    out: dict[str, NumArray] = {p.name: np.empty(p.shape, dtype=object) for p in layout.ports}
    for field in layout.fields:
        out[field.port][field.index] = tracer.input(field.form)
    return out
