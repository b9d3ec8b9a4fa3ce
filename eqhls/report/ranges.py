"""The section of a report about ranges: what every value takes of its format, and what saturates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eqhls.fixed import Fixed
from eqhls.report.drawing import HEIGHT, RIGHT, TOP, WIDTH, Box, Figure, Path, Scale, Word
from eqhls.report.sources import Facts, Sources
from eqhls.report.table import Entry, Mark, Section, Table

ROW, NAMES, WORST = 18.0, 170.0, 10
"""The height of a line, the width that names take, and how many ops are listed as the worst."""
LONGEST, PAGE = 22, 60
"""Letters of a name that fit there, and values in one picture."""


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
            f"The range of every value has not been measured: eqhls trace {found.folder} EVENTS.npz, and "
            f"then eqhls report {found.folder}, show it here."
        )
        return Section("ranges", title, tuple(lines), (), tuple(tables))
    lines.append(f"Ranges and errors are those of the last trace, of {trace['events']:,} events.")
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
    return Section("ranges", title, tuple(lines), tuple(_pictures(trace["values"])), tuple(tables))


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
            Mark(f"{v['beyond']:,}", v["beyond"] == 0),
        )
        for v in worst
    )
    columns = ("value", "op", "rms of its own", "rms altogether", "largest", "numbers beyond the bound")
    return Table("The ops that round most: float against integer, in LSB of the value", columns, rows, 2)


@dataclass(frozen=True, slots=True)
class Span:
    """The bits of a value as powers of two: of its format from `low` to `high`, and of those the used ones
    from `least` to `most`."""

    name: str
    low: int
    high: int
    least: int
    most: int
    saturated: int


def spans(values: Sequence[Facts]) -> list[Span]:
    """Return the spans of values by their formats; of several components, all that one of them takes."""
    out: list[Span] = []
    for value in values:
        formats = [Fixed.parse(text) for text in value["formats"].split("|") if text]
        if formats:
            low, high = min(-f.frac for f in formats), max(f.width - f.frac for f in formats)
            r = value["range"]
            least = min(low + r["bottom"], high)
            out.append(Span(value["value"], low, high, least, max(high - r["top"], least), r["saturated"]))
    return out


def _pictures(values: Sequence[Facts]) -> list[Figure]:
    found = spans(values)
    return [_picture(found[k : k + PAGE], found) for k in range(0, len(found), PAGE)]


def _picture(some: Sequence[Span], every: Sequence[Span]) -> Figure:
    """Draw the bits of formats, and which of them are used."""
    height = TOP + ROW * len(some) + 50
    low, high = min(s.low for s in every), max(s.high for s in every)
    x = Scale("power of two", low, high, NAMES, WIDTH - RIGHT)
    boxes: list[Box] = []
    words = [Word((x.start + x.end) / 2, height - 8, "bits of the format, as powers of two")]
    for k, span in enumerate(some):
        top = TOP + k * ROW
        hint = f"{span.name}: bits {span.low} to {span.high}, used {span.least} to {span.most}"
        boxes.append(Box(x(span.low), top + 3, max(x(span.high) - x(span.low), 1), ROW - 6, "idle", hint))
        kind = "full" if span.saturated else "bar"
        boxes.append(Box(x(span.least), top + 3, max(x(span.most) - x(span.least), 1), ROW - 6, kind, hint))
        name = span.name if len(span.name) <= LONGEST else f"{span.name[: LONGEST - 2]}.."
        words.append(Word(NAMES - 8, top + ROW - 5, name, "end"))
    bottom = TOP + ROW * len(some)
    words += [Word(x(t), bottom + 18, f"{t:g}") for t in x.ticks()]
    grid = tuple(Path(f"{x(t):g},{TOP:g} {x(t):g},{bottom:g}", "grid") for t in x.ticks())
    full = sum(s.saturated > 0 for s in every)
    title = f"Bits that values use of their formats; {full} of {len(every)} values saturate in some events"
    legend = (("bar", "used"), ("idle", "never used"), ("full", "used, and some numbers saturate"))
    return Figure(title, title, legend, tuple(boxes), grid, tuple(words), WIDTH, max(height, HEIGHT / 3))
