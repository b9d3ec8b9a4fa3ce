"""Rotations that integers can follow: the signed permutations of the axes, and rotations by N / n.

No matrix of dyadic numbers rotates but the 24 proper signed permutations: x^2 + y^2 + z^2 has no root in
the 2-adic numbers. For odd n there are rotations N / n with an integer matrix N, made of integer quaternions
of norm n (Euler, Rodrigues); those of an odd prime and its powers are dense.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from math import gcd, isqrt

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.lattice import Element, ExactGroup, Ints, Rows, generated
from eqhls.groups.rotation.bases import XYZ

NORMS = (3, 5, 7, 9)
"""The n of the rotations N / n that are tested."""


def _signed_permutation(name: str, order: tuple[int, int, int], flipped: int | None = None) -> Element:
    rows = [tuple((-1 if k == flipped else 1) * int(m == order[k]) for m in range(3)) for k in range(3)]
    return Element(name, tuple(rows))


OCTAHEDRAL = ExactGroup(
    "O(3;Z)",
    XYZ,
    (
        _signed_permutation("swap_xy", (1, 0, 2)),
        _signed_permutation("swap_yz", (0, 2, 1)),
        _signed_permutation("swap_zx", (2, 1, 0)),
        _signed_permutation("flip_x", (0, 1, 2), 0),
        _signed_permutation("flip_y", (0, 1, 2), 1),
        _signed_permutation("flip_z", (0, 1, 2), 2),
    ),
)
"""The 48 signed permutations of x, y and z: all that maps integers to integers."""


def signed_permutations(proper_only: bool = False) -> tuple[Ints, ...]:
    """Return the 48 signed permutations of the axes, or the 24 that are rotations."""
    found = generated([g.matrix for g in OCTAHEDRAL.generators])
    return tuple(m for m in found if not proper_only or round(float(np.linalg.det(m.astype(float)))) == 1)


def from_quaternion(q: tuple[int, int, int, int]) -> Ints:
    """Return |q|^2 times the rotation of a quaternion (w, x, y, z): an integer matrix."""
    w, *v = q
    axis = np.array(v, dtype=np.int64)
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]], dtype=np.int64)
    return (w * w - int(axis @ axis)) * np.eye(3, dtype=np.int64) + 2 * np.outer(axis, axis) + 2 * w * cross


@cache
def letters(n: int) -> tuple[Rows, ...]:
    """Return every integer matrix N without a common divisor for which N / n is a rotation, n odd or a power
    of two. The smallest angle comes first.

    They are those of the integer quaternions of norm n, turned by the axis rotations.
    """
    reach = range(-isqrt(n), isqrt(n) + 1)
    norms = (q for q in product(reach, repeat=4) if sum(c * c for c in q) == n)
    matrices = [from_quaternion((w, x, y, z)) for w, x, y, z in norms]
    turns = signed_permutations(proper_only=True)
    primitive = [m for m in matrices if gcd(*m.ravel().tolist()) == 1]
    found = {_rows(turn @ matrix) for matrix in primitive for turn in turns}
    return tuple(sorted(found, key=lambda rows: (-sum(rows[k][k] for k in range(3)), rows)))


def _rows(matrix: Ints) -> Rows:
    return tuple(tuple(int(v) for v in row) for row in matrix)


def rational_pairs(proper: bool) -> tuple[tuple[int, Ints], ...]:
    """Return (n, N) with N / n in O(3): a rotation of the smallest angle for each of `NORMS`, and unless
    `proper` that of the first one followed by the reflection of space."""
    found = [(n, np.array(letters(n)[0], dtype=np.int64)) for n in NORMS]
    return (*found, *(() if proper else ((found[0][0], -found[0][1]),)))


def turn(axis: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Return the rotation by an angle (rad) about an axis of any length."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def random_rotation(rng: np.random.Generator, largest: float, proper: bool) -> NDArray[np.float64]:
    """Return a rotation by an angle of up to `largest` (rad) about any axis: uniform in the angle, or uniform
    in O(3) from pi on. Unless `proper`, z is reflected after it."""
    w, *v = rng.normal(size=4)
    angle = 2 * np.arctan2(np.linalg.norm(v), w) if largest >= np.pi else rng.uniform(0, largest)
    return np.diag([1.0, 1.0, 1.0 if proper else -1.0]) @ turn(np.array(v), angle)
