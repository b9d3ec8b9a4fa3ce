"""Sums in one order and functions rounded once: the values of NumPy, the same bits everywhere."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from eqhls.fixed.ordered import ordered_einsum, ordered_product, power, rounded_once


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ab,bc->ac", ((3, 5), (5, 2))),
        ("ab,b->a", ((3, 5), (5,))),
        ("sdb,de->seb", ((2, 3, 4), (3, 5))),
        ("sdb,d,b->s", ((2, 3, 4), (3,), (4,))),
        ("knd,cd->kcn", ((2, 3, 4), (5, 4))),
        ("dns,dn->ns", ((4, 3, 2), (4, 3))),
    ],
)
@pytest.mark.parametrize("complex_ones", [(), (0,), (0, 1)])
def test_it_is_einsum(
    subscripts: str,
    shapes: tuple[tuple[int, ...], ...],
    complex_ones: tuple[int, ...],
    rng: np.random.Generator,
) -> None:
    factors = [
        rng.normal(size=s) + (1j * rng.normal(size=s) if k in complex_ones else 0)
        for k, s in enumerate(shapes)
    ]
    np.testing.assert_allclose(
        ordered_einsum(subscripts, *factors), np.einsum(subscripts, *factors), rtol=1e-13
    )


def test_sums_go_from_the_first_term_to_the_last(rng: np.random.Generator) -> None:
    """Checked against Python's own floats, one after the other; another order gives other bits."""
    a, b = rng.normal(size=(20, 60)), rng.normal(size=60)
    want = []
    for row in a:
        total = 0.0
        for x, y in zip(row, b, strict=True):
            total += float(x) * float(y)
        want.append(total)
    assert ordered_product(a, b).tolist() == want
    assert ordered_product(a[:, ::-1], b[::-1]).tolist() != want


def test_powers_are_the_nearest_numbers(rng: np.random.Generator) -> None:
    base = 1 + rng.uniform(0, 50, 200)
    for x, y in zip(base, power(base, 2.0), strict=True):
        exact = Fraction(float(x)) ** 2
        assert abs(Fraction(float(y)) - exact) <= Fraction(float(np.spacing(y))) / 2
    np.testing.assert_allclose(rounded_once(np.tanh, base / 20), np.tanh(base / 20), rtol=1e-15)
    assert rounded_once(np.exp, base).dtype == np.float64
