"""Clebsch-Gordan products in real form: the tables of the compiler, and tensor formulas beside them.

A path names three representations; `V*F->V~` is the dual path, in which an F enters (or leaves)
through its Hodge dual. Tables come from the complex ones of `complexcg.py` with f = -E + iB,
g = E + iB, M hermitian (lorentz-blocks W12); `contract` computes the same by 4x4 matrices and the
metric, and the tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.groups.basis import Basis, exact
from eqhls.groups.complexcg import complex_tables, real_embedding
from eqhls.groups.lorentz import Rep

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Path:
    """left x right -> out, over the Hodge dual where `dual`."""

    left: Rep
    right: Rep
    out: Rep
    dual: bool = False

    def __str__(self) -> str:
        return f"{self.left.name}*{self.right.name}->{self.out.name}{'~' if self.dual else ''}"

    @property
    def swapped(self) -> Path:
        return Path(self.right, self.left, self.out, self.dual)

    @property
    def parity_odd(self) -> bool:
        """Whether the result changes sign under a reflection, more than its type says."""
        return self.dual


@dataclass(frozen=True, slots=True)
class Term:
    """One product of components: out += numerator * 2**-shift * left * right."""

    out: int
    left: int
    right: int
    numerator: int


@dataclass(frozen=True, slots=True)
class CGTable:
    """A sparse table with dyadic coefficients numerator * 2**-shift."""

    terms: tuple[Term, ...]
    shift: int

    @property
    def products(self) -> int:
        """How many products of two components the terms share."""
        return len({(t.left, t.right) for t in self.terms})


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


def parse_path(text: str) -> Path:
    """Read `V*F->V~`. Raises CompileError for a path that does not exist."""
    try:
        factors, out = text.replace(" ", "").split("->")
        left, right = factors.split("*")
        path = Path(Rep[left], Rep[right], Rep[out.removesuffix("~")], out.endswith("~"))
        if str(path) not in _RECIPES and str(path.swapped) not in _RECIPES:
            raise ValueError(text)
        return path
    except (ValueError, KeyError):
        raise CompileError(
            "path",
            f"found {text!r}, expected one of {', '.join(_RECIPES)}",
            "or one of them with its factors exchanged",
        ) from None


PATHS: tuple[Path, ...] = tuple(parse_path(text) for text in _RECIPES)
"""Every real path up to maxdim 3, factors in the order S, V, F, T."""


def paths_up_to(maxdim: int) -> tuple[Path, ...]:
    """Return the paths whose irreps (k, n) have k, n < maxdim: S, V for 2, all for 3."""
    allowed = {1: {Rep.S}, 2: {Rep.S, Rep.V}}.get(maxdim, set(Rep))
    return tuple(p for p in PATHS if {p.left, p.right, p.out} <= allowed)


@cache
def table(path: Path, basis: Basis) -> CGTable:
    """Return the exact table of a path on the stored components of a basis."""
    return _sparse(_dense(path, basis))


@cache
def square_terms(path: Path, basis: Basis) -> CGTable:
    """Return the table of the product of a tensor with itself: (a, b) and (b, a) merged.

    Empty where the path is antisymmetric.
    """
    full = _dense(path, basis)
    merged = full + np.swapaxes(full, 1, 2)
    size = full.shape[1]
    for k in range(size):
        merged[:, k, k] = full[:, k, k]
        merged[:, k, :k] = Fraction(0)
    return _sparse(merged)


def _sparse(full: Array) -> CGTable:
    shift = max(int(c.denominator).bit_length() - 1 for c in full.ravel())
    scaled = full * 2**shift
    terms = tuple(Term(o, a, b, int(scaled[o, a, b])) for o, a, b in np.ndindex(full.shape) if full[o, a, b])
    return CGTable(terms, shift)


@cache
def _dense(path: Path, basis: Basis) -> Array:
    """Return the table [out, left, right] as Fractions."""
    if str(path) not in _RECIPES:
        return np.swapaxes(_dense(path.swapped, basis), 1, 2)
    left, right, out, phase, factor = _RECIPES[str(path)]
    entries = complex_tables()[left, right, out].entries * phase
    a, b = real_embedding(path.left.value, left), real_embedding(path.right.value, right)
    image = np.einsum("cab,ax,by->cxy", entries, a, b)
    real = np.einsum("zc,cxy->zxy", _projection(path.out.value, out), image).real
    cartesian = exact(np.rint(real * 4)) * Fraction(1, 4) * factor
    assert np.abs(cartesian.astype(np.float64) - real * float(factor)).max() < 1e-12
    return cartesian if basis is Basis.CARTESIAN else _to_basis(path, cartesian, basis)


def _projection(rep: str, irrep: str) -> Array:
    """Return the map from a complex irrep to the real components; the real part is taken after it."""
    embedding = real_embedding(rep, irrep)
    stacked = np.concatenate([embedding.real, embedding.imag])
    inverse = np.linalg.pinv(stacked)
    size = embedding.shape[0]
    return inverse[:, :size] - 1j * inverse[:, size:]


def _to_basis(path: Path, full: Array, basis: Basis) -> Array:
    """Carry a Cartesian table into another basis, exactly."""

    def change(rep: Rep, to: Array) -> Array:
        if rep is Rep.S:
            return exact(np.eye(1, dtype=int))
        if rep is Rep.V:
            return to
        source, target = (Basis.CARTESIAN, basis) if to is forward else (basis, Basis.CARTESIAN)
        unit = exact(np.eye(rep.dim, dtype=int))
        return rep.from_tensor(target, to @ rep.to_tensor(source, unit) @ to.T).T

    forward, backward = basis.matrix, basis.inverse
    a, b = change(path.left, backward), change(path.right, backward)
    rows = np.tensordot(change(path.out, forward), full, axes=1)
    rows = np.tensordot(rows, a, axes=([1], [0]))
    return np.tensordot(rows, b, axes=([1], [0]))


def star(basis: Basis, tensor: Array) -> Array:
    """Return the Hodge dual of F^{mn} (..., 4, 4): (E, B) -> (B, -E)."""
    m, inverse = basis.matrix.astype(np.float64), basis.inverse.astype(np.float64)
    flat = inverse @ tensor @ inverse.T
    out = np.zeros_like(flat)
    for j, k, axis in ((2, 3, 1), (3, 1, 2), (1, 2, 3)):
        out[..., 0, axis] = flat[..., j, k]
        out[..., j, k] = -flat[..., 0, axis]
    out = out - np.swapaxes(out, -1, -2)
    return m @ out @ m.T


def contract(path: Path, basis: Basis, a: Array, b: Array) -> Array:
    """Return the product of float tensors (..., dim) by tensor algebra, without any table.

    Formulas: <a,b>; a^m b^n - b^m a^n; symmetric traceless parts; F^{mn} v_n; commutators.
    """
    if str(path) not in _RECIPES:
        return contract(path.swapped, basis, b, a)
    if path.left is Rep.S:
        if not path.dual:
            return a * b
        return a * Rep.F.from_tensor(basis, star(basis, Rep.F.to_tensor(basis, b)))
    key = (path.left, path.right, path.out)
    return _TENSOR[key](basis, path.dual, a, b)


def _metric(basis: Basis) -> Array:
    return basis.metric.astype(np.float64)


def _traceless(basis: Basis, m: Array) -> Array:
    """Return the stored components of m + m^T without its trace."""
    trace = np.einsum("mn,...mn->...", _metric(basis), m)[..., None, None]
    return Rep.T.from_tensor(
        basis, m + np.swapaxes(m, -1, -2) - basis.inverse_metric.astype(np.float64) * trace / 2
    )


def _skew(basis: Basis, dual: bool, m: Array) -> Array:
    skew = m - np.swapaxes(m, -1, -2)
    return Rep.F.from_tensor(basis, star(basis, skew) if dual else skew)


def _tensors(basis: Basis, left: Rep, right: Rep, dual: bool, a: Array, b: Array) -> tuple[Array, Array]:
    """Return both factors as full tensors, the first F starred for a dual path."""
    x, y = left.to_tensor(basis, a), right.to_tensor(basis, b)
    return (star(basis, x), y) if dual else (x, y)


def _outer(a: Array, b: Array) -> Array:
    return a[..., :, None] * b[..., None, :]


def _on_vector(rep: Rep) -> Callable[[Basis, bool, Array, Array], Array]:
    def formula(basis: Basis, dual: bool, v: Array, x: Array) -> Array:
        tensor = rep.to_tensor(basis, x)
        tensor = star(basis, tensor) if dual else tensor
        return np.einsum("...mn,nk,...k->...m", tensor, _metric(basis), v)

    return formula


def _scalar(left: Rep, factor: float) -> Callable[[Basis, bool, Array, Array], Array]:
    def formula(basis: Basis, dual: bool, a: Array, b: Array) -> Array:
        x, y = _tensors(basis, left, left, dual, a, b)
        g = _metric(basis)
        return factor * np.einsum("...mn,mk,nl,...kl->...", x, g, g, y)[..., None]

    return formula


def _product(left: Rep, right: Rep, finish: str) -> Callable[[Basis, bool, Array, Array], Array]:
    def formula(basis: Basis, dual: bool, a: Array, b: Array) -> Array:
        if finish == "skew":
            x, y = _tensors(basis, left, right, False, a, b)
            return _skew(basis, dual, x @ _metric(basis) @ y)
        x, y = _tensors(basis, left, right, dual, a, b)
        return _traceless(basis, x @ _metric(basis) @ y)

    return formula


_TENSOR: dict[tuple[Rep, Rep, Rep], Callable[[Basis, bool, Array, Array], Array]] = {
    (Rep.V, Rep.V, Rep.S): lambda basis, dual, a, b: np.einsum("...m,mn,...n->...", a, _metric(basis), b)[
        ..., None
    ],
    (Rep.V, Rep.V, Rep.F): lambda basis, dual, a, b: _skew(basis, dual, _outer(a, b)),
    (Rep.V, Rep.V, Rep.T): lambda basis, dual, a, b: _traceless(basis, _outer(a, b)),
    (Rep.V, Rep.F, Rep.V): _on_vector(Rep.F),
    (Rep.V, Rep.T, Rep.V): _on_vector(Rep.T),
    (Rep.F, Rep.F, Rep.S): _scalar(Rep.F, 0.5),
    (Rep.F, Rep.F, Rep.F): _product(Rep.F, Rep.F, "skew"),
    (Rep.F, Rep.F, Rep.T): _product(Rep.F, Rep.F, "sym"),
    (Rep.F, Rep.T, Rep.F): _product(Rep.F, Rep.T, "skew"),
    (Rep.F, Rep.T, Rep.T): _product(Rep.F, Rep.T, "sym"),
    (Rep.T, Rep.T, Rep.S): _scalar(Rep.T, 1.0),
    (Rep.T, Rep.T, Rep.F): _product(Rep.T, Rep.T, "skew"),
    (Rep.T, Rep.T, Rep.T): _product(Rep.T, Rep.T, "sym"),
}
