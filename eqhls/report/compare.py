"""Many projects side by side, one row per project, as a page, Markdown, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

from eqhls.report.page import rendered
from eqhls.report.proof import verdict
from eqhls.report.sources import Facts, Sources
from eqhls.report.table import Entry, Mark, Table

Format = Literal["html", "md", "csv", "json"]
Row = Mapping[str, Any]
"""A project by the names of `COLUMNS`; None for what is not known."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name for machines, its title for people, how its value is read from a project and how
    people see it."""

    name: str
    title: str
    read: Callable[[Sources], Any]
    shown: str = ""


def _entry(*keys: str) -> Callable[[Sources], Any]:
    def read(found: Sources) -> Any:
        value: Any = found.manifest
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return read


def _number(stage: str, key: str) -> Callable[[Sources], Any]:
    def read(found: Sources) -> Any:
        one: Facts = found.stage(stage) or {"numbers": {}}
        return one["numbers"].get(key)

    return read


COLUMNS = (
    Column("name", "project", _entry("name")),
    Column("folder", "folder", lambda s: str(s.folder)),
    Column("verified", "verified", lambda s: s.verified),
    Column("verdict", "verdict", lambda s: verdict(s).text),
    Column("symmetry", "exact symmetry", _entry("symmetry")),
    Column("events", "events of the proof", _number("integer", "events"), ","),
    Column("auc_float", "AUC in float", _number("auc", "float"), ".4f"),
    Column("auc_fixed", "AUC in fixed point", _number("auc", "fixed"), ".4f"),
    Column("lut_estimate", "LUT, estimated", _entry("lut_estimate"), ","),
    Column("srl_luts", "LUT in shift registers", _entry("srl_luts"), ","),
    Column("dsp", "DSP", _entry("dsp"), ","),
    Column("register_bits", "register bits", _entry("register_bits"), ","),
    Column("latency_cycles", "latency in clocks", _entry("latency_cycles"), ","),
    Column("latency_ns", "latency in ns", _entry("latency_ns"), "g"),
    Column("ii", "II in clocks", _entry("ii"), ","),
    Column("clock_mhz", "clock in MHz", _entry("clock_mhz"), "g"),
    Column("stage_depth_ns", "deepest stage in ns", _entry("stage_depth_ns"), "g"),
    Column("part", "part", _entry("options", "Part")),
    Column("model_hash", "hash of the network", _entry("model_hash")),
)
HIDDEN = ("verdict",)
"""What tables for people leave out: `verified` says the same in fewer letters."""


def row_of(found: Sources) -> Row:
    """Return a project by the names of the columns."""
    return {c.name: c.read(found) for c in COLUMNS}


def written(rows: Sequence[Row], format: Format, links: Mapping[str, str] | None = None) -> str:
    """Return projects in one table. `links` are the addresses of their pages by folder, for html alone."""
    match format:
        case "json":
            return json.dumps(rows, indent=1) + "\n"
        case "csv":
            return _csv(rows)
        case "md":
            return _markdown(rows)
        case "html":
            return rendered("compare.html.j2", table=table(rows), links=links or {}, rows=rows)


def table(rows: Sequence[Row]) -> Table:
    """Return projects as a table for people."""
    shown = [c for c in COLUMNS if c.name not in HIDDEN]
    body = tuple(tuple(_shown(c, row[c.name]) for c in shown) for row in rows)
    return Table(f"{len(rows)} projects", tuple(c.title for c in shown), body, 4)


def _shown(column: Column, value: Any) -> Entry:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return Mark("yes" if value else "no", value)
    return format(value, column.shown)


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow([c.name for c in COLUMNS])
    out.writerows([["" if row[c.name] is None else row[c.name] for c in COLUMNS] for row in rows])
    return text.getvalue()


def _markdown(rows: Sequence[Row]) -> str:
    made = table(rows)
    lines = [made.columns, ["---" if k < made.texts else "---:" for k in range(len(made.columns))]]
    lines += [[_cell(str(entry)) for entry in row] for row in made.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    """Return a text that no cell of Markdown takes for something else."""
    return escape(" ".join(text.split()), quote=False).replace("\\", "\\\\").replace("|", "\\|")


def projects(folders: Sequence[Path]) -> list[Row]:
    """Return the rows of project folders. Raises CompileError for a folder that is not a project."""
    return [row_of(Sources.of(folder)) for folder in folders]
