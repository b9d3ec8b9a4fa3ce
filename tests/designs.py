"""Many ops as one design: each example becomes an independent part of a single graph, so that one
build of a slow tool serves them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Example
from eqhls.ops.input import Input


def together(name: str, examples: Iterable[Example]) -> Graph:
    """Return one graph with an own set of ports for every example, all results as outputs."""
    builder = Builder(name)
    outputs: list[str] = []
    for k, example in enumerate(examples):
        inputs = [builder.add(f"in{k}_{n}", Input(t)) for n, t in enumerate(example.types)]
        if example.op.source:
            outputs.append(builder.add(f"out{k}", example.op))
        else:
            outputs.append(builder.add(f"out{k}", example.op, *inputs))
    return builder.graph(*outputs).formatted()


def renamed(graph: Graph, name: str) -> Graph:
    return replace(graph, name=name)
