"""Package `vivado`: synthesis, place and route of the RTL out of context, for its area and its timing."""

from __future__ import annotations

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.render import PORT_SHARE, render
from eqhls.lower.plan import Plan
from eqhls.text import Project

FOLDER = "ip/vivado"


def write(plan: Plan, settings: Settings) -> Project:
    """Return run.tcl and the constraints NAME_ooc.xdc."""
    del settings
    return {
        f"{FOLDER}/run.tcl": render("vivado.tcl.j2", plan),
        f"{FOLDER}/{plan.name}_ooc.xdc": render("ooc.xdc.j2", plan),
    }


def connect(plan: Plan, settings: Settings) -> str:
    """Return the commands, and what the design around the IP needs."""
    del settings
    name, options = plan.name, plan.options
    return "\n".join(
        (
            f"From any folder for {options.Part} at {plan.clock_mhz:g} MHz:",
            f"  vivado -mode batch -source DIR/{FOLDER}/run.tcl                 # to routing",
            f"  vivado -mode batch -source DIR/{FOLDER}/run.tcl -tclargs synth  # synthesis alone",
            f"  {name}_vivado/ then has utilization and timing, after synthesis and after routing, as .rpt",
            f"Ports are held to {PORT_SHARE:.0%} of the period outside ({name}_ooc.xdc).",
            "In your own project, add the files of rtl/sources.f, and do not use this .xdc: your clock,",
            f"at {plan.clock_mhz:g} MHz or less, constrains the IP, which has no other exceptions.",
        )
    )


PACKAGE = Package(
    "vivado", "Vivado out of context, to routed area and timing, without a project", write, connect
)
