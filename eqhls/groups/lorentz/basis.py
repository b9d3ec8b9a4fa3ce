"""Bases of four-vectors: the metric belongs to the basis."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.rep import Basis, Exact, exact

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class VectorBasis(Basis):
    """Components `rows` @ (E, x, y, z) of contravariant vectors; signature (+, -, -, -)."""

    rows: tuple[tuple[Fraction, ...], ...]
    inverse_rows: tuple[tuple[Fraction, ...], ...]

    @property
    def matrix(self) -> Exact:
        """Return M with basis components = M @ Cartesian components."""
        return exact(self.rows)

    @property
    def inverse(self) -> Exact:
        """Return the inverse of `matrix`."""
        return exact(self.inverse_rows)

    @property
    def metric(self) -> Exact:
        """Return g_mn with <a, b> = a^m g_mn b^n."""
        flat = exact(np.diag([1, -1, -1, -1]))
        return self.inverse.T @ flat @ self.inverse

    @property
    def inverse_metric(self) -> Exact:
        """Return g^mn."""
        return self.matrix @ exact(np.diag([1, -1, -1, -1])) @ self.matrix.T

    def change(self, transformation: NDArray[Any]) -> NDArray[Any]:
        """Carry Cartesian transformations (..., 4, 4) into this basis, in their own number type."""
        if self == CARTESIAN:
            return transformation
        is_exact = transformation.dtype.kind == "O"
        m, inverse = (a if is_exact else a.astype(np.float64) for a in (self.matrix, self.inverse))
        return m @ transformation @ inverse


def _rows(*first: tuple[Any, Any]) -> tuple[tuple[Fraction, ...], ...]:
    """Return a 4x4 matrix that is one but for its upper left corner."""
    matrix = exact(np.eye(4, dtype=int))
    matrix[:2, :2] = exact(first)
    return tuple(tuple(row) for row in matrix)


CARTESIAN = VectorBasis("xyz", ("E", "x", "y", "z"), _rows((1, 0), (0, 1)), _rows((1, 0), (0, 1)))
LIGHT_CONE = VectorBasis(
    "lc", ("+", "-", "y", "z"), _rows((1, 1), (1, -1)), _rows((_HALF, _HALF), (_HALF, -_HALF))
)
"""p+- = E +- px."""
BASES = (CARTESIAN, LIGHT_CONE)
