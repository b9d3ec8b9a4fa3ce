"""Documents that are written from the code are up to date, and say nothing that is not there."""

from __future__ import annotations

import json
import pkgutil
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eqhls.cli import COMMANDS
from eqhls.ir.text import parse_graph
from eqhls.ops import BY_NAME
from eqhls.options import Options
from eqhls.report.catalogue import catalogue, operators
from eqhls.report.opfacts import facts

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ROOT / "eqhls" / "data" / "hls_templates"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
"""Pages that say how things are; the records of decisions and the changelog say how they were."""


def test_the_catalogue_is_current() -> None:
    """`make docs` writes it."""
    assert (ROOT / "docs" / "ops.md").read_text() == catalogue()


def test_the_page_of_onnx_operators_is_current() -> None:
    assert (ROOT / "docs" / "onnx-operators.md").read_text() == operators()


def test_the_picture_of_the_floors_is_current() -> None:
    """`make docs` draws it, every module once, and another picture if the floors or the imports change."""
    floors = runpy.run_path(str(ROOT / "docs" / "floors.py"))
    picture = floors["svg"]()
    assert (ROOT / "docs" / "floors.svg").read_text() == picture, "run make docs"
    levels, imports = floors["read"]()
    modules = [name for names in levels for name in names]
    assert sorted(re.findall(r">(\w+)</text>", picture)) == sorted(modules)
    arrows = floors["reduced"](imports)
    assert picture.count('class="edge"') == sum(map(len, arrows.values()))
    for name in modules:
        assert _below(arrows, name) == _below(imports, name), name
        for target in arrows[name]:
            fewer = {**arrows, name: arrows[name] - {target}}
            assert target not in _below(fewer, name), f"{name} to {target} follows from other arrows"


def _below(arrows: Mapping[str, set[str]], name: str) -> set[str]:
    return arrows[name].union(*(_below(arrows, n) for n in arrows[name]))


def test_the_pictures_of_exact_groups_show_what_is_true() -> None:
    """Whoever draws them computes: squares and scores stay, and the pictures are other ones if they do not."""
    made = runpy.run_path(str(ROOT / "docs" / "exact_pictures.py"))
    start = np.array((3, 16, 0, 0))
    places = made["orbit"](start)
    assert [tuple(p[:2]) for p in places] == [(3, 16), (6, 8), (12, 4), (24, 2), (48, 1)]
    assert {made["square"](p) for p in places} == {48}
    moved, scores = made["copies"]()
    assert len(set(scores)) == 1 and len({x["eta"].tobytes() + x["phi"].tobytes() for x in moved}) == 4
    assert made["bits"]().startswith(b"\x89PNG")


def test_the_schema_of_configurations_is_current() -> None:
    found = runpy.run_path(str(ROOT / "docs" / "schema.py"))
    kept = (ROOT / "docs" / "config.schema.json").read_text()
    assert kept == found["schema"](), "run make docs"
    assert set(json.loads(kept)["properties"]) == set(Options.model_fields)


def test_the_catalogue_has_every_op() -> None:
    page = catalogue()
    for name in BY_NAME:
        assert f"### {name}\n" in page, name


def test_the_catalogue_says_what_an_op_does_to_formats_and_symmetry() -> None:
    """Two ops, by hand: products of four-vectors keep every bit in both bases, a clamp keeps signs and axes."""
    said = dict(facts(BY_NAME["gram"]))
    assert said["Exact group"] == "O(3,1;Z); SL(2,Z[i]) with reflections"
    assert said["Formats"].endswith("gives `S[i:2, j:3]:fix<21,18>`") and said["Work"] == "24 products"
    assert dict(facts(BY_NAME["clamp"]))["Exact group"] == "sign flips and exchanges of axes in O(3,1;Z)"
    assert dict(facts(BY_NAME["relu"]))["Exact group"].startswith("every one")
    assert (
        dict(facts(BY_NAME["table"]))["Largest rounding in the examples"]
        != said["Largest rounding in the examples"]
    )


def test_the_page_of_costs_is_current() -> None:
    """Every op with inputs is on it; the cheap ones are lowered again. `make docs` writes it."""
    made = runpy.run_path(str(ROOT / "docs" / "op_curves.py"))
    text = (ROOT / "docs" / "op-costs.md").read_text()
    for op in BY_NAME.values():
        assert f"[{op.name()}](ops.md#{op.name()})" in text or not any(e.types for e in op.examples()), op
    cheap = ("gram", "clamp", "mask", "particle_sum", "relu", "log2", "add")
    for name, costs in made["curves"](tuple(BY_NAME[n] for n in cheap)).items():
        assert f"{made['row'](name, costs)}\n" in text, f"{name}: run make docs"


def test_the_page_of_commands_names_every_command() -> None:
    readme = (ROOT / "docs" / "commands.md").read_text()
    for command in COMMANDS:
        assert re.search(rf"eqhls {command.name}\b", readme), command.name


def test_the_network_of_the_format_page_computes_what_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "eq-format.md").read_text()
    network, nested = re.findall(r"```eq\n(.*?)```", page, re.S)
    (program,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (tmp_path / "graph.eq").write_text(network)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    (said,) = re.findall(r"# (\[\[.*\]\]):", program)
    assert done.stdout.strip() == said
    assert parse_graph(nested, {}, BY_NAME).node("filter").op.name() == "composed"


def test_the_glossary_names_things_that_exist() -> None:
    """One row per term, in order; the owner of each can be imported. A name that is not there is seen."""
    page = (ROOT / "docs" / "glossary.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+\.) \| `(eqhls[\w.]*)` \|$", page, re.M)
    assert len(rows) == page.count("\n|") - 2 > 50
    terms = [term.lower() for term, _, _ in rows]
    assert terms == sorted(set(terms))
    for term, _, owner in rows:
        assert _exists(owner), f"{term}: there is no {owner}"
    assert not _exists("eqhls.ir.types.Kind") and not _exists("eqhls.machines")


def _exists(name: str) -> bool:
    """Whether a dotted name is a module of eqhls, or something in one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_pages_name_files_and_modules_that_exist() -> None:
    """All but those that a page tells its reader to write."""
    for page in PAGES:
        text = page.read_text()
        made = {*re.findall(r" file=(\S+)", text), "eqhls/ops/foo.py", "eqhls/data/hls_templates/eqhls/foo.h"}
        for path in re.findall(r"`((?:eqhls|tests|models)/[\w./]+)`", text):
            found = (ROOT / path).exists() or (HEADERS / path).exists()
            assert found or path in made, f"{page.name}: {path}"
        for name in re.findall(r"`(eqhls\.[\w.]+)`", text):
            assert _exists(name) or name == "eqhls.json", f"{page.name}: {name}"


def test_links_lead_somewhere() -> None:
    for page in (*PAGES, *(ROOT / "docs" / "adr").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"
