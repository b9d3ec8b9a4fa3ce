"""Representations of the Lorentz group in real form, and their action.

S scalar, V vector, F antisymmetric tensor (the real form of (2,0) + (0,2), f = -E + iB), T symmetric
traceless tensor (the real form of (2,2)). F and T keep their independent components F^{mn}, m < n,
and T^{mn}, m <= n, without the one that the trace fixes: (0,0) in Cartesian components
(T00 = T11 + T22 + T33), (+,-) on the light cone (T+- = Tyy + Tzz).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.lorentz.basis import BASES, CARTESIAN, VectorBasis
from eqhls.groups.rep import Basis, Rep, act_on_vectors

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Vector(Rep):
    """A four-vector. Its components may have binary points of their own, as p+ and p- on the light cone."""

    own_formats: ClassVar[bool] = True

    def names(self, basis: Basis) -> tuple[str, ...]:
        """Return the names that physicists give the components of momenta."""
        return ("E", "px", "py", "pz") if basis == CARTESIAN else ("p_plus", "p_minus", "py", "pz")

    def act(self, basis: Basis, element: Array, x: Array) -> Array:
        return self.act_within(basis, cast(VectorBasis, basis).change(element), x)

    def act_within(self, basis: Basis, matrix: Array, x: Array) -> Array:
        return act_on_vectors(matrix, x)

    def natural_points(self, basis: Basis, points: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(points)

    def positive(self, basis: Basis) -> int:
        """The energy, or p+ and p-, of a vector in the future cone."""
        return 1 if basis == CARTESIAN else 2


@dataclass(frozen=True, slots=True)
class Antisymmetric(Rep):
    """F^{mn}, m < n."""

    sign: ClassVar[int] = -1

    def indices(self, basis: Basis) -> tuple[tuple[int, int], ...]:
        """Return the index pairs (m, n) of the stored components."""
        return tuple((m, n) for m in range(4) for n in range(m + 1, 4))

    def components(self, basis: Basis) -> tuple[str, ...]:
        return tuple(basis.labels[m] + basis.labels[n] for m, n in self.indices(basis))

    def to_tensor(self, basis: Basis, x: Array) -> Array:
        """Return stored components (..., dim) as a full tensor (..., 4, 4)."""
        out = np.zeros((*x.shape[:-1], 4, 4), dtype=x.dtype)
        for c, (m, n) in enumerate(self.indices(basis)):
            out[..., m, n] = x[..., c]
            out[..., n, m] = self.sign * x[..., c]
        return out

    def from_tensor(self, basis: Basis, x: Array) -> Array:
        """Return the stored components of a full tensor (..., 4, 4)."""
        return np.stack([x[..., m, n] for m, n in self.indices(basis)], axis=-1)

    def act(self, basis: Basis, element: Array, x: Array) -> Array:
        return self.act_within(basis, cast(VectorBasis, basis).change(element), x)

    def act_within(self, basis: Basis, matrix: Array, x: Array) -> Array:
        moved = matrix @ self.to_tensor(basis, x) @ np.swapaxes(matrix, -1, -2)
        return self.from_tensor(basis, moved)

    def natural_points(self, basis: Basis, points: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(points[m] + points[n] for m, n in self.indices(basis))


@dataclass(frozen=True, slots=True)
class Traceless(Antisymmetric):
    """T^{mn}, m <= n, symmetric, without the component that the trace fixes."""

    sign: ClassVar[int] = 1

    def indices(self, basis: Basis) -> tuple[tuple[int, int], ...]:
        fixed = (0, 0) if basis == CARTESIAN else (0, 1)
        return tuple((m, n) for m in range(4) for n in range(m, 4) if (m, n) != fixed)

    def to_tensor(self, basis: Basis, x: Array) -> Array:
        out = Antisymmetric.to_tensor(self, basis, x)
        if basis == CARTESIAN:
            out[..., 0, 0] = out[..., 1, 1] + out[..., 2, 2] + out[..., 3, 3]
        else:
            out[..., 0, 1] = out[..., 1, 0] = out[..., 2, 2] + out[..., 3, 3]
        return out


NAME = "Lorentz"
V = Vector(NAME, "V", 4, BASES)
F = Antisymmetric(NAME, "F", 6, BASES)
T = Traceless(NAME, "T", 9, BASES)


def dot(basis: VectorBasis, a: Array, b: Array) -> Array:
    """Return <a, b> of float vectors (..., 4).

    In Cartesian components as 2 t t' - (t t' + x x' + y y' + z z'): of massless vectors rounding alone is
    left, and networks that take its root (LorentzNet) or its logarithm (PELICAN) agree only if it is left
    in one order.
    """
    if basis != CARTESIAN:
        return np.einsum("...m,mn,...n->...", a, basis.metric.astype(np.float64), b)
    products = a * b
    return 2 * products[..., 0] - products.sum(axis=-1)


def square(basis: VectorBasis, a: Array) -> Array:
    """Return <a, a> of float vectors (..., 4)."""
    return dot(basis, a, a)


def boost(velocity: Array) -> Array:
    """Return the boost of a frame by a velocity (3,), |velocity| < 1, in units of c."""
    beta2 = float(velocity @ velocity)
    gamma = 1.0 / np.sqrt(1.0 - beta2)
    out = np.eye(4)
    out[0, 0] = gamma
    out[0, 1:] = out[1:, 0] = gamma * velocity
    if beta2 > 0:
        out[1:, 1:] += (gamma - 1.0) * np.outer(velocity, velocity) / beta2
    return out


def random_rotation(rng: np.random.Generator) -> Array:
    """Return a rotation, uniform in SO(3), as a 4x4 matrix."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    out = np.eye(4)
    out[1:, 1:] = q * np.sign(np.linalg.det(q))
    return out


def random_lorentz(rng: np.random.Generator, max_gamma: float = 2.0, proper: bool = True) -> Array:
    """Return a Lorentz matrix: rotation, boost of gamma up to `max_gamma`, rotation.

    With `proper` false, a reflection is put in front.
    """
    gamma = rng.uniform(1.0, max_gamma)
    beta = np.sqrt(1.0 - gamma**-2)
    turn, other = random_rotation(rng), random_rotation(rng)
    flip = np.diag([1.0, 1.0, 1.0, 1.0 if proper else -1.0])
    return flip @ turn @ boost(np.array([0.0, 0.0, beta])) @ other
