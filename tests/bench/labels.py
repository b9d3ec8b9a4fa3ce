"""Names beside points of a scatter plot, each where it lies on no other name, and on no point."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import hypot
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from eqhls.plots import SMALL

REACH = (8, 13, 19, 26, 34)
"""How far from its point a name may lie, in points of 1/72 inch: the nearest place that is free is taken."""
SIDES = ((1, 0), (1, -1), (1, 1), (-1, 0), (-1, -1), (-1, 1), (0, -1), (0, 1))
ALIGNED = {1: "left", 0: "center", -1: "right"}
LEADER: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 3}
HALF = 4.0
"""Half the width of a point with the room around it, in points of 1/72 inch."""


class Named(NamedTuple):
    """A point of a plot in its units, its name, and the colour of the name."""

    x: float
    y: float
    name: str
    color: str


def name_points(axes: Axes, named: Sequence[Named]) -> list[Annotation]:
    """Write the name of each point near it, off the lines too if there is a place. The layout must be final.
    Raises ValueError if there is none near a point."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches() * figure.dpi
    renderer = RendererAgg(float(width), float(height), figure.dpi)
    half = HALF * figure.dpi / 72
    spots = axes.transData.transform([(p.x, p.y) for p in named])
    points = [Bbox([[x - half, y - half], [x + half, y + half]]) for x, y in spots]
    inside, lines = axes.get_window_extent(renderer).padded(-3), _lines(axes)
    taken, labels = list(points), list[Annotation]()
    for one, spot in zip(named, spots, strict=True):
        label = _label(axes, one)
        labels.append(label)
        taken.append(_placed(label, renderer, Room(inside, taken, lines, spots, spot)))
        if max(map(abs, label.get_position())) > REACH[1]:
            style = LEADER | {"color": one.color}
            axes.annotate("", label.xy, label.get_position(), textcoords="offset points", arrowprops=style)
    return labels


class Room(NamedTuple):
    """What a name must heed, in pixels: the axes, boxes that are taken, lines, all points and its own."""

    inside: Bbox
    taken: Sequence[Bbox]
    lines: Sequence[Path]
    spots: Any
    own: Any

    def fits(self, box: Bbox) -> bool:
        return within(box, self.inside) and not any(box.overlaps(other) for other in self.taken)

    def crosses(self, box: Bbox) -> bool:
        return any(line.intersects_bbox(box, filled=False) for line in self.lines)

    def misleads(self, box: Bbox) -> bool:
        """Whether a name lies nearer to another point than to its own."""
        return any(gap(box, spot) < gap(box, self.own) for spot in self.spots)


def gap(box: Bbox, spot: Any) -> float:
    """Return how far a point lies from a box."""
    across, up = max(box.x0 - spot[0], spot[0] - box.x1, 0), max(box.y0 - spot[1], spot[1] - box.y1, 0)
    return hypot(across, up)


def _label(axes: Axes, one: Named) -> Annotation:
    style = {"fontsize": SMALL, "va": "center", "color": one.color}
    return axes.annotate(one.name, (one.x, one.y), (0, 0), textcoords="offset points", **style)


def _lines(axes: Axes) -> list[Path]:
    """Return the lines of a plot in pixels."""
    drawn = (axes.transData.transform(line.get_xydata()) for line in axes.get_lines())
    return [Path(points) for points in drawn if len(points) > 1]


def _placed(label: Annotation, renderer: RendererAgg, room: Room) -> Bbox:
    """Move a name to the nearest free place, off the lines and nearest to its own point if there is one, and
    return its box."""
    for lines, near in ((True, True), (False, True), (True, False), (False, False)):
        for reach, (dx, dy) in product(REACH, SIDES):
            label.set(position=(reach * dx, reach * dy), ha=ALIGNED[dx])
            box = label.get_window_extent(renderer)
            if room.fits(box) and not (lines and room.crosses(box)) and not (near and room.misleads(box)):
                return box
    raise ValueError(f"{label.get_text()}: no place near the point is free; make the picture larger")


def within(box: Bbox, room: Bbox) -> bool:
    """Whether a box lies in another one."""
    return room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1
