"""A trace as tables and sentences in the terminal, and as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import nan
from typing import Any

from rich.table import Table

from eqhls.columns import table
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
    return table(
        "ten largest errors",
        {"value": [r.value for r in rows], "op": [r.op for r in rows]},
        {
            "error / spread": (f"{r.relative:.2%}" for r in rows),
            "rms LSB": (f"{r.rms:.3g}" for r in rows),
            "own rms LSB": (f"{r.own:.3g}" for r in rows),
            "max LSB": (f"{r.largest:.3g}" for r in rows),
            "bound LSB": (f"{r.limit:.3g}" for r in rows),
        },
    )


def range_table(found: Trace) -> Table:
    """Return every value with its format, how much of it is used, and where it exists."""
    rows, spans = found.rows, [r.range for r in found.rows]
    return table(
        f"{found.graph.name}: {len(rows)} values",
        {"value": [r.value for r in rows], "format": [r.formats for r in rows]},
        {
            "low": (f"{s.low:.4g}" for s in spans),
            "high": (f"{s.high:.4g}" for s in spans),
            "used": (f"{s.used:.0%}" for s in spans),
            "idle bits": (_counts(s.top, "top", s.bottom, "low") for s in spans),
            "out of range": (_counts(s.saturated, "sat", s.wrapped, "wrap") for s in spans),
            **{engine: [_exists(r, engine) for r in rows] for engine in found.engines},
        },
    )


def _counts(first: int, one: str, second: int, other: str) -> str:
    return ", ".join(f"{n:,} {what}" for n, what in ((first, one), (second, other)) if n)


def _exists(row: Row, engine: str) -> str:
    if row.wrong.get(engine):
        return f"{row.wrong[engine]:,} WRONG"
    there = row.exists[engine]
    return "" if not there else "all" if there == row.elements else f"{there}/{row.elements}"


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
