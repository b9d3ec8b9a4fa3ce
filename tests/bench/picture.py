"""AUC against LUT and against ns, of ours and of the peers: a picture of the rows of one or more tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from eqhls.plots import COLOURS, NORMAL, SMALL, dress, png

from .labels import Named, name_points
from .names import OURS, ours_on_words

TITLES = {"top": "top against QCD", "five": "q, g, W, Z, t: mean of one against the rest"}
COSTS = {"lut": "LUT [alkaid's estimate]", "ns": "latency at 360 MHz [ns]"}
KINDS = {
    "ours": {"color": COLOURS[1], "marker": "o", "label": "ours"},
    "deepset": {"color": COLOURS[0], "marker": "s", "label": "Deep Set"},
    "jedi": {"color": COLOURS[2], "marker": "^", "label": "JEDI-linear style"},
    "published": {"color": "black", "marker": "D", "label": "published network, compiled by eqhls"},
}
PUBLISHED = "pelican_nano_published"
CLOCK_NS = 1000 / 360


class Point(NamedTuple):
    """What is drawn of a network."""

    name: str
    kind: str
    task: str
    auc: float
    lut: float
    ns: float


class Panel(NamedTuple):
    """A table of networks that were measured on the same events: what its heading says, and its points."""

    title: str
    points: list[Point]


def points(rows: Mapping[str, Mapping[str, Any]]) -> list[Point]:
    """Return the rows as numbers; those of the front end alone, which has no AUC, are left out."""
    return [
        Point(
            name,
            kind_of(name),
            row.get("task", ""),
            float(row["auc"]),
            float(row["lut"].replace(",", "")),
            float(row["ns"]) if "ns" in row else float(row["clocks"]) * CLOCK_NS,
        )
        for name, row in rows.items()
        if "auc" in row
    ]


def kind_of(name: str) -> str:
    """Return whose network it is; what is neither ours nor trained here as a peer was published."""
    if name != PUBLISHED and name in (*OURS, *ours_on_words()):
        return "ours"
    kind = name.split("_")[0]
    return kind if kind in KINDS else "published"


def read(file: Path) -> list[Panel]:
    """Return the panels of kept rows: of a file of rows one for each task, and of a list of tables one for
    each table, whose rows are in it or, of one task, in a file beside it."""
    kept = json.loads(file.read_text())
    if isinstance(kept, dict):
        return by_task(kept)
    return [Panel(table["title"], points(_rows(table, file.parent))) for table in kept]


def _rows(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    if "rows" in table:
        return table["rows"]
    rows = json.loads((folder / table["file"]).read_text())
    return {name: row for name, row in rows.items() if row.get("task") == table["task"]}


def by_task(rows: Mapping[str, Mapping[str, Any]]) -> list[Panel]:
    """Return a panel for each task of the networks that read words."""
    found = points(rows)
    title = "{}, from trigger words, front end counted"
    panels = [Panel(title.format(TITLES[t]), [p for p in found if p.task == t]) for t in TITLES]
    return [p for p in panels if p.points]


def front(found: Iterable[Point], cost: str) -> list[Point]:
    """Return those that no other undercuts at their AUC, by rising cost."""
    best: list[Point] = []
    for point in sorted(found, key=lambda p: (getattr(p, cost), -p.auc)):
        if not best or point.auc > best[-1].auc:
            best.append(point)
    return best


def message(found: list[Point]) -> str:
    """Say of each task how far apart the fronts are at the AUC of the best peer that one of ours reaches."""
    said = [(TITLES[task].split(":")[0], gap([p for p in found if p.task == task])) for task in TITLES]
    return "; ".join(f"{title}: {gap}" for title, gap in said if gap)


def gap(found: list[Point]) -> str:
    """Say how far apart ours and the best peer that one of ours reaches are; nothing if none is reached."""
    ours = [p for p in found if p.kind == "ours"]
    trained = [p for p in found if p.kind not in ("ours", "published")]
    peers = [p for p in trained if any(o.auc >= p.auc for o in ours)]
    if not peers:
        return ""
    peer = min((p for p in peers if p.auc == max(q.auc for q in peers)), key=lambda p: p.lut)
    mine = min((p for p in ours if p.auc >= peer.auc), key=lambda p: p.lut)
    ratios = f"{peer.lut / mine.lut:.1f} times the LUT and {peer.ns / mine.ns:.1f} times the ns"
    return f"{peer.name} ({peer.auc:.4f}) takes {ratios} of {mine.name} ({mine.auc:.4f})"


def ends(found: list[Point]) -> str:
    """Say which network ranks best and which is cheapest."""
    best, cheap = max(found, key=lambda p: p.auc), min(found, key=lambda p: p.lut)
    return f"{best.name} ({best.auc:.4f}) ranks best, {cheap.name} ({cheap.auc:.4f}) takes fewest LUT"


def draw(panels: Sequence[Panel], file: Path) -> None:
    """Write the picture of some tables."""
    file.write_bytes(png(figure_of(panels)))


def figure_of(panels: Sequence[Panel]) -> Figure:
    """Return AUC against LUT on the left and against ns on the right, a row for each table, under what it
    says; every point has its name, and no two names lie on each other."""
    figure = Figure(figsize=(11, 4.7 * len(panels)), layout="constrained")
    drawn: list[tuple[Axes, list[Point], str]] = []
    for part, panel in zip(figure.subfigures(len(panels), 1, squeeze=False)[:, 0], panels, strict=True):
        part.suptitle(
            "\n".join(s for s in (panel.title, gap(panel.points) or ends(panel.points)) if s),
            fontsize=NORMAL + 1,
        )
        for axes, cost in zip(part.subplots(1, 2, sharey=True), COSTS, strict=True):
            _draw(axes, panel.points, cost)
            drawn.append((axes, panel.points, cost))
        part.axes[0].set_ylabel("AUC", loc="top")
        handles, labels = part.axes[0].get_legend_handles_labels()
        part.legend(handles, labels, loc="outside lower center", ncols=len(KINDS), fontsize=SMALL)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # names take room between the points, and move nothing
    for axes, found, cost in drawn:
        colors = {kind: style["color"] for kind, style in KINDS.items()}
        name_points(axes, [Named(getattr(p, cost), p.auc, short_of(p), colors[p.kind]) for p in found])
    return figure


def short_of(point: Point) -> str:
    """Return a name without what colour and panel say already."""
    if point.kind in ("ours", "published"):
        return point.name
    words = [w for w in point.name.split("_") if w not in (point.kind, point.task)]
    return " ".join(words).replace("seed2", "seed 2")


def _draw(axes: Axes, found: list[Point], cost: str) -> None:
    for kind, style in KINDS.items():
        own = [p for p in found if p.kind == kind]
        if not own:
            continue
        axes.scatter([getattr(p, cost) for p in own], [p.auc for p in own], s=36, zorder=3, **style)
        best = front(own, cost)
        axes.plot([getattr(p, cost) for p in best], [p.auc for p in best], color=style["color"], linewidth=1)
    axes.set_xlabel(COSTS[cost])
    axes.margins(0.1)
    dress(axes)
    if cost == "lut":
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
