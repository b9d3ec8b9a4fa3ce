"""AUC against LUT and against ns, words to score, of ours and of the peers: one picture of a table's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from .names import ours_on_words

TITLES = {"top": "top against QCD", "five": "q, g, W, Z, t: mean of one against the rest"}
COSTS = {"lut": "estimated LUT (front end counted)", "ns": "latency in ns at 360 MHz"}
KINDS = {
    "ours": {"color": "C3", "marker": "o", "label": "ours"},
    "deepset": {"color": "C0", "marker": "s", "label": "Deep Set"},
    "jedi": {"color": "C2", "marker": "^", "label": "JEDI-linear style"},
}


class Point(NamedTuple):
    """What is drawn of a network."""

    name: str
    kind: str
    task: str
    auc: float
    lut: float
    ns: float


def points(rows: Mapping[str, Mapping[str, Any]]) -> list[Point]:
    """Return the rows as numbers."""
    ours = ours_on_words()
    return [
        Point(
            name,
            "ours" if name in ours else name.split("_")[0],
            row["task"],
            float(row["auc"]),
            float(row["lut"].replace(",", "")),
            float(row["ns"]),
        )
        for name, row in rows.items()
    ]


def front(found: Iterable[Point], cost: str) -> list[Point]:
    """Return those that no other undercuts at their AUC, by rising cost."""
    best: list[Point] = []
    for point in sorted(found, key=lambda p: (getattr(p, cost), -p.auc)):
        if not best or point.auc > best[-1].auc:
            best.append(point)
    return best


def message(found: list[Point]) -> str:
    """Say of each task how far apart the fronts are at the AUC of the best peer that one of ours reaches."""
    said = [_gap([p for p in found if p.task == task], TITLES[task].split(":")[0]) for task in TITLES]
    return "; ".join(s for s in said if s)


def _gap(found: list[Point], title: str) -> str:
    ours = [p for p in found if p.kind == "ours"]
    peers = [p for p in found if p.kind != "ours" and any(o.auc >= p.auc for o in ours)]
    if not peers:
        return ""
    peer = min((p for p in peers if p.auc == max(q.auc for q in peers)), key=lambda p: p.lut)
    mine = min((p for p in ours if p.auc >= peer.auc), key=lambda p: p.lut)
    ratios = f"{peer.lut / mine.lut:.1f} times the LUT and {peer.ns / mine.ns:.1f} times the ns"
    return f"{title}: {peer.name} ({peer.auc:.4f}) takes {ratios} of {mine.name} ({mine.auc:.4f})"


def draw(rows: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Write the picture of all rows."""
    found = points(rows)
    tasks = [t for t in TITLES if any(p.task == t for p in found)]
    figure = Figure(figsize=(10, 4 * len(tasks) + 0.6), layout="constrained")
    figure.suptitle(
        "From the trigger's words to the score\n" + message(found).replace("; ", "\n"), fontsize=11
    )
    for line, task in zip(figure.subplots(len(tasks), 2, sharey="row", squeeze=False), tasks, strict=True):
        for axes, cost in zip(line, COSTS, strict=True):
            _panel(axes, [p for p in found if p.task == task], cost)
            axes.set(title=TITLES[task], xlabel=COSTS[cost])
        line[0].set_ylabel("AUC")
        line[0].legend(loc="lower right", fontsize=8)
    figure.savefig(file, dpi=110, metadata={"Software": None})


def _panel(axes: Axes, found: list[Point], cost: str) -> None:
    for kind, style in KINDS.items():
        own = [p for p in found if p.kind == kind]
        if not own:
            continue
        axes.scatter([getattr(p, cost) for p in own], [p.auc for p in own], s=30, **style)
        best = front(own, cost)
        axes.plot([getattr(p, cost) for p in best], [p.auc for p in best], color=style["color"], linewidth=1)
        for p in own:
            short = p.name.replace(f"{kind}_{p.task}_", "")
            axes.annotate(short, (getattr(p, cost), p.auc), (4, -9), textcoords="offset points", fontsize=7)
    if cost == "lut":
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
