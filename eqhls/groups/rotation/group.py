"""The rotation group O(3), as the compiler sees it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.groups.coupling import Path
from eqhls.groups.group import Group, Pair
from eqhls.groups.lattice import ExactGroup, Ints
from eqhls.groups.rep import Basis, Exact, Rep, exact
from eqhls.groups.rotation.bases import RESULT
from eqhls.groups.rotation.exact import OCTAHEDRAL, random_rotation, rational_pairs
from eqhls.groups.rotation.reps import NAME, REPS, VECTOR, spin_of
from eqhls.groups.rotation.tables import PATHS, contract, table

Array = NDArray[Any]


class Rotation(Group):
    """Rotations and reflections of space. The result of a product has a basis of its own, whatever those of
    its factors: xyz, d5, c7."""

    name: ClassVar[str] = NAME
    dim: ClassVar[int] = 3
    vector: ClassVar[Rep] = VECTOR
    reps: ClassVar[tuple[Rep, ...]] = REPS
    paths: ClassVar[tuple[Path, ...]] = PATHS
    sizes: ClassVar[tuple[float, ...]] = (0.05, 0.25, 1.0, float(np.pi))
    size: ClassVar[str] = "angle of the rotation (rad)"
    moves: ClassVar[str] = "rotations"

    def random(self, rng: np.random.Generator, size: float, proper: bool = True) -> NDArray[np.float64]:
        """Return a rotation by an angle of up to `size` (rad) about any axis; from pi on, uniform."""
        return random_rotation(rng, size, proper)

    def lattice(self, basis: Basis) -> ExactGroup:
        return OCTAHEDRAL

    def pairs(self, basis: Basis, proper: bool) -> tuple[Pair, ...]:
        """Return rotations by rational numbers with an odd denominator: there are no other ones."""
        return rational_pairs(proper)

    def preserves(self, basis: Basis, matrix: Exact) -> bool:
        return bool((matrix.T @ matrix == exact(np.eye(3, dtype=int))).all())

    def vectors(
        self, basis: Basis, rng: np.random.Generator, shape: tuple[int, ...], largest: int, reach: int
    ) -> Ints:
        """Return vectors of any direction: size costs nothing."""
        limit = max(largest, reach)
        return rng.integers(-limit, limit + 1, (*shape, 3))

    def guard(self, basis: Basis) -> int:
        """A component may become as long as the vector, sqrt(3) times as long as it was."""
        return 1

    def out_basis(self, path: Path, left: Basis, right: Basis) -> Basis:
        for rep, basis in ((path.left, left), (path.right, right)):
            if basis not in rep.bases:
                names = ", ".join(b.name for b in rep.bases)
                raise CompileError(str(path), f"found {rep} in the basis {basis}, expected one of {names}")
        return RESULT[spin_of(path.out)]

    def dense(self, path: Path, left: Basis, right: Basis) -> Exact:
        return table(path, left, right)

    def contract(self, path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array:
        return contract(path, left, right, a, b)


ROTATION = Rotation()
