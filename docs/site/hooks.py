"""Hooks of MkDocs: the README is the first page, models/ and the notebooks are part of the site, and links
are those of the repository.

A link in a page of the repository leads to a file of the repository, as people read it there. In the site a
link to a page leads to that page; one to any other file, which the site does not hold, becomes its path.
"""

from __future__ import annotations

import json
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
        return path.removeprefix("docs/").replace(".ipynb", ".md")
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
    for notebook in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        files.append(File.generated(config, f"notebooks/{notebook.stem}.md", content=page_of(notebook)))
    return files


def page_of(notebook: Path) -> str:
    """Return a notebook as a page: its texts, its code, and what the code printed and drew."""
    parts = [f'<a href="{notebook.name}" download>Download this notebook</a>']
    for cell in json.loads(notebook.read_text())["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [_shown(output) for output in cell.get("outputs", ())]
    heading = next(k for k, part in enumerate(parts) if part.startswith("# "))
    return "\n\n".join((parts[heading], *parts[:heading], *parts[heading + 1 :])) + "\n"


def _shown(output: dict[str, Any]) -> str:
    """Return what a cell printed as a block of text, or its picture. Raises KeyError for anything else."""
    if output["output_type"] == "stream":
        return f"```text\n{''.join(output['text'])}```"
    picture = output["data"]["image/png"].strip()
    return f'<img alt="what the code above draws" src="data:image/png;base64,{picture}">'


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
