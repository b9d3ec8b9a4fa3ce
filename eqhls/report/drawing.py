"""Pictures of a report as values: what is drawn where, in the units of the picture. The template draws them
as SVG, in the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 560.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 12.0, 16.0, 50.0
"""The picture, and the margins that its labels take."""
TICKS, MINOR = 5, 5
"""About how many numbers stand at an axis, and how many small ticks each of their steps has."""
LONG, SHORT = 8.0, 4.0
"""Ticks, which point inwards on all sides, as plots of the field have them."""
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `kind` is its class in the style sheet and `hint` what is shown when it is pointed at. If
    it has a `link`, a reader goes from it and the `label` at its top to the part of the page with that
    identifier; `ident` is its own."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    hint: str = ""
    label: str = ""
    link: str = ""
    ident: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points, as SVG has them; `kind` is its class in the style sheet."""

    points: str
    kind: str


@dataclass(frozen=True, slots=True)
class Bend:
    """A smooth line, as the `d` of a path of SVG; `kind` and `hint` as those of a box."""

    course: str
    kind: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A label; `anchor` is the place of the text that stands at x: start, middle or end, and `kind` its class
    in the style sheet."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    turned: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture: its message as title, what it shows in words for readers who do not see it, the meaning of
    its colours (class and text), and what is drawn. Paths lie below
    boxes, those in `over` above them. A `large` picture keeps its size, and scrolls."""

    title: str
    summary: str
    legend: tuple[tuple[str, str], ...]
    boxes: tuple[Box, ...]
    paths: tuple[Path, ...]
    words: tuple[Word, ...]
    width: float = WIDTH
    height: float = HEIGHT
    bends: tuple[Bend, ...] = ()
    over: tuple[Path, ...] = ()
    large: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`, linear or logarithmic; `start` and `end` are its ends in the picture."""

    label: str
    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value, or that of the end that it is beyond."""
        low, high, at = (log10(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        share = min((at - low) / (high - low or 1.0), 1.0)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Return round values between the ends."""
        if self.log:
            first, last = ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9)
            if last - first < 2:
                return self._multiples((1, 2, 5))
            step = max(1, ceil((last - first) / TICKS))
            return [10.0**k for k in range(first, last + 1, step)]
        return self._steps(self._step())

    def minor(self) -> list[float]:
        """Return the places of the small ticks, those of the others among them."""
        if self.log:
            return self._multiples(tuple(range(1, 10)))
        return self._steps(self._step() / MINOR)

    def _step(self) -> float:
        rough = (self.high - self.low or 1.0) / TICKS
        size = 10.0 ** floor(log10(rough))
        return next(size * k for k in (1, 2, 5, 10) if size * k >= rough * 0.999)

    def _steps(self, step: float) -> list[float]:
        return [k * step for k in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)]

    def _multiples(self, of: Sequence[int]) -> list[float]:
        """Return those multiples of powers of ten that lie between the ends."""
        decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        return [
            m * 10.0**k for k in decades for m in of if self.low * 0.999 <= m * 10.0**k <= self.high * 1.001
        ]


def across(label: str, low: float, high: float, log: bool = False) -> Scale:
    """Return a horizontal axis."""
    return Scale(label, low, high, LEFT, WIDTH - RIGHT, log)


def upward(label: str, low: float, high: float, log: bool = False) -> Scale:
    """Return a vertical axis."""
    return Scale(label, low, high, HEIGHT - BOTTOM, TOP, log)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line with its name in the legend, if it has one; `kind` is its class in the style sheet."""

    name: str
    kind: str
    points: Points


def plot(title: str, summary: str, x: Scale, y: Scale, curves: Sequence[Curve]) -> Figure:
    """Draw curves."""
    paths = tuple(Path(_through(x, y, c.points), c.kind) for c in curves if c.points)
    legend = tuple((c.kind, c.name) for c in curves if c.name)
    grid, words = _axes(x, y)
    return Figure(title, summary, legend, (), (*grid, *paths), words)


def bars(title: str, summary: str, x: Scale, y: Scale, values: Sequence[float], unit: str) -> Figure:
    """Draw a bar for each of the values, which stand at 1, 2, .. of the axis."""
    width = (x.end - x.start) / max(len(values), 1)
    base = y(y.low)
    boxes = tuple(
        Box(
            round(x.start + (k + 0.1) * width, 1),
            y(v),
            round(0.8 * width, 1),
            round(base - y(v), 1),
            "bar",
            f"{x.label} {k + 1}: {v:,.4g} {unit}",
        )
        for k, v in enumerate(values)
    )
    grid, words = _axes(x, y)
    return Figure(title, summary, (), boxes, grid, words)


def stairs(edges: Sequence[float], counts: Sequence[float]) -> list[tuple[float, float]]:
    """Return the outline of a histogram as points."""
    inner = [(e, c) for k, c in enumerate(counts) for e in (edges[k], edges[k + 1])]
    return [(edges[0], 0.0), *inner, (edges[-1], 0.0)]


def _through(x: Scale, y: Scale, points: Points) -> str:
    return " ".join(f"{x(a):g},{y(b):g}" for a, b in points)


def _axes(x: Scale, y: Scale) -> tuple[tuple[Path, ...], tuple[Word, ...]]:
    """Return grid, frame and ticks, and the numbers and names of the axes: names stand at the ends."""
    grid = [Path(f"{x.start:g},{y(t):g} {x.end:g},{y(t):g}", "grid") for t in y.ticks()]
    corners = ((x.start, y.start), (x.start, y.end), (x.end, y.end), (x.end, y.start), (x.start, y.start))
    grid.append(Path(" ".join(f"{a:g},{b:g}" for a, b in corners), "frame"))
    for length, across, upward in ((LONG, x.ticks(), y.ticks()), (SHORT, x.minor(), y.minor())):
        for at in map(x, across):
            grid += [
                Path(f"{at:g},{end:g} {at:g},{end + way * length:g}", "frame")
                for end, way in ((y.start, -1), (y.end, 1))
            ]
        for at in map(y, upward):
            grid += [
                Path(f"{end:g},{at:g} {end + way * length:g},{at:g}", "frame")
                for end, way in ((x.start, 1), (x.end, -1))
            ]
    words = [Word(x(t), y.start + 18, f"{t:g}") for t in x.ticks()]
    words += [Word(x.start - 6, y(t) + 4, f"{t:g}", "end") for t in y.ticks()]
    words.append(Word(x.end, y.start + 40, x.label, "end"))
    words.append(Word(15, y.end, y.label, "end", turned=True))
    return tuple(grid), tuple(words)
