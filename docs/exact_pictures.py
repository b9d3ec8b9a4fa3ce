"""Draw the pictures of the page on exact groups: docs/exact-bits.png, exact-hyperbola.png and exact-jet.png.

    python docs/exact_pictures.py [FOLDER]

They are drawn from what they show: a boost of the list of the compiler, applied to integers, and a network
that ships, which gives one integer for all copies of a jet.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.events.read import read_events
from eqhls.flow import read_model
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.group import LORENTZ
from eqhls.plots import COLOURS, NORMAL, SMALL, figure, png

Ints = NDArray[np.int64]
HERE = Path(__file__).resolve().parent
TAGGER = HERE.parent / "models" / "tag16_small"
PARTICLE = (148, 52, 60, 64)
"""p+, p-, y and z of a light-like particle; the LSB of y and z squared is that of p+ times that of p-."""
MOVES = ((0, 0), (300, 0), (0, 240), (300, 240))
"""Steps of eta and of phi by which the jet is moved."""
JET = 2335
"""Which event of the tagger is drawn."""


def boost() -> tuple[Ints, int]:
    """Return the boost by two of the compiler: p+ doubled and p- halved, as a matrix and its divisor."""
    divisor, matrix = next(p for p in LORENTZ.pairs(LIGHT_CONE, True) if p[1][0, 0] > p[1][1, 1])
    return matrix, divisor


def boosted(x: Ints) -> Ints:
    """Return integers p+, p-, y, z after the boost. Raises ValueError if they are no integers."""
    matrix, divisor = boost()
    moved = matrix @ x
    if (moved % divisor).any():
        raise ValueError(f"{x} is not carried to integers")
    return moved // divisor


def square(x: Ints) -> int:
    """Return the Minkowski square of integers p+, p-, y, z."""
    return int(x[0] * x[1] - x[2] ** 2 - x[3] ** 2)


def bits() -> bytes:
    """Draw the words of p+ and p- before and after the boost."""
    before = np.array(PARTICLE)
    after = boosted(before)
    assert square(before) == square(after)
    drawn = figure(7.5, 1.9)
    axes = drawn.subplots()
    for row, (name, k) in enumerate((("p+", 0), ("p-", 1))):
        for column, x in enumerate((before, after)):
            word(axes, 13 * column, -2 * row, int(x[k]), COLOURS[row])
            axes.text(
                13 * column - 0.3,
                -2 * row + 0.4,
                f"{name} = {x[k]}",
                ha="right",
                va="center",
                fontsize=NORMAL,
            )
        axes.annotate("", (9.9, -2 * row + 0.4), (9.1, -2 * row + 0.4), arrowprops={"arrowstyle": "->"})
    axes.set_title(
        "A boost along the axis shifts the bits of p+ up and those of p- down by one", fontsize=NORMAL
    )
    note = (
        f"integers in LSBs of the ports; p+ p- - y² - z² = {square(before)} before and {square(after)} after"
    )
    axes.text(9.5, -3.2, note, ha="center", fontsize=SMALL)
    axes.set_xlim(-3, 23)
    axes.set_ylim(-3.6, 1.4)
    axes.set_aspect("equal")
    axes.axis("off")
    return png(drawn)


def word(axes: Any, x: float, y: float, value: int, colour: str) -> None:
    """Draw a word of nine bits, the lowest on the right; bits that are set are filled."""
    for place in range(9):
        there = value >> place & 1
        colours = (colour, "white") if there else ("white", "black")
        axes.bar(x + 8.5 - place, 1, 1, y, facecolor=colours[0], edgecolor="grey")
        middle = (x + 8.5 - place, y + 0.5)
        axes.text(*middle, str(there), ha="center", va="center", fontsize=SMALL, color=colours[1])


def orbit(start: Ints) -> list[Ints]:
    """Return where boosts by two carry integers, as long as they stay integers."""
    found = [start]
    while True:
        try:
            found.append(boosted(found[-1]))
        except ValueError:
            return found


def hyperbola() -> bytes:
    """Draw the orbit of a massive particle on the lattice of p+ and p-, and what another boost does."""
    points = orbit(np.array((3, 16, 0, 0)))
    mass2 = square(points[0])
    drawn = figure(5.5, 4.5)
    axes = drawn.subplots()
    grid = np.stack(np.meshgrid(np.arange(1, 27), np.arange(1, 25)), -1).reshape(-1, 2)
    axes.plot(*grid.T, ".", color="lightgrey", markersize=3, zorder=0)
    curve = np.linspace(2, 26, 300)
    axes.plot(curve, mass2 / curve, color="grey", linewidth=1, label=f"p+ p- = {mass2}: one mass, all boosts")
    shown = [p for p in points if p[0] <= 26]
    axes.plot(
        [p[0] for p in shown],
        [p[1] for p in shown],
        "o",
        color=COLOURS[0],
        label="boosts by 2: on the lattice",
    )
    factor = 1.25
    missed = points[1][0] * factor, points[1][1] / factor
    axes.plot(
        *missed,
        "X",
        color=COLOURS[1],
        markersize=9,
        label=f"a boost by {factor}: between the points, so rounded",
    )
    axes.set_title("Boosts that carry integers to integers are exact", fontsize=NORMAL)
    axes.set_xlabel("p+ (LSB)", fontsize=SMALL)
    axes.set_ylabel("p- (LSB)", fontsize=SMALL)
    axes.set_ylim(0, 32)
    axes.legend(fontsize=SMALL)
    return png(drawn)


def copies() -> tuple[list[dict[str, Ints]], list[int]]:
    """Return a jet moved by steps of eta and phi, its particles in another order in the last copy, and the
    integers that the tagger gives."""
    graph = read_model(TAGGER)
    raw = {k: v[JET : JET + 1] for k, v in read_events(TAGGER / "events.npz", graph).raw.items()}
    moved = [shifted(raw, eta, phi) for eta, phi in MOVES]
    return moved, [int(graph.evaluate(x)[graph.outputs[0]].item()) for x in moved]


def shifted(raw: dict[str, Ints], eta: int, phi: int) -> dict[str, Ints]:
    """Return an event boosted along the beam and turned about it by whole steps; empty slots stay empty."""
    there = raw["pt"] > 0
    turned = {k: (raw[k] + phi + 720) % 1440 - 720 for k in ("phi", "jet_phi")}
    along = {k: raw[k] + eta for k in ("eta", "jet_eta")}
    return {
        **raw,
        **along,
        **turned,
        "eta": np.where(there, along["eta"], 0),
        "phi": np.where(there, turned["phi"], 0),
    }


def jet() -> bytes:
    """Draw the copies of a jet in the plane of eta and phi, with the integer of each."""
    moved, scores = copies()
    assert len(set(scores)) == 1
    drawn = figure(6.5, 5)
    axes = drawn.subplots()
    for k, (x, score, (eta, phi)) in enumerate(zip(moved, scores, MOVES, strict=True)):
        there = x["pt"].ravel() > 0
        size = 4 + 60 * x["pt"].ravel()[there] / x["pt"].max()
        place = x["eta"].ravel()[there], x["phi"].ravel()[there]
        axes.scatter(*place, size, color=COLOURS[k], alpha=0.6, edgecolors="none")
        move = f"eta + {eta}, phi + {phi}" if eta or phi else "as it came"
        axes.text(place[0].mean(), place[1].max() + 30, f"{move}: score {score}", ha="center", fontsize=SMALL)
    axes.set_title("A jet moved by whole steps has the same integer score, bit for bit", fontsize=NORMAL)
    axes.set_xlabel("eta (steps of pi / 720)", fontsize=SMALL)
    axes.set_ylabel("phi (steps of pi / 720)", fontsize=SMALL)
    axes.set_aspect("equal")
    axes.margins(0.25)
    axes.grid(alpha=0.3)
    return png(drawn)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, picture in (("bits", bits), ("hyperbola", hyperbola), ("jet", jet)):
        (folder / f"exact-{name}.png").write_bytes(picture())
