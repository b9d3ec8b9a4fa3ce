"""eqhls report: the page of a project, or one table over many."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import typer
from rich.text import Text

from eqhls.commands.shell import show
from eqhls.flow import open_project
from eqhls.report.compare import projects, written
from eqhls.report.page import write_report
from eqhls.text import write_file

TABLE = Path("projects.html")
FoldersArg = Annotated[list[Path], typer.Argument(help="project folders that eqhls compiled")]
FormatOption = Annotated[
    Literal["html", "md", "csv", "json"],
    typer.Option("--format", help="html: a page of each project, and a table of several; others: the table"),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help=f"file of the table; {TABLE} or standard output if left out"),
]


def report(folders: FoldersArg, format: FormatOption = "html", output: OutputOption = None) -> None:
    """Write the page of a project, or compare several.

    The page is report/report.html in the folder of the project, and its data report/report.json
    beside it. The page needs no network and no other file. A table has a row for each project.
    """
    for folder in folders:
        open_project(folder)
    if format == "html":
        pages = {str(folder): write_report(folder) for folder in folders}
        target = output or (TABLE if len(folders) > 1 else None)
        wrote = [*pages.values(), *([target] if target else [])]
        if target:
            links = {folder: _link(page, target) for folder, page in pages.items()}
            write_file(target, written(projects(folders), "html", links))
        facts = {"wrote": wrote[0] if len(wrote) == 1 else wrote}
        show(facts, *(f"wrote {path}" for path in wrote))
        return
    rows = projects(folders)
    text = written(rows, format)
    if output:
        write_file(output, text)
        show({"wrote": output}, f"wrote {output}")
    else:
        show({"projects": rows}, Text(text.rstrip("\n")))


def _link(page: Path, target: Path) -> str:
    """Return the address of a page as a table beside it has to name it."""
    return quote(Path(os.path.relpath(page.resolve(), target.resolve().parent)).as_posix())
