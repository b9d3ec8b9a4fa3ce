"""From four-momenta in GeV to the words of the trigger, with its rounding.

    pt   transverse momentum over its LSB (0.25 GeV), cut to an integer, saturated
    eta  pseudorapidity in steps of the angle (2 pi / 1440), to the nearest integer, saturated
    phi  azimuth in the same steps, to the nearest integer, in [-720, 720): 720 is -720

The words of each event fall in pt; words of equal pt keep the order in which their constituents were given. A
constituent whose pt is cut to 0 is not a word: an empty slot has pt = eta = phi = 0. Constituents have no
mass.

The jet is one more word with pt and phi likewise, its *rapidity* in place of eta, and its squared mass in
GeV^2, cut to an integer and saturated. Rapidity, since only that is shifted by a boost along the beam if
the jet has a mass; for massless constituents it is the pseudorapidity. `multiplicity` counts the words of the
whole jet, before it is cut to the slots of a network. Without a jet, the sum of all given constituents is it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import tau
from types import MappingProxyType
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.layouts import DEFAULT, Layout, checked_words, layout, unpack
from eqhls.events.prepare import momenta_of, to_raw
from eqhls.fixed import Fixed
from eqhls.ir.op import Floats

CONSTITUENT = ("pt", "eta", "phi")
JET = ("jet_pt", "jet_eta", "jet_phi", "jet_mass2")
MULTIPLICITY = "multiplicity"
ANGLES = ("phi", "jet_phi")
TURN = 1440
"""Steps of phi in a turn."""
TRIGGER: Mapping[str, Fixed] = MappingProxyType(
    {
        "pt": Fixed(14, 12, False),
        "eta": Fixed(12, 12),
        "phi": Fixed(11, 11),
        "jet_pt": Fixed(14, 12, False),
        "jet_eta": Fixed(12, 12),
        "jet_phi": Fixed(11, 11),
        "jet_mass2": Fixed(18, 18, False),
        MULTIPLICITY: Fixed(7, 7, False),
    }
)
"""The formats of the trigger's words by port. Angles are in steps of a turn over `TURN`."""


@dataclass(frozen=True, slots=True)
class TriggerWords:
    """Raw integers by port: pt, eta, phi (B, N), the others (B,); how many of each port saturated in each
    event, (B,); all words of the event before the cut to N, pt, eta, phi (B, M), in their order; and whether
    that is another order than that of the constituents given."""

    raw: Mapping[str, Ints]
    saturated: Mapping[str, Ints]
    given: Mapping[str, Ints]
    reordered: bool = False


def words_of_momenta(
    p4: Any, jet: Any = None, slots: int = 16, formats: Mapping[str, Fixed] = TRIGGER, turn: int = TURN
) -> TriggerWords:
    """Return the words of p4 (B, M, 4) and jet (B, 4), (E, px, py, pz) in GeV; rows of zeros are padding.

    `formats` are those of the ports, by which LSBs and saturation go; a turn has `turn` units of phi. Raises
    CompileError for wrong shapes, NaN and infinity.
    """
    momenta, axis = momenta_of(p4, jet)
    one, over = _constituents(momenta, formats, turn)
    order = np.argsort(-one["pt"], axis=1, kind="stable")
    fallen = {k: np.take_along_axis(v, order, axis=1) for k, v in one.items()}
    lost = {k: np.take_along_axis(v, order, axis=1) for k, v in over.items()}
    made = _finished(fallen, lost, _jet(axis, formats, turn), slots, formats[MULTIPLICITY])
    return replace(made, reordered=bool((np.diff(order, axis=1) < 0).any()))


def words_of_puppi(
    puppi: Any,
    jet: Any = None,
    name: Any = DEFAULT,
    slots: int = 16,
    formats: Mapping[str, Fixed] = TRIGGER,
    turn: int = TURN,
) -> TriggerWords:
    """Return the ports' integers from words (B, M) of the layout `name`, as they are and in their order.

    Without a jet (B, 4) in GeV, the sum of the massless constituents that the words describe is the jet.
    Raises CompileError for anything but words of the layout, for a layout with other LSBs than the ports
    have, and for an angle outside of the turn.
    """
    version, words = layout(name), checked_words("puppi", puppi)
    if version.words != 1:
        raise CompileError("puppi", f"found the layout {version.name}", "expected one of single words: l1ct")
    if words.ndim != 2 or not words.size:
        raise CompileError(
            "puppi",
            f"has shape {words.shape}, expected (events, words)",
            "give one word per constituent, zero for empty slots",
        )
    _same_steps(version, formats, turn)
    fields = unpack(version, words)
    one = {k: fields[k] for k in CONSTITUENT}
    for k in CONSTITUENT:
        _demand_inside(k, one[k], formats[k], turn, one["pt"] > 0)
    whole = momenta_of(massless(one, formats, turn), jet)[1]
    none = {k: np.zeros(words.shape, dtype=bool) for k in CONSTITUENT}
    return _finished(one, none, _jet(whole, formats, turn), slots, formats[MULTIPLICITY])


def massless(words: Mapping[str, Ints], formats: Mapping[str, Fixed] = TRIGGER, turn: int = TURN) -> Floats:
    """Return the four-momenta (..., 4) in GeV that words of massless constituents describe."""
    pt = words["pt"] * formats["pt"].lsb
    eta, phi = (np.where(pt > 0, words[k], 0) * formats[k].lsb * (tau / turn) for k in ("eta", "phi"))
    parts = (pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta))
    return np.stack(parts, axis=-1).astype(np.float64)


def turn_of(form: Fixed, turn: int) -> tuple[int, int]:
    """Return the first integer of a turn and the first one behind it, in LSBs of a port."""
    half = int(turn / form.lsb) // 2
    return -half, half


def _demand_inside(name: str, raw: Ints, form: Fixed, turn: int, filled: Any) -> None:
    """Raise CompileError if an integer of a filled slot does not fit the port, or an angle not the turn."""
    first, behind = turn_of(form, turn) if name in ANGLES else (form.lo, form.hi + 1)
    bad = ((raw < max(first, form.lo)) | (raw >= min(behind, form.hi + 1))) & filled
    if bad.any():
        event, found = int(np.argwhere(bad)[0][0]), int(raw[bad][0])
        why = f"outside of the turn [{first}, {behind})" if name in ANGLES else f"which does not fit {form}"
        raise CompileError("puppi", f"event {event} has a {name} of {found}, {why}", "correct the words")


def _same_steps(version: Layout, formats: Mapping[str, Fixed], turn: int) -> None:
    for k in CONSTITUENT:
        found, port = version.field(k).lsb, formats[k].lsb * (1.0 if k == "pt" else tau / turn)
        if abs(found - port) > 1e-9 * port:
            unit = version.field(k).unit
            raise CompileError(
                "puppi",
                f"layout {version.name} counts {k} in {found:g} {unit}, the port in {port:g} {unit}",
                "name another layout, or give the integers of the ports by name",
            )


Coded = tuple[dict[str, Ints], dict[str, Any]]
"""Raw integers by port, and which of them saturated."""


def _constituents(p: Floats, formats: Mapping[str, Fixed], turn: int) -> Coded:
    """Return the integers of every constituent (B, M, 4), in the order given."""
    transverse = np.hypot(p[..., 1], p[..., 2])
    pt, pt_over = _coded(np.floor(transverse / formats["pt"].lsb), formats["pt"])
    on = pt > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(on, np.arcsinh(p[..., 3] / transverse), 0.0)
    eta, eta_over = _coded(_steps(slope, formats["eta"], turn), formats["eta"])
    phi, phi_over = _azimuth(p, on, formats["phi"], turn)
    return {"pt": pt, "eta": eta, "phi": phi}, {"pt": pt_over, "eta": eta_over, "phi": phi_over}


def _jet(p: Floats, formats: Mapping[str, Fixed], turn: int) -> Coded:
    """Return the integers of the jet (B, 4): an empty slot if its pt is cut to 0."""
    transverse2 = p[:, 1] ** 2 + p[:, 2] ** 2
    pt, pt_over = _coded(np.floor(np.sqrt(transverse2) / formats["jet_pt"].lsb), formats["jet_pt"])
    on = pt > 0
    square = np.where(on, np.maximum(p[:, 0] ** 2 - p[:, 3] ** 2 - transverse2, 0.0), 0.0)
    rapidity = np.where(on, np.arcsinh(p[:, 3] / np.sqrt(np.where(on, square + transverse2, 1.0))), 0.0)
    eta, eta_over = _coded(_steps(rapidity, formats["jet_eta"], turn), formats["jet_eta"])
    phi, phi_over = _azimuth(p, on, formats["jet_phi"], turn)
    form = formats["jet_mass2"]
    mass2, mass2_over = _coded(np.floor(square / form.lsb), form)
    raw: dict[str, Ints] = dict(zip(JET, (pt, eta, phi, mass2), strict=True))
    return raw, dict(zip(JET, (pt_over, eta_over, phi_over, mass2_over), strict=True))


def _azimuth(p: Floats, on: Any, form: Fixed, turn: int) -> tuple[Ints, Any]:
    around = int(turn / form.lsb)
    steps = _steps(np.where(on, np.arctan2(p[..., 2], p[..., 1]), 0.0), form, turn)
    return _coded((steps + around // 2) % around - around // 2, form)


def _steps(angle: Floats, form: Fixed, turn: int) -> Floats:
    """Return angles in LSBs of a port, to the nearest."""
    return np.rint(angle / (tau / turn * form.lsb))


def _coded(steps: Floats, form: Fixed) -> tuple[Ints, Any]:
    """Return whole numbers of LSBs as raw integers, saturated, and which of them saturated."""
    raw, _ = to_raw((steps * form.lsb)[..., None], (form,))
    return raw[..., 0], raw[..., 0] != steps


def _finished(
    one: Mapping[str, Ints], over: Mapping[str, Any], jet: Coded, slots: int, form: Fixed
) -> TriggerWords:
    """Cut and pad words to the slots, and put the jet and the number of words beside them."""
    count = (one["pt"] > 0).sum(axis=1)
    number, number_over = _coded(count.astype(np.float64), form)
    raw = {k: _slots(v, slots) for k, v in one.items()} | jet[0] | {MULTIPLICITY: number}
    lost = {k: _slots(v, slots) for k, v in over.items()} | jet[1] | {MULTIPLICITY: number_over}
    saturated = {k: v.reshape(len(v), -1).sum(axis=1).astype(np.int64) for k, v in lost.items()}
    return TriggerWords(raw, saturated, one)


def _slots(x: Any, slots: int) -> Any:
    kept = x[:, :slots]
    return np.pad(kept, ((0, 0), (0, slots - kept.shape[1])))
