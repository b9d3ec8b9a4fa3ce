"""The page of a project: report/report.html, which needs nothing but itself, and report/report.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.report.design import (
    cost_section,
    figures_of_merit,
    network_section,
    ports_section,
    provenance_section,
)
from eqhls.report.merit import accuracy_section
from eqhls.report.proof import boosts_section, proof_section, symmetry_section, verdict
from eqhls.report.ranges import ranges_section
from eqhls.report.sources import Sources
from eqhls.report.table import Mark, Section
from eqhls.text import write_file

PAGE, DATA = "report/report.html", "report/report.json"
SECTIONS = (
    proof_section,
    cost_section,
    accuracy_section,
    symmetry_section,
    boosts_section,
    network_section,
    ports_section,
    ranges_section,
    provenance_section,
)
"""The parts of a page, in their order."""


def write_report(folder: Path) -> Path:
    """Write the page of a project and its data; return the path of the page. Raises CompileError if a file of
    the project is damaged, or the page cannot be written."""
    found = Sources.of(folder)
    write_file(folder / DATA, json.dumps(found.as_json(), indent=1) + "\n")
    write_file(folder / PAGE, page(found))
    return folder / PAGE


def page(found: Sources) -> str:
    """Return the page of a project. Equal files give an equal page."""
    return rendered(
        "page.html.j2",
        name=found.manifest["name"],
        verdict=verdict(found),
        figures=figures_of_merit(found),
        sections=sections(found),
    )


def sections(found: Sources) -> tuple[Section, ...]:
    """Return the parts of a page."""
    return tuple(make(found) for make in SECTIONS)


def rendered(template: str, **values: object) -> str:
    """Return a whole file from a template of this folder; every text is escaped."""
    environment = Environment(
        loader=PackageLoader("eqhls.report", "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["mark"] = _is_mark
    return environment.get_template(template).render(**values)


def _is_mark(value: Any) -> bool:
    return isinstance(value, Mark)
