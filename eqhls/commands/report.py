"""eqhls report: the page of a project."""

from __future__ import annotations

from eqhls.commands.shell import FolderArg, show
from eqhls.flow import open_project
from eqhls.report.html import write_report


def report(folder: FolderArg) -> None:
    """Write report/report.html and report.json of a project."""
    page = write_report(open_project(folder).folder)
    show({"wrote": page}, f"wrote {page}")
