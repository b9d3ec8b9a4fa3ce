"""Draw docs/floors.svg: the floors of tests/test_floors.py, with the imports that are really there.

An arrow goes from a module or folder of `eqhls` to what it imports. One that follows from others is left out:
if A imports B and B imports C, there is no arrow from A to C.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOOR, GAP, BOX, LETTER, MARGIN = 52, 16, 26, 8.0, 12
SWEEPS = 24
STYLE = """
text { font: 13px ui-monospace, Menlo, Consolas, monospace; text-anchor: middle; fill: #1f2328 }
.band { fill: #818b98; fill-opacity: 0.10 }
.box { fill: #ffffff; stroke: #59636e }
.edge { fill: none; stroke: #0969da; stroke-opacity: 0.65; stroke-width: 1.3 }
.tip { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .box { fill: #151b23; stroke: #9198a1 }
  .edge { stroke: #4493f8 }
  .tip { fill: #4493f8 }
}
"""
Edges = Mapping[str, set[str]]


@dataclass
class Slot:
    """What takes a place on a floor: a module, or an arrow on its way down (no text)."""

    text: str
    up: list[Slot]
    down: list[Slot]
    x: float = 0.0

    @property
    def width(self) -> float:
        return len(self.text) * LETTER + 22 if self.text else 6.0


def read() -> tuple[list[list[str]], Edges]:
    """Return the floors from the lowest upwards, each a list of modules, and what every module imports."""
    law = runpy.run_path(str(ROOT / "tests" / "test_floors.py"))
    floors = [names.split() for names in law["FLOORS"]]
    found: dict[str, set[str]] = {name: set() for names in floors for name in names}
    for path in law["FILES"]:
        here = path.relative_to(ROOT / "eqhls").parts[0].removesuffix(".py")
        if here in found:
            found[here] |= {there for there, _ in law["imports"](path) if there != here}
    return floors, found


def reduced(edges: Edges) -> Edges:
    """Leave out every import that follows from others."""

    def below(name: str) -> set[str]:
        return edges[name].union(*(below(n) for n in edges[name]))

    return {a: {b for b in there if not any(b in below(c) for c in there)} for a, there in edges.items()}


def slots(floors: Sequence[Sequence[str]], edges: Edges) -> list[list[Slot]]:
    """Return what lies on each floor; an arrow that passes a floor takes a slot there."""
    rows = [[Slot(name, [], []) for name in names] for names in floors]
    where = {slot.text: (level, slot) for level, row in enumerate(rows) for slot in row}
    for name, there in edges.items():
        for target in sorted(there):
            (level, upper), (bottom, last) = where[name], where[target]
            for passed in range(level - 1, bottom, -1):
                middle = Slot("", [upper], [])
                upper.down.append(middle)
                rows[passed].append(middle)
                upper = middle
            upper.down.append(last)
            last.up.append(upper)
    return rows


def place(rows: Sequence[list[Slot]]) -> float:
    """Give every slot its x: near the middle of its neighbours, in an order that crosses few arrows.
    Return the width of the picture."""
    width = max(sum(s.width + GAP for s in row) for row in rows)
    for row in rows:
        _spread(row, [width / len(row) * (k + 0.5) for k in range(len(row))], width)
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 else rows[::-1]:
            near = [_mean(s.up if sweep % 2 == 0 else s.down, s.x) for s in row]
            if sweep < SWEEPS // 2:
                order = sorted(range(len(row)), key=near.__getitem__)
                row[:], near = [row[k] for k in order], [near[k] for k in order]
            _spread(row, near, width)
    return width


def _mean(others: Sequence[Slot], here: float) -> float:
    return sum(s.x for s in others) / len(others) if others else here


def _spread(row: Sequence[Slot], want: Sequence[float], width: float) -> None:
    """Bring slots to the places that they want, as far as they do not overlap: pushed right, then back."""
    edge = 0.0
    for slot, x in zip(row, want, strict=True):
        slot.x = max(x, edge + slot.width / 2 + GAP / 2)
        edge = slot.x + slot.width / 2 + GAP / 2
    edge = width
    for slot in reversed(row):
        slot.x = min(slot.x, edge - slot.width / 2 - GAP / 2)
        edge = slot.x - slot.width / 2 - GAP / 2


def svg() -> str:
    """Return the picture."""
    floors, imports = read()
    rows = slots(floors, reduced(imports))
    width = place(rows)
    high = {id(s): (len(rows) - 1 - level) * FLOOR for level, row in enumerate(rows) for s in row}
    size = f"{width + 2 * MARGIN:.0f}", f"{len(rows) * FLOOR:.0f}"
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{-MARGIN} 0 {size[0]} {size[1]}" width="{size[0]}">',
        "<title>The floors of eqhls: a module imports only from lower floors</title>",
        f"<style>{STYLE}</style>",
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
        'orient="auto"><path class="tip" d="M0 0 L8 4 L0 8 z"/></marker>',
    ]
    lines += [
        f'<rect class="band" x="{-MARGIN}" y="{n * FLOOR}" width="{size[0]}" height="{FLOOR}"/>'
        for n in range(0, len(rows), 2)
    ]
    lines += [line for row in rows[::-1] for s in row if s.text for line in _arrows(s, high)]
    lines += [line for row in rows[::-1] for s in row if s.text for line in _box(s, high[id(s)])]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _arrows(slot: Slot, high: Mapping[int, int]) -> Iterable[str]:
    """One path per import of a module, through the slots that it takes on the floors between."""
    top = (FLOOR - BOX) / 2
    for k, first in enumerate(sorted(slot.down, key=lambda s: s.x)):
        x, y = slot.x + _port(k, slot.down), high[id(slot)] + top + BOX
        path, upper, lower = f"M{x:.1f} {y:.1f}", slot, first
        while True:
            end = lower.x + (
                _port(sorted(lower.up, key=lambda s: s.x).index(upper), lower.up) if lower.text else 0
            )
            below = high[id(lower)] + top
            middle = (y + below) / 2
            path += f" C{x:.1f} {middle:.1f} {end:.1f} {middle:.1f} {end:.1f} {below:.1f}"
            if lower.text:
                break
            x, y = end, below + BOX
            path += f" L{x:.1f} {y:.1f}"
            upper, lower = lower, lower.down[0]
        yield f'<path class="edge" d="{path}" marker-end="url(#tip)"/>'


def _port(k: int, others: Sequence[Slot]) -> float:
    """Where arrow k of several meets a box, from its middle."""
    return (k - (len(others) - 1) / 2) * 8.0


def _box(slot: Slot, y: int) -> Iterable[str]:
    left, top = slot.x - slot.width / 2, y + (FLOOR - BOX) / 2
    yield f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{slot.width:.1f}" height="{BOX}" rx="5"/>'
    yield f'<text x="{slot.x:.1f}" y="{top + BOX / 2 + 4.5:.1f}">{slot.text}</text>'


if __name__ == "__main__":
    (ROOT / "docs" / "floors.svg").write_text(svg())
