"""The compiled network as a picture: a box for every value, and a line for every one that an op reads.

Below each box stands what its lines carry: representation and axes, and the formats of the components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from eqhls.fixed import NO_FORMATS
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type
from eqhls.report.drawing import Bend, Box, Figure, Word
from eqhls.report.layers import Layout, layout

EDGE, GAP, LINE = 14.0, 22.0, 14.0
"""The margin of the picture, the room between boxes, and what a line takes that passes a layer."""
BOX, STUB, LABEL, FAN = 40.0, 8.0, 33.0, 34.0
"""Heights of a box, of the line below it, of the type that stands there, and of the room for lines to the
next layer."""
OUTPUT = 18.0
"""The height of the word below an output."""
PITCH = BOX + STUB + LABEL + FAN
WIDE, BOLD = 7.0, 7.9
"""Widths of a letter in pixels, in the fonts of the style sheet."""
NAME, TYPE = 30, 50
"""Letters of a name, and of a line of a type, that are shown."""
KINDS = {
    "input": "input or constant",
    "geometry": "Lorentz geometry",
    "message": "message",
    "pair": "pairs of particles",
    "scalar": "function of invariants",
    "structure": "selection, sum or rename",
}
"""What the groups of ops are called (eqhls/report/catalogue.py), which give boxes their colours."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a line carries, in two lines: representation with axes, and formats."""

    kind: str
    formats: str

    @property
    def width(self) -> float:
        return WIDE * max(len(self.kind), len(self.formats))


def label_of(type: Type) -> Label:
    """Return the label of a type, equal formats in a row as one."""
    runs = [(form, len(list(same))) for form, same in groupby(type.formats)]
    formats = "|".join(f"{count}x {form}" if count > 1 else str(form) for form, count in runs)
    return Label(_short(str(replace(type, formats=NO_FORMATS)), TYPE), _short(formats, TYPE))


def edges_of(graph: Graph) -> list[tuple[str, str]]:
    """Return the edges between values in order, each once, however often an op reads the value."""
    return [(name, n.name) for n in graph for name in dict.fromkeys(n.inputs)]


def network_figure(graph: Graph, shares: Mapping[str, float]) -> Figure:
    """Draw a graph. `shares` of the logic stand in the boxes of those values that take some."""
    notes = {n.name: _note(n, shares) for n in graph}
    placed = layout({n.name: _width(n, notes[n.name]) for n in graph}, edges_of(graph), GAP, LINE)
    boxes = tuple(_box(n, placed, _width(n, notes[n.name])) for n in graph)
    words = tuple(word for n in graph for word in _words(graph, n, placed, notes[n.name]))
    used = [kind for kind in KINDS if any(n.op.group == kind for n in graph)]
    legend = (
        *((f"op {k}", KINDS[k]) for k in used),
        ("edge moved", "vectors and tensors"),
        ("edge", "scalars"),
    )
    layers = max(placed.layers.values(), default=0) + 1
    ends = ", ".join(graph.outputs)
    summary = (
        f"The network {graph.name} as a graph: {len(graph.nodes)} values in {layers} layers, from "
        f"{', '.join(n.name for n in graph.inputs)} at the top to {ends} at the bottom. Every box leads to "
        "its row in the table of values, which says the same in words."
    )
    return Figure(
        f"{graph.name}: {len(graph.nodes)} values in {layers} layers, from its inputs to {ends}",
        summary,
        legend,
        boxes,
        (),
        words,
        placed.width + 2 * EDGE,
        layers * PITCH - FAN + 2 * EDGE + OUTPUT,
        tuple(_bends(graph, placed)),
        large=True,
    )


def anchor(value: str) -> str:
    """Return the identifier of the row of a value in the table of values."""
    return f"value-{value}"


def box_anchor(value: str) -> str:
    """Return the identifier of the box of a value."""
    return f"box-{value}"


def _short(text: str, most: int = NAME) -> str:
    return text if len(text) <= most else f"{text[: most - 2]}.."


def _note(node: Node, shares: Mapping[str, float]) -> str:
    share = shares.get(node.name, 0.0)
    return f"{node.op.name()}, {share:.1%}" if share >= 5e-4 else node.op.name()


def _width(node: Node, note: str) -> float:
    inside = max(BOLD * len(_short(node.name)), WIDE * len(note)) + 18
    return round(max(inside, label_of(node.type).width + 6), 1)


def _top(layer: int) -> float:
    return EDGE + layer * PITCH


def _centre(node: Node, placed: Layout) -> tuple[float, float]:
    """Return the middle of the upper side of a box."""
    layer = placed.layers[node.name]
    return round(EDGE + placed.centres[node.name, layer], 1), _top(layer)


def _box(node: Node, placed: Layout, width: float) -> Box:
    x, y = _centre(node, placed)
    inside = width if width < 60 else width - 2
    left = round(x - inside / 2, 1)
    hint = f"{node.name} = {node.op.name()}({', '.join(node.inputs)}): {node.type}"
    return Box(
        left,
        y,
        inside,
        BOX,
        f"op {node.op.group}",
        hint,
        _short(node.name),
        anchor(node.name),
        box_anchor(node.name),
    )


def _words(graph: Graph, node: Node, placed: Layout, note: str) -> list[Word]:
    x, y = _centre(node, placed)
    label, below = label_of(node.type), y + BOX + STUB
    words = [Word(x, y + 33, note, kind="note"), Word(x, below + 12, label.kind, kind="type")]
    words.append(Word(x, below + 27, label.formats, kind="type"))
    if node.name in graph.outputs:
        words.append(Word(x, below + LABEL + OUTPUT - 4, "output", kind="note"))
    return words


def _bends(graph: Graph, placed: Layout) -> list[Bend]:
    """Return the stub below every box that is read or an output, and every edge."""
    read = {name for n in graph for name in n.inputs} | set(graph.outputs)
    out: list[Bend] = []
    for node in graph:
        if node.name in read:
            x, y = _centre(node, placed)
            out.append(Bend(f"M{x:g},{y + BOX:g} v{STUB:g}", _edge(node)))
    entries = _entries(graph, placed)
    for start, end in edges_of(graph):
        node = graph.node(start)
        hint = f"{start} to {end}: {node.type}"
        out.append(Bend(_course(placed, start, end, entries[start, end]), _edge(node), hint))
    return out


def _edge(node: Node) -> str:
    return "edge" if node.type.rep is S else "edge moved"


def _entries(graph: Graph, placed: Layout) -> dict[tuple[str, str], float]:
    """Return where on the upper side of a box each of its lines ends: side by side, in the order from which
    they come."""
    found: dict[tuple[str, str], float] = {}
    for node in graph:
        read = list(dict.fromkeys(node.inputs))
        layer = placed.layers[node.name]
        came = sorted(read, key=lambda name: placed.centres[name, layer - 1])
        for k, name in enumerate(came):
            aside = (k - (len(came) - 1) / 2) * min(16.0, 60.0 / len(came))
            found[name, node.name] = round(EDGE + placed.centres[node.name, layer] + aside, 1)
    return found


def _course(placed: Layout, start: str, end: str, entry: float) -> str:
    """Return an edge from below the type of a value, past the layers between, to the box that reads it."""
    route = placed.route(start, end)
    places = [*(round(EDGE + placed.centres[spot], 1) for spot in route[:-1]), entry]
    course = f"M{places[0]:g},{_top(route[1][1]) - FAN:g}"
    for (before, x), (_, layer) in zip(pairwise(places), route[1:], strict=True):
        y, half = _top(layer), FAN / 2
        course += f" C{before:g},{y - half:g} {x:g},{y - half:g} {x:g},{y:g}"
        course += f" v{PITCH - FAN:g}" if layer != route[-1][1] else ""
    return course
