"""Clebsch-Gordan products: paths between representations, and their tables on stored components."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.rep import Basis, Exact, Rep, S, exact

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Path:
    """left x right -> out. A `dual` path goes through the Levi-Civita tensor, which only proper elements of
    the group leave as it is: the Hodge dual of F, or the other parity of a rotation's irrep."""

    left: Rep
    right: Rep
    out: Rep
    dual: bool = False

    def __str__(self) -> str:
        return f"{self.left}*{self.right}->{self.out}{'~' if self.dual else ''}"

    @property
    def swapped(self) -> Path:
        return Path(self.right, self.left, self.out, self.dual)

    @property
    def parity_odd(self) -> bool:
        """Whether the result changes sign under a reflection, more than its type says."""
        return self.dual

    @property
    def trivial(self) -> bool:
        """Whether it multiplies by a scalar and does nothing else."""
        return S in (self.left, self.right) and not self.dual

    @property
    def group(self) -> str:
        """The name of the group, or nothing if all are scalars."""
        return next((r.group for r in (self.left, self.right, self.out) if r is not S), "")


@dataclass(frozen=True, slots=True)
class Term:
    """One product of components: out += numerator * 2**-shift * left * right."""

    out: int
    left: int
    right: int
    numerator: int


@dataclass(frozen=True, slots=True)
class CGTable:
    """A sparse table with dyadic coefficients numerator * 2**-shift."""

    terms: tuple[Term, ...]
    shift: int
    sizes: tuple[int, int, int]
    """Components of the result, of the left and of the right factor."""

    @property
    def products(self) -> int:
        """How many products of two components the terms share."""
        return len({(t.left, t.right) for t in self.terms})

    @property
    def dense(self) -> NDArray[np.float64]:
        """The table as an array [out, left, right]."""
        full = np.zeros(self.sizes)
        for term in self.terms:
            full[term.out, term.left, term.right] = term.numerator * 2.0**-self.shift
        return full


class Products(Protocol):
    """What a group says of its products: see `Group`."""

    def dense(self, path: Path, left: Basis, right: Basis) -> Exact: ...
    def contract(self, path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array: ...


@dataclass(frozen=True, slots=True)
class Coupling:
    """A path between tensors whose components are stored in the bases `left`, `right` and `out`."""

    path: Path
    left: Basis
    right: Basis
    out: Basis
    group: Products

    @property
    def dim(self) -> int:
        """How many components of the result are stored."""
        return self.path.out.size(self.out)

    @property
    def table(self) -> CGTable:
        """The exact table."""
        return _table(self)

    @property
    def square(self) -> CGTable:
        """The table of the product of a tensor with itself: (a, b) and (b, a) are merged. It is empty if the
        path is antisymmetric."""
        return _square(self)

    def contract(self, a: Array, b: Array) -> Array:
        """Return the product of float tensors (..., dim) by tensor algebra, without any table."""
        if self.path.trivial:
            return a * b
        return self.group.contract(self.path, self.left, self.right, a, b)

    @property
    def dense(self) -> Exact:
        """The table as Fractions [out, left, right]."""
        return _dense(self)


@cache
def _dense(c: Coupling) -> Exact:
    if not c.path.trivial:
        return c.group.dense(c.path, c.left, c.right)
    size = c.dim
    unit = exact(np.eye(size, dtype=int))
    return np.asarray(unit[:, None, :] if c.path.left is S else unit[:, :, None])


@cache
def _table(c: Coupling) -> CGTable:
    return _sparse(_dense(c))


@cache
def _square(c: Coupling) -> CGTable:
    full = _dense(c)
    merged = full + np.swapaxes(full, 1, 2)
    for k in range(full.shape[1]):
        merged[:, k, k] = full[:, k, k]
        merged[:, k, :k] = Fraction(0)
    return _sparse(merged)


def _sparse(full: Exact) -> CGTable:
    shift = lcm(*(Fraction(c).denominator for c in full.ravel())).bit_length() - 1
    scaled = full * 2**shift
    assert all(Fraction(c).denominator == 1 for c in scaled.ravel()), "the table is not dyadic"
    terms = tuple(Term(o, a, b, int(scaled[o, a, b])) for o, a, b in np.ndindex(full.shape) if full[o, a, b])
    outs, lefts, rights = full.shape
    return CGTable(terms, shift, (outs, lefts, rights))
