"""Bases of four-vectors: the metric belongs to the basis."""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Exact = NDArray[np.object_]
"""An array of Fraction."""

_HALF = Fraction(1, 2)


class Basis(Enum):
    """Cartesian (E, x, y, z), or light-cone (+, -, y, z) with p+- = E +- px.

    Contravariant components; signature (+, -, -, -).
    """

    CARTESIAN = "xyz"
    LIGHT_CONE = "lc"

    @property
    def labels(self) -> tuple[str, ...]:
        return ("E", "x", "y", "z") if self is Basis.CARTESIAN else ("+", "-", "y", "z")

    @property
    def matrix(self) -> Exact:
        """Return M with basis components = M @ Cartesian components."""
        rows = np.eye(4, dtype=int)
        if self is Basis.LIGHT_CONE:
            rows[:2, :2] = [[1, 1], [1, -1]]
        return exact(rows)

    @property
    def inverse(self) -> Exact:
        """Return the inverse of `matrix`."""
        inverse = exact(np.eye(4, dtype=int))
        if self is Basis.LIGHT_CONE:
            inverse[:2, :2] = [[_HALF, _HALF], [_HALF, -_HALF]]
        return inverse

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
        """Carry a Cartesian 4x4 transformation into this basis, in its own number type."""
        if self is Basis.CARTESIAN:
            return transformation
        is_exact = transformation.dtype.kind == "O"
        m, inverse = (a if is_exact else a.astype(np.float64) for a in (self.matrix, self.inverse))
        return m @ transformation @ inverse


def exact(values: Any) -> Exact:
    """Return an array of Fraction."""
    array = np.asarray(values)
    out = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(array):
        out[index] = Fraction(value if isinstance(value, Fraction) else int(value))
    return out
