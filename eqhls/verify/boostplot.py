"""The picture of what real boosts and rotations do to the output of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eqhls.groups.group import Group
from eqhls.plots import COLOURS, MARKERS, NORMAL, SMALL, dress, figure, percent


@dataclass(frozen=True, slots=True)
class Boosts:
    """What the stage `boosts` measured of a network: the rms change of the output for each of the `sizes` of
    its group, in real units, by the bits that the ports have more, and in float64; and the spread of the
    output, the standard deviation over the events (of the widest output)."""

    name: str
    group: Group
    integer: Mapping[int, Sequence[float]]
    floats: Sequence[float]
    spread: float

    def share(self, rms: float) -> float:
        """Return an rms change as a share of the spread; an output without a spread keeps its unit."""
        return rms / self.spread if self.spread else rms


def figure_of(found: Boosts) -> Any:
    """Return the change of the output against the size of the transformation, a line for each number of
    bits that the ports have more. Float64 lies many decades below, so a note says what it does."""
    drawn = figure(7.2, 4.6)
    axes = drawn.subplots()
    scale = 100 if found.spread else 1
    for (bits, row), colour, marker in zip(found.integer.items(), COLOURS, MARKERS, strict=False):
        values = [scale * found.share(v) for v in row]
        axes.plot(found.group.sizes, values, color=colour, marker=marker, label=_bits(bits))
    axes.set_title(title_of(found), fontsize=NORMAL)
    axes.set_xlabel(found.group.size)
    axes.set_ylabel("rms change of the output" + (" [% of its spread]" if found.spread else " [its unit]"))
    axes.set_xticks(found.group.sizes, [f"{size:g}" for size in found.group.sizes])
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.3)
    dress(axes)
    axes.legend(title="LSB of the inputs", fontsize=SMALL, title_fontsize=SMALL)
    drawn.supxlabel(note_of(found), fontsize=SMALL, color="0.3")
    return drawn


def title_of(found: Boosts) -> str:
    """Return the message: what the smallest transformation does with the fewest and with the most bits."""
    bits = list(found.integer)
    said = [_said(found, found.integer[b][0]) for b in (bits[0], bits[-1])]
    ports = f" with {bits[0]} more bits" if bits[0] else ""
    first = (
        f"{found.name}: at {found.group.symbol} {found.group.sizes[0]:g} the output moves by {said[0]}{ports}"
    )
    if bits[0] == bits[-1]:
        return first
    return f"{first};\n{bits[-1]} more bits on the ports make it {said[1].removesuffix(' of its spread')}"


def note_of(found: Boosts) -> str:
    """Return what the float64 network does, which would be a line on the axis."""
    most = found.share(max(found.floats))
    size = percent(most) if found.spread and most >= 1e-3 else f"{most:.0e}"
    return f"The float64 network moves by at most {size}{' of its spread' if found.spread else ''}."


def _bits(more: int) -> str:
    return f"{more} more bits" if more else "that of the ports"


def _said(found: Boosts, rms: float) -> str:
    return f"{percent(rms / found.spread)} of its spread" if found.spread else f"{rms:.2g}"
