"""What networks of others put in front of their products: numbers that importers multiply into weights.

Both kinds of coefficients act on orthonormal components, those of the real harmonics s_lm, m = -l .. l:
    s_1 = y, z, x          s_2 = xy, yz, (2zz - xx - yy) / 2 sqrt(3), zx, (xx - yy) / 2
    s_3 = sqrt(5/8) (3xxy - yyy), sqrt(15) xyz, sqrt(3/8) (4yzz - xxy - yyy), (2zzz - 3xxz - 3yyz) / 2,
          sqrt(3/8) (4xzz - xxx - xyy), sqrt(15)/2 (xxz - yyz), sqrt(5/8) (xxx - 3xyy)
of the tensor S instead of the products of coordinates. Their squares sum to r^2, r^4 / 3 and r^6.
"""

from __future__ import annotations

from functools import cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.rep import Basis
from eqhls.groups.rotation.bases import BASES, RESULT, combination, lift, read, tensor_entry
from eqhls.groups.rotation.tables import formula_factor, natural, table
from eqhls.groups.su2 import fuse

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

_HARMONICS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("", 1.0),),
    (("y", 1.0), ("z", 1.0), ("x", 1.0)),
    (("xy", 1.0), ("yz", 1.0), ("2 zz - xx - yy", sqrt(1 / 12)), ("zx", 1.0), ("xx - yy", 0.5)),
    (
        ("3 xxy - yyy", sqrt(5 / 8)),
        ("xyz", sqrt(15)),
        ("4 yzz - xxy - yyy", sqrt(3 / 8)),
        ("2 zzz - 3 xxz - 3 yyz", 0.5),
        ("4 xzz - xxx - xyy", sqrt(3 / 8)),
        ("xxz - yyz", sqrt(15) / 2),
        ("xxx - 3 xyy", sqrt(5 / 8)),
    ),
)


@cache
def to_harmonics(basis: Basis) -> Floats:
    """Return M with s = M x for stored components x, shape (2l + 1, dim)."""
    tensors = lift(basis).astype(np.float64)
    spin = tensors.ndim - 1
    if not spin:
        return np.ones((1, 1))
    out = np.zeros((2 * spin + 1, len(tensors)))
    for row, (text, factor) in zip(out, _HARMONICS[spin], strict=True):
        for name, number in combination(text).items():
            row += factor * float(number) * tensors[(slice(None), *tensor_entry(name))]
    return out


@cache
def from_harmonics(basis: Basis) -> Floats:
    """Return M with x = M s for stored components x, shape (dim, 2l + 1)."""
    spin = lift(basis).ndim - 1
    independent = BASES[spin][0]
    tensors = np.tensordot(
        np.linalg.inv(to_harmonics(independent)).T, lift(independent).astype(np.float64), axes=1
    )
    rows = read(basis).astype(np.float64)
    return rows.reshape(len(rows), -1) @ tensors.reshape(len(tensors), -1).T


@cache
def orthonormal(left: int, right: int, out: int) -> Floats:
    """Return the tensor formula of three spins on orthonormal components, [out, left, right]."""
    first, second = BASES[left][0], BASES[right][0]
    path = natural(left, right, out)
    integers = table(path, first, second).astype(np.float64) * float(formula_factor(path, first, second))
    result = to_harmonics(RESULT[out])
    return np.einsum("zo,oab,ax,by->zxy", result, integers, from_harmonics(first), from_harmonics(second))


def e3nn(left: int, right: int, out: int) -> float:
    """Return kappa with e3nn's wigner_3j = kappa * tensor formula, on orthonormal components: the squares of
    its entries sum to one, and its sign is that of the formula."""
    return float(1 / np.linalg.norm(orthonormal(left, right, out)))


@cache
def conjugate_harmonics(spin: int) -> Complex:
    """Return the unitary matrix from canonical components c_m, m = -l .. l, to orthonormal ones, if c
    transforms like complex conjugated harmonics (Condon and Shortley's phases)."""
    matrix = np.zeros((2 * spin + 1, 2 * spin + 1), dtype=complex)
    matrix[spin, spin] = 1
    for m in range(1, spin + 1):
        sign = (-1) ** m
        matrix[spin + m, [spin - m, spin + m]] = np.array([1, sign]) / sqrt(2)
        matrix[spin - m, [spin - m, spin + m]] = np.array([-1j, 1j * sign]) / sqrt(2)
    return matrix


def canonical(left: int, right: int, out: int) -> Complex:
    """Return Racah's coefficients carried to orthonormal components, [out, left, right]."""
    a, b, c = (conjugate_harmonics(spin) for spin in (left, right, out))
    return np.einsum("zo,abo,xa,yb->zxy", c, fuse(2 * left, 2 * right, 2 * out), a.conj(), b.conj())


def cormorant(left: int, right: int, out: int) -> complex:
    """Return lambda with Cormorant's coefficients = lambda * tensor formula on orthonormal components: real
    if l1 + l2 - l3 is even, imaginary if it is odd."""
    formula: Any = orthonormal(left, right, out)
    return complex(np.vdot(formula, canonical(left, right, out)) / np.vdot(formula, formula))
