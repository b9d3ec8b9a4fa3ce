"""The rotation group: bases, tables, factors of others and exact elements."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path as File

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.groups.coupling import Path
from eqhls.groups.lattice import raw_action
from eqhls.groups.rep import ONE, Basis, Rep, exact
from eqhls.groups.rotation.bases import BASES, C7, D5, D6, RESULT, T5, T6, XYZ, change, from_tensor, to_tensor
from eqhls.groups.rotation.exact import letters, random_rotation, rational_pairs, signed_permutations
from eqhls.groups.rotation.factors import canonical, cormorant, e3nn, orthonormal, to_harmonics
from eqhls.groups.rotation.group import ROTATION
from eqhls.groups.rotation.reps import AXIAL, REPS, VECTOR, Irrep, irrep, spin_of
from eqhls.groups.rotation.tables import PATHS, contract, formula_factor, natural, table

GOLDEN = File(__file__).resolve().parents[2].parent / "shared" / "golden2" / "so3_tables.npz"
TRIPLES = [(a, b, c) for a, b in product(range(4), repeat=2) for c in range(abs(a - b), min(a + b, 3) + 1)]
ORDERED = (*PATHS, *(p.swapped for p in PATHS if p.left != p.right))


def cases() -> list[tuple[Path, Basis, Basis]]:
    """Every product of spins in every basis, and every path between parities in one."""
    tensors = [natural(*spins) for spins in TRIPLES]
    every = [(p, a, b) for p in tensors for a, b in product(BASES[spin_of(p.left)], BASES[spin_of(p.right)])]
    return every + [(p, p.left.bases[0], p.right.bases[0]) for p in ORDERED if p not in tensors]


CASES = cases()
Case = tuple[Path, Basis, Basis]


def of_spins(spins: tuple[int, int, int]) -> list[Case]:
    """The cases of three spins."""
    return [c for c in CASES if tuple(spin_of(r) for r in (c[0].left, c[0].right, c[0].out)) == spins]


def stored(
    rng: np.random.Generator, rep: Rep, basis: Basis, size: int = 9, closed: bool = True
) -> np.ndarray:
    """Random components of a basis; unless `closed`, the differences of d6 have some sum, as rounded ones."""
    x = rng.normal(size=(size, len(basis.labels)))
    if basis == D6 and closed:
        x[:, 5] = -x[:, 3] - x[:, 4]
    return x


def apply(full: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("oab,...a,...b->...o", full.astype(np.float64), a, b)


# Section 2.2 of the reference on SO(3), as printed there: components of t5 in, of d5 out.
PRINTED = {
    (1, 1, 0): {"1": "x.x + y.y + z.z"},
    (1, 1, 1): {"x": "y.z - z.y", "y": "z.x - x.z", "z": "x.y - y.x"},
    (1, 1, 2): {
        "xy": "x.y + y.x",
        "yz": "y.z + z.y",
        "zx": "z.x + x.z",
        "a": "2 x.x - 2 y.y",
        "b": "2 y.y - 2 z.z",
    },
    (1, 2, 1): {"x": "x.xx + y.xy + z.zx", "y": "x.xy + y.yy + z.yz", "z": "x.zx + y.yz - z.xx - z.yy"},
    (1, 2, 2): {
        "xy": "- x.zx + y.yz + z.xx - z.yy",
        "yz": "x.xx + 2 x.yy - y.xy + z.zx",
        "zx": "x.xy - 2 y.xx - y.yy - z.yz",
        "a": "2 x.yz + 2 y.zx - 4 z.xy",
        "b": "- 4 x.yz + 2 y.zx + 2 z.xy",
    },
    (2, 2, 0): {"1": "2 xx.xx + xx.yy + yy.xx + 2 yy.yy + 2 xy.xy + 2 yz.yz + 2 zx.zx"},
    (2, 2, 1): {
        "x": "xx.yz + 2 yy.yz + xy.zx - yz.xx - 2 yz.yy - zx.xy",
        "y": "- 2 xx.zx - yy.zx - xy.yz + yz.xy + 2 zx.xx + zx.yy",
        "z": "xx.xy - yy.xy - xy.xx + xy.yy - yz.zx + zx.yz",
    },
    (2, 2, 2): {
        "xy": "xx.xy + yy.xy + xy.xx + xy.yy + yz.zx + zx.yz",
        "yz": "- xx.yz + xy.zx - yz.xx + zx.xy",
        "zx": "- yy.zx + xy.yz + yz.xy - zx.yy",
        "a": "2 xx.xx - 2 yy.yy - 2 yz.yz + 2 zx.zx",
        "b": "- 2 xx.xx - 2 xx.yy - 2 yy.xx + 2 xy.xy - 2 zx.zx",
    },
}


@pytest.mark.parametrize("spins", list(PRINTED), ids=str)
def test_tables_up_to_spin_2_are_the_printed_ones(spins: tuple[int, int, int]) -> None:
    left, right = BASES[spins[0]][0], BASES[spins[1]][0]
    want = np.zeros((2 * spins[2] + 1, len(left.labels), len(right.labels)), dtype=int)
    for out, text in PRINTED[spins].items():
        words = text.replace("- ", "-").replace("+ ", "").split(" ")
        number = 1
        for word in words:
            if "." not in word:
                number = int(word)
                continue
            a, b = word.lstrip("-").split(".")
            sign = -1 if word.startswith("-") else 1
            want[RESULT[spins[2]].labels.index(out), left.labels.index(a), right.labels.index(b)] = (
                sign * number
            )
            number = 1
    np.testing.assert_array_equal(table(natural(*spins), left, right), want)


@pytest.mark.skipif(not GOLDEN.exists(), reason="the tables of the reference page are not here")
def test_all_tables_are_those_of_the_reference() -> None:
    golden = np.load(GOLDEN)
    seen = 0
    for path, left, right in CASES:
        used = {left, right} - {XYZ, C7, ONE}
        name = {frozenset(): "D5", frozenset({D5}): "D5", frozenset({T5}): "T5D5"}.get(frozenset(used), "")
        key = f"{name}/{spin_of(path.left)}{spin_of(path.right)}{spin_of(path.out)}"
        if key in golden:
            np.testing.assert_array_equal(table(path, left, right), golden[key], err_msg=key)
            assert float(formula_factor(path, left, right)) == pytest.approx(float(golden[f"{key}/tensor"]))
            seen += 1
    assert seen > 100
    for n in (3, 5, 7, 9):
        want = {tuple(map(tuple, rows)) for rows in golden[f"rational/{n}"].tolist()}
        assert {*letters(n)} == want


def test_entries_of_t5_are_shifts_and_all_tables_fit_8_bits() -> None:
    for path, left, right in CASES:
        entries = {abs(int(v)) for v in table(path, left, right).ravel()}
        assert max(entries) < 128, path
        if max(spin_of(r) for r in (path.left, path.right, path.out)) <= 2 and {left, right} <= {T5, XYZ}:
            assert entries <= {0, 1, 2, 4}, path


@pytest.mark.parametrize("spins", TRIPLES, ids=str)
def test_table_is_the_su2_one(spins: tuple[int, int, int]) -> None:
    """Racah's coefficients know nothing of tensors: the tables are a multiple of them."""
    got = canonical(*spins)
    np.testing.assert_allclose(got, cormorant(*spins) * orthonormal(*spins), atol=2.5e-15)
    assert np.abs(got).max() > 0.1


@pytest.mark.parametrize("spins", TRIPLES, ids=str)
def test_table_is_the_tensor_formula(spins: tuple[int, int, int], rng: np.random.Generator) -> None:
    for path, left, right in of_spins(spins):
        a, b = stored(rng, path.left, left), stored(rng, path.right, right)
        want = contract(path, left, right, a, b)
        np.testing.assert_allclose(
            apply(table(path, left, right), a, b), want, atol=1e-12 * np.abs(want).max(), err_msg=str(path)
        )


@pytest.mark.parametrize("spins", TRIPLES, ids=str)
def test_table_does_not_depend_on_the_basis(spins: tuple[int, int, int], rng: np.random.Generator) -> None:
    """The tensor formula is the factor times the integers, for the same tensors in any bases."""
    for path, left, right in of_spins(spins):
        a = _traceless(stored(rng, path.left, left), left)
        b = _traceless(stored(rng, path.right, right), right)
        one = apply(table(path, left, right), a, b) * float(formula_factor(path, left, right))
        first, second = path.left.bases[-1], path.right.bases[-1]
        a, b = from_tensor(first, to_tensor(left, a)), from_tensor(second, to_tensor(right, b))
        other = apply(table(path, first, second), a, b) * float(formula_factor(path, first, second))
        np.testing.assert_allclose(one, other, atol=1e-12, err_msg=f"{path} {left} {right}")


def _traceless(x: np.ndarray, basis: Basis) -> np.ndarray:
    return np.concatenate([x[:, :3] - x[:, :3].mean(-1, keepdims=True), x[:, 3:]], -1) if basis == T6 else x


def error(full: np.ndarray, case: Case, element: np.ndarray, rng: np.random.Generator) -> float:
    path, left, right = case
    a, b = (stored(rng, rep, have, closed=False) for rep, have in ((path.left, left), (path.right, right)))
    moved = apply(full, path.left.act(left, element, a), path.right.act(right, element, b))
    want = path.out.act(RESULT[spin_of(path.out)], element, apply(full, a, b))
    return float(np.abs(moved - want).max() / np.abs(want).max())


@pytest.mark.parametrize("spins", TRIPLES, ids=str)
def test_table_is_equivariant(spins: tuple[int, int, int], rng: np.random.Generator) -> None:
    """Under rotations, and under reflections unless the path is dual."""
    for case in of_spins(spins):
        full = table(*case)
        assert error(full, case, random_rotation(rng, 4.0, proper=True), rng) < 1e-12, case
        mirrored = error(full, case, random_rotation(rng, 4.0, proper=False), rng)
        assert mirrored > 1e-3 if case[0].parity_odd else mirrored < 1e-12, case


def test_a_flipped_sign_is_noticed(rng: np.random.Generator) -> None:
    """Negative control: the laws above can fail."""
    path, left, right = case = (natural(2, 2, 2), T5, T5)
    full = table(path, left, right).copy()
    full[tuple(np.argwhere(full)[0])] *= -1
    assert error(full, case, random_rotation(rng, 4.0, proper=True), rng) > 1e-3
    a, b = stored(rng, path.left, left), stored(rng, path.right, right)
    assert np.abs(apply(full, a, b) - contract(path, left, right, a, b)).max() > 1e-3


def test_every_pair_of_irreps_has_its_paths() -> None:
    """l3 = |l1 - l2| .. l1 + l2, each of them with either parity."""
    names = {str(p) for p in PATHS}
    assert {
        "1o*1o->S",
        "1o*1o->1e",
        "1o*1o->2e",
        "1o*1o->1o~",
        "1o*1e->S~",
        "1o*2e->3o",
        "S*1o->1e~",
    } <= names
    assert len(names) == len(PATHS)
    for left, right in product(REPS, repeat=2):
        found = [p for p in ORDERED if (p.left, p.right) == (left, right)]
        low, high = abs(left.spin - right.spin), min(left.spin + right.spin, 3)
        assert len(found) == 2 * (high - low + 1), (left, right)
        assert sum(p.dual for p in found) == high - low + 1


def test_exchange_of_factors_has_the_sign_of_the_formula() -> None:
    for path in PATHS:
        odd = (spin_of(path.left) + spin_of(path.right) + spin_of(path.out)) % 2
        a, b = path.left.bases[0], path.right.bases[0]
        swapped = np.swapaxes(table(path.swapped, b, a), 1, 2)
        np.testing.assert_array_equal(swapped, table(path, a, b) * (-1 if odd else 1))


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


KAPPA = {
    (1, 1, 0): (1, 3),
    (1, 1, 1): (1, 6),
    (1, 1, 2): (2, 5),
    (1, 2, 1): (1, 10),
    (1, 2, 2): (2, 15),
    (2, 2, 0): (1, 20),
    (2, 2, 1): (1, 30),
    (2, 2, 2): (6, 35),
    (0, 2, 2): (1, 5),
}
LAMBDA = {
    (1, 1, 0): -((1 / 3) ** 0.5),
    (1, 1, 1): -1j * 0.5**0.5,
    (1, 1, 2): 2**0.5,
    (2, 1, 2): -1j * (2 / 3) ** 0.5,
    (2, 2, 1): 1j * 0.1**0.5,
    (2, 2, 2): -((6 / 7) ** 0.5),
    (1, 3, 2): -((25 / 7) ** 0.5),
    (3, 3, 2): (625 / 28) ** 0.5,
}


def test_factors_of_other_networks() -> None:
    for spins, (top, bottom) in KAPPA.items():
        assert e3nn(*spins) ** 2 == pytest.approx(top / bottom, rel=1e-14)
    for spins, want in LAMBDA.items():
        assert cormorant(*spins) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize("spins", TRIPLES, ids=str)
def test_sign_of_the_wigner_symbol_is_that_of_the_formula(spins: tuple[int, int, int]) -> None:
    """e3nn: (-i)^l times the real harmonics of quantum mechanics, so that all of its symbols are real."""
    phase = (-1j) ** (spins[0] + spins[1] - spins[2])
    symbol = np.conj(canonical(*spins)) * phase
    assert np.abs(symbol.imag).max() < 1e-15
    kappa = e3nn(*spins)
    np.testing.assert_allclose(
        symbol.real / np.linalg.norm(symbol.real), kappa * orthonormal(*spins), atol=1e-15
    )


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
