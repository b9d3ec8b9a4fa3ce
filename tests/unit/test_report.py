"""The report: one page that needs nothing but itself, and tables over many projects."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from reported import HOSTILE, proved, section_of, tables_of, text_of, tiny_project, tree_of
from typer.testing import CliRunner

from eqhls.cli import app
from eqhls.errors import CompileError
from eqhls.flow import Compiled
from eqhls.report.compare import projects, written
from eqhls.report.drawing import across, upward
from eqhls.report.page import SECTIONS, page, write_report
from eqhls.report.proof import by_bits, moves
from eqhls.report.sources import Sources
from eqhls.verify.curves import Roc
from eqhls.verify.evidence import Moved
from eqhls.verify.metrics import auc

PARTS = ["proof", "cost", "accuracy", "symmetry", "boosts", "network", "ports", "ranges", "provenance"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return tiny_project(tmp_path_factory.mktemp("reported"))


@pytest.fixture
def project(compiled: Compiled, tmp_path: Path) -> Compiled:
    """A project that a test may change."""
    return Compiled(Path(shutil.copytree(compiled.folder, tmp_path / "project")))


class Seen(HTMLParser):
    """What a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action", "srcset", "data")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action", "srcset", "data")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def seen(text: str) -> Seen:
    found = Seen()
    found.feed(text)
    found.close()
    assert not found.open
    return found


def written_page(project: Compiled) -> str:
    return write_report(project.folder).read_text()


def test_the_page_has_every_part_and_needs_no_network(project: Compiled) -> None:
    proved(project)
    project.trace(engines=())
    text = written_page(project)
    found, tree = seen(text), tree_of(text)
    assert [s.get("id") for s in tree.iter("section")] == PARTS and len(PARTS) == len(SECTIONS)
    assert found.addresses and all(a.startswith("#") for a in found.addresses)
    assert {a[1:] for a in found.addresses} <= {e.get("id") for e in tree.iter()}
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    assert tree.get("lang") == "en"
    metas = {m.get("name"): m.get("content") for m in tree.iter("meta")}
    assert (
        metas["viewport"] == "width=device-width, initial-scale=1" and metas["color-scheme"] == "light dark"
    )
    style = text[text.index("<style>") : text.index("</style>")]
    assert "prefers-color-scheme:dark" in style and "@media print" in style
    assert all(next(iter(d)).tag == "summary" for d in tree.iter("details")) and list(tree.iter("details"))
    scrolling = [d for d in tree.iter("div") if (d.get("class") or "").startswith("scroll")]
    assert scrolling and all(d.get("tabindex") == "0" and d.get("aria-label") for d in scrolling)
    pictures = [s for s in tree.iter("svg") if not s.get("aria-hidden")]
    assert len(pictures) == 9 and all(s.get("aria-label") for s in pictures)
    large = [s for s in pictures if s.get("role") == "group"]
    assert len(large) == 2 and all(s.get("role") == "img" for s in pictures if s not in large)
    for one in large:
        title, described, *_ = one
        assert title.tag == "title" and described.tag == "desc" and described.text


def test_equal_files_give_an_equal_page(project: Compiled) -> None:
    proved(project)
    assert page(Sources.of(project.folder)) == written_page(project) == written_page(project)


def test_hostile_texts_are_shown_and_not_run(project: Compiled) -> None:
    proved(project)
    manifest = project.manifest
    manifest["model_sha256"] = {HOSTILE: "0" * 64}
    manifest["options"]["Part"] = HOSTILE
    (project.folder / "eqhls.json").write_text(json.dumps(manifest))
    text = written_page(project)
    assert "<script" not in text and "script" not in seen(text).tags
    tree = tree_of(text)
    assert HOSTILE in text_of(section_of(tree, "proof")) and HOSTILE in text_of(section_of(tree, "symmetry"))
    assert text_of(section_of(tree, "provenance")).count(HOSTILE) == 2
    table = written(projects([project.folder]), "html")
    assert "<script" not in table and HOSTILE in text_of(tree_of(table))
    (line,) = [s for s in written(projects([project.folder]), "md").splitlines() if "seen" in s]
    assert "<script" not in line and len(re.findall(r"(?<!\\)\|", line)) == 19


def test_the_verdict_of_a_proof_that_passed(project: Compiled) -> None:
    evidence = proved(project)
    tree = tree_of(written_page(project))
    (said,) = [p for p in tree.iter("p") if p.get("id") == "verdict"]
    assert text_of(said) == f"✓ Verified: all {len(evidence.stages)} stages of the proof ran and passed."
    assert "bad" not in {c for e in tree.iter() for c in (e.get("class") or "").split()}


def test_failed_and_missing_stages_are_shown(project: Compiled) -> None:
    proved(project, failed=("rtl", "symmetry hls"), left_out=("cocotb",))
    tree = tree_of(written_page(project))
    (said,) = [p for p in tree.iter("p") if p.get("id") == "verdict"]
    want = "✗ Not verified. Stages that failed: rtl, symmetry hls; that did not run: cocotb."
    assert text_of(said) == want and "bad" in (said.get("class") or "")
    rows = {row[1]: row for row in tables_of(section_of(tree, "proof"))["Stages of the proof"][1:]}
    assert rows["rtl"][2] == "✗ FAILED" and rows["hls"][2] == "✓ passed"
    assert rows["cocotb"][2] == "✗ DID NOT RUN" and rows["symmetry hls"][3] == "what symmetry hls found"
    (moved,) = [t for c, t in tables_of(section_of(tree, "symmetry")).items() if c.startswith("Transformed")]
    good, bad = (f"{sign} of 1,200 ✓ control: 311 changed" for sign in ("✓ 0", "✗ 7"))
    assert moved[1] == ["O(3,1;Z)", good, good, bad, good]


def test_a_project_that_was_not_verified_says_what_to_run(project: Compiled) -> None:
    text = written_page(project)
    tree = tree_of(text)
    (said,) = [p for p in tree.iter("p") if p.get("id") == "verdict"]
    assert text_of(said) == f"✗ Not verified yet: run eqhls verify {project.folder}."
    assert "with labels y in the file" in text_of(section_of(tree, "accuracy"))
    assert f"eqhls verify {project.folder} EVENTS.npz" in text_of(section_of(tree, "ranges"))


def test_tables_say_what_the_evidence_says(project: Compiled) -> None:
    evidence = proved(project)
    tree = tree_of(written_page(project))
    stages = tables_of(section_of(tree, "proof"))["Stages of the proof"][1:]
    assert [row[1] for row in stages] == [s.name for s in evidence.stages]
    for row, stage in zip(stages, evidence.stages, strict=True):
        assert row[2] == "✓ passed" and row[0] != stage.name
        assert (row[3] == stage.detail) is not bool(stage.moved)
    symmetry = tables_of(section_of(tree, "symmetry"))
    moved, faults = symmetry.values()
    for k, engine in enumerate(("float", "integer", "hls", "rtl"), 1):
        stage = evidence.stage(f"symmetry {engine}")
        assert stage is not None
        both = [f"{_differ(m)} {_changed(m)}" for m in stage.moved]
        assert [r[k] for r in moved[1 : 1 + len(stage.moved)]] == both
    assert faults[1:] == [["flipped metric sign", "2,026"], ["truncated product", "337"]]
    boosts = tables_of(section_of(tree, "boosts")).popitem()[1]
    assert boosts[1:] == [
        ["ports as they are", "25.00%", "50.00%"],
        ["ports with 4 more bits", "2.50%", "5.00%"],
        ["ports with 8 more bits", "", "1.00%"],
    ]
    ((_, float_auc), (_, fixed_auc)) = tables_of(section_of(tree, "accuracy"))["Area under the ROC curve"][1:]
    assert (float_auc, fixed_auc) == ("0.9214", "0.9207")


def _differ(moved: Moved) -> str:
    return f"✓ {moved.mismatches:,} of {moved.transformed:,}"


def _changed(moved: Moved) -> str:
    changed = f"none can change: {moved.reason}" if moved.reason else f"{moved.control_changed:,} changed"
    return f"✓ control: {changed}"


def test_the_network_stages_and_ports_are_those_of_the_project(project: Compiled) -> None:
    tree, manifest = tree_of(written_page(project)), project.manifest
    values = next(t for c, t in tables_of(section_of(tree, "network")).items() if "in the order" in c)
    assert [(r[0], r[1], r[3]) for r in values[1:]] == [
        (n.name, n.op.name(), str(n.type)) for n in project.graph
    ]
    gates = sum(int(r[5].replace(",", "") or 0) for r in values[1:])
    assert abs(gates - manifest["passes"][-1]["gates"][1]) <= len(values)
    stages = next(t for c, t in tables_of(section_of(tree, "cost")).items() if c.startswith("Stages"))
    assert len(stages) - 1 == manifest["latency_cycles"] - 1
    luts = [float(s["lut"]) for s in manifest["stages"]]
    assert abs(sum(luts) - manifest["lut_estimate"]) <= 0.05 * len(luts) + 0.5
    assert max(s["depth_ns"] for s in manifest["stages"]) == manifest["stage_depth_ns"]
    (inputs,) = [t for c, t in tables_of(section_of(tree, "ports")).items() if c.startswith("Inputs")]
    assert [r[1] for r in inputs[1:]] == ["E", "px", "py", "pz"]
    assert [r[2] for r in inputs[1:]] == ["4:0", "9:5", "14:10", "19:15"] and {r[4] for r in inputs[1:]} == {
        "GeV"
    }


def test_working_points_and_curves(project: Compiled) -> None:
    proved(project)
    tree = tree_of(written_page(project))
    ladders = json.loads((project.folder / "report" / "working_points.json").read_text())
    section = section_of(tree, "accuracy")
    table = next(t for c, t in tables_of(section).items() if c.startswith("Working points"))
    want = [s["point"]["threshold"] for s in ladders["ports"][0]["ladder"] if s["point"]]
    assert [int(r[1]) for r in table[1:] if r[1].lstrip("-").isdigit()] == want
    titles = [text_of(c) for c in section.iter("figcaption")]
    area = ladders["ports"][0]["auc"]
    assert titles == [
        f"seen: ROC of s, y = 1 against y = 0, AUC {area:.4f}",
        "seen: scores of s: y = 1 against y = 0",
    ]
    points = [r for r in section.iter("rect") if r.get("class") == "point" and list(r)]
    assert len(points) == sum(
        s["point"] is not None and s["point"]["background"]["passed"] > 0
        for s in ladders["ports"][0]["ladder"]
    )
    found = json.loads((project.folder / "report" / "curves.json").read_text())
    for side in found["scores"][0]["sides"].values():
        assert sum(side["signal"]) + sum(side["background"]) == found["events"]


def test_a_roc_is_that_of_its_scores() -> None:
    """The area below the thinned curve is the AUC, and every point is one that a cut reaches."""
    rng = np.random.default_rng(3)
    own = rng.random(5000) < 0.4
    scores = np.round(rng.normal(own * 1.5, 1.0), 1)
    roc = Roc.of(scores, own)
    assert (roc.signal[0], roc.background[0], roc.signal[-1], roc.background[-1]) == (0, 0, 1, 1)
    area = float(np.trapezoid(roc.signal, roc.background))
    assert area == pytest.approx(auc(scores, own.astype(np.int64)), abs=2e-3)
    reached = {(float((scores[own] >= t).mean()), float((scores[~own] >= t).mean())) for t in scores}
    assert {(float(s), float(b)) for s, b in zip(roc.signal[1:], roc.background[1:], strict=True)} <= reached
    few = Roc.of(np.array([1.0, 1.0, 1.0]), np.array([True, False, False]))
    assert few.points() == [[0.0, 0.0], [1.0, 1.0]]


def test_ranges_of_a_trace(project: Compiled) -> None:
    found = project.trace(engines=())
    tree = tree_of(written_page(project))
    values = tables_of(section_of(tree, "ranges"))["Every value"][1:]
    assert [(r[0], r[2]) for r in values] == [(r.value, r.formats) for r in found.rows]
    assert [float(r[3]) for r in values] == [float(f"{r.range.low:.4g}") for r in found.rows]
    texts = [text_of(t) for t in section_of(tree, "ranges").iter("text")]
    assert all(r.value in texts for r in found.rows)


def test_boosts_are_normalised_to_the_spread() -> None:
    assert moves({"rms_gamma_2.0_bits_0": 3.0, "spread": 6.0}) == {"ports as they are": {2.0: 0.5}}
    assert moves({"across_0.003": 0.2, "about_1e-05": 0.1}) == {
        "boost across the beam": {0.003: 0.2},
        "turn about the beam": {1e-05: 0.1},
    }
    assert moves({"rms_gamma_2.0_bits_0": 3.0, "spread": 0.0}) == {}
    numbers = {"rms_gamma_2.0_bits_0": 3.0, "rms_gamma_2.0_bits_4": 1.5, "rms_gamma_1.5_bits_4": 0.2}
    assert by_bits(numbers | {"spread": 6.0}) == {2.0: {0: 0.5, 4: 0.25}}


def test_scales() -> None:
    assert across("x", 0.0, 10.0).ticks() == [0, 2, 4, 6, 8, 10]
    assert upward("y", 1e-4, 1.0, log=True).ticks() == pytest.approx([1e-4, 1e-3, 1e-2, 0.1, 1.0])
    scale = across("x", 1.0, 100.0, log=True)
    assert scale(10.0) == pytest.approx((scale.start + scale.end) / 2, abs=0.1)
    assert scale(0.01) == scale.start and scale(1e6) == scale.end
    assert across("x", 3.0, 3.0)(3.0) == across("x", 3.0, 3.0).start


def test_many_projects_in_one_table(project: Compiled, compiled: Compiled) -> None:
    proved(project)
    rows = projects([project.folder, compiled.folder])
    assert [r["verified"] for r in rows] == [True, False] and rows[0]["auc_fixed"] == 0.9207
    assert json.loads(written(rows, "json")) == rows
    table = list(csv.DictReader(io.StringIO(written(rows, "csv"))))
    assert [r["lut_estimate"] for r in table] == [str(project.manifest["lut_estimate"])] * 2
    assert [r["auc_float"] for r in table] == ["0.9214", ""]
    lines = written(rows, "md").splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    text = written(rows, "html", {str(project.folder): "a%20b/report.html"})
    assert seen(text).addresses == ["a%20b/report.html"]
    (found,) = tables_of(tree_of(text)).values()
    assert [r[2] for r in found[1:]] == ["✓ yes", "✗ no"] and found[2][5] == "not known"


@pytest.mark.parametrize("name", ["evidence.json", "trace.json", "curves.json", "time_per_step.json"])
@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_file_is_named(project: Compiled, name: str, text: str) -> None:
    (project.folder / "report" / name).write_text(text)
    with pytest.raises(CompileError, match=re.escape(name)):
        write_report(project.folder)


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="is not a project folder"):
        write_report(tmp_path)


def test_an_older_project_says_what_it_lacks(project: Compiled) -> None:
    """Without stages in the manifest and without groups in the evidence."""
    proved(project)
    manifest = project.manifest
    del manifest["stages"], manifest["logic"], manifest["model_hash"]
    (project.folder / "eqhls.json").write_text(json.dumps(manifest))
    path = project.folder / "report" / "evidence.json"
    evidence = json.loads(path.read_text())
    for stage in evidence["stages"]:
        del stage["moved"]
    path.write_text(json.dumps(evidence))
    (project.folder / "report" / "curves.json").unlink()
    tree = tree_of(written_page(project))
    assert "compile again" in text_of(section_of(tree, "cost"))
    assert f"verify {project.folder} again" in text_of(section_of(tree, "accuracy"))
    moved, _ = tables_of(section_of(tree, "symmetry")).values()
    assert moved[1] == ["all transformations together", *["✓ 0 of 1,260"] * 4]


def test_the_command_writes_pages_and_tables(
    project: Compiled, compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved(project)
    monkeypatch.chdir(tmp_path)
    both = [str(project.folder), str(compiled.folder)]
    run = CliRunner()
    one = run.invoke(app, ["report", both[0]])
    assert one.exit_code == 0 and one.output == f"wrote {both[0]}/report/report.html\n"
    data = json.loads((project.folder / "report" / "report.json").read_text())
    assert data["manifest"]["name"] == "seen" and data["curves"]["events"] == 2000
    assert not (tmp_path / "projects.html").exists()
    assert run.invoke(app, ["report", *both]).exit_code == 0
    links = seen((tmp_path / "projects.html").read_text()).addresses
    assert [(tmp_path / link).resolve() for link in links] == [Path(f, "report", "report.html") for f in both]
    for format in ("md", "csv", "json"):
        want = written(projects([Path(f) for f in both]), format)
        assert run.invoke(app, ["report", *both, "--format", format]).output == want
        kept = tmp_path / f"table.{format}"
        assert run.invoke(app, ["report", *both, "--format", format, "-o", str(kept)]).exit_code == 0
        assert kept.read_text() == want
    asked = run.invoke(app, ["report", *both, "--format", "csv", "--json"])
    assert [row["verified"] for row in json.loads(asked.output)["projects"]] == [True, False]
