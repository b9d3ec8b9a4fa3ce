"""Hooks of MkDocs: the README is the first page, models/ is part of the site, and links are those of the
repository.

A link in a page of the repository leads to a file of the repository, as people read it there. In the site a
link to a page leads to that page; one to any other file, which the site does not hold, becomes its path.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")
NAMED = re.compile(r"(?m)^(```\w+) file=(\S+)$")
"""A block that is a file, as the tests follow it: the site shows the path above it."""
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)#:\s]+)\)")


def _outside() -> Iterator[str]:
    """Yield the pages of the site that do not lie in docs/, by their paths in the repository."""
    yield "README.md"
    yield "CONTRIBUTING.md"
    yield "CHANGELOG.md"
    yield from sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "models").rglob("*.md"))


def site_path(path: str) -> str | None:
    """Return where the site has a file of the repository, or None if it does not have it."""
    if path == "README.md":
        return "index.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path if path in set(_outside()) else None


def on_config(config: Any) -> Any:
    """List the decisions, which are named by their numbers, and the pages of models in the navigation."""
    decisions = sorted(p.name for p in (ROOT / "docs" / "adr").glob("*.md"))
    config.nav.append({"Decisions": [f"adr/{name}" for name in decisions]})
    models = [p for p in _outside() if p.startswith("models/")]
    config.nav.append({"Models": models})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that do not lie in docs/."""
    for path in _outside():
        place = site_path(path)
        assert place is not None
        files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page with links that hold in the site. Raises PluginError for a link to no file."""
    here = _repository_path(page.file.src_uri)

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        place = _in_site(here, target)
        if place is None:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
            return f"{text} (`{path}`)"
        return f"[{text}]({_relative(page.file.src_uri, place)}{anchor})"

    def image(found: re.Match[str]) -> str:
        place = _in_site(here, found[2])
        assert place is not None, f"{here}: the picture {found[2]} does not lie in docs/"
        return f"![{found[1]}]({_relative(page.file.src_uri, place)})"

    return _outside_code(markdown, lambda text: IMAGE.sub(image, LINK.sub(link, text)))


def _repository_path(source: str) -> str:
    if source == "index.md":
        return "README.md"
    return source if source in set(_outside()) else f"docs/{source}"


def _in_site(here: str, target: str) -> str | None:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
    if (ROOT / path).is_dir():
        path = next((f"{path}/{p.name}" for p in sorted((ROOT / path).glob("*.md"), key=_first)), path)
    if not (ROOT / path).exists():
        raise PluginError(f"{here}: leads to {path}, which does not exist; correct the link")
    return site_path(path)


def _first(page: Path) -> tuple[bool, str]:
    """Order the pages of a folder: its README, then by name."""
    return page.name != "README.md", page.name


def _relative(source: str, place: str) -> str:
    return posixpath.relpath(place, posixpath.dirname(source) or ".")


def _outside_code(markdown: str, change: Any) -> str:
    """Apply a change to the text between fenced blocks of code."""
    parts = re.split(r"(?m)^(```.*?^```[ \t]*$)", markdown, flags=re.S)
    return "".join(
        NAMED.sub(r'\1 title="\2"', part) if k % 2 else change(part) for k, part in enumerate(parts)
    )
