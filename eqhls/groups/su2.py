"""SU(2) Clebsch-Gordan coefficients by Racah's formula, and the Lorentz ones made of them.

Only a check: tables in use come from `complexcg.py`. Condon-Shortley phases; an irrep (k, n) is spin k/2
(x) spin n/2, coupled to l = |k-n|/2 .. (k+n)/2, m ascending.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Half = Fraction


def _fact(x: Fraction) -> int:
    assert x.denominator == 1
    return factorial(int(x))


def clebsch(j1: Half, m1: Half, j2: Half, m2: Half, j: Half, m: Half) -> float:
    """Return <j1 m1 j2 m2 | j m>; zero where the selection rules forbid it."""
    if m1 + m2 != m or not abs(j1 - j2) <= j <= j1 + j2 or max(abs(m1) - j1, abs(m2) - j2, abs(m) - j) > 0:
        return 0.0
    front = (2 * j + 1) * Fraction(
        _fact(j1 + j2 - j) * _fact(j1 - j2 + j) * _fact(-j1 + j2 + j), _fact(j1 + j2 + j + 1)
    )
    front *= _fact(j + m) * _fact(j - m) * _fact(j1 - m1) * _fact(j1 + m1) * _fact(j2 - m2) * _fact(j2 + m2)
    total = Fraction(0)
    for k in range(0, int(j1 + j2 - j) + 1):
        terms = [Fraction(k), j1 + j2 - j - k, j1 - m1 - k, j2 + m2 - k, j - j2 + m1 + k, j - j1 - m2 + k]
        if min(terms) >= 0:
            bottom = 1
            for t in terms:
                bottom *= _fact(t)
            total += Fraction((-1) ** k, bottom)
    return sqrt(front) * float(total)


def spins(j: Half) -> list[Half]:
    """Return m = -j .. j."""
    return [-j + k for k in range(int(2 * j) + 1)]


def basis_of(k: int, n: int) -> list[tuple[Half, Half]]:
    """Return the canonical basis (l, m) of the irrep, ascending."""
    low, high = Fraction(abs(k - n), 2), Fraction(k + n, 2)
    return [(low + s, m) for s in range(int(high - low) + 1) for m in spins(low + s)]


def uncoupled(k: int, n: int) -> NDArray[np.float64]:
    """Return C[x, y, (l, m)]: product basis of the two spins to the coupled one."""
    a, b = Fraction(k, 2), Fraction(n, 2)
    return np.array(
        [[[clebsch(a, x, b, y, j, m) for j, m in basis_of(k, n)] for y in spins(b)] for x in spins(a)]
    )


def fuse(k1: int, k2: int, k: int) -> NDArray[np.float64]:
    """Return the SU(2) coefficients [m1, m2, m] of three spins k/2."""
    a, b, c = Fraction(k1, 2), Fraction(k2, 2), Fraction(k, 2)
    return np.array([[[clebsch(a, x, b, y, c, z) for z in spins(c)] for y in spins(b)] for x in spins(a)])


def lorentz_clebsch(
    first: tuple[int, int], second: tuple[int, int], out: tuple[int, int]
) -> NDArray[np.float64]:
    """Return H[a, b, c] in the canonical bases."""
    return np.einsum(
        "xyc,dux,evy,dea,uvb->abc",
        uncoupled(*out),
        fuse(first[0], second[0], out[0]),
        fuse(first[1], second[1], out[1]),
        uncoupled(*first),
        uncoupled(*second),
    )


def to_cartesian(irrep: str) -> Complex:
    """Return the unitary change from the canonical basis to that of `complexcg.py`."""
    r = 1 / sqrt(2)
    turn = np.array([[r, 0, -r], [1j * r, 0, 1j * r], [0, 1, 0]], dtype=complex)
    match irrep:
        case "00":
            return np.ones((1, 1), dtype=complex)
        case "11":
            out = np.zeros((4, 4), dtype=complex)
            out[0, 0], out[1:, 1:] = 1, turn
            return out
        case "22":
            coupled: Any = lorentz_clebsch((2, 0), (0, 2), (2, 2)).reshape(9, 9)
            return np.kron(turn, turn) @ coupled
        case _:
            return turn


def cartesian_clebsch(left: str, right: str, out: str) -> Complex:
    """Return the coefficients [out, left, right] in the SO(3,C) basis."""
    first, second, third = ((int(r[0]), int(r[1])) for r in (left, right, out))
    a, b = to_cartesian(left).conj().T, to_cartesian(right).conj().T
    return np.einsum("zc,abc,ax,by->zxy", to_cartesian(out), lorentz_clebsch(first, second, third), a, b)
