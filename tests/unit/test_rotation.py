"""The rotation group: bases, tables, factors of others and exact elements."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from rotated import CASES, apply, stored

from eqhls.errors import CompileError
from eqhls.groups.lattice import raw_action
from eqhls.groups.rep import Basis, exact
from eqhls.groups.rotation.bases import BASES, C7, D5, D6, RESULT, T5, T6, XYZ, change, from_tensor, to_tensor
from eqhls.groups.rotation.exact import letters, random_rotation, rational_pairs, signed_permutations
from eqhls.groups.rotation.factors import to_harmonics
from eqhls.groups.rotation.group import ROTATION
from eqhls.groups.rotation.reps import AXIAL, REPS, VECTOR, Irrep, irrep, spin_of
from eqhls.groups.rotation.tables import contract, formula_factor, natural, table


def test_actions_compose_and_start_at_one(rng: np.random.Generator) -> None:
    g, h = (random_rotation(rng, 4.0, proper=False) for _ in range(2))
    for rep in REPS:
        for basis in rep.bases:
            x = stored(rng, rep, basis)
            one_by_one = rep.act(basis, g, rep.act(basis, h, x))
            np.testing.assert_allclose(rep.act(basis, g @ h, x), one_by_one, atol=1e-12)
            np.testing.assert_array_equal(rep.act(basis, np.eye(3), x), x)
            np.testing.assert_allclose(rep.act(basis, -np.eye(3), x), x if rep.parity == "e" else -x)


def test_action_is_that_of_the_tensor(rng: np.random.Generator) -> None:
    g = random_rotation(rng, 4.0, proper=True)
    for rep in REPS:
        for basis in rep.bases:
            x = stored(rng, rep, basis)
            indices = "ijk"[: rep.spin]
            rule = (
                ",".join(["..." + indices, *(f"{i.upper()}{i}" for i in indices)]) + f"->...{indices.upper()}"
            )
            want = from_tensor(basis, np.einsum(rule, to_tensor(basis, x), *[g] * rep.spin))
            np.testing.assert_allclose(rep.act(basis, g, x), want, atol=1e-12)


def test_one_element_for_each_site(rng: np.random.Generator) -> None:
    g = np.stack([random_rotation(rng, 4.0, proper=False) for _ in range(5)])
    for rep in REPS:
        for basis in rep.bases:
            x = stored(rng, rep, basis, 10).reshape(2, 5, -1)
            each = np.stack([rep.act(basis, g[k], x[:, k]) for k in range(5)], axis=1)
            np.testing.assert_allclose(rep.act(basis, g, x), each, atol=1e-13)


def test_bases_stand_for_the_same_tensors() -> None:
    """There and back is one, exactly; d5 to t5 has the one factor 3 of the rotation group."""
    for source, target in product(BASES[2], repeat=2):
        there, n = change(source, target)
        back, m = change(target, source)
        x = exact(np.array([[3, 1, 4, 1, -5], [2, -7, 1, 8, 2]]))
        if source in (T6, D6):
            x = x @ np.asarray(change(T5, source)[0]).T
        np.testing.assert_array_equal(x @ there.T @ back.T, x * n * m)
    assert (change(D5, T5)[1], change(T5, D5)[1], change(D5, D6)[1], change(D6, D5)[1]) == (3, 1, 1, 3)
    assert change(T5, D5)[0].tolist()[3:] == [[1, -1, 0, 0, 0], [1, 2, 0, 0, 0]]
    with pytest.raises(ValueError, match="xyz and t5"):
        change(XYZ, T5)


@pytest.mark.parametrize(
    ("basis", "count"), [(T6, 48), (D6, 48), (XYZ, 48), (C7, 48), (T5, 16), (D5, 16)], ids=str
)
def test_signed_permutations_that_permute_components(basis: Basis, count: int) -> None:
    """Those under which components may be rounded. All act by integers."""
    rep = next(r for r in REPS if basis in r.bases)
    monomial = 0
    for element in signed_permutations():
        matrix = np.array(rep.matrix(basis, exact(element)))
        assert all(Fraction(v).denominator == 1 for v in matrix.ravel())
        monomial += bool((np.abs(matrix).sum(axis=1) == 1).all() and (np.abs(matrix).sum(axis=0) == 1).all())
    assert monomial == count


def test_products_of_rounded_components_keep_the_48(rng: np.random.Generator) -> None:
    """In t6 and d6 products commute even with components that rounding has left with a trace or a sum."""
    for path, left, right in CASES:
        if not {left, right} <= {T6, D6, XYZ, C7} or path.dual or spin_of(path.left) == 0:
            continue
        full = table(path, left, right)
        a = rng.integers(-9, 9, (4, len(left.labels)))
        b = rng.integers(-9, 9, (4, len(right.labels)))
        for element in signed_permutations()[::5]:
            moved = apply(
                full, path.left.act(left, element, a * 1.0), path.right.act(right, element, b * 1.0)
            )
            want = path.out.act(RESULT[spin_of(path.out)], element, apply(full, a, b))
            np.testing.assert_array_equal(moved, want, err_msg=str(path))


def test_there_are_48_signed_permutations_and_24_rotate() -> None:
    assert (len(signed_permutations()), len(signed_permutations(proper_only=True))) == (48, 24)
    for element in signed_permutations():
        assert ROTATION.preserves(XYZ, exact(element))


@pytest.mark.parametrize(("n", "count"), [(3, 96), (5, 144), (7, 192), (9, 288), (13, 336)])
def test_rational_rotations(n: int, count: int) -> None:
    found = [np.array(rows) for rows in letters(n)]
    assert len(found) == count
    for matrix in found:
        np.testing.assert_array_equal(matrix @ matrix.T, n * n * np.eye(3, dtype=int))
        assert round(float(np.linalg.det(matrix.astype(float)))) == n**3


@pytest.mark.parametrize("n", [2, 4, 8])
def test_no_dyadic_rotation(n: int) -> None:
    """Every row of N with N / n a rotation has the norm n: none has an odd entry. So 24 are all."""
    assert letters(n) == ()
    reach = range(-n, n + 1)
    rows = [r for r in product(reach, repeat=3) if sum(v * v for v in r) == n * n]
    assert rows and not any(v % 2 for row in rows for v in row)
    odd = [r for r in product(range(-3, 4), repeat=3) if sum(v * v for v in r) == 9]
    assert any(v % 2 == 0 and v for row in odd for v in row), "the search finds the rows of Z[1/3]"


def test_pairs_act_by_integers_on_every_irrep() -> None:
    assert {n for n, _ in ROTATION.pairs(XYZ, proper=True)} == {3, 5, 7, 9}
    assert len(rational_pairs(proper=False)) == 5
    for n, matrix in rational_pairs(proper=False):
        assert ROTATION.preserves(XYZ, exact(matrix) * Fraction(1, n))
        assert not ROTATION.preserves(XYZ, exact(matrix))
        for rep in REPS:
            for basis in rep.bases:
                points = (0,) * 3
                raw, divisor = raw_action(rep, basis, matrix, points, rep.natural_points(basis, points))
                assert divisor == 1 or basis == D6, (rep, basis)
                scaled = rep.matrix(basis, exact(matrix) * Fraction(1, n))
                np.testing.assert_array_equal(exact(raw), scaled * n**rep.spin * divisor)


def test_random_elements(rng: np.random.Generator) -> None:
    for size in (0.1, 1.0, 4.0):
        for proper in (True, False):
            g = ROTATION.random(rng, size, proper)
            np.testing.assert_allclose(g @ g.T, np.eye(3), atol=1e-14)
            assert round(float(np.linalg.det(g))) == (1 if proper else -1)
            if proper:
                assert np.trace(g) >= 1 + 2 * np.cos(min(size, np.pi)) - 1e-12
    mean = np.mean([ROTATION.random(rng, 4.0) for _ in range(4000)], axis=0)
    assert np.abs(mean).max() < 0.05, "uniform rotations have the mean 0"


def test_harmonics_are_orthonormal(rng: np.random.Generator) -> None:
    """The squares of s_lm of a vector sum to r^2l, times 1/3 for l = 2."""
    v = rng.normal(size=3)
    x = v
    for spin, factor in ((1, 1.0), (2, 1 / 3), (3, 1.0)):
        if spin > 1:
            path, have = natural(1, spin - 1, spin), RESULT[spin - 1]
            x = contract(path, XYZ, have, v, x) * float(formula_factor(path, XYZ, have))
        s = to_harmonics(RESULT[spin]) @ x
        assert s @ s == pytest.approx(factor * (v @ v) ** spin, rel=1e-13)


def test_a_basis_of_another_spin_is_refused() -> None:
    with pytest.raises(CompileError, match=r"1o\*1o->2e: found 1o in the basis t5, expected one of xyz"):
        ROTATION.out_basis(natural(1, 1, 2), T5, XYZ)


def test_names() -> None:
    assert [str(r) for r in REPS] == ["0o", "1o", "1e", "2e", "2o", "3o", "3e"]
    assert VECTOR.natural and not AXIAL.natural
    assert all(isinstance(r, Irrep) and r.dim == 2 * r.spin + 1 for r in REPS)
    assert VECTOR.natural_points(XYZ, (1, 1, 1)) == (1, 1, 1)
    assert irrep(2, "e").natural_points(D5, (3, 3, 3)) == (6,) * 5
    assert irrep(3, "o").natural_points(C7, (1, 1, 1)) == (3,) * 7
