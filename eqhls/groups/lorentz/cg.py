"""Clebsch-Gordan products in real form: the tables of the compiler, and tensor formulas beside them.

A path names three representations; `V*F->V~` is the dual path, in which an F enters (or leaves)
through its Hodge dual. Tables come from the complex ones of `complexcg.py` with f = -E + iB,
g = E + iB, M hermitian; `contract` computes the same by 4x4 matrices and the
metric, and the tests check the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.coupling import Path
from eqhls.groups.lorentz.basis import CARTESIAN, VectorBasis
from eqhls.groups.lorentz.complexcg import complex_tables, real_embedding
from eqhls.groups.lorentz.reps import Antisymmetric as Tensor
from eqhls.groups.lorentz.reps import F, T, V
from eqhls.groups.rep import Rep, S, exact

Array = NDArray[Any]


# Real path -> complex path, phase (1 or -i, the real or imaginary part), factor.
_RECIPES: dict[str, tuple[str, str, str, complex, Fraction]] = {}


def _recipe(path: str, complex_path: str, phase: complex, factor: str) -> None:
    left, right, out = complex_path.split()
    _RECIPES[path] = (left, right, out, phase, Fraction(factor))


for _rep, _irrep in (("S", "00"), ("V", "11"), ("F", "20"), ("T", "22")):
    _recipe(f"S*{_rep}->{_rep}", f"00 {_irrep} {_irrep}", 1, "1")
_recipe("S*F->F~", "00 20 20", 1j, "1")
_recipe("V*V->S", "11 11 00", 1, "1")
_recipe("V*V->F", "11 11 20", 1, "1")
_recipe("V*V->F~", "11 11 20", 1j, "1")
_recipe("V*V->T", "11 11 22", 1, "1")
_recipe("V*F->V", "11 20 11", 1, "1")
_recipe("V*F->V~", "11 20 11", 1j, "1")
_recipe("V*T->V", "11 22 11", 1, "1/2")
_recipe("F*F->S", "20 20 00", 1, "1")
_recipe("F*F->S~", "20 20 00", 1j, "1")
_recipe("F*F->F", "20 20 20", 1, "-1")
_recipe("F*F->F~", "20 20 20", 1j, "-1")
_recipe("F*F->T", "20 02 22", 1, "2")
_recipe("F*F->T~", "20 02 22", 1j, "2")
_recipe("F*T->F", "20 22 02", 1, "-1")
_recipe("F*T->F~", "20 22 02", 1j, "1")
_recipe("F*T->T", "20 22 22", 1, "-2")
_recipe("F*T->T~", "20 22 22", 1j, "-2")
_recipe("T*T->S", "22 22 00", 1, "1")
_recipe("T*T->F", "22 22 20", 1, "1")
_recipe("T*T->F~", "22 22 20", 1j, "1")
_recipe("T*T->T", "22 22 22", 1, "1")


def _parsed(text: str) -> Path:
    factors, out = text.split("->")
    left, right, to = (_REPS[name] for name in (*factors.split("*"), out.removesuffix("~")))
    return Path(left, right, to, out.endswith("~"))


_REPS: dict[str, Rep] = {rep.name: rep for rep in (S, V, F, T)}
PATHS: tuple[Path, ...] = tuple(_parsed(text) for text in _RECIPES)
"""Every real path up to maxdim 3, factors in the order S, V, F, T."""


def paths_up_to(maxdim: int) -> tuple[Path, ...]:
    """Return the paths whose irreps (k, n) have k, n < maxdim: S, V for 2, all for 3."""
    allowed = {1: {S}, 2: {S, V}}.get(maxdim, {S, V, F, T})
    return tuple(p for p in PATHS if {p.left, p.right, p.out} <= allowed)


@cache
def dense(path: Path, basis: VectorBasis) -> Array:
    """Return the table [out, left, right] as Fractions."""
    if str(path) not in _RECIPES:
        return np.swapaxes(dense(path.swapped, basis), 1, 2)
    left, right, out, phase, factor = _RECIPES[str(path)]
    entries = complex_tables()[left, right, out].entries * phase
    a, b = real_embedding(path.left.name, left), real_embedding(path.right.name, right)
    image = np.einsum("cab,ax,by->cxy", entries, a, b)
    real = np.einsum("zc,cxy->zxy", _projection(path.out.name, out), image).real
    cartesian = exact(np.rint(real * 4)) * Fraction(1, 4) * factor
    assert np.abs(cartesian.astype(np.float64) - real * float(factor)).max() < 1e-12
    return cartesian if basis == CARTESIAN else _to_basis(path, cartesian, basis)


def _projection(rep: str, irrep: str) -> Array:
    """Return the map from a complex irrep to the real components; the real part is taken after it."""
    embedding = real_embedding(rep, irrep)
    stacked = np.concatenate([embedding.real, embedding.imag])
    inverse = np.linalg.pinv(stacked)
    size = embedding.shape[0]
    return inverse[:, :size] - 1j * inverse[:, size:]


def _to_basis(path: Path, full: Array, basis: VectorBasis) -> Array:
    """Carry a Cartesian table into another basis, exactly."""

    def change(rep: Rep, to: Array) -> Array:
        if rep is S:
            return exact(np.eye(1, dtype=int))
        if rep is V:
            return to
        source, target = (CARTESIAN, basis) if to is forward else (basis, CARTESIAN)
        unit = exact(np.eye(rep.dim, dtype=int))
        assert isinstance(rep, Tensor)
        return rep.from_tensor(target, to @ rep.to_tensor(source, unit) @ to.T).T

    forward, backward = basis.matrix, basis.inverse
    a, b = change(path.left, backward), change(path.right, backward)
    rows = np.tensordot(change(path.out, forward), full, axes=1)
    rows = np.tensordot(rows, a, axes=([1], [0]))
    return np.tensordot(rows, b, axes=([1], [0]))


def star(basis: VectorBasis, tensor: Array) -> Array:
    """Return the Hodge dual of F^{mn} (..., 4, 4): (E, B) -> (B, -E)."""
    m, inverse = basis.matrix.astype(np.float64), basis.inverse.astype(np.float64)
    flat = inverse @ tensor @ inverse.T
    out = np.zeros_like(flat)
    for j, k, axis in ((2, 3, 1), (3, 1, 2), (1, 2, 3)):
        out[..., 0, axis] = flat[..., j, k]
        out[..., j, k] = -flat[..., 0, axis]
    out = out - np.swapaxes(out, -1, -2)
    return m @ out @ m.T


def contract(path: Path, basis: VectorBasis, a: Array, b: Array) -> Array:
    """Return the product of float tensors (..., dim) by tensor algebra, without any table.

    Formulas: <a,b>; a^m b^n - b^m a^n; symmetric traceless parts; F^{mn} v_n; commutators.
    """
    if str(path) not in _RECIPES:
        return contract(path.swapped, basis, b, a)
    if path.left is S:
        if not path.dual:
            return a * b
        return a * F.from_tensor(basis, star(basis, F.to_tensor(basis, b)))
    key = (path.left, path.right, path.out)
    return _TENSOR[key](basis, path.dual, a, b)


def _metric(basis: VectorBasis) -> Array:
    return basis.metric.astype(np.float64)


def _traceless(basis: VectorBasis, m: Array) -> Array:
    """Return the stored components of m + m^T without its trace."""
    trace = np.einsum("mn,...mn->...", _metric(basis), m)[..., None, None]
    return T.from_tensor(
        basis, m + np.swapaxes(m, -1, -2) - basis.inverse_metric.astype(np.float64) * trace / 2
    )


def _skew(basis: VectorBasis, dual: bool, m: Array) -> Array:
    skew = m - np.swapaxes(m, -1, -2)
    return F.from_tensor(basis, star(basis, skew) if dual else skew)


def _tensors(
    basis: VectorBasis, left: Tensor, right: Tensor, dual: bool, a: Array, b: Array
) -> tuple[Array, Array]:
    """Return both factors as full tensors, the first F starred for a dual path."""
    x, y = left.to_tensor(basis, a), right.to_tensor(basis, b)
    return (star(basis, x), y) if dual else (x, y)


def _outer(a: Array, b: Array) -> Array:
    return a[..., :, None] * b[..., None, :]


def _on_vector(rep: Tensor) -> Callable[[VectorBasis, bool, Array, Array], Array]:
    def formula(basis: VectorBasis, dual: bool, v: Array, x: Array) -> Array:
        tensor = rep.to_tensor(basis, x)
        tensor = star(basis, tensor) if dual else tensor
        return np.einsum("...mn,nk,...k->...m", tensor, _metric(basis), v)

    return formula


def _scalar(left: Tensor, factor: float) -> Callable[[VectorBasis, bool, Array, Array], Array]:
    def formula(basis: VectorBasis, dual: bool, a: Array, b: Array) -> Array:
        x, y = _tensors(basis, left, left, dual, a, b)
        g = _metric(basis)
        return factor * np.einsum("...mn,mk,nl,...kl->...", x, g, g, y)[..., None]

    return formula


def _product(left: Tensor, right: Tensor, finish: str) -> Callable[[VectorBasis, bool, Array, Array], Array]:
    def formula(basis: VectorBasis, dual: bool, a: Array, b: Array) -> Array:
        if finish == "skew":
            x, y = _tensors(basis, left, right, False, a, b)
            return _skew(basis, dual, x @ _metric(basis) @ y)
        x, y = _tensors(basis, left, right, dual, a, b)
        return _traceless(basis, x @ _metric(basis) @ y)

    return formula


_TENSOR: dict[tuple[Rep, Rep, Rep], Callable[[VectorBasis, bool, Array, Array], Array]] = {
    (V, V, S): lambda basis, dual, a, b: np.einsum("...m,mn,...n->...", a, _metric(basis), b)[..., None],
    (V, V, F): lambda basis, dual, a, b: _skew(basis, dual, _outer(a, b)),
    (V, V, T): lambda basis, dual, a, b: _traceless(basis, _outer(a, b)),
    (V, F, V): _on_vector(F),
    (V, T, V): _on_vector(T),
    (F, F, S): _scalar(F, 0.5),
    (F, F, F): _product(F, F, "skew"),
    (F, F, T): _product(F, F, "sym"),
    (F, T, F): _product(F, T, "skew"),
    (F, T, T): _product(F, T, "sym"),
    (T, T, S): _scalar(T, 1.0),
    (T, T, F): _product(T, T, "skew"),
    (T, T, T): _product(T, T, "sym"),
}
