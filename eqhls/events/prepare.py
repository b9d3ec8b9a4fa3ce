"""From four-momenta in GeV to the integers that the firmware reads.

The frame of an axis is a Lorentz transformation (a boost along the beam by the axis' pseudorapidity,
then a rotation that puts it on the x axis), so it loses nothing; components are then written
on the light cone along x, where collinear products do not cancel:

    p+ = E + px,  p- = E - px,  y,  z      for massless p: p+- = pT (cosh d_eta +- cos d_phi),
                                           y = pT sin d_phi, z = pT sinh d_eta

The axis is the jet, or the seed, which is the leading constituent: then that is (p+, 0, 0, 0) if it is
massless, and its products with all others are p+ of it times their p-.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.ir.op import Floats

CONE_FORMATS = (Fixed(10, 11, False), Fixed(8, 5, False), Fixed(9, 8), Fixed(9, 8))
CONE_JET_FORMATS = (Fixed(10, 11, False), Fixed(10, 7, False), Fixed(9, 8), Fixed(9, 8))
LAB_FORMATS = (Fixed(14, 12, False), Fixed(14, 12), Fixed(14, 12), Fixed(15, 13))
"""0.25 GeV per unit; pz of |eta| < 2.5 needs one bit more than the energy's half."""


class InputForm(Enum):
    """How the firmware gets its vectors."""

    JET_LIGHT_CONE = "jet-light-cone"
    SEED_LIGHT_CONE = "seed-light-cone"
    LAB_CARTESIAN = "lab-cartesian"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Raw integers p (B, N, 4), jet (B, 1, 4), valid (B, N, 1); the same unrounded in GeV; and how
    many components of the constituents and of the jet saturated in each event, (B,) each."""

    p: Ints
    jet: Ints
    valid: Ints
    p_exact: Floats
    jet_exact: Floats
    saturated: Ints
    jet_saturated: Ints


def prepare(
    p4: Any,
    jet: Any = None,
    form: InputForm = InputForm.JET_LIGHT_CONE,
    constituents: int = 16,
    formats: tuple[Fixed, ...] = (),
    jet_formats: tuple[Fixed, ...] = (),
) -> Prepared:
    """Turn p4 (B, N, 4) in GeV (E, px, py, pz) into the integers of an input form.

    Any N >= 1; zero rows are padding; constituents beyond `constituents` are cut by order. A missing
    `jet` (B, 4) is the sum of all given constituents. Values are rounded to nearest even and
    saturate at the formats' ends, which is counted. Raises CompileError naming the array and the
    first bad event for wrong shapes, NaN, infinity or, in the frame of an axis, an event without one.
    """
    cone = form is not InputForm.LAB_CARTESIAN
    momenta, whole = momenta_of(p4, jet)
    formats = formats or (CONE_FORMATS if cone else LAB_FORMATS)
    jet_formats = jet_formats or (CONE_JET_FORMATS if cone else formats)
    kept = momenta[:, :constituents]
    if kept.shape[1] < constituents:
        kept = np.pad(kept, ((0, 0), (0, constituents - kept.shape[1]), (0, 0)))
    valid = (kept != 0).any(axis=-1, keepdims=True)
    jets = whole[:, None, :]
    if cone:
        axis = _axis(form, momenta, whole)
        kept, jets = jet_frame_cone(kept, axis), jet_frame_cone(jets, axis)
    kept = np.where(valid, kept, 0.0)
    p, over = to_raw(kept, formats)
    j, jet_over = to_raw(jets, jet_formats)
    return Prepared(p, j, valid.astype(np.int64), kept, jets, over, jet_over)


def jet_frame_cone(p: Floats, axis: Floats) -> Floats:
    """Return (p+, p-, y, z) of p (B, N, 4) in the frame of the jet axis (B, 4).

    p- is formed as (m^2 + y^2 + z^2) / p+ of the exact components if that cancels less.
    """
    pt = np.hypot(axis[:, 1], axis[:, 2])[:, None]
    eta = np.arcsinh(axis[:, 3:] / np.maximum(pt, 1e-12))
    cosine, sine = axis[:, 1:2] / np.maximum(pt, 1e-12), axis[:, 2:3] / np.maximum(pt, 1e-12)
    energy = np.cosh(eta) * p[..., 0] - np.sinh(eta) * p[..., 3]
    z = np.cosh(eta) * p[..., 3] - np.sinh(eta) * p[..., 0]
    x = cosine * p[..., 1] + sine * p[..., 2]
    y = -sine * p[..., 1] + cosine * p[..., 2]
    return np.stack([energy + x, energy - x, y, z], axis=-1)


def to_raw(values: Floats, formats: tuple[Fixed, ...]) -> tuple[Ints, Ints]:
    """Return real values (B, .., components) as raw integers of one format or one per component, rounded to
    nearest even and saturated; and how many saturated in each event, (B,).

    The ends of formats of up to 63 bits are not float64, so they are put in as integers.
    """
    raw = np.empty(values.shape, dtype=np.int64)
    over, forms = np.zeros(values.shape, dtype=bool), Formats(formats)
    for c in range(values.shape[-1]):
        form = forms[c]
        nearest = np.rint(values[..., c] / form.lsb)
        above = nearest >= float(form.hi + 1)
        exact = int(float(form.lo)) == form.lo
        below = nearest < float(form.lo) if exact else nearest <= float(form.lo - 1)
        inside = np.where(above | below, 0.0, nearest).astype(np.int64)
        raw[..., c] = np.where(above, form.hi, np.where(below, form.lo, inside))
        over[..., c] = above | below
    return raw, over.reshape(len(values), -1).sum(axis=1)


def _axis(form: InputForm, momenta: Floats, jet: Floats) -> Floats:
    """Return the four-vectors (B, 4) whose frame the vectors are written in: the seed is the first row."""
    of_jet = form is InputForm.JET_LIGHT_CONE
    axis = jet if of_jet else momenta[:, 0]
    empty = np.flatnonzero(np.hypot(axis[:, 1], axis[:, 2]) <= 0)
    if len(empty):
        raise CompileError(
            "jet" if of_jet else "p4",
            f"{'' if of_jet else 'the first constituent of '}event {empty[0]} has no transverse momentum",
            "drop empty events",
        )
    return axis


def momenta_of(p4: Any, jet: Any) -> tuple[Floats, Floats]:
    """Return constituents (B, N, 4), N >= 1, and jets (B, 4), by default their sums. Raises CompileError for
    other shapes, NaN and infinity."""
    momenta = finite("p4", p4)
    if momenta.ndim != 3 or momenta.shape[2] != 4 or momenta.shape[1] < 1:
        raise CompileError(
            "p4",
            f"has shape {momenta.shape}, expected (events, constituents, 4)",
            "give (E, px, py, pz) of each constituent in GeV",
        )
    whole = momenta.sum(axis=1) if jet is None else finite("jet", jet)
    if whole.shape != (len(momenta), 4):
        raise CompileError(
            "jet", f"has shape {whole.shape}, expected ({len(momenta)}, 4)", "give one four-vector per event"
        )
    return momenta, whole


def finite(name: str, array: Any) -> Floats:
    """Return an array of events in float64. Raises CompileError if one holds no number, NaN or infinity,
    and if there is no event."""
    given = whole(name, array)
    if given.dtype.kind not in "fiub":
        raise CompileError(name, f"does not hold numbers but {_kind(given)}", "give a float array")
    values = given.astype(np.float64)
    if not values.ndim or not len(values):
        raise CompileError(name, "holds no events", "give one or more")
    bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if len(bad):
        raise CompileError(name, f"event {bad[0]} holds NaN or infinity", "clean the events")
    return values


def whole(name: str, array: Any) -> NDArray[Any]:
    """Return what is given as an array. Raises CompileError for masked entries and for rows of different
    lengths."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise CompileError(name, "is a masked array with masked entries", "fill them: padding is zero")
    try:
        return np.asarray(array)
    except (ValueError, TypeError):
        raise CompileError(name, "has rows of different lengths", "give an array padded with zeros") from None


def _kind(array: NDArray[Any]) -> str:
    return "Python objects" if array.dtype.kind == "O" else str(array.dtype)
