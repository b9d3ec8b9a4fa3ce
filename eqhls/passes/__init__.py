"""Algebraic rewrites: a pass is a function Graph -> Graph, and a pipeline is a tuple of them.

`ALGEBRA` runs before quantization and keeps the float result to rounding; `PIPELINE` runs after it and
keeps every bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eqhls.ir.graph import Graph
from eqhls.passes.compose import compose
from eqhls.passes.constants import fold_constants
from eqhls.passes.cost import gates
from eqhls.passes.hoist import hoist_differences, sum_products
from eqhls.passes.linear import move_heads_past_sums
from eqhls.passes.normalisation import fold_normalisation
from eqhls.passes.norms import expand_norms
from eqhls.passes.products import merge_products
from eqhls.passes.radials import merge_radials
from eqhls.passes.rectifiers import open_rectifiers
from eqhls.passes.scale import fold_scale
from eqhls.passes.structure import drop_dead, share_common
from eqhls.passes.symmetric import store_triangles
from eqhls.passes.work import total_work

ALGEBRA: tuple[Callable[[Graph], Graph], ...] = (
    fold_scale,
    fold_normalisation,
    open_rectifiers,
    merge_radials,
    compose,
    hoist_differences,
    sum_products,
    share_common,
    merge_products,
    share_common,
    drop_dead,
)

PIPELINE: tuple[Callable[[Graph], Graph], ...] = (
    fold_constants,
    expand_norms,
    share_common,
    store_triangles,
    move_heads_past_sums,
    drop_dead,
)


@dataclass(frozen=True, slots=True)
class Saving:
    """What a pass did: ops and gates (`eqhls.passes.cost`; LUT by `eqhls.passes.work` where there are no
    formats yet) before and after."""

    name: str
    blocks: tuple[int, int]
    gates: tuple[int, int]


def simplify(graph: Graph) -> Graph:
    """Apply the algebra to a float graph, with hoisting if that saves work; each result is verified."""
    return simplify_measured(graph)[0]


def simplify_measured(graph: Graph) -> tuple[Graph, tuple[Saving, ...]]:
    """Apply the algebra as above and say what each pass saved, in LUT by `eqhls.passes.work`."""
    unhoisted = tuple(step for step in ALGEBRA if step is not hoist_differences)
    return min(
        (_applied(graph, steps) for steps in (unhoisted, ALGEBRA)), key=lambda r: total_work(r[0]).luts
    )


def _applied(graph: Graph, steps: tuple[Callable[[Graph], Graph], ...]) -> tuple[Graph, tuple[Saving, ...]]:
    found: list[Saving] = []
    for step in steps:
        smaller = step(graph).verify()
        blocks = (len(graph.nodes), len(smaller.nodes))
        found.append(Saving(step.__name__, blocks, (total_work(graph).luts, total_work(smaller).luts)))
        graph = smaller
    return graph, tuple(found)


def run(graph: Graph) -> Graph:
    """Apply every pass in order; each result is verified."""
    return run_measured(graph)[0]


def run_measured(graph: Graph) -> tuple[Graph, tuple[Saving, ...]]:
    """Apply every pass in order and say what each saved. The graph must have formats."""
    found: list[Saving] = []
    before = gates(graph)
    for step in PIPELINE:
        smaller = step(graph)
        smaller = graph if smaller == graph else smaller.verify().formatted()
        after = before if smaller is graph else gates(smaller)
        blocks = (len(graph.nodes), len(smaller.nodes))
        found.append(Saving(step.__name__, blocks, (before, after)))
        graph, before = smaller, after
    return graph, tuple(found)
