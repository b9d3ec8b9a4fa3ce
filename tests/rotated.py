"""Paths of the rotation group, and what its tables are checked against."""

from __future__ import annotations

from itertools import product
from pathlib import Path as File

import numpy as np

from eqhls.groups.coupling import Path
from eqhls.groups.rep import Basis, Rep
from eqhls.groups.rotation.bases import BASES, D6, RESULT
from eqhls.groups.rotation.reps import spin_of
from eqhls.groups.rotation.tables import PATHS, natural

GOLDEN = File(__file__).resolve().parents[1].parent / "shared" / "golden2" / "so3_tables.npz"
TRIPLES = [(a, b, c) for a, b in product(range(4), repeat=2) for c in range(abs(a - b), min(a + b, 3) + 1)]
ORDERED = (*PATHS, *(p.swapped for p in PATHS if p.left != p.right))


def cases() -> list[tuple[Path, Basis, Basis]]:
    """Every product of spins in every basis, and every path between parities in one."""
    tensors = [natural(*spins) for spins in TRIPLES]
    every = [(p, a, b) for p in tensors for a, b in product(BASES[spin_of(p.left)], BASES[spin_of(p.right)])]
    return every + [(p, p.left.bases[0], p.right.bases[0]) for p in ORDERED if p not in tensors]


CASES = cases()
Case = tuple[Path, Basis, Basis]


def of_spins(spins: tuple[int, int, int]) -> list[Case]:
    """The cases of three spins."""
    return [c for c in CASES if tuple(spin_of(r) for r in (c[0].left, c[0].right, c[0].out)) == spins]


def stored(
    rng: np.random.Generator, rep: Rep, basis: Basis, size: int = 9, closed: bool = True
) -> np.ndarray:
    """Random components of a basis; unless `closed`, the differences of d6 have some sum, as rounded ones."""
    x = rng.normal(size=(size, len(basis.labels)))
    if basis == D6 and closed:
        x[:, 5] = -x[:, 3] - x[:, 4]
    return x


def apply(full: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("oab,...a,...b->...o", full.astype(np.float64), a, b)


def error(full: np.ndarray, case: Case, element: np.ndarray, rng: np.random.Generator) -> float:
    path, left, right = case
    a, b = (stored(rng, rep, have, closed=False) for rep, have in ((path.left, left), (path.right, right)))
    moved = apply(full, path.left.act(left, element, a), path.right.act(right, element, b))
    want = path.out.act(RESULT[spin_of(path.out)], element, apply(full, a, b))
    return float(np.abs(moved - want).max() / np.abs(want).max())
