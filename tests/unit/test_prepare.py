"""Four-momenta to integers: the jet frame is a Lorentz transformation, formats hold, mistakes are named."""

from __future__ import annotations

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.events.prepare import CONE_FORMATS, InputForm, jet_frame_cone, prepare
from eqhls.groups.lorentz.basis import CARTESIAN, LIGHT_CONE
from eqhls.groups.lorentz.reps import dot


def jets(rng: np.random.Generator, events: int = 50, n: int = 20) -> np.ndarray:
    pt = np.sort(rng.exponential(30, (events, n)))[:, ::-1]
    eta, phi = rng.normal(1.0, 0.3, (events, n)), rng.normal(2.0, 0.3, (events, n))
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], -1)


def test_the_frame_keeps_products(rng: np.random.Generator) -> None:
    p = jets(rng)
    cone = jet_frame_cone(p, p.sum(1))
    want = dot(CARTESIAN, p[:, :1], p)
    np.testing.assert_allclose(dot(LIGHT_CONE, cone[:, :1], cone), want, atol=1e-6)


def test_the_frame_of_the_seed(rng: np.random.Generator) -> None:
    """The leading constituent is (p+, 0, 0, 0), so its products with the others are p+ p-; products stay."""
    p = jets(rng)
    made = prepare(p, form=InputForm.SEED_LIGHT_CONE)
    assert np.abs(made.p_exact[:, 0, 1:]).max() < 1e-9 * made.p_exact[:, 0, 0].min()
    want = dot(CARTESIAN, p[:, :1], p[:, :16])
    np.testing.assert_allclose(dot(LIGHT_CONE, made.p_exact[:, :1], made.p_exact), want, atol=1e-6)
    np.testing.assert_allclose(made.p_exact[:, 0, :1] * made.p_exact[..., 1] / 2, want, atol=1e-6)
    np.testing.assert_array_equal(made.jet_exact, jet_frame_cone(p.sum(1)[:, None], p[:, 0]))
    assert np.abs(made.jet_exact[..., 2]).max() > 1 > np.abs(prepare(p).jet_exact[..., 2]).max()


def test_formula_of_massless_constituents(rng: np.random.Generator) -> None:
    p = jets(rng)
    axis = p.sum(1)
    cone = jet_frame_cone(p, axis)
    pt = np.hypot(p[..., 1], p[..., 2])
    jet_pt = np.hypot(axis[:, 1], axis[:, 2])
    d_eta = np.arcsinh(p[..., 3] / pt) - np.arcsinh(axis[:, 3] / jet_pt)[:, None]
    d_phi = np.arctan2(p[..., 2], p[..., 1]) - np.arctan2(axis[:, 2], axis[:, 1])[:, None]
    want = np.stack(
        [
            pt * (np.cosh(d_eta) + np.cos(d_phi)),
            pt * (np.cosh(d_eta) - np.cos(d_phi)),
            pt * np.sin(d_phi),
            pt * np.sinh(d_eta),
        ],
        -1,
    )
    np.testing.assert_allclose(cone, want, atol=1e-9)


@pytest.mark.parametrize("n", [1, 7, 16, 40])
def test_any_number_of_constituents(n: int, rng: np.random.Generator) -> None:
    p = jets(rng, 5, n)
    made = prepare(p)
    assert made.p.shape == (5, 16, 4) and made.jet.shape == (5, 1, 4)
    assert made.valid.sum() == 5 * min(n, 16)
    np.testing.assert_array_equal(made.p[:, n:], 0)
    for c, form in enumerate(CONE_FORMATS):
        assert form.lo <= made.p[..., c].min() and made.p[..., c].max() <= form.hi


def test_a_missing_jet_is_the_sum(rng: np.random.Generator) -> None:
    p = jets(rng)
    np.testing.assert_array_equal(prepare(p).jet, prepare(p, p.sum(1)).jet)


def test_invariance_of_the_frame(rng: np.random.Generator) -> None:
    """Turns about the beam leave every integer as it is."""
    p = jets(rng)
    turn = 0.7
    moved = np.stack(
        [
            p[..., 0],
            np.cos(turn) * p[..., 1] - np.sin(turn) * p[..., 2],
            np.sin(turn) * p[..., 1] + np.cos(turn) * p[..., 2],
            p[..., 3],
        ],
        -1,
    )
    assert (prepare(p).p == prepare(moved).p).mean() > 0.999  # but for values on a rounding edge


def test_lab_form(rng: np.random.Generator) -> None:
    p = jets(rng)
    made = prepare(p, form=InputForm.LAB_CARTESIAN)
    assert np.abs(made.p * 0.25 - p[:, :16]).max() <= 0.125


def test_only_the_frame_of_a_jet_needs_one() -> None:
    """In the laboratory an event may be empty, or balance."""
    p = np.zeros((2, 3, 4))
    p[1, :2] = [[5, 3, 4, 0], [5, -3, -4, 0]]
    made = prepare(p, form=InputForm.LAB_CARTESIAN, constituents=3)
    np.testing.assert_array_equal(made.p_exact, p)
    np.testing.assert_array_equal(made.valid[..., 0], [[0, 0, 0], [1, 1, 0]])


def test_saturation_is_counted(rng: np.random.Generator) -> None:
    p = jets(rng) * 1000
    made = prepare(p)
    assert made.saturated.sum() > 0 and made.p[..., 0].max() == CONE_FORMATS[0].hi


BAD = {
    "shape": (np.zeros((3, 4)), None, "p4: has shape"),
    "nan": (np.full((2, 3, 4), np.nan), None, "p4: event 0 holds NaN"),
    "jet": (np.ones((2, 3, 4)), np.ones((3, 4)), "jet: has shape"),
    "empty": (np.zeros((2, 3, 4)), None, "event 0 has no transverse momentum"),
    "text": (np.array([["a"]]), None, "does not hold numbers"),
    "ragged": ([[[1.0] * 4], [[1.0] * 4] * 2], None, "p4: has rows of different lengths"),
    "complex": (np.ones((2, 3, 4)) * 1j, None, "does not hold numbers but complex128"),
    "no seed": (np.eye(4)[None, [0, 1]], None, "the first constituent of event 0 has no transverse momentum"),
    "no events": (np.zeros((0, 3, 4)), None, "p4: holds no events"),
}


@pytest.mark.parametrize("case", BAD)
def test_mistakes(case: str) -> None:
    p4, jet, message = BAD[case]
    with pytest.raises(CompileError, match=message):
        prepare(p4, jet, InputForm.SEED_LIGHT_CONE if case == "no seed" else InputForm.JET_LIGHT_CONE)
