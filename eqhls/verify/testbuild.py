"""The test build: the same network with every spurion as a port and guard bits on every vector.

Nothing else changes: the ops are the same values, only the ranges that flow into them are wider,
so that a transformed event still fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import cast

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.groups.lorentz.basis import VectorBasis
from eqhls.groups.lorentz.reps import V, square
from eqhls.groups.registry import group_of
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.ir.types import Type
from eqhls.ops.input import Input

FINEST = 12
"""Fraction bits that the lattice of a spurion may have more than that of the ports."""

TRIMMED = (0, 4, 8)
"""Integer bits that ports of spurions may have less than those of particles, if 63 bits need it."""


def ported(graph: Graph, guard_bits: int, fine_bits: int = 0, trimmed: int = 0) -> Graph:
    """Return the graph with covariant spurions as inputs (constant scalars are invariant and stay) and wider
    ports, as `port_types` says; formats are derived again. Raises CompileError for a spurion on no lattice,
    and if arithmetic needs more than 63 bits."""
    kinds = port_types(graph, guard_bits, fine_bits, trimmed)

    def rule(node: Node) -> Node:
        if node.name not in kinds:
            return node
        return replace(node, op=Input(kinds[node.name]), type=kinds[node.name], inputs=())

    moved = graph.rewrite(rule)
    sources = [n for n in moved if n.op.source]
    rest = [n for n in moved if not n.op.source]
    named = replace(moved, name=f"{graph.name}_symmetry", nodes=(*sources, *rest))
    return named.verify().formatted()


def port_types(graph: Graph, guard_bits: int = 0, fine_bits: int = 0, trimmed: int = 0) -> dict[str, Type]:
    """Return the types of the covariant ports of the test build: those of the graph and those that were
    spurions, with `guard_bits` more integer bits (twice as many for tensors, whose components grow as
    squares) and `fine_bits` more fraction bits. Ports of spurions, whose values are small, have `trimmed`
    integer bits less, as far as their values allow.

    A spurion between the lattice points of the ports gets a finer lattice of its own, all components
    alike, so that the group maps it into itself too. Raises CompileError if no lattice of at most FINEST
    more bits holds a spurion.
    """
    vectors = [n.type for n in graph.inputs if _is_vector(n.type)]
    size = vectors[0].dim if vectors else 0
    widest = tuple(max((t.format_of(c) for t in vectors), key=lambda f: f.width) for c in range(size))
    found: dict[str, Type] = {}
    for node in graph:
        type = node.type
        guard = guard_bits * (1 if _is_vector(type) else 2)
        if type.rep is S:
            continue
        if node.op.constant:
            least = widest or (Fixed(1, 1),) * type.dim
            forms = least if _is_vector(type) else least[-1:] * type.dim
            where = f"{graph.name}: %{node.name}"
            values = node.op.constant_values()
            fine = fine_bits + _between(where, values, forms)
            wider = tuple(_wider(f, guard - trimmed, fine) for f in forms)
            found[node.name] = replace(type, formats=_holding(type, values, wider, max(guard - trimmed, 0)))
        elif node.op.source:
            forms = tuple(_wider(f, guard, fine_bits) for f in type.formats.each(type.dim))
            found[node.name] = replace(type, formats=_one_if_equal(_turnable(type, forms)))
    return found


def _is_vector(type: Type) -> bool:
    """Whether these are vectors, on which the elements of the group are given as matrices."""
    return type.rep is not S and type.rep == group_of(type.rep).vector


def _turnable(type: Type, forms: tuple[Fixed, ...]) -> tuple[Fixed, ...]:
    """Return formats that hold either sign of what a transformation may turn round: all but the energy, or
    p+ and p-, of vectors in the future cone."""
    positive = type.rep.positive(type.basis)
    return (*forms[:positive], *map(_signed, forms[positive:]))


def _signed(form: Fixed) -> Fixed:
    return form if form.signed else replace(form, width=form.width + 1, integer=form.integer + 1, signed=True)


def _one_if_equal(forms: tuple[Fixed, ...]) -> tuple[Fixed, ...]:
    return forms[:1] if len(set(forms)) == 1 else forms


def _holding(type: Type, values: Floats, forms: tuple[Fixed, ...], guard: int) -> tuple[Fixed, ...]:
    """Return formats with as many more integer bits, and signs, as the values of a spurion and `guard` bits
    above them need."""
    out: list[Fixed] = []
    signed = _turnable(type, forms) if _in_future_cone(type, values) else tuple(map(_signed, forms))
    for c, form in enumerate(signed):
        low, high = (int(v) for v in np.rint(_ends(values[..., c]) / form.lsb))
        least = Fixed.covering(min(low, -1) if form.signed else low, high, form.frac).width
        more = max(least + guard - form.width, 0)
        out.append(replace(form, width=form.width + more, integer=form.integer + more))
    return _one_if_equal(tuple(out))


def _in_future_cone(type: Type, values: Floats) -> bool:
    """Whether all are four-vectors that no transformation turns into ones of negative energy."""
    if type.rep is not V:
        return False
    return bool((square(cast(VectorBasis, type.basis), values) >= 0).all() and (values[..., 0] >= 0).all())


def _ends(values: Floats) -> Floats:
    return np.array([values.min(), values.max()])


def guarded(graph: Graph, most: int) -> Graph:
    """Return the test build with as many guard bits, up to `most`, as 63-bit arithmetic holds; events whose
    images do not fit are left out by the tests. Raises CompileError if none do."""
    return _first_that_fits(graph, [(bits, 0) for bits in range(most, -1, -1)])


def refined(graph: Graph, guard_bits: int, fine_bits: int = 0) -> Graph:
    """Return the test build with just these guard and fraction bits, its spurions' ports trimmed if
    63-bit arithmetic needs it. Raises CompileError if that is not enough."""
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
        if not node.op.constant or node.type.rep is S:
            continue
        type = test.node(node.name).type
        raw = node.op.constant_values() / type.formats.lsb
        values[node.name] = np.rint(raw).astype(np.int64)
    return values


def _between(where: str, values: Floats, formats: tuple[Fixed, ...]) -> int:
    """Return how many more fraction bits than the ports have put a spurion on a lattice."""
    scaled = values / Formats(formats).lsb
    for bits in range(FINEST + 1):
        if (scaled * 2.0**bits == np.rint(scaled * 2.0**bits)).all():
            return bits
    raise CompileError(
        where, f"lies on no lattice of {FINEST} more bits than the inputs have", "round the spurion"
    )


def in_range(type: Type, raw: Ints) -> NDArray[np.bool_]:
    """Return, per event, whether raw integers of shape (events, *shape) fit their formats."""
    fits = (raw >= type.formats.lo) & (raw <= type.formats.hi)
    return np.asarray(fits.reshape(len(raw), -1).all(axis=1))


def _wider(form: Fixed, guard: int, fine: int) -> Fixed:
    return replace(form, width=form.width + guard + fine, integer=form.integer + guard)
