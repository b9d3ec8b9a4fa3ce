"""Write docs/op-costs.md and its picture: the LUTs of every op against the bits of its inputs.

    python docs/op_curves.py [FOLDER]

The network is the op alone, in the first of its examples that has logic (with inputs of 8 bits). All inputs
but flags get the same width; their fraction bits stay, so that ops on codes and angles read what they are
made for.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import prod
from pathlib import Path

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.ir.op import Example, Op
from eqhls.ir.types import Type
from eqhls.lower.schedule import lower
from eqhls.ops import ALL
from eqhls.options import Options
from eqhls.plots import COLOURS, MARKERS, NORMAL, SMALL, figure, png
from eqhls.report.catalogue import GROUPS
from eqhls.report.opfacts import network

WIDTHS = (4, 6, 8, 10)
PANELS = (("geometry",), ("message", "structure"), ("pair",), ("scalar",))
HERE = Path(__file__).resolve().parent


def widened(type: Type, width: int) -> Type:
    """Return a type whose components have so many bits; a flag stays a flag."""
    formats = (f if f.width == 1 else Fixed(width, width - f.frac, f.signed) for f in type.formats)
    return replace(type, formats=Formats(tuple(formats)))


def cost(example: Example, width: int) -> float | None:
    """Return alkaid's estimate per number of the result, or None if the op refuses inputs of this width."""
    types = tuple(widened(t, width) for t in example.types)
    try:
        graph = network(replace(example, types=types)).formatted()
    except CompileError:
        return None
    return lower(graph, Options()).lut_estimate / prod(graph.results[0].type.shape)


def curves(ops: tuple[type[Op], ...]) -> dict[str, tuple[float | None, ...]]:
    """Return the cost of each op with inputs, at each width."""
    taken: dict[str, Example] = {}
    for op in ops:
        examples = [e for e in op.examples() if e.types]
        if examples:
            taken[op.name()] = next((e for e in examples if cost(e, 8)), examples[0])
    return {name: tuple(cost(e, w) for w in WIDTHS) for name, e in taken.items()}


def row(name: str, costs: tuple[float | None, ...]) -> str:
    """Return a row of the table."""
    cells = ("" if c is None else f"{c:,.1f}" for c in costs)
    return f"| [{name}](ops.md#{name}) | {' | '.join(cells)} |"


def title(panel: tuple[str, ...]) -> str:
    """Return the heading of one or two groups of ops."""
    first, *others = (GROUPS[name] for name in panel)
    return " and ".join([first, *(o.lower() for o in others)])


def page(found: dict[str, tuple[float | None, ...]]) -> str:
    """Return docs/op-costs.md."""
    group = {op.name(): op.group for op in ALL}
    wires = [name for name, costs in found.items() if not any(costs)]
    lines = [
        "# What ops cost",
        "",
        "LUTs per number of the result against the bits of each input, by alkaid's estimate: each op alone, "
        "in the first of its examples that has logic ([ops.md](ops.md)), with II = 1, 360 MHz and no DSP. "
        "Written by",
        "",
        "    python docs/op_curves.py",
        "",
        "![LUTs per number of the result against bits of the inputs, by op](op-costs.png)",
        "",
        "Sums grow in proportion to the bits and products with their square. Long tables nearly double with "
        "every bit: round before a table, not behind it. `composed` and `radial` are tables, too.",
    ]
    for panel in PANELS:
        rows = [row(n, c) for n, c in found.items() if group[n] in panel and n not in wires]
        lines += ["", f"## {title(panel)}", "", f"| op | {' | '.join(f'{w} bits' for w in WIDTHS)} |"]
        lines += ["|---|" + "---|" * len(WIDTHS), *rows]
    lines += ["", f"Wires, which cost nothing: {', '.join(f'[{n}](ops.md#{n})' for n in wires)}."]
    lines += ["An empty cell is a width that the op refuses, or that its other fields do not go with."]
    return "\n".join(lines) + "\n"


def picture(found: dict[str, tuple[float | None, ...]]) -> bytes:
    """Return docs/op-costs.png: a panel for each group of ops."""
    group = {op.name(): op.group for op in ALL}
    drawn = figure(10, 7)
    drawn.suptitle(
        "Long tables nearly double with every bit, products grow with the square, sums in proportion",
        fontsize=NORMAL,
    )
    for panel, axes in zip(PANELS, drawn.subplots(2, 2, sharey=True).flat, strict=True):
        shown = [(n, c) for n, c in found.items() if group[n] in panel and any(c)]
        for k, (op, costs) in enumerate(sorted(shown, key=lambda s: -(s[1][-1] or 0.0))):
            points = [(w, c) for w, c in zip(WIDTHS, costs, strict=True) if c]
            style = ("-", "--", ":")[k // len(COLOURS)] + MARKERS[k % len(MARKERS)]
            axes.plot(
                *zip(*points, strict=True), style, color=COLOURS[k % len(COLOURS)], markersize=4, label=op
            )
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.set_xticks(WIDTHS)
        axes.set_title(title(panel), fontsize=NORMAL)
        axes.set_xlabel("bits of each input", fontsize=SMALL)
        axes.set_ylabel("LUT per number of the result", fontsize=SMALL)
        axes.legend(fontsize=SMALL - 1, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return png(drawn)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    made = curves(ALL)
    (folder / "op-costs.md").write_text(page(made))
    (folder / "op-costs.png").write_bytes(picture(made))
