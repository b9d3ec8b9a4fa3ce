"""Package `sources`: lists of files (`.f`) that simulators read from any folder."""

from __future__ import annotations

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.rtl.sources import sources
from eqhls.lower.plan import Plan
from eqhls.text import Project

FOLDER = "ip/sources"


def variable(name: str) -> str:
    """Return the environment variable that holds the project folder."""
    return f"{name.upper()}_DIR"


def write(plan: Plan, settings: Settings) -> Project:
    """Return two lists of the same files: relative to the list itself for -F, and below a variable of the
    environment for -f, whose relative names every simulator takes from its own working folder."""
    del settings
    name = plan.name
    relative = [f"../../{s}" for s in sources(name)]
    below = [f"${{{variable(name)}}}/{s}" for s in sources(name)]
    return {
        f"{FOLDER}/{name}.f": "\n".join(relative) + "\n",
        f"{FOLDER}/{name}_env.f": "\n".join(below) + "\n",
    }


def connect(plan: Plan, settings: Settings) -> str:
    """Return how simulators are called, with -F and with -f."""
    del settings
    name = plan.name
    return "\n".join(
        (
            f"Top module {name}. From any folder:",
            f"  names relative to the list:  verilator --lint-only -F DIR/{FOLDER}/{name}.f",
            "                               (-F of VCS, Xcelium and Questa, too; Icarus 11 has none)",
            f"  names below a variable:      export {variable(name)}=DIR",
            f"                               iverilog -g2012 -o sim -f DIR/{FOLDER}/{name}_env.f bench.v",
            "From DIR itself: -f rtl/sources.f",
        )
    )


PACKAGE = Package("sources", "lists of files (.f) that simulators read from any folder", write, connect)
