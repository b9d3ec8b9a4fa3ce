"""The sizes of all values against their formats: a box plot for each, on a scale of powers of two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log2

from eqhls.fixed import Fixed
from eqhls.report.drawing import Box, Figure, Path, Scale, Word
from eqhls.report.sources import Facts

ROW, NAMES, WIDTH, TOP, COUNTS = 20.0, 150.0, 560.0, 14.0, 84.0
"""The height of a row, the width that names take, that of the picture, the margin above, and the width at the
right for counts of numbers that saturate."""
LONGEST, PAGE = 19, 32
"""Letters of a name that fit, and values in one picture."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A value: the powers of two of the LSB and of the end of its formats, those of the smallest, the
    quartiles and the largest of its numbers that are not 0, how many numbers saturate, and the share of
    zeros."""

    name: str
    low: int
    high: int
    sizes: tuple[float, ...]
    saturated: int
    zeros: float


def spreads(values: Sequence[Facts]) -> list[Spread]:
    """Return the spreads of traced values; of several components, the formats of all of them together."""
    out: list[Spread] = []
    for value in values:
        formats = [Fixed.parse(text) for text in value["formats"].split("|") if text]
        found = value["range"]
        if formats and "sizes" in found:
            low = min(-f.frac for f in formats)
            high = max(max(f.width - f.frac - f.signed for f in formats), low + 1)
            sizes = tuple(log2(s) for s in found["sizes"])
            out.append(Spread(value["value"], low, high, sizes, found["saturated"], found["zeros"]))
    return out


def box_plots(name: str, values: Sequence[Facts]) -> list[Figure]:
    """Draw the spreads of all values of a network, some in each picture; none of an older trace."""
    found = spreads(values)
    if not found:
        return []
    low = min(s.low for s in found)
    counts = COUNTS if any(s.saturated for s in found) else 14.0
    x = Scale("", low, max(s.high for s in found), NAMES, WIDTH - counts)
    full = sum(s.saturated > 0 for s in found)
    said = f"{full} of {len(found)} values saturate" if full else f"none of {len(found)} values saturates"
    pages = ceil(len(found) / PAGE)
    size = ceil(len(found) / pages)
    parts = [found[k : k + size] for k in range(0, len(found), size)]
    return [_picture(f"{name}: {said}{_part(k, len(parts))}", x, part) for k, part in enumerate(parts)]


def _part(page: int, pages: int) -> str:
    return f" ({page + 1} of {pages})" if pages > 1 else ""


def _picture(title: str, x: Scale, some: Sequence[Spread]) -> Figure:
    bottom = TOP + ROW * len(some)
    legend = (
        ("idle", "range of the format"),
        ("bar", "middle half of the numbers, with the median"),
        ("whisker", "smallest to largest"),
        ("full", "some numbers saturate"),
    )
    words = [Word(x(t), bottom + 18, f"{t:g}") for t in x.ticks()]
    words.append(Word(x.end, bottom + 40, "size of numbers that are not 0, as power of two", "end"))
    for k, one in enumerate(some):
        name = one.name if len(one.name) <= LONGEST else f"{one.name[: LONGEST - 2]}.."
        words.append(Word(NAMES - 8, TOP + k * ROW + 15, name, "end", kind="note"))
        if one.saturated:
            words.append(Word(x.end + 6, TOP + k * ROW + 15, f"{one.saturated:,} sat.", "start", kind="note"))
    grid = [Path(f"{x(t):g},{TOP:g} {x(t):g},{bottom:g}", "grid") for t in x.ticks()]
    frame = Path(f"{x.start:g},{bottom:g} {x.end:g},{bottom:g}", "frame")
    return Figure(
        title,
        f"{title}. A box plot for each value: the sizes of its numbers against the range of its format.",
        legend,
        tuple(b for k, s in enumerate(some) for b in _boxes(x, TOP + k * ROW, s)),
        (*grid, frame),
        tuple(words),
        WIDTH,
        bottom + 50,
        over=tuple(p for k, s in enumerate(some) for p in _whiskers(x, TOP + k * ROW, s)),
    )


def _boxes(x: Scale, top: float, one: Spread) -> Iterator[Box]:
    ends = f"format 2^{one.low} to 2^{one.high}"
    seen = ", ".join(f"2^{v:.1f}" for v in one.sizes) or "all 0"
    hint = f"{one.name}: {ends}; smallest, quartiles, largest {seen}; {one.zeros:.1%} are 0"
    yield Box(x(one.low), top + 2, round(x(one.high) - x(one.low), 1), ROW - 4, "idle", hint)
    if one.sizes:
        first, last = x(one.sizes[1]), x(one.sizes[3])
        kind = "full" if one.saturated else "bar"
        yield Box(first, top + 5, max(round(last - first, 1), 3), ROW - 10, kind, hint)


def _whiskers(x: Scale, top: float, one: Spread) -> Iterator[Path]:
    """Yield the lines from the smallest number to the box, from the box to the largest, and the median."""
    if not one.sizes:
        return
    low, first, middle, last, high = (x(v) for v in one.sizes)
    y = top + ROW / 2
    kind = "whisker saturates" if one.saturated else "whisker"
    yield Path(f"{low:g},{y:g} {first:g},{y:g}", kind)
    yield Path(f"{last:g},{y:g} {high:g},{y:g}", kind)
    yield Path(f"{low:g},{y - 4:g} {low:g},{y + 4:g}", kind)
    yield Path(f"{high:g},{y - 4:g} {high:g},{y + 4:g}", kind)
    yield Path(f"{middle:g},{top + 4:g} {middle:g},{top + ROW - 4:g}", "median")
