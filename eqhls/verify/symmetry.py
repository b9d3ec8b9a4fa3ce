"""Exact symmetries: what is claimed of a network, derived from its graph.

Which Lorentz group is exact follows from the arithmetic (Vinberg's O(3,1;Z) in Cartesian components, the
Picard group SL(2, Z[i]) with reflections on the light-cone lattice): if no covariant component is rounded,
every invariant is the same integer before and after, and so is every output bit; an output that is not a
scalar moves with the event. What else is exact is claimed in `claims.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eqhls.errors import CompileError
from eqhls.groups.group import Group
from eqhls.groups.lattice import Element, ExactGroup, in_units, raw_action
from eqhls.groups.registry import GROUPS, group_of
from eqhls.groups.rep import Basis, S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type
from eqhls.verify.claims import Claim, Permutable, Steps, charged, permutations, translations
from eqhls.verify.testbuild import port_types


@dataclass(frozen=True, slots=True)
class Symmetry:
    """What is exact: a group of integer matrices on vectors in units of 2**-points (or None,
    with the reason), and what else may be done to the inputs: permutations of slots, shifts, translations."""

    group: ExactGroup | None
    proper_only: bool
    reason: str
    claims: tuple[Claim, ...] = ()
    points: tuple[int, ...] = ()
    parent: Group = GROUPS[0]
    """The group of which `group` is a part."""
    whole: bool = False
    """Whether all elements that the lattice has are exact and nothing covariant is rounded, so that elements
    N / n are exact too."""

    @property
    def permutations(self) -> tuple[Permutable, ...]:
        """The claims that permute entries of axes."""
        return tuple(c for c in self.claims if isinstance(c, Permutable))

    @property
    def permutable(self) -> tuple[int, ...]:
        """The most slots of one axis whose permutations leave every output as it is."""
        free = (c.slots for c in self.permutations if c.alone and not c.moves)
        return max(free, key=len, default=())

    def describe(self) -> str:
        """Return one line for reports."""
        steps = [str(c) for c in self.claims if isinstance(c, Steps)]
        if self.group is None and steps:
            return f"{' and '.join(steps)}: only what they leave alone enters a function"
        if self.group is None:
            return f"no exact {self.parent.name} subgroup: {self.reason}"
        return f"{self.group.name}{', proper elements' if self.proper_only else ''}: {self.reason}"


def derive(graph: Graph) -> Symmetry:
    """Return what must be exact for this graph, and why."""
    exact = exact_elements(graph)
    return replace(exact, claims=(*permutations(graph), *translations(graph), *charged(graph)))


def exact_elements(graph: Graph) -> Symmetry:
    """Return the exact elements of the group of the tensors alone, which takes no time."""
    proper = any(n.op.parity_odd() for n in graph)
    moved = [n for n in graph.inputs if n.type.rep is not S]
    if not moved:
        return Symmetry(None, proper, "no input is a vector or a tensor")
    parent = group_of(moved[0].type.rep)
    nothing = Symmetry(None, proper, "", parent=parent)
    try:
        kinds = list(port_types(graph).values())
    except CompileError as error:
        return replace(nothing, reason=str(error))
    if any(group_of(k.rep) is not parent for k in kinds):
        return replace(nothing, reason="the inputs belong to different groups")
    if len({k.basis for k in kinds if k.rep.own_formats}) > 1:
        return replace(nothing, reason="the inputs have different bases")
    vectors = [k for k in kinds if k.rep == parent.vector]
    alike = (b for b in parent.vector.bases if b.name == kinds[0].basis.name)
    basis = vectors[0].basis if vectors else next(alike, parent.vector.basis())
    points = fractions(vectors[0]) if vectors else (0,) * parent.dim
    whole = parent.lattice(basis)
    fitting = tuple(g for g in whole.generators if _keeps_lattices(g, kinds, basis, points))
    if not fitting:
        return replace(nothing, reason="the input LSBs do not form a lattice of the group")
    rounded = [n for n in graph if n.op.rounds_components(graph.types_into(n))]
    kept = tuple(g for g in fitting if all(_commutes(g, graph, n, points) for n in rounded))
    if not kept:
        return replace(nothing, reason=f"%{rounded[0].name} rounds components and is not odd")
    exact = "no covariant component is rounded"
    reason = f"%{rounded[0].name} rounds components, oddly" if rounded else exact
    group = _smaller(whole, kept)
    if proper and not group.has_proper:
        return replace(nothing, reason="no proper transformation commutes with the network")
    return Symmetry(group, proper, reason, (), points, parent, group == whole and not rounded)


def _smaller(whole: ExactGroup, kept: tuple[Element, ...]) -> ExactGroup:
    if kept == whole.generators:
        return whole
    what = "sign flips and exchanges of axes" if all(g.monomial for g in kept) else "a subgroup that fits"
    return ExactGroup(f"{what} in {whole.name}", whole.basis, kept)


def fractions(type: Type) -> tuple[int, ...]:
    """Return the fraction bits of each component."""
    return tuple(f.frac for f in type.formats.each(type.dim))


def _keeps_lattices(element: Element, kinds: Sequence[Type], basis: Basis, points: Sequence[int]) -> bool:
    """Whether a generator, in LSBs of the ports, is an element of the group, and maps the integers of every
    port to integers."""
    group = group_of(kinds[0].rep)
    return group.preserves(basis, in_units(element.matrix, points)) and all(
        raw_action(k.rep, k.basis, element.matrix, points, fractions(k))[1] == 1 for k in kinds
    )


def _commutes(element: Element, graph: Graph, node: Node, points: Sequence[int]) -> bool:
    """Whether rounding commutes with a signed permutation: flips ask for odd functions, and components that
    are exchanged must be rounded alike, counted in LSBs of the lattice."""
    parts = node.op.parts(graph.types_into(node))
    if parts is None or not element.monomial:
        return False
    type = node.type
    natural = type.rep.natural_points(type.basis, tuple(points))
    matrix, divisor = raw_action(type.rep, type.basis, element.matrix, points, natural)
    if divisor != 1 or (np.abs(matrix).sum(axis=1) != 1).any():
        return False
    alike = [(p.function, p.point - point) for p, point in zip(parts, natural, strict=True)]
    return all(
        alike[source] == alike[c] and (matrix[c, source] > 0 or parts[c].odd)
        for c, source in enumerate(np.abs(matrix).argmax(axis=1))
    )
