"""Integer matrices on raw components: the elements of a group under which hardware can be exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.rep import Basis, Exact, Rep, exact

Ints = NDArray[np.int64]
Rows = tuple[tuple[int, ...], ...]
LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Element:
    """A generator: an integer matrix on basis components, proper (det +1) or not."""

    name: str
    rows: Rows

    @property
    def matrix(self) -> Ints:
        return np.array(self.rows, dtype=np.int64)

    @property
    def proper(self) -> bool:
        return round(float(np.linalg.det(self.matrix.astype(float)))) == 1

    @property
    def monomial(self) -> bool:
        """Whether it only permutes components and flips signs."""
        return bool((np.abs(self.matrix).sum(axis=1) == 1).all())


@dataclass(frozen=True, slots=True)
class ExactGroup:
    """A group of integer matrices on the raw components of vectors in one basis, by generators."""

    name: str
    basis: Basis
    generators: tuple[Element, ...]

    @property
    def dim(self) -> int:
        return len(self.generators[0].rows)

    def word(
        self, rng: np.random.Generator, length: int, proper_only: bool = False
    ) -> tuple[tuple[str, ...], Ints]:
        """Return a random word that is not the identity: its letters and its matrix. Where words of the
        wanted length are the identity, as all of an even length may be, any length up to it is tried.

        With `proper_only`, a word with an odd number of improper letters gets one more.
        """
        size = length
        while True:
            chosen = [self.generators[k] for k in rng.integers(len(self.generators), size=size)]
            if proper_only and sum(not g.proper for g in chosen) % 2:
                chosen.append(next(g for g in self.generators if not g.proper))
            matrix = product([g.matrix for g in chosen], self.dim)
            if (matrix != np.eye(self.dim, dtype=np.int64)).any():
                return tuple(g.name for g in chosen), matrix
            size = int(rng.integers(1, length + 1))

    def apply(self, matrix: Ints, x: Ints) -> Ints:
        """Return matrix @ x for raw integers (..., dim). Raises OverflowError beyond 62 bits."""
        if not fits_words(matrix, x):
            raise OverflowError("a transformed component needs more than 62 bits")
        return x @ matrix.T

    @property
    def has_proper(self) -> bool:
        """Whether a proper element other than one is a word of the generators."""
        return any(g.proper for g in self.generators) or len(self.generators) > 1


def fits_words(matrix: Ints, x: Ints) -> bool:
    """Whether matrix @ x stays within 62 bits."""
    return int(np.abs(x).max(initial=0)) * int(np.abs(matrix).sum(axis=1).max()) < LIMIT


def product(matrices: Sequence[Ints], dim: int) -> Ints:
    """Return the product, first letter leftmost."""
    out = np.eye(dim, dtype=np.int64)
    for matrix in matrices:
        out = out @ matrix
    return out


def in_units(matrix: Ints, points: Sequence[int]) -> Exact:
    """Return a matrix on raw components, component c in units of 2**-points[c], as one on real components."""
    step = [Fraction(2) ** -point for point in points]
    return exact(matrix) * np.array([[a / b for b in step] for a in step], dtype=object)


def raw_action(
    rep: Rep, basis: Basis, matrix: Ints, points: Sequence[int], fracs: Sequence[int]
) -> tuple[Ints, int]:
    """Return what a transformation does to raw integers of a representation: N and d with raw' = N raw / d.

    `matrix` acts on vectors in units of 2**-points, the integers of `rep` count units of 2**-fracs, one
    for each component. If `matrix` is a multiple of an element of the group, so is N, of a higher power.
    """
    unit = exact(np.eye(rep.size(basis), dtype=int))
    real = rep.act_within(basis, in_units(matrix, points), unit).T
    step = [Fraction(2) ** -frac for frac in fracs]
    raw = real * np.array([[b / a for b in step] for a in step], dtype=object)
    divisor = lcm(*(Fraction(v).denominator for v in raw.ravel()))
    return (raw * divisor).astype(np.int64), divisor


def generated(letters: Sequence[Ints]) -> tuple[Ints, ...]:
    """Return all elements of the finite group that these matrices generate."""
    found: dict[bytes, Ints] = {}
    todo = [np.eye(len(letters[0]), dtype=np.int64)]
    while todo:
        matrix = todo.pop()
        if matrix.tobytes() in found:
            continue
        found[matrix.tobytes()] = matrix
        todo += [matrix @ letter for letter in letters]
    return tuple(found.values())
