"""Representations, Clebsch-Gordan tables and exact elements."""

from __future__ import annotations

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.groups.coupling import Coupling, Path
from eqhls.groups.lattice import Element, ExactGroup
from eqhls.groups.lorentz.basis import BASES, CARTESIAN, LIGHT_CONE, VectorBasis
from eqhls.groups.lorentz.cg import PATHS, paths_up_to
from eqhls.groups.lorentz.complexcg import ComplexTable, complex_tables
from eqhls.groups.lorentz.exact import (
    CARTESIAN_GROUP,
    DYADIC,
    LIGHT_CONE_GROUP,
    axis_rotations,
    dyadic_boosts,
    null_vectors,
    preserves_form,
    twice_metric,
)
from eqhls.groups.lorentz.reps import F, T, V, random_lorentz
from eqhls.groups.registry import coupling, parse_path
from eqhls.groups.rep import ONE, S
from eqhls.groups.su2 import cartesian_clebsch

TABLES = list(complex_tables().values())


def name(t: ComplexTable) -> str:
    return f"{t.left}x{t.right}-{t.out}"


def test_there_are_37_complex_tables() -> None:
    assert len(TABLES) == 37


@pytest.mark.parametrize("t", TABLES, ids=name)
def test_table_is_the_su2_one(t: ComplexTable) -> None:
    """Racah's coefficients, coupled and carried to the Cartesian basis, know nothing of our formulas."""
    assert set(np.unique(t.entries)) <= {0, 1, -1, 1j, -1j}
    np.testing.assert_allclose(t.factor * t.entries, cartesian_clebsch(t.left, t.right, t.out), atol=1e-12)


@pytest.mark.parametrize("t", TABLES, ids=name)
def test_swap_sign(t: ComplexTable) -> None:
    other = complex_tables()[t.right, t.left, t.out]
    np.testing.assert_array_equal(np.swapaxes(other.entries, 1, 2), t.swap * t.entries)


def product(path: Path, basis: VectorBasis) -> Coupling:
    return coupling(path, *(ONE if r is S else basis for r in (path.left, path.right)))


def dense(path: Path, basis: VectorBasis) -> np.ndarray:
    return product(path, basis).table.dense


CASES = [(p, b) for p in PATHS for b in BASES]


@pytest.mark.parametrize(("path", "basis"), CASES, ids=lambda v: str(v))
def test_real_table_is_the_tensor_formula(path: Path, basis: VectorBasis, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(9, path.left.dim)), rng.normal(size=(9, path.right.dim))
    got = np.einsum("oab,na,nb->no", dense(path, basis), a, b)
    np.testing.assert_allclose(got, product(path, basis).contract(a, b), atol=1e-12)


def equivariance_error(
    full: np.ndarray, path: Path, basis: VectorBasis, element: np.ndarray, rng: np.random.Generator
) -> float:
    a, b = rng.normal(size=(9, path.left.dim)), rng.normal(size=(9, path.right.dim))
    out = np.einsum("oab,na,nb->no", full, a, b)
    moved = np.einsum(
        "oab,na,nb->no", full, path.left.act(basis, element, a), path.right.act(basis, element, b)
    )
    want = path.out.act(basis, element, out)
    return float(np.abs(moved - want).max() / np.abs(want).max())


@pytest.mark.parametrize(("path", "basis"), CASES, ids=lambda v: str(v))
def test_real_table_is_equivariant(path: Path, basis: VectorBasis, rng: np.random.Generator) -> None:
    """To 1e-12 under proper boosts and rotations; parity is broken where the path says so."""
    full = dense(path, basis)
    assert equivariance_error(full, path, basis, random_lorentz(rng, 2.0), rng) < 1e-12
    mirrored = equivariance_error(full, path, basis, random_lorentz(rng, 2.0, proper=False), rng)
    assert (mirrored > 1e-3) == path.parity_odd


def test_a_flipped_sign_is_noticed(rng: np.random.Generator) -> None:
    """Negative control: the law above can fail."""
    full = dense(parse_path("V*V->T"), CARTESIAN)
    full[tuple(np.argwhere(full)[0])] *= -1
    assert equivariance_error(full, parse_path("V*V->T"), CARTESIAN, random_lorentz(rng), rng) > 1e-3


def test_tables_are_exact_under_the_24_rotations() -> None:
    for path in PATHS:
        full = dense(path, CARTESIAN)
        for turn in axis_rotations():
            a, b, o = (rep.matrix(CARTESIAN, turn.astype(float)) for rep in (path.left, path.right, path.out))
            np.testing.assert_array_equal(
                np.einsum("oab,ax,by->oxy", full, a, b), np.einsum("po,oxy->pxy", o, full)
            )


def test_squares_merge_and_vanish() -> None:
    assert product(parse_path("V*V->F"), CARTESIAN).square.terms == ()
    assert len(product(parse_path("V*V->S"), LIGHT_CONE).square.terms) == 3
    assert product(parse_path("F*F->F"), LIGHT_CONE).square.terms == ()


def test_maxdim() -> None:
    assert {str(p) for p in paths_up_to(2)} == {"S*S->S", "S*V->V", "V*V->S"}
    assert paths_up_to(3) == PATHS
    assert len(PATHS) == 26


def test_unknown_path() -> None:
    with pytest.raises(CompileError, match=r"found 'V\*V->V'"):
        parse_path("V*V->V")


GROUPS = (CARTESIAN_GROUP, LIGHT_CONE_GROUP)


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_words_keep_every_gram_matrix(group: ExactGroup, rng: np.random.Generator) -> None:
    form = twice_metric(group.basis)
    x = rng.integers(-50, 50, (20, 16, 4))
    gram = np.einsum("bim,mn,bjn->bij", x, form, x)
    for length in (1, 2, 3, 4, 5):
        for proper in (False, True):
            letters, matrix = group.word(rng, length, proper)
            assert preserves_form(matrix, group.basis), letters
            if proper:
                assert round(float(np.linalg.det(matrix.astype(float)))) == 1
            moved = group.apply(matrix, x)
            np.testing.assert_array_equal(np.einsum("bim,mn,bjn->bij", moved, form, moved), gram)


def test_coxeter_relations() -> None:
    s = [g.matrix for g in CARTESIAN_GROUP.generators]
    orders = {(0, 1): 3, (1, 2): 4, (2, 3): 4, (0, 2): 2, (0, 3): 2, (1, 3): 2}
    for (a, b), order in orders.items():
        power = np.linalg.matrix_power(s[a] @ s[b], order)
        np.testing.assert_array_equal(power, np.eye(4, dtype=int))
        assert not (np.linalg.matrix_power(s[a] @ s[b], order - 1) == np.eye(4)).all()


def test_a_wrong_generator_is_noticed() -> None:
    rows = ((2, -1, -1, 1), (1, 0, -1, -1), (1, -1, 0, -1), (1, -1, -1, 0))
    assert not preserves_form(Element("wrong", rows).matrix, CARTESIAN)


@pytest.mark.parametrize("basis", BASES, ids=str)
def test_dyadic_boosts_are_lorentz_transformations(basis: VectorBasis) -> None:
    form = twice_metric(basis)
    letters = dyadic_boosts(basis, proper_only=False)
    assert len(letters) >= 2 and len(dyadic_boosts(basis, proper_only=True)) >= 2
    for matrix, bits in letters:
        np.testing.assert_array_equal(matrix.T @ form @ matrix, form << (2 * bits))
        assert (matrix % (1 << bits)).any(), "an integer matrix needs no scaling"


def test_dyadic_matrices_and_null_vectors(rng: np.random.Generator) -> None:
    form = np.diag([1, -1, -1, -1])
    for rows, bits in DYADIC:
        m = np.array(rows)
        np.testing.assert_array_equal(m.T @ form @ m, form * 4**bits)
    v = null_vectors(rng, (100,), 9)
    np.testing.assert_array_equal(v[:, 0] * v[:, 1], v[:, 2] ** 2 + v[:, 3] ** 2)


def test_overflow_of_a_word_is_refused() -> None:
    with pytest.raises(OverflowError):
        CARTESIAN_GROUP.apply(CARTESIAN_GROUP.generators[3].matrix, np.full((1, 4), 1 << 61))


def test_actions_compose(rng: np.random.Generator) -> None:
    a, b = random_lorentz(rng), random_lorentz(rng)
    for basis in BASES:
        for rep in (V, F, T):
            x = rng.normal(size=(3, rep.dim))
            both = rep.act(basis, a @ b, x)
            np.testing.assert_allclose(rep.act(basis, a, rep.act(basis, b, x)), both, atol=1e-9)
