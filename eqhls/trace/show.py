"""A trace as tables and sentences in the terminal, and as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from typing import Any

from rich import box
from rich.table import Table

from eqhls.plots import COLOURS, NORMAL, SMALL, dress, figure, percent, png
from eqhls.trace.compare import Parting, Row, worst
from eqhls.trace.run import Trace

LOWEST = 1e-3
"""LSB below which the picture shows no difference."""
LABELS = 60
"""Ops whose names the picture has room for."""


def trace_lines(found: Trace) -> list[str]:
    """Return what a trace found, as lines of text."""
    left = f", {found.left_out:,} more left out" if found.left_out else ""
    lines = [f"events       {found.events:,}{left}"]
    parting = found.parting
    if parting is None:
        lines.append("float        no number lies further from the float network than its bound")
    else:
        lines.append(f"float        part first at {_place(parting)}: {_numbers(parting)}")
    for engine, values in found.engines.items():
        first = found.different.get(engine)
        says = (
            "all numbers are those of the integer engine"
            if first is None
            else f"differs first at {_place(first)}"
        )
        numbers = (
            "" if first is None else f": {first.found:g}, integer {first.want:g}; {first.numbers} numbers"
        )
        exist = sum(int(s.exists.sum()) for s in values.values())
        lines.append(
            f"{engine:<12} {says}{numbers} ({len(values)} of {len(found.rows)} values, {exist} of "
            f"{sum(r.elements for r in found.rows)} elements exist)"
        )
    return lines + [f"note         {note}" for note in found.notes]


def _place(p: Parting) -> str:
    element = ",".join(map(str, p.element))
    return f"%{p.value} ({p.op}), event {p.event}, element [{element}]"


def _numbers(p: Parting) -> str:
    lost = f", {p.saturated} saturate" if p.saturated else ""
    return f"float {p.want:g}, integer {p.found:g}, bound {p.limit:.2g} ({p.numbers} numbers{lost})"


def worst_table(found: Trace) -> Table:
    """Return the ten values whose error is largest relative to their spread."""
    rows = worst(found.rows)
    table = _table(
        "ten largest errors",
        {"value": [r.value for r in rows], "op": [r.op for r in rows]},
        ("error / spread", "rms LSB", "own rms LSB", "max LSB", "bound LSB"),
    )
    for r in rows:
        numbers = (f"{r.rms:.3g}", f"{r.own:.3g}", f"{r.largest:.3g}", f"{r.limit:.3g}")
        table.add_row(r.value, r.op, f"{r.relative:.2%}", *numbers)
    return table


def range_table(found: Trace) -> Table:
    """Return every value with its format, how much of it is used, and where it exists."""
    columns = ("low", "high", "used", "idle bits", "out of range", *found.engines)
    texts = {"value": [r.value for r in found.rows], "format": [r.formats for r in found.rows]}
    table = _table(f"{found.graph.name}: {len(found.rows)} values", texts, columns)
    for r in found.rows:
        span = r.range
        ends = (f"{span.low:.4g}", f"{span.high:.4g}", f"{span.used:.0%}")
        idle = _counts(span.top, "top", span.bottom, "low")
        lost = _counts(span.saturated, "sat", span.wrapped, "wrap")
        table.add_row(r.value, r.formats, *ends, idle, lost, *(_exists(r, e) for e in found.engines))
    return table


def _counts(first: int, one: str, second: int, other: str) -> str:
    return ", ".join(f"{n:,} {what}" for n, what in ((first, one), (second, other)) if n)


def _exists(row: Row, engine: str) -> str:
    if row.wrong.get(engine):
        return f"{row.wrong[engine]:,} WRONG"
    there = row.exists[engine]
    return "" if not there else "all" if there == row.elements else f"{there}/{row.elements}"


def _table(title: str, texts: Mapping[str, Iterable[str]], numbers: Sequence[str]) -> Table:
    """Return an empty table without vertical lines, which fits 80 columns. `texts` are its first columns with
    what they will hold: a value's name stays whole, and a format is broken at its bars only."""
    look: Any = {"box": box.SIMPLE_HEAD, "show_edge": False, "pad_edge": False, "padding": (0, 1, 0, 0)}
    table = Table(title=title, title_justify="left", **look)
    for column, held in texts.items():
        width = max((len(part) for text in held for part in text.split("|")), default=0)
        table.add_column(column, overflow="fold", no_wrap=column == "value", min_width=width)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=column in ("low", "high", "used"))
    return table


def trace_png(found: Trace) -> bytes:
    """Return the picture of a trace as a PNG file."""
    return png(figure_of(found.rows, title_of(found)))


def figure_of(rows: Sequence[Row], title: str) -> Any:
    """Return a plot of the error of every value in LSB, in the order of the graph, with its bound."""
    count = len(rows)
    drawn = figure(min(max(8.0, 0.25 * count), 24.0), 5.0)
    axes, at = drawn.subplots(), range(count)
    bounds = [max(r.limit, LOWEST) for r in rows]
    axes.step(at, bounds, where="mid", color="0.5", label="bound (rms)")
    drawn_rms = _drawn(r.rms for r in rows)
    axes.scatter(at, drawn_rms, s=30, color=COLOURS[0], label="error (rms)")
    own = _drawn(r.own for r in rows)
    axes.scatter(at, own, s=60, marker="_", color=COLOURS[1], label="error of the op alone (rms)")
    past = [k for k, r in enumerate(rows) if r.beyond]
    if past:
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": "black", "linewidths": 1.5}
        axes.scatter(past, [drawn_rms[k] for k in past], s=110, label="numbers beyond the bound", **ring)
    axes.set_title(title, fontsize=NORMAL)
    axes.set(yscale="log", ylabel="integer less float [LSB of the value]", xlabel=_order(rows))
    if count <= LABELS:
        axes.set_xticks(list(at), [r.value for r in rows], rotation=90, fontsize=SMALL)
    axes.grid(axis="y", alpha=0.3)
    dress(axes, named=True)
    axes.legend(fontsize=SMALL, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return drawn


def _order(rows: Sequence[Row]) -> str:
    exact = sum(r.rms <= LOWEST for r in rows)
    return f"value, in the order of the graph ({exact} of {len(rows)} are exact and have no point)"


def _drawn(errors: Iterable[float]) -> list[float]:
    """Return errors as they are drawn on a logarithmic scale: those that are next to nothing are not."""
    return [e if e > LOWEST else nan for e in errors]


def title_of(found: Trace) -> str:
    """Return the one message of the picture."""
    parting, largest = found.parting, worst(found.rows, 1)
    head = f"{found.graph.name}, {found.events:,} events: "
    if parting is not None:
        return head + f"a number lies beyond its bound first in {parting.value}"
    if not largest or not largest[0].relative:
        return head + "no number lies beyond its bound"
    most = f"{percent(largest[0].relative)} of the spread, in {largest[0].value}"
    return head + f"no number lies beyond its bound; the largest error is {most}"
