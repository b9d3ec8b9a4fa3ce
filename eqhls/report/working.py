"""The section of the report on working points."""

from __future__ import annotations

import html
from typing import Any

from eqhls.verify.merit import percent
from eqhls.verify.workpoints import CSV

COLUMNS = ("wanted", "integer", "score", "signal", "background", "rejection")


def section(found: dict[str, Any]) -> str:
    """Return the ladders of every score as tables, from what report/working_points.json holds."""
    parts = ["<h2>Working points</h2>", f"<p>{_head(found)}</p>"]
    if found["warning"]:
        parts.append(f'<p class="bad">{html.escape(found["warning"])}</p>')
    for port in found["ports"]:
        both = f"AUC {port['auc']:.4f}" + (
            f", by softmax {port['auc_softmax']:.4f}" if len(found["ports"]) > 1 else ""
        )
        title = f"{port['port']}: {port['signal']} against {port['background']}, {both}"
        parts.append(f"<h3>{html.escape(title)}</h3>" + _table(map(_cells, port["ladder"])))
    return "\n".join(parts)


def _head(found: dict[str, Any]) -> str:
    accuracy = "" if found["accuracy"] is None else f", accuracy {found['accuracy']:.4f}"
    return (
        f"An event passes if the integer of the score is at least the one given. {found['events']:,} events"
        f"{accuracy}. Errors are intervals of Clopper and Pearson; a &lt; marks an upper limit of 95 %. All "
        f"thresholds: <code>{CSV}</code>."
    )


def _cells(step: dict[str, Any]) -> list[str]:
    point = step["point"]
    if point is None:
        return [step["wanted"], "not reached at any integer that occurs", *[""] * (len(COLUMNS) - 2)]
    rejection = (
        f"{point['rejection']:.4g}" if point["rejection"] else f"> {1 / point['background']['upper']:.2g}"
    )
    rates = (percent(point[kind]) for kind in ("signal", "background"))
    return [step["wanted"], str(point["threshold"]), f"{point['score']:g}", *rates, rejection]


def _table(rows: Any) -> str:
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{c}</th>" for c in COLUMNS) + f"</tr>{body}</table>"
