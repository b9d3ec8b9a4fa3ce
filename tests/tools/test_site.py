"""The site is built without a warning from the pages of the repository, and its links hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROKEN = {
    "a page that is not there": ("[x](nowhere.md)", "nowhere.md, which does not exist"),
    "a section that is not there": ("[x](config.md#nowhere)", "does not contain an anchor '#nowhere'"),
    "a name that is not there": ("::: eqhls.nowhere", "eqhls.nowhere could not be found"),
}


def built(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a copy of the tree."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = built(ROOT, folder)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stdout + done.stderr
    return folder


def test_every_page_of_the_repository_is_in_the_site(site: Path) -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").is_file(), page
    assert "eqhls compiles a trained network" in (site / "index.html").read_text()


def test_every_notebook_is_a_page_and_can_be_had(site: Path) -> None:
    notebooks = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
    assert len(notebooks) == 2
    for notebook in notebooks:
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text()
        assert f'href="{notebook.name}"' in page and (site / "notebooks" / notebook.name).is_file()
        assert "scores" in page and 'href="../tutorial.html"' in page
    assert "data:image/png;base64," in (site / "notebooks" / "shipped-network.html").read_text()


def test_links_between_pages_hold(site: Path) -> None:
    """Also those to pictures and to pages of models/, and those in the navigation."""
    count = 0
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text()):
            if page.name == "404.html" or ":" in target or target.startswith("//"):
                continue
            found = page.parent / unquote(target)
            assert found.exists(), f"{page.relative_to(site)}: {target}"
            count += 1
    assert count > 1000


def test_the_reference_is_made_of_the_docstrings(site: Path) -> None:
    page = (site / "api.html").read_text()
    assert 'id="eqhls.flow.compile_model"' in page and "written whole or not at all" in page


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_stops_the_build(case: str, tmp_path: Path) -> None:
    line, message = BROKEN[case]
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "mkdocs.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("docs", "models", "eqhls"):
        kept = shutil.ignore_patterns("*.npz", "*.keras", "__pycache__", "*.pt", "*.npy")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=kept)
    page = tmp_path / "docs" / "faq.md"
    page.write_text(f"{page.read_text()}\n{line}\n")
    done = built(tmp_path, tmp_path / "site")
    assert done.returncode != 0 and message in done.stdout + done.stderr, done.stdout + done.stderr
