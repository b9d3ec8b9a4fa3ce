"""Pictures: titles, axes with units, the numbers that were given, and equal bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import group_of
from eqhls.plots import COLOURS, percent, png
from eqhls.quantize.search import Merit, State
from eqhls.report import pareto
from eqhls.report.pareto import Search, lowest
from eqhls.trace import show
from eqhls.trace.compare import Range, Row
from eqhls.verify import boostplot, wordboosts
from eqhls.verify.boostplot import Boosts
from eqhls.verify.wordboosts import SIZES

BOOSTS = Boosts(
    "lgn",
    group_of(V),
    {0: [1.5, 1.7, 2.0, 2.3], 2: [0.5, 0.6, 0.6, 0.9], 4: [0.2, 0.3, 0.25, 0.36]},
    [1e-13, 2e-13, 3e-13, 4e-13],
    6.4,
)
WORDS = {
    "boosts across the beam": [0.03, 0.06, 0.13, 0.23, 0.44],
    "boosts along the beam": [0.012, 0.011, 0.01, 0.01, 0.012],
    "turns about the beam": [0.013, 0.012, 0.01, 0.01, 0.008],
}


def states(equivariance: float) -> list[State]:
    """A start, kept and refused choices, and one far above the scale."""
    merits = [(100, 0.0), (90, 0.0004), (80, 0.0011), (85, 0.0015), (70, 0.19), (60, float("inf"))]
    made = [State((), Merit(cost, loss, equivariance if loss < 1 else loss)) for cost, loss in merits]
    made[2] = replace(made[2], held_out=Merit(80, 0.0017, equivariance))
    return made


def search(equivariance: float = 0.0, unit: str = "cells") -> Search:
    found = states(equivariance)
    return Search("small", found, found[2], Merit(0, 0.002, 1e-3), unit)


def row(value: str, rms: float, beyond: int = 0) -> Row:
    span = Range(0.0, 1.0, 1.0, 0, 0, 0, 0, (), 1.0)
    return Row(value, "dense", "fix<8,3>", 1, True, rms, rms, 0.5, rms / 2, beyond, rms / 50, span, {}, {})


ROWS = [row("p", 0.0), row("g", 0.2), row("t", 0.9, 3), row("score", 0.4)]


def curves(axes: Any) -> dict[str, list[float]]:
    return {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}


def dots(axes: Any) -> dict[str, list[list[float]]]:
    return {c.get_label(): np.asarray(c.get_offsets()).tolist() for c in axes.collections}


def test_boosts_are_drawn_in_percent_of_the_spread() -> None:
    drawn = boostplot.figure_of(BOOSTS)
    (axes,) = drawn.axes
    assert axes.get_title() == (
        "lgn: at gamma 1.05 the output moves by 23 % of its spread;\n4 more bits on the ports make it 3 %"
    )
    assert axes.get_ylabel() == "rms change of the output [% of its spread]"
    assert axes.get_xlabel() == BOOSTS.group.size and axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] == 0
    expected = {
        "that of the ports": [100 * v / 6.4 for v in BOOSTS.integer[0]],
        "2 more bits": [100 * v / 6.4 for v in BOOSTS.integer[2]],
        "4 more bits": [100 * v / 6.4 for v in BOOSTS.integer[4]],
    }
    assert curves(axes) == {k: pytest.approx(v) for k, v in expected.items()}
    assert drawn.get_supxlabel() == "The float64 network moves by at most 6e-14 of its spread."


def test_an_output_without_a_spread_keeps_its_unit() -> None:
    still = replace(BOOSTS, spread=0.0, integer={2: [0.5] * 4})
    (axes,) = boostplot.figure_of(still).axes
    assert axes.get_ylabel() == "rms change of the output [its unit]"
    assert axes.get_title() == "lgn: at gamma 1.05 the output moves by 0.5 with 2 more bits"
    assert curves(axes) == {"2 more bits": [0.5] * 4}


def test_a_float_network_that_moves_is_said_in_percent() -> None:
    assert boostplot.note_of(replace(BOOSTS, floats=[0.1, 1.28])) == (
        "The float64 network moves by at most 20 % of its spread."
    )


def test_moves_of_words_are_drawn_in_percent_of_the_spread() -> None:
    (axes,) = wordboosts.figure_of("tag", WORDS).axes
    assert axes.get_title() == (
        "tag: boosts across the beam by 0.3 move the output by 44 % of its spread,\n"
        "boosts along the beam by 1 %, turns about the beam by 0.8 %"
    )
    assert axes.get_ylabel() == "rms change of the output [% of its spread]"
    assert axes.get_xlabel() == "rapidity of the boost, or angle of the turn [rad]"
    assert curves(axes) == {k: pytest.approx([100 * v for v in row]) for k, row in WORDS.items()}
    assert all(list(line.get_xdata()) == list(SIZES) for line in axes.get_lines())


def test_the_front_is_a_line_on_a_scale_that_fits_it() -> None:
    drawn = pareto.figure_of(search())
    (axes,) = drawn.axes
    assert drawn.get_suptitle() == (
        "small: 100 -> 80 cells\nfor an AUC loss of 0.0011, 0.0017 on held-out events"
    )
    assert axes.get_xlabel() == "cost [cells: gates counted on intervals]"
    assert axes.get_ylabel() == "AUC loss (float less fixed point)"
    lines = curves(axes)
    assert lines["Pareto front"] == [0.19, 0.0011, 0.0004, 0.0] and lines["bound"] == [0.002] * 2
    low, top = axes.get_ylim()
    assert low < 0 and 0.002 < top < 0.004, "the hopeless choice must not set the scale"
    found = dots(axes)
    assert found["measured"] == [[100, 0.0], [90, 0.0004], [80, 0.0011], [85, 0.0015]]
    assert found["above the scale"] == [[70, top]]
    assert found["choice"] == [[80, 0.0011]] and found["on held-out events"] == [[80, 0.0017]]
    assert [t.get_text() for t in axes.texts] == ["choice: 80 cells"]


def test_an_exact_network_has_one_panel_and_a_note() -> None:
    exact, rounding = pareto.figure_of(search()), pareto.figure_of(search(4e-4, "LUT"))
    assert len(exact.axes) == 1 and "equivariance error of all choices is 0" in exact.get_supxlabel()
    assert [a.get_ylabel() for a in rounding.axes] == [
        "AUC loss (float less fixed point)",
        "equivariance error (mean change / spread)",
    ]
    assert {a.get_xlabel() for a in rounding.axes} == {"cost [LUT: estimate, with shift registers]"}
    assert rounding.get_supxlabel() == ""
    assert dots(rounding.axes[1])["choice"] == [[80, 4e-4]]


def test_a_front_rises_nowhere() -> None:
    found = lowest(states(0.0), "auc_loss")
    assert [s.merit.cost for s in found] == [60, 70, 80, 90, 100]
    losses = [s.merit.auc_loss for s in found]
    assert losses == sorted(losses, reverse=True) and 85 not in {s.merit.cost for s in found}


def test_errors_of_a_trace_stand_beside_their_bounds() -> None:
    (axes,) = show.figure_of(ROWS, "pair: a number lies beyond its bound first in t").axes
    assert axes.get_title() == "pair: a number lies beyond its bound first in t"
    assert axes.get_ylabel() == "integer less float [LSB of the value]"
    assert axes.get_xlabel() == "value, in the order of the graph (1 of 4 are exact and have no point)"
    assert [t.get_text() for t in axes.get_xticklabels()] == ["p", "g", "t", "score"]
    assert curves(axes) == {"bound (rms)": [0.5] * 4}
    found = {k: [p for p in points if p[1] == p[1]] for k, points in dots(axes).items()}
    assert found == {
        "error (rms)": [[1, 0.2], [2, 0.9], [3, 0.4]],
        "error of the op alone (rms)": [[1, 0.1], [2, 0.45], [3, 0.2]],
        "numbers beyond the bound": [[2, 0.9]],
    }


@pytest.mark.parametrize(
    "draw",
    [
        lambda: boostplot.figure_of(BOOSTS),
        lambda: wordboosts.figure_of("tag", WORDS),
        lambda: pareto.figure_of(search(4e-4)),
        lambda: show.figure_of(ROWS, "pair"),
    ],
)
def test_equal_pictures_have_equal_bytes(draw: Callable[[], Any]) -> None:
    first, again = png(draw()), png(draw())
    assert first == again and first.startswith(b"\x89PNG")
    assert b"Software" not in first and b"matplotlib" not in first
    used = {line.get_color() for axes in draw().axes for line in axes.get_lines()}
    assert used <= {*COLOURS, "black", "0.5"}


@pytest.mark.parametrize(
    ("share", "said"), [(0.2345, "23 %"), (0.0314, "3 %"), (0.0949, "9 %"), (0.0951, "10 %"), (0.0, "0 %")]
)
def test_percent(share: float, said: str) -> None:
    assert percent(share) == said
