"""What all pictures share: colours that the colour-blind can tell apart, legible sizes, equal bytes."""

from __future__ import annotations

import io
from typing import Any

from eqhls.lazy import lazy

figures = lazy("matplotlib.figure")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Blue, vermilion, green, purple, orange and sky blue of Okabe and Ito ("Color Universal Design", 2008)."""
MARKERS = "os^Dv<"
SMALL, NORMAL = 9, 10
"""Sizes of the text in points: of legends, notes and labels, and of titles."""


def figure(width: float, height: float) -> Any:
    """Return an empty figure, in inches, that gives its parts the room which they need."""
    return figures.Figure(figsize=(width, height), layout="constrained")


def dress(axes: Any, named: bool = False) -> None:
    """Give a finished plot the look of the field: ticks that point inwards on all sides, small ticks between
    them, and names at the ends of the axes. The x axis of a plot against `named` things has ticks below only.
    No setting of matplotlib changes, so that the plots of whoever imports eqhls stay as they are."""
    axes.minorticks_on()
    axes.tick_params(which="both", direction="in", top=not named, right=True)
    axes.tick_params(which="major", length=6)
    axes.tick_params(which="minor", length=3)
    if named:
        axes.set_xticks([], minor=True)
    axes.set_xlabel(axes.get_xlabel(), loc="right")
    axes.set_ylabel(axes.get_ylabel(), loc="top")


def png(drawn: Any) -> bytes:
    """Return a figure as a PNG file; equal figures give equal bytes."""
    image = io.BytesIO()
    drawn.savefig(image, format="png", dpi=120, metadata={"Software": None})
    return image.getvalue()


def percent(share: float) -> str:
    """Return a share in percent as it is said in a title: whole, or with one digit if it is below 10 %."""
    part = abs(100 * share)
    return f"{part:.0f} %" if part >= 9.5 else f"{part:.1g} %"
