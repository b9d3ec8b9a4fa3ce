"""Algebraic rewrites: a pass is a function Graph -> Graph, and the pipeline is a tuple."""

from __future__ import annotations

from collections.abc import Callable

from eqhls.ir.graph import Graph
from eqhls.passes.structure import drop_dead, share_common

PIPELINE: tuple[Callable[[Graph], Graph], ...] = (share_common, drop_dead)


def run(graph: Graph) -> Graph:
    """Apply every pass in order; each result is verified."""
    for step in PIPELINE:
        graph = step(graph).verify()
    return graph
