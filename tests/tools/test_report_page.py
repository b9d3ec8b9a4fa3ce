"""The report in a browser without a screen: widths of a phone, a tablet and a desk, in light and in dark."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from reported import proved, tiny_project
from tools_needed import need

from eqhls.frontends.graphfile import load_model
from eqhls.report.compare import projects, written
from eqhls.report.netpicture import network_figure
from eqhls.report.page import rendered, write_report
from eqhls.report.table import Mark, Section

WIDTHS = (390, 800, 1400)
MODELS = Path(__file__).resolve().parents[2] / "models"
TALL = 4000
"""Pixels of a picture from top to bottom, most of the page."""
PAPER = {"light": (255, 255, 255), "dark": (17, 21, 26)}
"""The colour of the page in each scheme, as in style.css.j2."""
SCHEME = {"dark": 0, "light": 1}
MEASURE = """<!DOCTYPE html><title>not measured</title>
<iframe id="frame" style="width:{width}px;height:900px;border:0" srcdoc="{page}"></iframe>
<script>addEventListener("load", () => {{ const f = document.getElementById("frame"), d = f.contentDocument;
const box = e => e.getBoundingClientRect(), all = s => [...d.querySelectorAll(s)];
const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
const clashes = list => list.flatMap((a, k) => list.slice(k + 1).filter(b => !apart(box(a), box(b)))).length;
const drawn = svg => {{ const own = s => [...svg.querySelectorAll(s)], {{width, height}} = svg.viewBox.baseVal;
  const inside = b => b.x >= -1 && b.y >= -1 && b.x + b.width <= width + 1 && b.y + b.height <= height + 1;
  const names = own("a").filter(a => {{ const [r, t] = [a.querySelector("rect"), a.querySelector("text")].map(box);
    return t.left < r.left || t.right > r.right || t.top < r.top || t.bottom > r.bottom }});
  return {{boxes: own("a").length, outside: own("rect, text, path").filter(e => !inside(e.getBBox())).length,
    clashes: clashes(own("rect.op")), texts: clashes(own("text")), spilt: names.length, types: own("text.type").length,
    edges: own("path.edge title").map(t => t.textContent), focus: own("a").every(a => a.tabIndex >= 0)}} }};
document.title = JSON.stringify({{inner: f.contentWindow.innerWidth, page: d.documentElement.scrollWidth,
  widest: Math.max(...all("main, section, figure, .scroll, p, dl, h1, h2").map(e => box(e).right)),
  pictures: all("figure > svg").map(e => box(e).width),
  drawings: all(".picture > svg").map(drawn),
  focus: all("a, summary, .scroll").every(e => e.tabIndex >= 0)}}) }})</script>"""
"""A page around the page, as no window of Chromium is narrower than 500 px: it measures a frame of any width."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of a verified project, one of a project that failed, and a table of two."""
    folder = tmp_path_factory.mktemp("pages")
    project = tiny_project(folder)
    proved(project)
    project.trace(engines=())
    good, bad = write_report(project.folder).read_text(), ""
    proved(project, failed=("rtl",), left_out=("cocotb",))
    bad = write_report(project.folder).read_text()
    table = written(projects([project.folder, project.folder]), "html")
    found = {"good": folder / "good.html", "bad": folder / "bad.html", "table": folder / "table.html"}
    for name, text in (("good", good), ("bad", bad), ("table", table)):
        found[name].write_text(text)
    return found


def browser(*options: str) -> str:
    """Run Chromium without a screen and without a network; return what it prints."""
    done = subprocess.run(
        [
            need("chromium"),
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
            "--host-resolver-rules=MAP * ~NOTFOUND",
            *options,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def measured(page: str, width: int, folder: Path) -> dict[str, Any]:
    """Return what Chromium measures of a page on a screen of some width."""
    (folder / "measured.html").write_text(MEASURE.format(width=width, page=escape(page)))
    shown = browser("--window-size=1500,900", "--dump-dom", (folder / "measured.html").as_uri())
    (title,) = re.findall(r"<title>(\{.*?\})</title>", shown)
    return json.loads(unescape(title))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["good", "bad", "table"])
def test_nothing_is_wider_than_the_screen(
    pages: dict[str, Path], name: str, width: int, tmp_path: Path
) -> None:
    found = measured(pages[name].read_text(), width, tmp_path)
    assert found["inner"] == width
    assert found["page"] <= width and found["widest"] <= width
    assert found["focus"] and all(w > 250 for w in found["pictures"])
    assert len(found["pictures"]) == {"good": 7, "bad": 7, "table": 0}[name]
    assert len(found["drawings"]) == (0 if name == "table" else 2)
    for drawn in found["drawings"]:
        assert drawn["outside"] == drawn["clashes"] == drawn["texts"] == drawn["spilt"] == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("model", ["lgn_top_small", "tag5"])
def test_the_network_is_drawn(model: str, width: int, tmp_path: Path) -> None:
    """In the fonts of a browser, too, boxes and labels lie inside the picture and not on each other, every edge
    says what it carries, and every box can be reached with the keyboard."""
    graph = load_model(MODELS / model)
    section = Section("network", "Network", (), (network_figure(graph, {}),))
    text = rendered("page.html.j2", name=model, verdict=Mark("", True), figures={}, sections=(section,))
    found = measured(text, width, tmp_path)
    assert found["page"] <= width
    (drawn,) = found["drawings"]
    assert drawn["boxes"] == len(graph.nodes) and drawn["types"] == 2 * len(graph.nodes) and drawn["focus"]
    assert drawn["outside"] == drawn["clashes"] == drawn["texts"] == drawn["spilt"] == 0
    edges = {f"{n} to {node.name}: {graph.node(n).type}" for node in graph for n in node.inputs}
    assert len(drawn["edges"]) == len(edges) and set(drawn["edges"]) == edges


def test_the_measure_sees_what_lies_outside_or_on_each_other(tmp_path: Path) -> None:
    """The control of the test above."""
    graph = load_model(MODELS / "lgn_top_small")
    good = network_figure(graph, {})
    first, second, *others = good.boxes
    moved = replace(second, x=first.x + 5, y=first.y + 5)
    bad = replace(good, boxes=(first, moved, *others), width=good.width - 120)
    section = Section("network", "Network", (), (bad,))
    text = rendered("page.html.j2", name="bad", verdict=Mark("", True), figures={}, sections=(section,))
    (drawn,) = measured(text, 800, tmp_path)["drawings"]
    assert drawn["outside"] > 0 and drawn["clashes"] > 0 and drawn["texts"] > 0


@pytest.mark.parametrize("scheme", PAPER)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_picture_of_the_page(pages: dict[str, Path], scheme: str, width: int, tmp_path: Path) -> None:
    """The page is on light or dark paper, with ink that stands out, and the verdict in its colour on top. If
    REPORT_SHOTS names a folder, the pictures are kept there."""
    folder = Path(os.environ.get("REPORT_SHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    shot = folder / f"{scheme}-{width}.png"
    scheme_option = f"--blink-settings=preferredColorScheme={SCHEME[scheme]}"
    size = f"--window-size={width},{TALL}"
    browser(size, scheme_option, f"--screenshot={shot}", pages["good"].as_uri())
    image = np.round(imread(shot)[..., :3] * 255).astype(int)
    assert image.shape[:2] == (TALL, width)
    assert tuple(image[2, 2]) == PAPER[scheme]
    far = np.abs(image - np.array(PAPER[scheme])).sum(axis=-1)
    assert 0.01 < (far > 300).mean() < 0.5
    green = (image[..., 1] > image[..., 0] + 15) & (image[..., 1] > image[..., 2] + 10)
    assert green[:200].mean() > 0.02


def test_a_failure_is_red(pages: dict[str, Path], tmp_path: Path) -> None:
    shot = tmp_path / "bad.png"
    browser(
        "--window-size=800,1200",
        "--blink-settings=preferredColorScheme=1",
        f"--screenshot={shot}",
        pages["bad"].as_uri(),
    )
    image = np.round(imread(shot)[..., :3] * 255).astype(int)[:200]
    assert ((image[..., 0] > image[..., 1] + 15) & (image[..., 0] > image[..., 2] + 10)).mean() > 0.02


def test_it_prints(pages: dict[str, Path], tmp_path: Path) -> None:
    paper = tmp_path / "page.pdf"
    browser("--no-pdf-header-footer", f"--print-to-pdf={paper}", pages["good"].as_uri())
    assert paper.read_bytes().startswith(b"%PDF") and paper.stat().st_size > 20_000
