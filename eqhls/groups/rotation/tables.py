"""Clebsch-Gordan products of symmetric traceless tensors: exact tables, and tensor formulas beside them.

The product of spins l1 and l2 to l3 contracts k = (l1 + l2 - l3) / 2 pairs of indices, rounded down; if
l1 + l2 - l3 is odd, the Levi-Civita tensor takes one index of each factor and gives one to the result (its
first; the left factor comes before the right one). The result is symmetrised with weight one and loses its
traces. `table` follows this rule with integers. `contract` evaluates the formulas written out below,
in float.

A path stands for the least positive multiple of this formula whose entries are integers, for the bases of its
factors: `formula_factor` says of which. With factors in t5 and l <= 2 all entries are 1, 2 or 4.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import permutations
from math import factorial, gcd, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.coupling import Path
from eqhls.groups.rep import Basis, Exact, exact
from eqhls.groups.rotation.bases import RESULT, from_tensor, lift, read, to_tensor
from eqhls.groups.rotation.reps import REPS, irrep, parity_of, spin_of

Array = NDArray[Any]
Ints = NDArray[np.int64]

LEVI_CIVITA: Ints = np.zeros((3, 3, 3), dtype=np.int64)
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    LEVI_CIVITA[_i, _j, _k], LEVI_CIVITA[_i, _k, _j] = 1, -1


@cache
def table(path: Path, left: Basis, right: Basis) -> Exact:
    """Return the integers of a path, as Fractions [out, left, right]."""
    return exact(_normal(path, left, right)[0])


def formula_factor(path: Path, left: Basis, right: Basis) -> Fraction:
    """Return the positive number by which the integers of a path must be multiplied to give the formula."""
    return _normal(path, left, right)[1]


@cache
def _normal(path: Path, left: Basis, right: Basis) -> tuple[Ints, Fraction]:
    spins = spin_of(path.left), spin_of(path.right), spin_of(path.out)
    (a, first), (b, second) = _integers(lift(left)), _integers(lift(right))
    product = np.einsum(_rule(*spins), *(LEVI_CIVITA,) * (sum(spins) % 2), a, b)
    traceless, scale = _symmetric_traceless(product, spins[2])
    stored, third = _integers(read(RESULT[spins[2]]))
    full = np.tensordot(stored, traceless, axes=(range(1, stored.ndim), range(2, traceless.ndim)))
    common = gcd(*(int(v) for v in full.ravel()))
    return full // common, Fraction(common, first * second * third * scale)


def _integers(values: Exact) -> tuple[Ints, int]:
    """Return integers and the number by which they are too large."""
    scale = lcm(*(v.denominator for v in values.ravel()))
    return (values * scale).astype(np.int64), scale


def _rule(left: int, right: int, out: int) -> str:
    """Return the contraction of two lists of tensors for einsum, [left, right, indices]."""
    pairs, odd = divmod(left + right - out, 2)
    shared, first, second = "cdf"[:pairs], "uvw"[: left - pairs - odd], "xyz"[: right - pairs - odd]
    if not odd:
        return f"A{shared}{first},B{shared}{second}->AB{first}{second}"
    return f"ipq,Ap{shared}{first},Bq{shared}{second}->ABi{first}{second}"


def _symmetric_traceless(tensor: Ints, rank: int) -> tuple[Ints, int]:
    """Symmetrise the last `rank` indices and remove the traces; say by how much the result is too large."""
    lead = tuple(range(tensor.ndim - rank))
    orders = [(*lead, *(len(lead) + k for k in order)) for order in permutations(range(rank))]
    out = np.zeros_like(tensor)
    for order in orders:
        out += tensor.transpose(order)
    if rank < 2:
        return out, 1
    trace = np.einsum("...aa->...", out)
    delta = np.eye(3, dtype=np.int64)
    if rank == 2:
        return 3 * out - trace[..., None, None] * delta, 3 * factorial(2)
    traces = [np.einsum(f"ij,...k->...{order}", delta, trace) for order in ("ijk", "ikj", "kij")]
    return 5 * out - traces[0] - traces[1] - traces[2], 5 * factorial(3)


_FORMULAS = {
    (1, 1, 0): "i,i->",
    (1, 1, 1): "iab,a,b->i",
    (1, 1, 2): "i,j->ij",
    (1, 2, 1): "a,ia->i",
    (1, 2, 2): "iab,a,bj->ij",
    (1, 2, 3): "i,jk->ijk",
    (2, 2, 0): "ab,ab->",
    (2, 2, 1): "iab,ca,cb->i",
    (2, 2, 2): "ia,aj->ij",
    (2, 2, 3): "iab,aj,bk->ijk",
    (1, 3, 2): "k,ijk->ij",
    (1, 3, 3): "iab,a,bjk->ijk",
    (2, 3, 1): "ab,abi->i",
    (2, 3, 2): "iab,ca,cbj->ij",
    (2, 3, 3): "ia,ajk->ijk",
    (3, 3, 0): "abc,abc->",
    (3, 3, 1): "iab,cda,cdb->i",
    (3, 3, 2): "iab,jab->ij",
    (3, 3, 3): "iab,cja,ckb->ijk",
}


def contract(path: Path, left: Basis, right: Basis, a: Array, b: Array) -> Array:
    """Return the product of float tensors (..., dim), by the formulas written out."""
    spins = spin_of(path.left), spin_of(path.right), spin_of(path.out)
    product = _formula(spins, to_tensor(left, np.asarray(a)), to_tensor(right, np.asarray(b)))
    factor = float(formula_factor(path, left, right))
    return from_tensor(RESULT[spins[2]], _traceless(product, spins[2])) / factor


def _formula(spins: tuple[int, int, int], x: Array, y: Array) -> Array:
    first, second, out = spins
    if first > second:
        sign = -1 if sum(spins) % 2 else 1
        return sign * _formula((second, first, out), y, x)
    if first == 0:
        return x[(..., *(None,) * second)] * y
    *front, one, two = _FORMULAS[spins].split("->")[0].split(",")
    rule = ",".join([*front, f"...{one}", f"...{two}"]) + "->..." + _FORMULAS[spins].split("->")[1]
    return np.einsum(rule, *[LEVI_CIVITA] * len(front), x, y)


def _traceless(tensor: Array, rank: int) -> Array:
    """Return the symmetric traceless part of float tensors (..., 3, .., 3)."""
    if rank < 2:
        return tensor
    if rank == 2:
        even = (tensor + np.einsum("...ij->...ji", tensor)) / 2
        return even - np.eye(3) * np.trace(even, axis1=-2, axis2=-1)[..., None, None] / 3
    orders = ["".join(order) for order in permutations("ijk")]
    even = sum(np.einsum(f"...ijk->...{order}", tensor) for order in orders) / len(orders)
    vector = np.einsum("...aak->...k", even)
    unit = [
        np.einsum(f"{d},...{k}->...ijk", np.eye(3), vector)
        for d, k in (("ij", "k"), ("jk", "i"), ("ik", "j"))
    ]
    return even - (unit[0] + unit[1] + unit[2]) / 5


def natural(left: int, right: int, out: int) -> Path:
    """Return the path between tensors of the natural parity (-1)^l, dual if l1 + l2 - l3 is odd."""
    a, b, c = (irrep(spin, "eo"[spin % 2]) for spin in (left, right, out))
    return Path(a, b, c, dual=bool((left + right + out) % 2))


def _paths() -> tuple[Path, ...]:
    """Return every product, the left factor not after the right one. Parities multiply; `dual` stands for the
    other parity, which only proper rotations see."""
    found: list[Path] = []
    ordered = (irrep(0, "e"), *REPS)
    for first, left in enumerate(ordered):
        for right in ordered[first:]:
            low, high = abs(spin_of(left) - spin_of(right)), spin_of(left) + spin_of(right)
            same = "e" if parity_of(left) == parity_of(right) else "o"
            for spin in range(low, min(high, 3) + 1):
                found += [Path(left, right, irrep(spin, p), dual=p != same) for p in "eo"]
    return tuple(path for path in found if not path.trivial)


PATHS = _paths()
