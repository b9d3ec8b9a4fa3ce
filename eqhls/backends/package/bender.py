"""Package `bender`: a manifest for Bender, in the project folder, which becomes a dependency by its path."""

from __future__ import annotations

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.render import render
from eqhls.lower.plan import Plan
from eqhls.text import Project


def write(plan: Plan, settings: Settings) -> Project:
    """Return Bender.yml."""
    del settings
    return {"Bender.yml": render("Bender.yml.j2", plan)}


def connect(plan: Plan, settings: Settings) -> str:
    """Return the lines for the manifest of the design, and commands."""
    del settings
    name = plan.name
    return "\n".join(
        (
            f"Top module {name}. In the Bender.yml of your design:",
            "  dependencies:",
            f'    {name}: {{ path: "DIR" }}',
            "then e.g.  bender script verilator   or   bender script vivado",
        )
    )


PACKAGE = Package("bender", "a manifest (Bender.yml) for Bender", write, connect)
