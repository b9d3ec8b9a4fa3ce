"""The tables of the rotation group: as printed, as the reference has them, and equivariant."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from rotated import CASES, GOLDEN, ORDERED, TRIPLES, apply, error, of_spins, stored

from eqhls.groups.rep import ONE, Basis
from eqhls.groups.rotation.bases import BASES, C7, D5, RESULT, T5, T6, XYZ, from_tensor, to_tensor
from eqhls.groups.rotation.exact import letters, random_rotation
from eqhls.groups.rotation.factors import canonical, cormorant, e3nn, orthonormal
from eqhls.groups.rotation.reps import REPS, spin_of
from eqhls.groups.rotation.tables import PATHS, contract, formula_factor, natural, table

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
