"""The rotation group O(3), as the compiler sees it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.groups.coupling import Path
from eqhls.groups.group import Group, Pair, Product
from eqhls.groups.lattice import ExactGroup, Ints
from eqhls.groups.rep import ONE, Basis, Exact, Rep, S, exact
from eqhls.groups.rotation.bases import C7, D5, D6, RESULT, T5, T6, XYZ
from eqhls.groups.rotation.exact import OCTAHEDRAL, random_rotation, rational_pairs, turn
from eqhls.groups.rotation.reps import NAME, REPS, VECTOR, irrep, spin_of
from eqhls.groups.rotation.tables import PATHS, contract, natural, table

Array = NDArray[Any]


def _examples() -> tuple[Product, ...]:
    """Every product up to spin 2 of natural parities, of t5; some of other bases, other parities, spin 3."""
    inputs = {0: ONE, 1: XYZ, 2: T5, 3: C7}
    spins = [p for p in PATHS if p in NATURAL and max(map(spin_of, (p.left, p.right, p.out))) <= 2]
    found = [(p, inputs[spin_of(p.left)], inputs[spin_of(p.right)]) for p in spins]
    axial, pseudo = irrep(1, "e"), irrep(0, "o")
    return (
        *found,
        (Path(S, irrep(2, "e"), irrep(2, "e")), ONE, D6),
        (natural(1, 2, 1), XYZ, D5),
        (natural(2, 2, 2), T6, T6),
        (natural(1, 2, 3), XYZ, D6),
        (natural(3, 3, 0), C7, C7),
        (Path(VECTOR, VECTOR, axial), XYZ, XYZ),
        (Path(VECTOR, axial, pseudo), XYZ, XYZ),
        (Path(pseudo, VECTOR, axial), ONE, XYZ),
    )


NATURAL = {natural(a, b, c) for a in range(4) for b in range(4) for c in range(abs(a - b), min(a + b, 3) + 1)}


class Rotation(Group):
    """Rotations and reflections of space. The result of a product has a basis of its own, whatever those of
    its factors: xyz, d5, c7."""

    name: ClassVar[str] = NAME
    dim: ClassVar[int] = 3
    vector: ClassVar[Rep] = VECTOR
    reps: ClassVar[tuple[Rep, ...]] = REPS
    paths: ClassVar[tuple[Path, ...]] = PATHS
    examples: ClassVar[tuple[Product, ...]] = _examples()
    sizes: ClassVar[tuple[float, ...]] = (0.05, 0.25, 1.0, 3.0)
    typical: ClassVar[float] = 1.0
    symbol: ClassVar[str] = "angle"
    size: ClassVar[str] = "angle of the rotation (rad)"
    pair_name: ClassVar[str] = "rational rotations"

    def random(self, rng: np.random.Generator, size: float, proper: bool = True) -> NDArray[np.float64]:
        """Return a rotation by an angle of up to `size` (rad) about any axis; from pi on, uniform."""
        return random_rotation(rng, size, proper)

    def of_size(self, rng: np.random.Generator, size: float) -> NDArray[np.float64]:
        """Return a rotation by this angle (rad) about any axis."""
        return turn(rng.normal(size=3), size)

    def lattice(self, basis: Basis) -> ExactGroup:
        return OCTAHEDRAL

    def pairs(self, basis: Basis, proper: bool) -> tuple[Pair, ...]:
        """Return rotations by rational numbers with an odd denominator: there are no other ones."""
        return rational_pairs(proper)

    def preserves(self, basis: Basis, matrix: Exact) -> bool:
        return bool((matrix.T @ matrix == exact(np.eye(3, dtype=int))).all())

    def vectors(
        self, basis: Basis, rng: np.random.Generator, shape: tuple[int, ...], bound: int, reach: int
    ) -> tuple[Ints, Ints, Ints]:
        """Return vectors of any direction, in a cube."""
        sizes = (max(8 * bound, reach), 8 * bound, 2)
        large, small, tiny = (rng.integers(-size, size + 1, (*shape, 3)) for size in sizes)
        return large, small, tiny

    def guard(self, basis: Basis) -> int:
        """A component may become as long as the vector: at most sqrt(3) times what it was."""
        return 1

    def out_basis(self, path: Path, left: Basis, right: Basis) -> Basis:
        for rep, basis in ((path.left, left), (path.right, right)):
            if basis not in rep.bases:
                names = ", ".join(b.name for b in rep.bases)
                raise CompileError(
                    str(path),
                    f"found {rep} in the basis {basis}, expected one of {names}",
                    "choose one of these bases",
                )
        return RESULT[spin_of(path.out)]

    def dense(self, path: Path, left: Basis, right: Basis) -> Exact:
        return table(path, left, right)

    def contract(self, path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array:
        return contract(path, left, right, a, b)


ROTATION = Rotation()
