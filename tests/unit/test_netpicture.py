"""The network as a picture: boxes, edges and labels are those of the graph, and lie inside the picture."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from eqhls.frontends.graphfile import load_model
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type
from eqhls.report.drawing import Figure
from eqhls.report.netpicture import BOLD, WIDE, edges_of, label_of, network_figure

MODELS = Path(__file__).resolve().parents[2] / "models"
NUMBER = re.compile(r"-?[\d.]+")


@pytest.fixture(scope="module", params=["lgn_top_small", "pelican_nano", "tag5"])
def graph(request: pytest.FixtureRequest) -> Graph:
    return load_model(MODELS / request.param)


@pytest.fixture(scope="module")
def drawn(graph: Graph) -> Figure:
    return network_figure(graph, {})


def test_every_value_has_a_box_that_leads_to_its_row(graph: Graph, drawn: Figure) -> None:
    assert [b.link for b in drawn.boxes] == [f"value-{n.name}" for n in graph]
    assert len({b.ident for b in drawn.boxes}) == len(graph.nodes)
    for box, node in zip(drawn.boxes, graph, strict=True):
        assert box.kind == f"op {node.op.group}" and str(node.type) in box.hint
    assert {k.removeprefix("op ") for k, _ in drawn.legend if k.startswith("op ")} == {
        n.op.group for n in graph
    }


def test_no_two_boxes_overlap_and_all_lie_inside(drawn: Figure) -> None:
    for a, b in combinations(drawn.boxes, 2):
        aside = a.x + a.width <= b.x or b.x + b.width <= a.x
        assert aside or a.y + a.height <= b.y or b.y + b.height <= a.y
    for box in drawn.boxes:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= drawn.width and box.y + box.height <= drawn.height
        assert BOLD * len(box.label) <= box.width
    for word in drawn.words:
        half = WIDE * len(word.text) / 2
        assert word.x - half >= 0 and word.x + half <= drawn.width and 0 < word.y < drawn.height


def test_every_edge_goes_down_and_says_what_it_carries(graph: Graph, drawn: Figure) -> None:
    tops = {n.name: b.y for n, b in zip(graph, drawn.boxes, strict=True)}
    hints = {b.hint: b for b in drawn.bends if b.hint}
    assert len(hints) == len(edges_of(graph))
    for start, end in edges_of(graph):
        bend = hints[f"{start} to {end}: {graph.node(start).type}"]
        numbers = [float(n) for n in NUMBER.findall(bend.course)]
        assert tops[start] < numbers[1] < tops[end] == numbers[-1]
        assert ("moved" in bend.kind) == (graph.node(start).type.rep.name != "S")


def test_every_value_has_its_representation_axes_and_formats_below_it(graph: Graph, drawn: Figure) -> None:
    types = [w.text for w in drawn.words if w.kind == "type"]
    assert types == [text for n in graph for text in (label_of(n.type).kind, label_of(n.type).formats)]
    assert [w.text for w in drawn.words].count("output") == len(graph.outputs)


def test_labels_join_equal_formats() -> None:
    label = label_of(Type.parse("V.xyz[j:2]:ufix<5,5>|fix<5,5>|fix<5,5>|fix<5,5>"))
    assert (label.kind, label.formats) == ("V.xyz[j:2]", "ufix<5,5>|3x fix<5,5>")
    assert label_of(Type.parse("S[]")).formats == ""
