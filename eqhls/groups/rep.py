"""Representations as values: what the components of a tensor are, and how a group moves them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Exact = NDArray[np.object_]
"""An array of Fraction."""


@dataclass(frozen=True, slots=True)
class Basis:
    """The components that are stored, by name. Bases belong to representations."""

    name: str
    labels: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Rep(ABC):
    """How the `dim` components of a tensor transform under a group. Two are equal if their fields are."""

    own_formats: ClassVar[bool] = False
    """Whether the components may have formats of their own, because their binary points may differ."""
    group: str
    name: str
    dim: int
    bases: tuple[Basis, ...]

    def basis(self, name: str = "") -> Basis:
        """Return the basis of this name, or the first one. Raises ValueError for any other name."""
        for basis in self.bases:
            if name in ("", basis.name):
                return basis
        raise ValueError(f"{self.name} has the bases {', '.join(b.name for b in self.bases)}, not {name}")

    def components(self, basis: Basis) -> tuple[str, ...]:
        """Return the names of the stored components."""
        return basis.labels

    def names(self, basis: Basis) -> tuple[str, ...]:
        """Return the names of the stored components that programs and hardware can use for them: letters,
        digits and single underscores, different without regard to case."""
        return tuple(_spelled(label) for label in self.components(basis))

    def size(self, basis: Basis) -> int:
        """Return how many components are stored: `dim`, or more if some follow from others."""
        return len(self.components(basis))

    @abstractmethod
    def act(self, basis: Basis, element: Array, x: Array) -> Array:
        """Transform x (..., dim) by an element of the group, a (..., d, d) matrix on Cartesian vectors, in
        float or exactly in Fraction. Leading axes of the element go with those of x: one for each site."""

    @abstractmethod
    def act_within(self, basis: Basis, matrix: Array, x: Array) -> Array:
        """Transform x by a matrix that is given on the components of vectors in the basis itself."""

    @abstractmethod
    def natural_points(self, basis: Basis, points: tuple[int, ...]) -> tuple[int, ...]:
        """Return the binary points that components have if those of vectors have these."""

    def positive(self, basis: Basis) -> int:
        """Return how many leading components are positive for vectors that occur, and remain so."""
        return 0

    def matrix(self, basis: Basis, element: Array) -> Array:
        """Return the matrix of an element on the stored components."""
        size = self.size(basis)
        unit = exact(np.eye(size, dtype=int)) if element.dtype == object else np.eye(size)
        return self.act(basis, element, unit).T

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Trivial(Rep):
    """The trivial representation of every group: what a function of any form may read."""

    def components(self, basis: Basis) -> tuple[str, ...]:
        return ONE.labels

    def act(self, basis: Basis, element: Array, x: Array) -> Array:
        return x

    def act_within(self, basis: Basis, matrix: Array, x: Array) -> Array:
        return x

    def natural_points(self, basis: Basis, points: tuple[int, ...]) -> tuple[int, ...]:
        return (0,)


ONE = Basis("1", ("1",))
S = Trivial("", "S", 1, (ONE,))


def _spelled(label: str) -> str:
    """Return a label with the signs of the light cone in letters: +y is plus_y."""
    words = label.replace("+", "_plus_").replace("-", "_minus_").split("_")
    return "_".join(word for word in words if word)


def act_on_vectors(element: Array, x: Array) -> Array:
    """Return element @ x for elements (..., d, d) and vectors (..., d), whose leading axes broadcast."""
    if element.ndim == 2:
        return x @ element.T
    return (element @ x[..., None])[..., 0]


def exact(values: Any) -> Exact:
    """Return an array of Fraction."""
    array = np.asarray(values)
    out = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(array):
        out[index] = Fraction(value if isinstance(value, Fraction) else int(value))
    return out
