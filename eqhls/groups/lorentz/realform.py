"""Complex Clebsch-Gordan paths written in real ones, so that a complex network fits real types.

A real tensor S, V, F or T stands for one complex irrep through `real_embedding`. Fed with embedded
tensors, every complex path is a complex combination of at most two embedded real paths, the plain and
the dual one: the real and the imaginary part of the table. A complex tensor is then a list of real
ones with complex coefficients: s, v and M take two (phases 1 and i), f and g one (i f is a dual).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.coupling import Path
from eqhls.groups.lorentz.basis import CARTESIAN
from eqhls.groups.lorentz.cg import dense
from eqhls.groups.lorentz.complexcg import complex_tables, real_embedding
from eqhls.groups.lorentz.reps import F, T, V
from eqhls.groups.rep import S

REAL = {"00": S, "11": V, "20": F, "02": F, "22": T}
"""The real representation that carries a complex irrep."""

DUAL_PHASE = {"20": 1, "02": -1}
"""The sign of i f = *F and i g = -*F: the Hodge dual (E, B) -> (B, -E) of f = -E + iB, g = E + iB."""


def phases(irrep: str) -> tuple[complex, ...]:
    """Return the coefficients of the real tensors that make up one complex tensor."""
    return (1,) if irrep in DUAL_PHASE else (1, 1j)


@dataclass(frozen=True, slots=True)
class RealPath:
    """coefficient * path, where `path` multiplies real tensors."""

    path: Path
    coefficient: complex


@cache
def real_form(left: str, right: str, out: str) -> tuple[RealPath, ...]:
    """Return I(e(a), e(b)) = sum_k coefficient_k e(path_k(a, b)) for a complex path I (factor lambda
    left out) of embedded real tensors a and b. Coefficients are Gaussian rationals."""
    target = np.einsum(
        "cab,ax,by->cxy", complex_tables()[left, right, out].entries, _embed(left), _embed(right)
    )
    paths = _candidates(left, right, out)
    images = [np.einsum("cz,zxy->cxy", _embed(out), _dense(path)) for path in paths]
    design = np.stack([i.ravel() for i in images], axis=1)
    found = np.linalg.lstsq(design, target.ravel(), rcond=None)[0]
    assert np.abs(design @ found - target.ravel()).max() < 1e-12, "the real paths do not close"
    coefficients = (np.rint(found.real * 8) + 1j * np.rint(found.imag * 8)) / 8
    assert np.abs(coefficients - found).max() < 1e-12
    return tuple(RealPath(p, complex(z)) for p, z in zip(paths, coefficients, strict=True) if z)


def _embed(irrep: str) -> NDArray[Any]:
    return real_embedding(REAL[irrep].name, irrep)


def _candidates(left: str, right: str, out: str) -> list[Path]:
    """Return the plain path, and the dual one where it is not the plain one's Hodge dual."""
    plain = Path(REAL[left], REAL[right], REAL[out])
    dual = F in (REAL[left], REAL[right]) and out not in DUAL_PHASE
    return [plain, replace(plain, dual=True)] if dual else [plain]


def _dense(path: Path) -> NDArray[Any]:
    return dense(path, CARTESIAN).astype(np.float64)
