"""Stored components of the irreps of O(3), and the full tensors that they stand for.

An irrep of spin l is a symmetric traceless tensor S of rank l. A basis says which numbers are stored
(`_READ`, linear in S) and what the tensor is (`_LIFT`). t5 and d5 are independent components of rank 2; t6
stores all six and d6 all three differences of the diagonal, so that every signed permutation of the axes
permutes stored components and flips signs, which odd rounding respects. c7 does so for rank 3 without a
component to spare: A = S_xyz, P_x = S_xxx, Q_x = S_xyy - S_xzz, cyclic.

Components of t6 may have a trace, as rounding leaves one: they are then read as the symmetric tensor that
they are. Of d6 the sum of the differences, which is zero but for rounding, is ignored.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from itertools import permutations
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.rep import ONE, Basis, Exact, exact

Array = NDArray[Any]

XYZ = Basis("xyz", ("x", "y", "z"))
T5 = Basis("t5", ("xx", "yy", "xy", "yz", "zx"))
D5 = Basis("d5", ("xy", "yz", "zx", "a", "b"))
T6 = Basis("t6", ("xx", "yy", "zz", "xy", "yz", "zx"))
D6 = Basis("d6", ("xy", "yz", "zx", "a", "b", "c"))
C7 = Basis("c7", ("A", "Px", "Py", "Pz", "Qx", "Qy", "Qz"))

BASES: dict[int, tuple[Basis, ...]] = {0: (ONE,), 1: (XYZ,), 2: (T5, D5, T6, D6), 3: (C7,)}
"""The bases of spin l."""

RESULT: dict[int, Basis] = {0: ONE, 1: XYZ, 2: D5, 3: C7}
"""The basis in which the products of any tensors are stored."""

_DIFFERENCES = {"a": "xx - yy", "b": "yy - zz", "c": "zz - xx"}
_READ = _DIFFERENCES | {
    "A": "xyz",
    "Px": "xxx",
    "Py": "yyy",
    "Pz": "zzz",
    "Qx": "xyy - xzz",
    "Qy": "yzz - yxx",
    "Qz": "zxx - zyy",
}
"""Stored components of the tensor, where they are not simply one of its components."""

_SAME = {name: name for name in ("x", "y", "z", "xx", "yy", "zz", "xy", "yz", "zx")}
_LIFT = {
    "xyz": _SAME,
    "t5": _SAME | {"zz": "- xx - yy"},
    "d5": _SAME | {"xx": "2/3 a + 1/3 b", "yy": "- 1/3 a + 1/3 b", "zz": "- 1/3 a - 2/3 b"},
    "t6": _SAME,
    "d6": _SAME | {"xx": "1/3 a - 1/3 c", "yy": "1/3 b - 1/3 a", "zz": "1/3 c - 1/3 b"},
    "c7": {"xyz": "A", "xxx": "Px", "yyy": "Py", "zzz": "Pz"}
    | {"xyy": "1/2 Qx - 1/2 Px", "yzz": "1/2 Qy - 1/2 Py", "zxx": "1/2 Qz - 1/2 Pz"}
    | {"xzz": "- 1/2 Qx - 1/2 Px", "yxx": "- 1/2 Qy - 1/2 Py", "zyy": "- 1/2 Qz - 1/2 Pz"},
}
"""Components of the tensor, by the stored ones."""

_MOVED = {name: _SAME | {"xx": "a + b", "yy": "b", "zz": ""} for name in ("d5", "d6")}
"""Other tensors with the same differences: a multiple of the unit tensor more, which no rotation moves and no
difference sees. They need no 1/3, so that integer matrices act by integers."""

_TERM = re.compile(r"([+-]?) ?(?:(\d+(?:/\d+)?) )?([A-Za-z]+)")


def combination(text: str) -> dict[str, Fraction]:
    """Read `2/3 a - b` as {a: 2/3, b: -1}."""
    found = _TERM.findall(text)
    return {name: Fraction(number or 1) * (-1 if sign == "-" else 1) for sign, number, name in found}


def tensor_entry(name: str) -> tuple[int, ...]:
    """Return the indices of a tensor component: xz is (0, 2)."""
    return tuple("xyz".index(letter) for letter in name)


@cache
def read(basis: Basis) -> Exact:
    """Return the stored components as linear functions of a symmetric tensor, (dim, 3, .., 3)."""
    if basis == ONE:
        return exact(np.ones(1, dtype=int))
    return _stack([combination(_READ.get(label, label)) for label in basis.labels])


def _stack(rows: list[dict[str, Fraction]]) -> Exact:
    out = exact(np.zeros((len(rows), *(3 for _ in next(iter(rows[0])))), dtype=int))
    for row, terms in zip(out, rows, strict=True):
        for name, factor in terms.items():
            row[tensor_entry(name)] = factor
    return out


@cache
def lift(basis: Basis) -> Exact:
    """Return the symmetric tensors of the unit vectors of a basis, (dim, 3, .., 3); traceless but for t6."""
    return exact(np.ones(1, dtype=int)) if basis == ONE else _lifted(basis, _LIFT[basis.name])


@cache
def moved(basis: Basis) -> Exact:
    """Return tensors that rotate as `lift` does where it is read again: of integers and halves."""
    return lift(basis) if basis.name not in _MOVED else _lifted(basis, _MOVED[basis.name])


def _lifted(basis: Basis, entries: dict[str, str]) -> Exact:
    rank = len(next(name for name, text in entries.items() if combination(text).keys() & {*basis.labels}))
    out = exact(np.zeros((len(basis.labels), *(3 for _ in range(rank))), dtype=int))
    for name, text in entries.items():
        for label, factor in combination(text).items():
            if len(name) == rank and label in basis.labels:
                for entry in permutations(tensor_entry(name)):
                    out[(basis.labels.index(label), *entry)] = factor
    return out


def to_tensor(basis: Basis, x: Array) -> Array:
    """Return stored components (..., dim) as full tensors (..., 3, .., 3), in their own number type."""
    tensors = lift(basis) if x.dtype == object else lift(basis).astype(np.float64)
    return np.tensordot(x, tensors, axes=1)


def from_tensor(basis: Basis, tensor: Array) -> Array:
    """Return the stored components (..., dim) of symmetric traceless tensors (..., 3, .., 3)."""
    rows = read(basis) if tensor.dtype == object else read(basis).astype(np.float64)
    rank = rows.ndim - 1
    if not rank:
        return tensor[..., None]
    return np.tensordot(tensor, rows, axes=(range(-rank, 0), range(1, rank + 1)))


def traceless(tensor: Array) -> Array:
    """Return symmetric tensors (..., 3, 3) without their traces."""
    unit = np.eye(3, dtype=int)
    return tensor - unit * np.trace(tensor, axis1=-2, axis2=-1)[..., None, None] * Fraction(1, 3)


@cache
def change(source: Basis, target: Basis) -> tuple[Exact, int]:
    """Return an integer matrix M and n with M x / n = x in the basis `target`, n the least there is.

    A trace or a sum that only rounding left is ignored. Raises ValueError unless both are bases of spin 2.
    """
    if not {source, target} <= {*BASES[2]}:
        raise ValueError(f"{source} and {target} are not bases of one irrep")
    matrix = from_tensor(target, traceless(lift(source))).T
    factor = lcm(*(Fraction(v).denominator for v in matrix.ravel()))
    return matrix * factor, factor
