"""Pictures of a tagger of several classes: the ROC of each against the rest, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from eqhls.report.drawing import Box, Curve, Figure, Word, across, plot, upward
from eqhls.report.sources import Facts

COLOURS = 6
"""Colours of lines that the style sheet has."""
LEFT, TOP, WIDTH = 110.0, 44.0, 560.0
"""Where the matrix begins, and the width of the picture."""
LETTERS = 12
SHADES = ((0.5, "l3"), (0.2, "l2"), (0.05, "l1"), (0.0, "l0"))
"""Classes of the style sheet by the share of events; on the darker ones nobody could read a number."""


def class_figures(name: str, curves: Facts) -> Iterator[Figure]:
    """Yield both pictures for curves of three and more classes, and none for others."""
    if "classes" in curves and "confusion" in curves:
        yield _rocs(name, curves["classes"])
        yield _matrix(name, [c["name"] for c in curves["classes"]], curves["confusion"])


def _rocs(name: str, classes: Sequence[Facts]) -> Figure:
    lines: list[Curve] = []
    floor = 0.5
    for k, one in enumerate(classes):
        colour = f"c{k % COLOURS + 1}"
        for side, kind in (("fixed", colour), ("float", f"{colour} dashed thin")):
            points = [(s, b) for s, b in one["sides"][side] if b > 0]
            floor = min(floor, *(b for _, b in points))
            lines.append(Curve(one["name"] if side == "fixed" else "", kind, points))
    drawn = plot(
        f"{name}: each of {len(classes)} classes against the rest, by softmax",
        "For each class the efficiency of the rest against that of the class: lines in fixed point, and "
        "dashed in float.",
        across("efficiency of the class", 0.0, 1.0),
        upward("efficiency of the rest", floor, 1.0, log=True),
        lines,
    )
    return drawn


def _matrix(name: str, names: Sequence[str], confusion: Facts) -> Figure:
    """Draw the shares of the events of each class by the class with the largest score."""
    fixed, floats = (_shares(confusion[side]) for side in ("fixed", "float"))
    right = sum(confusion["fixed"][k][k] for k in range(len(names))) / sum(map(sum, confusion["fixed"]))
    wide = round((WIDTH - LEFT - 10) / len(names), 1)
    high = min(wide, 46.0)
    words = [Word(LEFT + wide * len(names) / 2, 14, "class with the largest score", kind="note")]
    for i, own in enumerate(names):
        words.append(Word(LEFT - 8, TOP + (i + 0.5) * high + 5, _short(own), "end", kind="note"))
        words.append(Word(LEFT + (i + 0.5) * wide, TOP - 10, _short(own), kind="note"))
    boxes: list[Box] = []
    for i, k in product(range(len(names)), repeat=2):
        x, y = LEFT + k * wide, TOP + i * high
        hint = (
            f"{fixed[i][k]:.1%} of the events of {names[i]} have their largest score for {names[k]} in fixed "
            f"point, {floats[i][k]:.1%} in float"
        )
        shade = next(s for least, s in SHADES if fixed[i][k] >= least)
        kind = f"{'bar' if i == k else 'full'} {shade}"
        boxes.append(Box(round(x + 1, 1), round(y + 1, 1), wide - 2, high - 2, kind, hint))
        words.append(Word(x + wide / 2, y + high / 2 - 1, f"{fixed[i][k]:.1%}", kind="name"))
        words.append(Word(x + wide / 2, y + high / 2 + 14, f"{floats[i][k]:.1%}", kind="note"))
    title = f"{name}: {right:.1%} of the events have their largest score for their own class"
    summary = "Confusion matrix: for each true class (rows) the share of events by the class that wins."
    legend = (("bar l3", "own class"), ("full l3", "another"))
    bottom = TOP + high * len(names)
    said = "rows: true class; above in fixed point, below in float"
    words.append(Word(LEFT, bottom + 20, said, "start", kind="note"))
    return Figure(title, summary, legend, tuple(boxes), (), tuple(words), WIDTH, bottom + 32)


def _shares(counts: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[n / (sum(row) or 1.0) for n in row] for row in counts]


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 2]}.."
