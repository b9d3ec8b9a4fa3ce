"""The Lorentz group O(3,1), as the compiler sees it."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.groups.coupling import Path
from eqhls.groups.group import Group, Pair, Product
from eqhls.groups.lattice import ExactGroup, Ints
from eqhls.groups.lorentz.basis import BASES, LIGHT_CONE, VectorBasis
from eqhls.groups.lorentz.cg import PATHS, contract, dense
from eqhls.groups.lorentz.exact import causal_vectors, dyadic_boosts, lattice_group, null_vectors
from eqhls.groups.lorentz.reps import NAME, F, T, V, random_lorentz
from eqhls.groups.rep import ONE, Basis, Exact, Rep, S

Array = NDArray[Any]


class Lorentz(Group):
    """Boosts, rotations and reflections of four-vectors; one basis for all tensors of a product."""

    name: ClassVar[str] = NAME
    dim: ClassVar[int] = 4
    vector: ClassVar[Rep] = V
    reps: ClassVar[tuple[Rep, ...]] = (V, F, T)
    paths: ClassVar[tuple[Path, ...]] = PATHS
    examples: ClassVar[tuple[Product, ...]] = tuple(
        (path, ONE if path.left is S else basis, ONE if path.right is S else basis)
        for basis in BASES
        for path in PATHS
        if path.group
    )
    sizes: ClassVar[tuple[float, ...]] = (1.05, 1.25, 1.5, 2.0)
    typical: ClassVar[float] = 1.25
    symbol: ClassVar[str] = "gamma"
    size: ClassVar[str] = "boost gamma (with rotations; beams and jet moved along)"
    pair_name: ClassVar[str] = "dyadic boosts"

    def random(self, rng: np.random.Generator, size: float, proper: bool = True) -> NDArray[np.float64]:
        """Return a rotation, a boost of a gamma up to `size`, and another rotation."""
        return random_lorentz(rng, size, proper)

    def of_size(self, rng: np.random.Generator, size: float) -> NDArray[np.float64]:
        """Return a rotation, a boost of nearly this gamma, and another rotation."""
        while True:
            element = random_lorentz(rng, size)
            if element[0, 0] > 1 + 0.9 * (size - 1):
                return element

    def lattice(self, basis: Basis) -> ExactGroup:
        return lattice_group(cast(VectorBasis, basis))

    def pairs(self, basis: Basis, proper: bool) -> tuple[Pair, ...]:
        """Return boosts by dyadic numbers: smaller ones than any integer matrix is."""
        return tuple((1 << bits, matrix) for matrix, bits in dyadic_boosts(cast(VectorBasis, basis), proper))

    def preserves(self, basis: Basis, matrix: Exact) -> bool:
        metric = cast(VectorBasis, basis).metric
        return bool((matrix.T @ metric @ matrix == metric).all())

    def vectors(
        self, basis: Basis, rng: np.random.Generator, shape: tuple[int, ...], bound: int, reach: int
    ) -> tuple[Ints, Ints, Ints]:
        """Return light-like vectors on the light cone, and Cartesian ones with E >= |p|."""
        if basis == LIGHT_CONE:
            large, small, tiny = (null_vectors(rng, shape, size) for size in (bound, 2, 1))
        else:
            sizes = (max(8 * bound, reach), 8 * bound, 2)
            large, small, tiny = (causal_vectors(rng, shape, size) for size in sizes)
        return large, small, tiny

    def guard(self, basis: Basis) -> int:
        """On the light cone p- of a hard particle may grow to its p+."""
        return 8 if basis == LIGHT_CONE else 2

    def out_basis(self, path: Path, left: Basis, right: Basis) -> Basis:
        bases = {b for rep, b in ((path.left, left), (path.right, right)) if rep is not S}
        if len(bases) > 1:
            found = f"found the bases {left} and {right}, expected one"
            raise CompileError(str(path), found, "the metric belongs to the basis")
        return path.out.basis(bases.pop().name)

    def dense(self, path: Path, left: Basis, right: Basis) -> Exact:
        return dense(path, _common(path, left, right))

    def contract(self, path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array:
        return contract(path, _common(path, left, right), a, b)


def _common(path: Path, left: Basis, right: Basis) -> VectorBasis:
    return cast(VectorBasis, right if path.left is S else left)


LORENTZ = Lorentz()
