"""The pipeline of a project as a picture: what is computed in which clock, and how deep each stage is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eqhls.ir.graph import Graph
from eqhls.report.drawing import Box, Figure, Path, Scale, Word
from eqhls.report.sources import Facts, Sources

NAMES, TOTALS, MARGIN = 170.0, 70.0, 14.0
"""Widths of the names at the left and of the sums at the right, and the margin above and below."""
PANEL, ROW, FOOT = 92.0, 20.0, 50.0
"""Heights of the depths above, of a row, and of the labels below."""
NARROW, BROAD, FULL = 26.0, 60.0, 1100.0
"""The least and the largest width of a stage, and the width of the picture that is aimed at."""
MOST, LETTERS = 60, 22
"""Up to this many values have one row per value, more have one row per op; the most letters of a name."""
SHADES = ((0.4, "l5"), (0.15, "l4"), (0.05, "l3"), (0.01, "l2"), (0.0, "l1"))
"""Classes of the style sheet by the share of the fullest entry."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is computed, and the LUTs that it takes by stage."""

    name: str
    luts: Mapping[int, float]

    @property
    def total(self) -> float:
        return sum(self.luts.values())


def logic_by_value(found: Sources) -> dict[str, Row]:
    """Return the stages and LUTs of every value that the netlist computes; none of an older project."""
    logic: Facts = found.manifest.get("logic", {})
    return {name: Row(name, {int(k): float(lut) for k, lut in each}) for name, each in logic.items()}


def logic_by_op(graph: Graph, values: Mapping[str, Row]) -> list[Row]:
    """Return the same summed over the values of each op, in the order in which ops first occur."""
    sums: dict[str, dict[int, float]] = {}
    for node in graph:
        if node.name in values:
            kind = sums.setdefault(node.op.name(), {})
            for k, lut in values[node.name].luts.items():
                kind[k] = kind.get(k, 0.0) + lut
    return [Row(name, luts) for name, luts in sums.items()]


def pipeline_figure(found: Sources) -> Figure | None:
    """Draw the stages against the clock, and in which of them each value or op is computed. Returns None for
    a project whose manifest does not say so."""
    m, values = found.manifest, logic_by_value(found)
    depths = [float(s["depth_ns"]) for s in m.get("stages", ())]
    if not depths or not values:
        return None
    rows = list(values.values()) if len(values) <= MOST else logic_by_op(found.graph, values)
    period = 1e3 / m["clock_mhz"]
    step = min(max((FULL - NAMES - TOTALS) / (len(depths) + 1), NARROW), BROAD)
    x = Scale("clock", 0, len(depths) + 1, NAMES, NAMES + step * (len(depths) + 1))
    y = Scale("ns", 0, max(period, *depths) * 1.1, MARGIN + PANEL, MARGIN)
    bottom = MARGIN + PANEL + 12 + ROW * len(rows)
    deepest = max(range(len(depths)), key=depths.__getitem__)
    clocks = f"{m['latency_cycles']} clocks of {period:.3g} ns, {m['latency_ns']:g} ns in all"
    title = (
        f"{m['name']}: {clocks}; stage {deepest + 1} is the deepest with {depths[deepest]:.3g} ns of logic"
    )
    summary = (
        f"The pipeline of {m['name']} from the register of the inputs to that of the outputs: {clocks}. "
        f"Above, the logic of each stage in ns against the clock; below, a row for each {_unit(values)} with "
        "the stages in which its logic lies, and its LUTs at the right."
    )
    legend = (
        ("bar", "logic of a stage in ns"),
        ("dashed c2", "clock period"),
        ("bar l4", "LUTs: the more, the darker"),
    )
    return Figure(
        title,
        summary,
        legend,
        (*_depth_boxes(x, y, depths), *_row_boxes(x, rows)),
        tuple(_lines(x, y, period, len(depths), bottom)),
        tuple(_words(x, y, period, rows, len(depths), bottom)),
        x.end + TOTALS,
        bottom + FOOT,
        large=True,
    )


def _unit(values: Mapping[str, Row]) -> str:
    return "value" if len(values) <= MOST else "op"


def _top(row: int) -> float:
    return MARGIN + PANEL + 12 + ROW * row


def _depth_boxes(x: Scale, y: Scale, depths: Sequence[float]) -> Iterator[Box]:
    for k, ns in enumerate(depths, 1):
        top = y(ns)
        width = x(k + 1) - x(k)
        hint = f"stage {k}: {ns:.3g} ns of logic"
        yield Box(x(k) + 4, top, round(width - 8, 1), round(y(0) - top, 1), "bar", hint)


def _row_boxes(x: Scale, rows: Sequence[Row]) -> Iterator[Box]:
    fullest = max((lut for row in rows for lut in row.luts.values()), default=0.0) or 1.0
    for place, row in enumerate(rows):
        for k, lut in row.luts.items():
            shade = next(name for least, name in SHADES if lut / fullest >= least)
            hint = f"{row.name}: {lut:,.0f} LUT in stage {k}"
            yield Box(x(k) + 1, _top(place) + 2, round(x(k + 1) - x(k) - 2, 1), ROW - 4, f"bar {shade}", hint)


def _lines(x: Scale, y: Scale, period: float, stages: int, bottom: float) -> Iterator[Path]:
    """Yield the registers between the stages, the clock period, and the foot of the depths."""
    for k in range(stages + 2):
        yield Path(f"{x(k):g},{MARGIN:g} {x(k):g},{bottom:g}", "grid")
    yield Path(f"{x(0):g},{y(0):g} {x.end:g},{y(0):g}", "frame")
    yield Path(f"{x(0):g},{bottom:g} {x.end:g},{bottom:g}", "frame")
    yield Path(f"{x(1):g},{y(period):g} {x.end:g},{y(period):g}", "dashed c2")


def _words(
    x: Scale, y: Scale, period: float, rows: Sequence[Row], stages: int, bottom: float
) -> Iterator[Word]:
    yield Word(NAMES - 8, y(period) + 4, f"clock {period:.3g} ns", "end", kind="note")
    yield Word(NAMES - 8, y(0) + 4, "logic 0 ns", "end", kind="note")
    yield Word((x(0) + x(1)) / 2, bottom + 16, "in", kind="note")
    for k in range(1, stages + 1):
        yield Word((x(k) + x(k + 1)) / 2, bottom + 16, str(k), kind="note")
    label = "stage; a column is one clock"
    yield Word(x.end, bottom + 38, label, "end")
    yield Word(x.end + TOTALS - 6, y(0) + 4, "LUT", "end", kind="note")
    for place, row in enumerate(rows):
        name = row.name if len(row.name) <= LETTERS else f"{row.name[: LETTERS - 2]}.."
        yield Word(NAMES - 8, _top(place) + 14, name, "end", kind="note")
        yield Word(x.end + TOTALS - 6, _top(place) + 14, f"{row.total:,.0f}", "end", kind="note")


def ops_figure(found: Sources, kinds: Sequence[Row]) -> Figure:
    """Draw the LUTs of each op, the largest first, and over how many stages its values reach at most."""
    ranked = sorted(kinds, key=lambda row: -row.total)
    whole = sum(row.total for row in ranked) or 1.0
    width, names = 560.0, 120.0
    x = Scale("LUT", 0, max(row.total for row in ranked) or 1.0, names, width - 130)
    boxes = [
        Box(
            names,
            MARGIN + k * 24 + 3,
            max(round(x(row.total) - names, 1), 1),
            18,
            "bar",
            f"{row.total:,.0f} LUT",
        )
        for k, row in enumerate(ranked)
    ]
    words: list[Word] = []
    for k, row in enumerate(ranked):
        words.append(Word(names - 6, MARGIN + k * 24 + 17, row.name, "end"))
        words.append(
            Word(
                x(row.total) + 6, MARGIN + k * 24 + 17, f"{row.total:,.0f} ({row.total / whole:.0%})", "start"
            )
        )
    first = ranked[0]
    title = f"{found.manifest['name']}: {first.name} takes {first.total / whole:.0%} of the {whole:,.0f} LUT"
    return Figure(
        title,
        "A bar for each op: LUTs of the netlist, estimated.",
        (),
        tuple(boxes),
        (),
        tuple(words),
        width,
        max(2 * MARGIN + 24 * len(ranked), 120),
    )
