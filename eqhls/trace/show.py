"""A trace as tables and sentences in the terminal, and as a picture."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from math import nan
from typing import Any

from rich.table import Table

from eqhls.lazy import lazy
from eqhls.trace.compare import Parting, Row, worst
from eqhls.trace.run import Trace

figures = lazy("matplotlib.figure")
LOWEST = 1e-3
"""LSB below which the picture shows no difference."""
LABELS = 60
"""Ops whose names the picture has room for."""


def trace_lines(found: Trace) -> list[str]:
    """Return what a trace found, a line each."""
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
    table = _table(
        "ten largest errors",
        ("value", "op"),
        ("error/spread", "rms LSB", "own rms LSB", "max LSB", "bound LSB"),
    )
    for r in worst(found.rows):
        numbers = (f"{r.rms:.3g}", f"{r.own:.3g}", f"{r.largest:.3g}", f"{r.limit:.3g}")
        table.add_row(r.value, r.op, f"{r.relative:.2%}", *numbers)
    return table


def range_table(found: Trace) -> Table:
    """Return every value with its format, how much of it is used, and where it exists."""
    columns = ("low", "high", "used", "idle bits", "out of range", *found.engines)
    table = _table(f"{found.graph.name}: {len(found.rows)} values", ("value", "format"), columns)
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


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in texts:
        table.add_column(column, overflow="fold", no_wrap=column == "value")
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=column in ("low", "high", "used"))
    return table


def trace_png(found: Trace) -> bytes:
    """Return a plot of the error of every value in LSB, in the order of the graph, with its bound."""
    count = len(found.rows)
    figure = figures.Figure(figsize=(min(max(7.0, 0.22 * count), 24.0), 4.2), layout="constrained")
    axes = figure.subplots()
    at = range(count)
    axes.step(at, [max(r.limit, LOWEST) for r in found.rows], where="mid", color="0.6", label="bound (rms)")
    axes.scatter(at, _drawn(r.rms for r in found.rows), s=18, label="error (rms); none: exact")
    own = _drawn(r.own for r in found.rows)
    axes.scatter(at, own, s=14, marker="_", color="C1", label="error of the op alone")
    past = [k for k, r in enumerate(found.rows) if r.beyond]
    if past:
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": "C3", "label": "numbers beyond the bound"}
        axes.scatter(past, _drawn(found.rows[k].rms for k in past), s=60, **ring)
    axes.set(yscale="log", ylabel="integer less float [LSB of the value]", title=_title(found))
    if count <= LABELS:
        axes.set_xticks(list(at), [r.value for r in found.rows], rotation=90, fontsize=7)
    else:
        axes.set_xlabel("values in the order of the graph")
    axes.legend(fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _drawn(errors: Iterable[float]) -> list[float]:
    """Return errors as they are drawn on a logarithmic scale: those that are next to nothing are not."""
    return [e if e > LOWEST else nan for e in errors]


def _title(found: Trace) -> str:
    """Return the one message of the picture."""
    parting = found.parting
    says = (
        "no value lies beyond its bound" if parting is None else f"beyond the bound first at %{parting.value}"
    )
    return f"{found.graph.name}, {found.events:,} events: {says}"
