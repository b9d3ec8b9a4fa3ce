"""What a group says of itself, over the registry: a new group gets these tests by existing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eqhls.groups.coupling import Coupling, Path
from eqhls.groups.group import Group, Product
from eqhls.groups.registry import GROUPS, coupling, group_of, parse_path, reps
from eqhls.groups.rep import ONE, Basis, Exact, Rep, S, exact
from eqhls.ir.types import Axis, Type

Array = NDArray[Any]
EVENTS = 5
FORMS = [(rep, basis) for group in GROUPS for rep in group.reps for basis in rep.bases]
PLAIN = [(rep, basis) for rep, basis in FORMS if len(rep.components(basis)) == rep.dim]
"""Without bases that store components which follow from others: not all of their values occur."""
VECTORS = [(group, basis) for group in GROUPS for basis in group.vector.bases]


def products(group: Group) -> list[Product]:
    """Every path, in the first basis of each factor, and what the group names as examples."""
    first = [(p, p.left.bases[0], p.right.bases[0]) for p in group.paths]
    chosen = dict.fromkeys([*first, *group.examples])
    return [(p, a, b) for p, a, b in chosen if {(p.left, a), (p.right, b)} <= {(S, ONE), *PLAIN}]


PRODUCTS = [(group, *product) for group in GROUPS for product in products(group)]


def name(value: Any) -> str:
    return getattr(value, "name", "") or str(value)


def close(got: Array, want: Array) -> bool:
    return bool(np.allclose(got, want, rtol=0, atol=1e-9 * max(1.0, float(np.abs(want).max()))))


def equivariant(c: Coupling, element: Array, rng: np.random.Generator) -> bool:
    """Whether a product, by its table, follows an element; a dual one changes sign under a reflection too."""
    a, b = (rng.normal(size=(EVENTS, r.dim)) for r in (c.path.left, c.path.right))
    sign = -1 if c.path.parity_odd and np.linalg.det(element) < 0 else 1
    moved = by_table(c, c.path.left.act(c.left, element, a), c.path.right.act(c.right, element, b))
    return close(moved, sign * c.path.out.act(c.out, element, by_table(c, a, b)))


def by_table(c: Coupling, a: Array, b: Array) -> Array:
    return np.einsum("cab,na,nb->nc", c.dense.astype(np.float64), a, b)


def composes(rep: Rep, basis: Basis, g: Array, h: Array, rng: np.random.Generator) -> bool:
    x = rng.normal(size=(EVENTS, rep.dim))
    return close(rep.act(basis, g @ h, x), rep.act(basis, g, rep.act(basis, h, x)))


@pytest.mark.parametrize(("rep", "basis"), PLAIN, ids=name)
def test_actions_compose(rep: Rep, basis: Basis, rng: np.random.Generator) -> None:
    """Of proper elements and reflections; and one acts as nothing."""
    group = group_of(rep)
    for proper in (True, False):
        g, h = group.random(rng, group.sizes[-1], proper), group.random(rng, group.sizes[-1])
        assert composes(rep, basis, g, h, rng)
    x = rng.normal(size=(EVENTS, rep.dim))
    assert close(rep.act(basis, np.eye(group.dim), x), x)
    assert not close(rep.act(basis, g, x), x), "a random element does nothing"


@pytest.mark.parametrize(("rep", "basis"), PLAIN, ids=name)
def test_one_element_for_each_site(rep: Rep, basis: Basis, rng: np.random.Generator) -> None:
    group = group_of(rep)
    elements = np.stack([group.random(rng, group.sizes[-1]) for _ in range(EVENTS)])
    x = rng.normal(size=(EVENTS, rep.dim))
    want = np.stack([rep.act(basis, g, v) for g, v in zip(elements, x, strict=True)])
    assert close(rep.act(basis, elements, x), want)


@pytest.mark.parametrize(("group", "path", "left", "right"), PRODUCTS, ids=name)
def test_products_follow_the_group(
    group: Group, path: Path, left: Basis, right: Basis, rng: np.random.Generator
) -> None:
    for proper in (True, False):
        element = group.random(rng, group.sizes[-1], proper)
        assert equivariant(coupling(path, left, right), element, rng)


@pytest.mark.parametrize(("group", "path", "left", "right"), PRODUCTS, ids=name)
def test_tables_are_the_tensor_formulas(
    group: Group, path: Path, left: Basis, right: Basis, rng: np.random.Generator
) -> None:
    """Two opinions; and the sparse table of the hardware is the dense one."""
    c = coupling(path, left, right)
    a, b = (rng.normal(size=(EVENTS, r.dim)) for r in (path.left, path.right))
    assert close(by_table(c, a, b), c.contract(a, b))
    sparse = np.zeros(c.dense.shape)
    for t in c.table.terms:
        sparse[t.out, t.left, t.right] = t.numerator * 2.0**-c.table.shift
    assert (sparse == c.dense.astype(np.float64)).all() and sparse.any()


@pytest.mark.parametrize(("group", "basis"), VECTORS, ids=name)
def test_exact_elements_are_in_the_group(group: Group, basis: Basis) -> None:
    """Generators of the lattice and similarity pairs, with zero tolerance; the latter are in no lattice."""
    letters = group.lattice(basis).generators
    assert letters and all(group.preserves(basis, exact(g.matrix)) for g in letters)
    for proper in (True, False):
        for n, matrix in group.pairs(basis, proper):
            assert matrix.dtype == np.int64 and group.preserves(basis, over(matrix, n))
            assert n > 1 and (matrix % n).any()
            assert not proper or np.linalg.det(matrix.astype(float)) > 0
    assert not group.preserves(basis, exact(letters[0].matrix) * 2)
    wrong = exact(letters[0].matrix).copy()
    wrong[0, 0] += Fraction(1)
    assert not group.preserves(basis, wrong)


def over(matrix: Array, n: int) -> Exact:
    return exact(matrix) * Fraction(1, n)


@pytest.mark.parametrize(("rep", "basis"), PLAIN, ids=name)
def test_exact_elements_act_exactly(rep: Rep, basis: Basis, rng: np.random.Generator) -> None:
    """Fractions stay fractions, and are what floats are rounded from."""
    group = group_of(rep)
    vectors = next((b for b in group.vector.bases if b == basis), group.vector.bases[0])
    n, matrix = next(iter(group.pairs(vectors, True)))
    x = exact(rng.integers(-9, 10, (EVENTS, rep.dim)))
    got = rep.act_within(basis, over(matrix, n), x)
    assert all(isinstance(v, Fraction) for v in got.ravel())
    assert close(got.astype(np.float64), rep.act_within(basis, matrix / n, x.astype(np.float64)))


@pytest.mark.parametrize(("group", "basis"), VECTORS, ids=name)
def test_vectors_and_sizes_are_usable(group: Group, basis: Basis, rng: np.random.Generator) -> None:
    for found in group.vectors(basis, rng, (3, 2), 16, 16):
        assert found.shape == (3, 2, group.dim) and np.issubdtype(found.dtype, np.integer) and found.any()
    assert group.sizes == tuple(sorted(group.sizes)) and group.guard(basis) >= 0
    for size in group.sizes:
        assert np.linalg.det(group.of_size(rng, size)) > 0
    assert np.linalg.det(group.random(rng, group.sizes[-1], False)) < 0


def test_names_tell_everything() -> None:
    names = [r.name for r in reps()]
    assert len(set(names)) == len(names) and len({g.name for g in GROUPS}) == len(GROUPS)
    for rep, basis in FORMS:
        type = Type(rep, (Axis("j", 2),), basis)
        assert Type.parse(str(type)) == type
        assert rep.basis(basis.name) == basis and len(rep.natural_points(basis, (0,) * group_of(rep).dim)) > 0
    for group in GROUPS:
        assert all(parse_path(str(path)) == path and group_of(path) is group for path in group.paths)


@dataclass(frozen=True, slots=True)
class Wrong:
    """The products of a group, but for one sign in every table."""

    group: Group

    def dense(self, path: Path, left: Basis, right: Basis) -> Exact:
        out = self.group.dense(path, left, right).copy()
        first = tuple(np.argwhere(out != 0)[0])
        out[first] = -out[first]
        return out

    def contract(self, path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array:
        return self.group.contract(path, left, right, a, b)


@dataclass(frozen=True, slots=True)
class Forgetful(Rep):
    """A representation that adds a hundredth of its argument to the right result."""

    rep: Rep

    def act(self, basis: Basis, element: Array, x: Array) -> Array:
        return self.rep.act(basis, element, x) + x / 100

    def act_within(self, basis: Basis, matrix: Array, x: Array) -> Array:
        return self.rep.act_within(basis, matrix, x)

    def natural_points(self, basis: Basis, points: tuple[int, ...]) -> tuple[int, ...]:
        return self.rep.natural_points(basis, points)


@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_the_laws_can_fail(group: Group, rng: np.random.Generator) -> None:
    """A wrong sign in any table; an action that does not compose; a plain path taken for a dual one."""
    element, mirror = (group.random(rng, group.sizes[-1], proper) for proper in (True, False))
    for path in group.paths:
        c = coupling(path, path.left.bases[0], path.right.bases[0])
        if path.left.dim > 1 and path.right.dim > 1:
            assert not equivariant(replace(c, group=Wrong(group)), element, rng), path
    rep = Forgetful(group.name, "wrong", group.vector.dim, group.vector.bases, group.vector)
    assert not composes(rep, rep.bases[0], element, mirror, rng)
    c = coupling(Path(group.vector, group.vector, S), *(group.vector.bases[0],) * 2)
    assert equivariant(c, mirror, rng)
    dual = replace(c, path=replace(c.path, dual=True), group=Taken(c))
    assert not equivariant(dual, mirror, rng)


@dataclass(frozen=True, slots=True)
class Taken:
    """The products of one path, whatever is asked for."""

    other: Coupling

    def dense(self, path: Path, left: Basis, right: Basis) -> Exact:
        return self.other.dense

    def contract(self, path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array:
        return self.other.contract(a, b)
