"""Irreducible representations of O(3): spin l and parity, as in 1o (a vector) and 1e (an axial vector)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.rep import Basis, Rep, S, act_on_vectors
from eqhls.groups.rotation.bases import BASES, D6, moved, read

Array = NDArray[Any]
NAME = "rotation"


@dataclass(frozen=True, slots=True)
class Irrep(Rep):
    """Spin l and the parity under x -> -x, `e` even or `o` odd: symmetric traceless tensors of rank l, times
    the determinant of the element if the parity is not (-1)^l."""

    spin: int
    parity: str

    @property
    def natural(self) -> bool:
        """Whether the parity is that of a tensor made of vectors alone."""
        return (self.parity == "e") == (self.spin % 2 == 0)

    def act(self, basis: Basis, element: Array, x: Array) -> Array:
        return act_on_vectors(self.action(basis, element), x)

    def act_within(self, basis: Basis, matrix: Array, x: Array) -> Array:
        return self.act(basis, matrix, x)

    def action(self, basis: Basis, element: Array) -> Array:
        """Return the (..., size, size) matrices of elements (..., 3, 3) on stored components. n times an
        element gives n^l times its matrix."""
        number = element.dtype if element.dtype == object else np.float64
        out = moved(basis).astype(number)
        size = len(out)
        for _ in range(self.spin):
            lead, tensor = out.shape[: out.ndim - self.spin - 1], out.shape[out.ndim - self.spin :]
            flat = out.reshape(*lead, -1, 3) @ np.swapaxes(element, -1, -2)
            out = np.moveaxis(flat.reshape(*flat.shape[:-2], size, *tensor), -1, -self.spin)
        lead = out.shape[: out.ndim - self.spin - 1]
        flat = read(basis).astype(number).reshape(len(read(basis)), -1)
        out = flat @ np.swapaxes(out.reshape(*lead, size, -1), -1, -2)
        out = _three_differences(out, element) if basis == D6 else out
        return out if self.natural else out * _handedness(element)[..., None, None]

    def natural_points(self, basis: Basis, points: tuple[int, ...]) -> tuple[int, ...]:
        """Components that are sums get as many bits as their longest term has."""
        terms = [np.argwhere(row) for row in read(basis)]
        return tuple(max(sum(points[k] for k in entry) for entry in entries) for entries in terms)


def _three_differences(matrix: Array, element: Array) -> Array:
    """Say of (..., 6, 6) matrices, right for d6 if a + b + c = 0, what they do to a + b + c.

    Differences that were rounded need not have the sum 0. No representation of the group has all three of
    them, but the signed permutations of the axes have one: there, a + b + c changes sign as the order of the
    axes does. The determinant of the squares of the entries is that sign.
    """
    squares = element * element
    norm = squares.sum(axis=(-2, -1)) / 3
    sign = np.asarray(_determinant(squares) / norm**2)
    own = np.array([0, 0, 0, 1, 1, 1]) * sign[..., None]
    out = matrix.copy()
    out[..., 3:] += ((own - matrix[..., 3:].sum(axis=-1)) / 3)[..., None]
    return out


def _handedness(element: Array) -> Array:
    """Return the sign of the determinant of matrices (..., 3, 3)."""
    return np.where(np.asarray(_determinant(element) > 0, dtype=bool), 1, -1)


def _determinant(element: Array) -> Array:
    """Return the determinant of matrices (..., 3, 3), exact if they are."""
    x, y, z = (element[..., k, :] for k in range(3))
    turned = [x[..., i] * (y[..., j] * z[..., k] - y[..., k] * z[..., j]) for i, j, k in _CYCLIC]
    return np.asarray(turned[0] + turned[1] + turned[2])


_CYCLIC = ((0, 1, 2), (1, 2, 0), (2, 0, 1))


def _irrep(spin: int, parity: str) -> Irrep:
    return Irrep(NAME, f"{spin}{parity}", 2 * spin + 1, BASES[spin], spin, parity)


PSEUDOSCALAR = _irrep(0, "o")
VECTOR = _irrep(1, "o")
AXIAL = _irrep(1, "e")
REPS = (PSEUDOSCALAR, VECTOR, AXIAL, *(_irrep(k, p) for k, p in ((2, "e"), (2, "o"), (3, "o"), (3, "e"))))


def irrep(spin: int, parity: str) -> Rep:
    """Return the irrep of this name; 0e is S, the scalar of every group. Raises KeyError if there is none."""
    return {(r.spin, r.parity): r for r in REPS}[spin, parity] if (spin, parity) != (0, "e") else S


def spin_of(rep: Rep) -> int:
    """Return the spin of an irrep or of S."""
    return rep.spin if isinstance(rep, Irrep) else 0


def parity_of(rep: Rep) -> str:
    """Return the parity of an irrep or of S."""
    return rep.parity if isinstance(rep, Irrep) else "e"
