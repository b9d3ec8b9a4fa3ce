"""Pictures of the report: classes, box plots of values, the pipeline, and the change by bits."""

from __future__ import annotations

import json
import shutil
from math import log2
from pathlib import Path

import numpy as np
import pytest
from reported import proved, section_of, tables_of, text_of, tiny_project, tree_of

from eqhls.flow import Compiled
from eqhls.report.boxplots import box_plots, spreads
from eqhls.report.page import write_report
from eqhls.report.pipeline import logic_by_op, logic_by_value
from eqhls.report.sources import Sources


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return tiny_project(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def project(compiled: Compiled, tmp_path: Path) -> Compiled:
    """A project that a test may change."""
    return Compiled(Path(shutil.copytree(compiled.folder, tmp_path / "project")))


def written_page(project: Compiled) -> str:
    return write_report(project.folder).read_text()


def test_several_classes_have_a_roc_each_and_a_confusion_matrix(project: Compiled) -> None:
    proved(project, classes=4)
    tree = tree_of(written_page(project))
    rocs, matrix, *each = section_of(tree, "accuracy").iter("figure")
    assert len(each) == 8
    kinds = [p.get("class") for p in rocs.iter("polyline") if p.get("points", "").count(" ") > 5]
    assert kinds == [k for c in range(1, 5) for k in (f"c{c}", f"c{c} dashed thin")]
    found = json.loads((project.folder / "report" / "curves.json").read_text())["confusion"]["fixed"]
    assert sum(map(sum, found)) == pytest.approx(2000, abs=0.1)
    boxes = [r for r in matrix.iter("rect") if list(r)]
    assert len(boxes) == 16
    for box, (i, k) in zip(boxes, np.ndindex(4, 4), strict=True):
        assert text_of(box).startswith(f"{found[i][k] / sum(found[i]):.1%} of the events of y = {i}")
        assert ("bar" in (box.get("class") or "")) == (i == k)
    right = sum(found[k][k] for k in range(4)) / sum(map(sum, found))
    assert f"{right:.1%} of the events" in text_of(next(iter(matrix.iter("figcaption"))))


def test_spreads_are_powers_of_two() -> None:
    seen = {"saturated": 3, "zeros": 0.25, "sizes": [0.25, 0.5, 1.0, 2.0, 3.0]}
    one = {"value": "v", "formats": "fix<8,3>|ufix<6,4>", "range": seen}
    none = {"value": "w", "formats": "fix<8,3>", "range": {"saturated": 0, "zeros": 1.0, "sizes": []}}
    older = {"value": "o", "formats": "fix<8,3>", "range": {"saturated": 0}}
    found, zero = spreads([one, none, older])
    assert (found.low, found.high, found.saturated, found.zeros) == (-5, 4, 3, 0.25)
    assert found.sizes == pytest.approx((-2, -1, 0, 1, log2(3)))
    assert (zero.low, zero.high, zero.sizes) == (-5, 2, ())
    (drawn,) = box_plots("net", [one, none])
    assert drawn.title == "net: 1 of 2 values saturate" and "3 sat." in [w.text for w in drawn.words]
    assert [b.kind for b in drawn.boxes] == ["idle", "full", "idle"]
    assert box_plots("net", [older]) == []
    pages = box_plots("net", [one | {"value": f"v{k}"} for k in range(70)])
    assert [len([b for b in p.boxes if b.kind == "idle"]) for p in pages] == [24, 24, 22]


def test_the_sizes_of_a_trace_are_those_of_its_numbers(project: Compiled) -> None:
    found = project.trace(engines=())
    for row in found.rows:
        node = project.graph.node(row.value)
        sizes = np.abs(found.integer[row.value] * node.type.formats.lsb)
        assert row.range.zeros == pytest.approx(float((sizes == 0).mean()), abs=1e-6)
        assert row.range.sizes == pytest.approx(
            np.quantile(sizes[sizes > 0], (0, 0.25, 0.5, 0.75, 1)), rel=1e-5
        )


def test_the_proof_measures_all_values(project: Compiled, tmp_path: Path) -> None:
    """Without a trace the page shows the values of the last proof, and no longer those that cannot be traced."""
    proved(project)
    project.measure_values(None)
    kept = json.loads((project.folder / "report" / "values.json").read_text())
    assert [v["value"] for v in kept["values"]] == [n.name for n in project.graph]
    tree = tree_of(written_page(project))
    worst = next(t for c, t in tables_of(section_of(tree, "ranges")).items() if c.startswith("The ops that"))
    assert len(worst) - 1 == min(10, len(kept["values"]))
    np.savez(tmp_path / "none.npz", p=np.zeros((0, 2, 4)))
    notes: list[str] = []
    project.measure_values(tmp_path / "none.npz", lambda text, _: notes.append(text))
    assert any("not measured" in n for n in notes)
    assert not (project.folder / "report" / "values.json").exists()


def test_the_change_by_bits_is_drawn(project: Compiled) -> None:
    proved(project)
    tree = tree_of(written_page(project))
    _, by = section_of(tree, "boosts").iter("figure")
    said = "seen: 8 more bits bring gamma 2 from 50 % of the spread to 1 %"
    assert text_of(next(iter(by.iter("figcaption")))) == said


def test_the_pipeline_shows_where_the_logic_is(project: Compiled) -> None:
    """The LUTs of all values are those of each stage, and rows and columns of the picture those of the manifest."""
    logic, stages = project.manifest["logic"], project.manifest["stages"]
    for k, stage in enumerate(stages, 1):
        assert sum(lut for each in logic.values() for at, lut in each if at == k) == pytest.approx(
            stage["lut"], abs=0.1 * len(logic)
        )
    tree = tree_of(written_page(project))
    drawn = next(iter(section_of(tree, "cost").iter("figure")))
    texts = [text_of(t) for t in drawn.iter("text")]
    assert all(name in texts for name in logic)
    assert all(str(k) in texts for k in range(1, len(stages) + 1))
    hints = [text_of(r) for r in drawn.iter("rect") if list(r)]
    assert len(hints) == len(stages) + sum(map(len, logic.values()))
    for name, each in logic.items():
        assert all(f"{name}: {lut:,.0f} LUT in stage {k}" in hints for k, lut in each)
    values = next(t for c, t in tables_of(section_of(tree, "network")).items() if "in the order" in c)
    assert {r[0]: r[6] for r in values[1:] if r[6]} == {
        n: f"{sum(lut for _, lut in each):,.0f}" for n, each in logic.items()
    }


def test_a_large_network_has_a_row_for_each_op(project: Compiled) -> None:
    found = Sources.of(project.folder)
    names = {n.op.name() for n in found.graph if n.name in found.manifest["logic"]}
    rows = logic_by_op(found.graph, logic_by_value(found))
    assert {r.name for r in rows} == names
    total = sum(lut for each in found.manifest["logic"].values() for _, lut in each)
    assert sum(r.total for r in rows) == pytest.approx(total)
