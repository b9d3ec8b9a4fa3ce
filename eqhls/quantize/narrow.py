"""Formats that a configuration asks for and that sample events do not fit: they are kept, not in silence."""

from __future__ import annotations

from collections.abc import Mapping

from eqhls.events.ports import fitted
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.options import Options
from eqhls.quantize.wishes import wishes

EVENTS, SHARE = 1000, 0.5
"""Sample events that are looked at, and the share of saturated numbers that is worth a line. A format that a
search found may cut the tails of a value, and the network says the same."""


def too_narrow(graph: Graph, quantized: Graph, options: Options, samples: Mapping[str, Floats]) -> list[str]:
    """Return a line for each value whose format the options give and of which more than half of the numbers
    saturate on the first 1,000 sample events, (events, *shape) by port; none without samples."""
    asked = {name for name, wish in wishes(graph, options).items() if wish.result}
    if not samples or not asked:
        return []
    feeds = {n.name: fitted(n, samples[n.name][:EVENTS]) for n in quantized.inputs}
    events, lines = len(next(iter(feeds.values()))), list[str]()
    for name, count in quantized.saturation(feeds).items():
        node, value = quantized.node(name), name.removesuffix(".q")
        share = count / (events * node.type.elements)
        if share > SHARE and value in asked:
            lines.append(
                f"%{value}: {share:.0%} of its numbers saturate on {events:,} sample events in {node.type}, "
                "which the configuration asks for; give more integer bits, or leave the format to the samples"
            )
    return lines
