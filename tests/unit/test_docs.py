"""Documents that are written from the code are up to date, and say nothing that is not there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from eqhls.cli import app
from eqhls.ir.text import parse_graph
from eqhls.ops import BY_NAME
from eqhls.report.catalogue import catalogue, operators

ROOT = Path(__file__).resolve().parents[2]


def test_the_catalogue_is_current() -> None:
    """`make docs` writes it."""
    assert (ROOT / "docs" / "blocks.md").read_text() == catalogue()


def test_the_page_of_onnx_operators_is_current() -> None:
    assert (ROOT / "docs" / "onnx-operators.md").read_text() == operators()


def test_the_catalogue_has_every_block() -> None:
    for name in BY_NAME:
        assert f"### {name}\n" in catalogue(), name


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text() + (ROOT / "CHANGELOG.md").read_text()
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        assert re.search(rf"\b{name}\b", readme), name


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
    assert parse_graph(nested, {}, BY_NAME).node("filter").op.kind() == "composed"


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"
