"""Representations of the Lorentz group in real form, and their action.

S scalar, V vector, F antisymmetric tensor (the real form of (2,0) + (0,2), f = -E + iB), T symmetric
traceless tensor (the real form of (2,2)). F and T keep their independent components F^{mn}, m < n,
and T^{mn}, m <= n, without the one that the trace fixes: (0,0) in Cartesian components
(T00 = T11 + T22 + T33), (+,-) on the light cone (T+- = Tyy + Tzz).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.basis import Basis, exact

Array = NDArray[Any]


class Rep(Enum):
    """How the components of a tensor transform."""

    S = "S"
    V = "V"
    F = "F"
    T = "T"

    @property
    def dim(self) -> int:
        """Real components."""
        return {"S": 1, "V": 4, "F": 6, "T": 9}[self.value]

    def indices(self, basis: Basis) -> tuple[tuple[int, int], ...]:
        """Return the index pairs (m, n) of the stored components of F and T."""
        if self is Rep.F:
            return tuple((m, n) for m in range(4) for n in range(m + 1, 4))
        fixed = (0, 0) if basis is Basis.CARTESIAN else (0, 1)
        return tuple((m, n) for m in range(4) for n in range(m, 4) if (m, n) != fixed)

    def components(self, basis: Basis) -> tuple[str, ...]:
        """Return the names of the components."""
        names = basis.labels
        if self is Rep.S:
            return ("1",)
        return names if self is Rep.V else tuple(names[m] + names[n] for m, n in self.indices(basis))

    def to_tensor(self, basis: Basis, x: Array) -> Array:
        """Return F or T, shape (..., dim), as a full tensor (..., 4, 4)."""
        out = np.zeros((*x.shape[:-1], 4, 4), dtype=x.dtype)
        sign = -1 if self is Rep.F else 1
        for c, (m, n) in enumerate(self.indices(basis)):
            out[..., m, n] = x[..., c]
            out[..., n, m] = sign * x[..., c]
        if self is Rep.T and basis is Basis.CARTESIAN:
            out[..., 0, 0] = out[..., 1, 1] + out[..., 2, 2] + out[..., 3, 3]
        elif self is Rep.T:
            out[..., 0, 1] = out[..., 1, 0] = out[..., 2, 2] + out[..., 3, 3]
        return out

    def from_tensor(self, basis: Basis, x: Array) -> Array:
        """Return the stored components of a full tensor (..., 4, 4)."""
        return np.stack([x[..., m, n] for m, n in self.indices(basis)], axis=-1)

    def act(self, basis: Basis, transformation: Array, x: Array) -> Array:
        """Transform x (..., dim) by a Cartesian 4x4 matrix, in float or exactly in Fraction."""
        return x if self is Rep.S else self.act_within(basis, basis.change(transformation), x)

    def act_within(self, basis: Basis, transformation: Array, x: Array) -> Array:
        """Transform x (..., dim) by a 4x4 matrix that is given on the components of the basis itself."""
        if self is Rep.S:
            return x
        if self is Rep.V:
            return x @ transformation.T
        return self.from_tensor(basis, transformation @ self.to_tensor(basis, x) @ transformation.T)

    def matrix(self, basis: Basis, transformation: Array) -> Array:
        """Return the dim x dim matrix of a Cartesian 4x4 matrix."""
        unit = exact(np.eye(self.dim, dtype=int)) if transformation.dtype == object else np.eye(self.dim)
        return self.act(basis, transformation, unit).T


def dot(basis: Basis, a: Array, b: Array) -> Array:
    """Return <a, b> of float vectors (..., 4).

    In Cartesian components as 2 t t' - (t t' + x x' + y y' + z z'): of massless vectors rounding alone is
    left, and networks that take its root (LorentzNet) or its logarithm (PELICAN) agree only if it is left
    in one order.
    """
    if basis is not Basis.CARTESIAN:
        return np.einsum("...m,mn,...n->...", a, basis.metric.astype(np.float64), b)
    products = a * b
    return 2 * products[..., 0] - products.sum(axis=-1)


def square(basis: Basis, a: Array) -> Array:
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
