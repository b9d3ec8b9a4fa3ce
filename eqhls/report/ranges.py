"""The section of a report about ranges: what every value takes of its format, and what saturates."""

from __future__ import annotations

from collections.abc import Sequence

from eqhls.report.boxplots import box_plots
from eqhls.report.sources import Facts, Sources
from eqhls.report.table import Entry, Mark, Section, Table

WORST = 10
"""How many ops are listed as the worst."""


def ranges_section(found: Sources) -> Section:
    """Return how values use their formats, from the trace, and which saturate, from the proof."""
    title, trace = "Ranges, saturation and rounding", found.trace
    lines: list[Entry] = []
    inputs = found.stage("inputs")
    if inputs:
        lines.append(f"In the events of the proof: {inputs['detail']}.")
    tables = list(_saturated(inputs)) if inputs else []
    if trace is None:
        lines.append(
            f"The range of every value has not been measured: eqhls verify {found.folder} EVENTS.npz, or "
            f"eqhls trace and then eqhls report {found.folder}, show it here."
        )
        return Section("ranges", title, tuple(lines), (), tuple(tables))
    lines.append(
        f"Ranges and errors are those of {trace['events']:,} events, of the last trace or, without one, of "
        "the proof."
    )
    rows = tuple(map(_row, trace["values"]))
    columns = (
        "value",
        "op",
        "formats",
        "smallest",
        "largest",
        "range used",
        "bits idle at the top",
        "at the bottom",
        "saturated",
        "wrapped",
        "rms error in LSB",
        "rms allowed",
    )
    tables += [_worst(trace["values"]), Table("Every value", columns, rows, 3, folded=True)]
    return Section(
        "ranges",
        title,
        tuple(lines),
        tuple(box_plots(found.manifest["name"], trace["values"])),
        tuple(tables),
    )


def _saturated(inputs: Facts) -> list[Table]:
    rows = tuple(
        ("the ports together" if name == "input" else name, f"{count:,.0f}")
        for name, count in inputs["numbers"].items()
        if count
    )
    caption = "Numbers that saturated in the events of the proof"
    return [Table(caption, ("value", "numbers"), rows)] if rows else []


def _row(value: Facts) -> tuple[Entry, ...]:
    r = value["range"]
    return (
        value["value"],
        value["op"],
        value["formats"],
        f"{r['low']:.4g}",
        f"{r['high']:.4g}",
        f"{r['used']:.0%}",
        str(r["top"]),
        str(r["bottom"]),
        f"{r['saturated']:,}",
        f"{r['wrapped']:,}",
        f"{value['rms']:.3g}",
        f"{value['limit']:.3g}",
    )


def _worst(values: Sequence[Facts]) -> Table:
    """Return the ops that add most error, in their own LSB."""
    worst = sorted(values, key=lambda v: -v["own"])[:WORST]
    rows = tuple(
        (
            v["value"],
            v["op"],
            f"{v['own']:.3g}",
            f"{v['rms']:.3g}",
            f"{v['largest']:.3g}",
            f"{v['relative']:.2%}",
            Mark(f"{v['beyond']:,}", v["beyond"] == 0),
        )
        for v in worst
    )
    columns = (
        "value",
        "op",
        "rms of its own",
        "rms altogether",
        "largest",
        "rms over spread",
        "numbers beyond the bound",
    )
    return Table("The ops that round most: float against integer, in LSB of the value", columns, rows, 2)
