"""What looks wrong with four-momenta: one line per kind, with counts; nothing is changed or refused.

The bounds lie far from what rounding, padding and detectors do, so that usual events give no line.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eqhls.engines import Ints
from eqhls.ir.op import Floats

SPACELIKE = 0.01
"""How far E may fall below |p|, relatively: files keep components to 10 bits and better."""
STEPS = 1.5
"""The same in steps of a grid: each component is up to half an LSB off."""
BEAM_GEV = 14_000.0
"""More transverse momentum than the LHC has energy, in the median event, is not in GeV."""
ANGLES = (6.5, 6.3)
"""Bounds of |eta| and |phi|."""
CUT, LOST = 0.3, 0.9
"""Mean shares of pT beyond the slots, and of constituents that round to zero, that are worth a line."""
SATURATED, UNSORTED = 0.01, 0.01
FEW = 8


def odd_momenta(name: str, p: Floats, lsb: float) -> list[str]:
    """Return lines on the form of four-vectors (events, N, 4): the order of components, units, E < |p|.

    `lsb` is that of the port in GeV, 0 if it has no format.
    """
    rows = p[(p != 0).any(axis=-1)]
    if not len(rows):
        return []
    step = max(lsb, _grid(rows))
    bad = _spacelike(rows, step)
    lines: list[str] = []
    if bad.mean() > 0.25 and len(rows) >= FEW and not _spacelike(rows[:, [3, 0, 1, 2]], step).mean() > 0.01:
        lines.append(
            f"{name} looks like (px, py, pz, E): the last component, not the first, is an energy; "
            f"expected (E, px, py, pz), which is {name}[..., [3, 0, 1, 2]]"
        )
    elif bad.any():
        lines.append(f"{name}: {int(bad.sum())} of {len(rows)} four-vectors have an energy E < |p|")
    angles = (np.abs(rows[:, 1]) < ANGLES[0]).all() and (np.abs(rows[:, 2]) < ANGLES[1]).all()
    if angles and len(rows) >= FEW and rows[:, 0].max() > 20:
        lines.append(f"{name} looks like (pT, eta, phi, mass), expected (E, px, py, pz) in GeV")
    if np.median(_pt(p).sum(axis=1)) > BEAM_GEV:
        lines.append(
            f"{name}: the median event has a pT of {np.median(_pt(p).sum(axis=1)):,.0f} GeV; "
            "are the momenta in MeV? expected GeV"
        )
    return lines


def odd_order(p: Floats, slots: int, matters: Callable[[Ints], bool]) -> list[str]:
    """Return lines on the order and the number of constituents (events, N, 4) for so many slots.

    `matters` tells of some events, by index, whether sorting them changes the output of the network.
    """
    pt, there = _pt(p), (p != 0).any(axis=-1)
    lines: list[str] = []
    falls = np.where(there[:, 1:], pt[:, 1:] <= 1.01 * pt[:, :-1], True).all(axis=1)
    unsorted = np.flatnonzero(~falls)
    cut = there[:, slots:].any(axis=1)
    if len(unsorted) > UNSORTED * len(p):
        if cut.any():
            lines.append(
                f"p4: constituents are not sorted by falling pT in {len(unsorted)} of {len(p)} events, "
                f"and those beyond the first {slots} are cut; sort them"
            )
        elif matters(unsorted[:FEW]):
            lines.append(
                f"p4: constituents are not sorted by falling pT in {len(unsorted)} of {len(p)} events, and "
                "the output depends on their order; sort them as in training"
            )
    share = float(np.mean(pt[:, slots:].sum(axis=1) / np.maximum(pt.sum(axis=1), 1e-12)))
    if share > CUT:
        lines.append(
            f"p4: constituents beyond the first {slots} are cut in {int(cut.sum())} of {len(p)} events, with "
            f"{share:.0%} of the pT on average"
        )
    empty = int((~there.any(axis=1)).sum())
    if empty:
        lines.append(f"p4: {empty} of {len(p)} events have no constituents")
    return lines


def odd_jet(p: Floats, jet: Floats) -> list[str]:
    """Return a line if the given jet (events, 4) is of another size than its constituents."""
    ratio = float(np.median(np.hypot(jet[:, 1], jet[:, 2]) / np.maximum(_pt(p).sum(axis=1), 1e-12)))
    if 0.1 < ratio < 10:
        return []
    return [
        f"jet: its pT is {ratio:.3g} times that of the constituents; p4 and jet need the same unit and order"
    ]


def falling(p: Floats, slots: int) -> Ints:
    """Return the order (events, slots) of the first constituents of p (events, N, 4) by falling pT; what is
    padded stays last."""
    pt = np.zeros((len(p), slots))
    pt[:, : p.shape[1]] = _pt(p[:, :slots])
    return np.argsort(-pt, axis=1, kind="stable")


def _pt(p: Floats) -> Floats:
    return np.hypot(p[..., 1], p[..., 2])


def _spacelike(rows: Floats, step: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    momentum = np.sqrt((rows[:, 1:] ** 2).sum(axis=1))
    return rows[:, 0] < momentum * (1 - SPACELIKE) - STEPS * step


def _grid(rows: Floats) -> float:
    """Return the power of two, at most 1, on whose multiples all components lie; 0 if there is none."""
    sample = rows[:: max(1, len(rows) // 1000)]
    steps = [2.0**-k for k in range(9)]
    return next((s for s in steps if (np.rint(sample / s) * s == sample).all()), 0.0)
