"""Complex paths on real tensors: all 37 tables, by tensor algebra that knows no complex table."""

from __future__ import annotations

import numpy as np
import pytest

from eqhls.groups.coupling import Coupling, Path
from eqhls.groups.lorentz.complexcg import complex_tables, real_embedding
from eqhls.groups.lorentz.realform import DUAL_PHASE, REAL, phases, real_form
from eqhls.groups.registry import coupling, parse_path
from eqhls.groups.rep import S


def _product(path: Path) -> Coupling:
    return coupling(path, *(r.basis("" if r is S else "xyz") for r in (path.left, path.right)))


KEYS = list(complex_tables())
DUAL = parse_path("S*F->F~")


def embedded(irrep: str, x: np.ndarray) -> np.ndarray:
    return np.einsum("ab,...b->...a", real_embedding(REAL[irrep].name, irrep), x)


def random_pair(rng: np.random.Generator, irrep: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Real tensors and the complex one that they make up."""
    parts = [rng.normal(size=(5, REAL[irrep].dim)) for _ in phases(irrep)]
    return parts, sum(
        (z * embedded(irrep, x) for z, x in zip(phases(irrep), parts, strict=True)), np.zeros(1)
    )


def test_all_tables_are_here() -> None:
    assert len(KEYS) == 37


@pytest.mark.parametrize("key", KEYS, ids="-".join)
def test_real_paths_make_up_the_complex_one(key: tuple[str, str, str], rng: np.random.Generator) -> None:
    left, right, out = key
    (a, x), (b, y) = random_pair(rng, left), random_pair(rng, right)
    want = np.einsum("cab,na,nb->nc", complex_tables()[key].entries, x, y)
    got = np.zeros_like(want)
    for p, real_x in zip(phases(left), a, strict=True):
        for q, real_y in zip(phases(right), b, strict=True):
            for term in real_form(*key):
                made = _product(term.path).contract(real_x, real_y)
                got += p * q * term.coefficient * embedded(out, made)
    np.testing.assert_allclose(got, want, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize("irrep", REAL)
def test_real_tensors_span_a_complex_irrep(irrep: str) -> None:
    """As many real components as the complex irrep has, and independent: nothing is lost or doubled."""
    embed = real_embedding(REAL[irrep].name, irrep)
    columns = np.concatenate([z * embed for z in phases(irrep)], axis=1)
    real = np.concatenate([columns.real, columns.imag])
    assert real.shape[0] == real.shape[1] and np.linalg.matrix_rank(real) == real.shape[0]


@pytest.mark.parametrize(("irrep", "sign"), DUAL_PHASE.items())
def test_a_phase_is_a_dual(irrep: str, sign: int, rng: np.random.Generator) -> None:
    f = rng.normal(size=(4, 6))
    starred = _product(DUAL).contract(np.ones((4, 1)), f)
    np.testing.assert_allclose(1j * embedded(irrep, f), sign * embedded(irrep, starred), atol=1e-12)
    assert np.abs(1j * embedded(irrep, f) + sign * embedded(irrep, starred)).max() > 0.1
