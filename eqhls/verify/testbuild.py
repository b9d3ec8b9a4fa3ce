"""The test build: the same network with every spurion as a port and guard bits on every vector.

Nothing else changes: the ops are the same values, only the ranges that flow into them are wider,
so that a transformed event still fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.ir.types import Type
from eqhls.ops.input import Input
from eqhls.ops.spurion import Spurion

FINEST = 12
"""Fraction bits that the lattice of a spurion may have more than that of the ports."""

TRIMMED = (0, 4, 8)
"""Integer bits that ports of spurions may have less than those of particles, where 63 bits need it."""


def ported(graph: Graph, guard_bits: int, fine_bits: int = 0, trimmed: int = 0) -> Graph:
    """Return the graph with vector spurions as inputs (constant scalars are invariant and stay),
    `guard_bits` more integer bits on every vector port and `fine_bits` more fraction bits; formats are
    derived again. Ports of spurions, whose values are small, have `trimmed` integer bits less.

    A spurion between the lattice points of the ports gets a finer lattice of its own, all components
    alike, so that the group maps it into itself too. Raises CompileError for a spurion that is not a
    four-vector, or on no lattice of at most FINEST more bits.
    """
    vectors = [n.type for n in graph.inputs if n.type.rep is Rep.V]
    if not vectors:
        raise CompileError(graph.name, "has no four-vector input", "there is no Lorentz symmetry to test")
    widest = tuple(max((t.format_of(c) for t in vectors), key=lambda f: f.width) for c in range(Rep.V.dim))

    def rule(node: Node) -> Node:
        if isinstance(node.op, Spurion) and node.type.rep is not Rep.S:
            if node.type.rep is not Rep.V:
                raise CompileError(
                    f"{graph.name}: %{node.name}",
                    f"is a spurion {node.type}",
                    "only scalar and four-vector spurions can be tested",
                )
            fine = fine_bits + _between(f"{graph.name}: %{node.name}", node.op.values.array, widest)
            kind = replace(node.type, formats=tuple(_wider(f, guard_bits - trimmed, fine) for f in widest))
            _check_fits(f"{graph.name}: %{node.name}", node.op.values.array, kind.formats)
        elif node.op.source and node.type.rep is Rep.V:
            kind = replace(
                node.type,
                formats=tuple(
                    _wider(node.type.format_of(c), guard_bits, fine_bits) for c in range(Rep.V.dim)
                ),
            )
        else:
            return node
        return replace(node, op=Input(kind), type=kind)

    moved = graph.rewrite(rule)
    sources = [n for n in moved if n.op.source]
    rest = [n for n in moved if not n.op.source]
    named = replace(moved, name=f"{graph.name}_symmetry", nodes=(*sources, *rest))
    return named.verify().formatted()


def guarded(graph: Graph, most: int) -> Graph:
    """Return the test build with as many guard bits, up to `most`, as 63-bit arithmetic holds; events whose
    images do not fit are left out by the tests. Raises CompileError where none do."""
    return _first_that_fits(graph, [(bits, 0) for bits in range(most, -1, -1)])


def refined(graph: Graph, guard_bits: int, fine_bits: int = 0) -> Graph:
    """Return the test build with just these guard and fraction bits, its spurions' ports trimmed where
    63-bit arithmetic needs it. Raises CompileError where that is not enough."""
    return _first_that_fits(graph, [(guard_bits, fine_bits)])


def _first_that_fits(graph: Graph, choices: Sequence[tuple[int, int]]) -> Graph:
    """Return the first test build of (guard bits, fraction bits), trimmed as little as possible. Raises what
    the last choice untrimmed says."""
    for trimmed, (guard, fine) in product(TRIMMED, choices):
        try:
            return ported(graph, guard, fine, trimmed)
        except CompileError:
            continue
    return ported(graph, *choices[-1])


def spurion_values(graph: Graph, test: Graph) -> dict[str, Ints]:
    """Return the raw integers of one event that feed the ports which were spurions."""
    values: dict[str, Ints] = {}
    for node in graph:
        if not isinstance(node.op, Spurion):
            continue
        kind = test.node(node.name).type
        raw = node.op.values.array / np.array([kind.format_of(c).lsb for c in range(kind.rep.dim)])
        values[node.name] = np.rint(raw).astype(np.int64)
    return values


def _between(where: str, values: Floats, formats: tuple[Fixed, ...]) -> int:
    """Return how many more fraction bits than the ports have put a spurion on a lattice."""
    steps = values / np.array([f.lsb for f in formats])
    for bits in range(FINEST + 1):
        if (steps * 2.0**bits == np.rint(steps * 2.0**bits)).all():
            return bits
    raise CompileError(
        where, f"lies on no lattice of {FINEST} more bits than the inputs have", "round the spurion"
    )


def _check_fits(where: str, values: Floats, formats: tuple[Fixed, ...]) -> None:
    low, high = (np.array([getattr(f, end) * f.lsb for f in formats]) for end in ("lo", "hi"))
    if not ((low <= values) & (values <= high)).all():
        raise CompileError(
            where, f"has values up to {np.abs(values).max():g}, beyond its port", "widen the inputs"
        )


def in_range(kind: Type, raw: Ints) -> NDArray[np.bool_]:
    """Return, per event, whether raw integers of shape (events, *shape) fit their formats."""
    low = np.array([kind.format_of(c).lo for c in range(kind.rep.dim)])
    high = np.array([kind.format_of(c).hi for c in range(kind.rep.dim)])
    fits = (raw >= low) & (raw <= high)
    return np.asarray(fits.reshape(len(raw), -1).all(axis=1))


def _wider(form: Fixed, guard: int, fine: int) -> Fixed:
    return replace(form, width=form.width + guard + fine, integer=form.integer + guard)
