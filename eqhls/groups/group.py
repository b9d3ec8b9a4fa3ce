"""What a group is to the compiler: representations, their products, and elements that integers can follow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.coupling import Path
from eqhls.groups.lattice import ExactGroup, Ints
from eqhls.groups.rep import Basis, Exact, Rep

Array = NDArray[Any]
Product = tuple[Path, Basis, Basis]
"""A path and the bases of its factors."""
Pair = tuple[int, Ints]
"""n and an integer matrix N, such that N / n is an element of the group."""


class Group(ABC):
    """One group, by its real representations. Its elements are given as `dim` x `dim` matrices on vectors,
    the representation `vector`, in Cartesian components."""

    name: ClassVar[str]
    dim: ClassVar[int]
    vector: ClassVar[Rep]
    reps: ClassVar[tuple[Rep, ...]]
    """All representations but S."""
    paths: ClassVar[tuple[Path, ...]]
    """Every path between them, factors in the order of `reps`; products by S that do nothing else exist
    for every representation and need not be listed."""
    examples: ClassVar[tuple[Product, ...]]
    """Products over which the laws of ops run."""
    sizes: ClassVar[tuple[float, ...]]
    """Sizes of elements for which the change of a network's output is measured."""
    typical: ClassVar[float]
    """The size that a quantization is judged by."""
    symbol: ClassVar[str]
    """How the size is called, in one word."""
    size: ClassVar[str]
    """What the size of an element is, with its unit."""
    pair_name: ClassVar[str]
    """What the elements of `pairs` are, in the plural."""

    @abstractmethod
    def random(self, rng: np.random.Generator, size: float, proper: bool = True) -> NDArray[np.float64]:
        """Return a random element of at most this size; a reflection too unless `proper`."""

    @abstractmethod
    def of_size(self, rng: np.random.Generator, size: float) -> NDArray[np.float64]:
        """Return a random proper element of about just this size."""

    @abstractmethod
    def lattice(self, basis: Basis) -> ExactGroup:
        """Return the elements that map integer vectors, in this basis, to integer vectors."""

    @abstractmethod
    def pairs(self, basis: Basis, proper: bool) -> tuple[Pair, ...]:
        """Return elements N / n that no lattice has. An event n x and its image N x are both integers."""

    @abstractmethod
    def preserves(self, basis: Basis, matrix: Exact) -> bool:
        """Whether a matrix on the real components of vectors in this basis is an element of the group."""

    @abstractmethod
    def vectors(
        self, basis: Basis, rng: np.random.Generator, shape: tuple[int, ...], bound: int, reach: int
    ) -> tuple[Ints, Ints, Ints]:
        """Return three sets of integer vectors (*shape, dim) as they may occur: large ones of integers up to
        about `bound`, or `reach` if that is more and size costs nothing; smaller ones; the smallest."""

    @abstractmethod
    def guard(self, basis: Basis) -> int:
        """Return by how many bits elements of the largest of the `sizes` may make components longer."""

    @abstractmethod
    def out_basis(self, path: Path, left: Basis, right: Basis) -> Basis:
        """Return the basis of the result of a product. Raises CompileError if there is no product of tensors
        in these bases."""

    @abstractmethod
    def dense(self, path: Path, left: Basis, right: Basis) -> Exact:
        """Return the exact table [out, left, right] of a path, its entries dyadic."""

    @abstractmethod
    def contract(self, path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array:
        """Return the product of float tensors (..., dim) by tensor algebra: an opinion of its own."""
