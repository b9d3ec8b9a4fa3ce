"""Complex Clebsch-Gordan tables of the Lorentz irreps up to maxdim 3, in the SO(3,C) basis.

Irreps (k, n): 00 scalar; 11 vector (t, x, y, z); 20 and 02 complex three-vectors f and g; 22 a complex
3x3 matrix M. Every table is one factor lambda times entries in {0, +-1, +-i}. Each formula below
is one line of algebra; `su2.py` holds the independent opinion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Bilinear = Callable[[Complex, Complex], Complex]

DIM = {"00": 1, "11": 4, "20": 3, "02": 3, "22": 9}
_EYE = np.eye(3)
_EPS = np.zeros((3, 3, 3))
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    _EPS[_i, _j, _k], _EPS[_i, _k, _j] = 1, -1


@dataclass(frozen=True, slots=True)
class ComplexTable:
    """left x right -> out: CG = factor * entries[out, left, right], entries in {0, +-1, +-i}.

    `swap` is the sign of exchanging the factors.
    """

    left: str
    right: str
    out: str
    factor: float
    swap: int
    entries: Complex


def _cross(a: Complex, b: Complex) -> Complex:
    return np.einsum("ijk,...j,...k->...i", _EPS, a, b)


def _split(v: Complex) -> tuple[Complex, Complex]:
    return v[..., :1], v[..., 1:]


def _matrix(m: Complex) -> Complex:
    return m.reshape(*m.shape[:-1], 3, 3)


def _flat(m: Complex) -> Complex:
    return m.reshape(*m.shape[:-2], 9)


def _vector_to_tensor(a: Complex, b: Complex) -> Complex:
    (t, v), (s, w) = _split(a), _split(b)
    outer = v[..., :, None] * w[..., None, :]
    trace = (t * s)[..., None] + np.einsum("...i,...i->...", v, w)[..., None, None]
    turn = np.einsum("jkl,...l->...jk", _EPS, t * w + s * v)
    return _flat(outer + np.swapaxes(outer, -1, -2) - _EYE * trace - 1j * turn)


def _bivector(sign: int) -> Bilinear:
    def formula(a: Complex, b: Complex) -> Complex:
        (t, v), (s, w) = _split(a), _split(b)
        return sign * (t * w - s * v) + 1j * _cross(v, w)

    return formula


def _turn_vector(sign: int) -> Bilinear:
    def formula(a: Complex, b: Complex) -> Complex:
        t, v = _split(a)
        time = sign * np.einsum("...i,...i->...", v, b)[..., None]
        return np.concatenate([time, sign * t * b + 1j * _cross(v, b)], axis=-1)

    return formula


def _tensor_on_vector(a: Complex, b: Complex) -> Complex:
    """2 S^{mn} v_n with S from M by section 4.2: S_00 = -tr M / 2, and so on."""
    t, v = _split(a)
    m = _matrix(b)
    trace = np.einsum("...ii->...", m)[..., None]
    mixed = 1j * np.einsum("jkl,...jk->...l", _EPS, m)
    sym = m + np.swapaxes(m, -1, -2) - _EYE * trace[..., None]
    time = -trace * t - np.einsum("...i,...i->...", mixed, v)[..., None]
    return np.concatenate([time, mixed * t - np.einsum("...ij,...j->...i", sym, v)], axis=-1)


def _minus_dot(a: Complex, b: Complex) -> Complex:
    return -np.einsum("...i,...i->...", a, b)[..., None]


def _cofactors(a: Complex, b: Complex) -> Complex:
    """-(cof(A + B) - cof A - cof B), the symmetric traceless part of the anticommutator."""
    return -_flat(np.einsum("jab,kcd,...ac,...bd->...jk", _EPS, _EPS, _matrix(a), _matrix(b)))


FORMULAS: dict[tuple[str, str, str], tuple[float, int, Bilinear]] = {
    ("11", "11", "00"): (1 / 2, 1, lambda a, b: a[..., :1] * b[..., :1] + _minus_dot(a[..., 1:], b[..., 1:])),
    ("11", "11", "20"): (1 / 2, -1, _bivector(-1)),
    ("11", "11", "02"): (1 / 2, -1, _bivector(1)),
    ("11", "11", "22"): (1 / 2, 1, _vector_to_tensor),
    ("11", "20", "11"): (1 / sqrt(3), -1, _turn_vector(1)),
    ("11", "02", "11"): (1 / sqrt(3), -1, _turn_vector(-1)),
    ("11", "22", "11"): (1 / 3, 1, _tensor_on_vector),
    ("20", "20", "00"): (1 / sqrt(3), 1, _minus_dot),
    ("02", "02", "00"): (1 / sqrt(3), 1, _minus_dot),
    ("20", "20", "20"): (1 / sqrt(2), -1, lambda a, b: 1j * _cross(a, b)),
    ("02", "02", "02"): (1 / sqrt(2), -1, lambda a, b: 1j * _cross(a, b)),
    ("20", "02", "22"): (1.0, 1, lambda a, b: _flat(a[..., :, None] * b[..., None, :])),
    ("20", "22", "02"): (1 / sqrt(3), 1, lambda a, b: -np.einsum("...j,...jk->...k", a, _matrix(b))),
    ("02", "22", "20"): (1 / sqrt(3), 1, lambda a, b: -np.einsum("...k,...jk->...j", a, _matrix(b))),
    ("20", "22", "22"): (
        1 / sqrt(2),
        -1,
        lambda a, b: 1j * _flat(np.einsum("ijk,...j,...kl->...il", _EPS, a, _matrix(b))),
    ),
    ("02", "22", "22"): (
        1 / sqrt(2),
        -1,
        lambda a, b: 1j * _flat(np.einsum("ljk,...j,...ik->...il", _EPS, a, _matrix(b))),
    ),
    ("22", "22", "00"): (1 / 3, 1, lambda a, b: np.einsum("...i,...i->...", a, b)[..., None]),
    ("22", "22", "20"): (
        1 / sqrt(6),
        -1,
        lambda a, b: -1j * np.einsum("ijk,...jl,...kl->...i", _EPS, _matrix(a), _matrix(b)),
    ),
    ("22", "22", "02"): (
        1 / sqrt(6),
        -1,
        lambda a, b: -1j * np.einsum("ijk,...lj,...lk->...i", _EPS, _matrix(a), _matrix(b)),
    ),
    ("22", "22", "22"): (1 / 2, 1, _cofactors),
}


def _entries(formula: Bilinear, left: int, right: int) -> Complex:
    a = np.eye(left, dtype=complex)[:, None, :]
    b = np.eye(right, dtype=complex)[None, :, :]
    full = formula(np.broadcast_to(a, (left, right, left)), np.broadcast_to(b, (left, right, right)))
    return np.moveaxis(full, -1, 0)


@cache
def complex_tables() -> dict[tuple[str, str, str], ComplexTable]:
    """Return all 37 tables, both orders of the factors, by (left, right, out)."""
    tables: dict[tuple[str, str, str], ComplexTable] = {}

    def put(key: tuple[str, str, str], factor: float, swap: int, entries: Complex) -> None:
        left, right, out = key
        tables[key] = ComplexTable(left, right, out, factor, swap, entries)
        if left != right:
            mirrored = swap * np.swapaxes(entries, 1, 2)
            tables[right, left, out] = ComplexTable(right, left, out, factor, swap, mirrored)

    for rep in DIM:
        put(("00", rep, rep), 1.0, 1, _entries(lambda a, b: a * b, 1, DIM[rep]))
    for key, (factor, swap, formula) in FORMULAS.items():
        put(key, factor, swap, _entries(formula, DIM[key[0]], DIM[key[1]]))
    return tables


def real_embedding(rep: str, irrep: str) -> Any:
    """Return the matrix from real Cartesian components of S, V, F, T to one complex irrep.

    f = -E + iB, g = E + iB with F^{0k} = E_k, F^{jk} = eps_jkl B_l;
    M_jk = S_jk - delta_jk S_00 - i eps_jkl S_0l (section 4.2).
    """
    if rep in "SV":
        return np.eye(DIM[irrep], dtype=complex)
    if rep == "F":
        electric, magnetic = np.zeros((3, 6)), np.zeros((3, 6))
        electric[[0, 1, 2], [0, 1, 2]] = 1
        magnetic[2, 3], magnetic[1, 4], magnetic[0, 5] = 1, -1, 1
        return (-electric if irrep == "20" else electric) + 1j * magnetic
    out = np.zeros((3, 3, 9), dtype=complex)
    space = {(0, 0): 3, (0, 1): 4, (0, 2): 5, (1, 1): 6, (1, 2): 7, (2, 2): 8}
    for (j, k), c in space.items():
        out[j, k, c] += 1
        if j != k:
            out[k, j, c] += 1
        if j == k:
            out[:, :, c] -= _EYE
    for axis in range(3):
        out[:, :, axis] -= 1j * _EPS[:, :, axis]
    return out.reshape(9, 9)
