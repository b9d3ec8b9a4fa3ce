"""Package `quartus`: compilation of the RTL alone for an FPGA of Intel or Altera, with virtual pins."""

from __future__ import annotations

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.render import PORT_SHARE, render
from eqhls.lower.plan import Plan
from eqhls.text import Project

FOLDER = "ip/quartus"
FAMILY, DEVICE = "Arria 10", "10AX115S2F45I1SG"
"""What is compiled for if nothing is said; the part of the options is one of AMD."""


def write(plan: Plan, settings: Settings) -> Project:
    """Return run.tcl and the constraints NAME.sdc."""
    del settings
    return {
        f"{FOLDER}/run.tcl": render("quartus.tcl.j2", plan, family=FAMILY, device=DEVICE),
        f"{FOLDER}/{plan.name}.sdc": render("quartus.sdc.j2", plan),
    }


def connect(plan: Plan, settings: Settings) -> str:
    """Return the commands, and what the design around the IP needs."""
    del settings
    name = plan.name
    return "\n".join(
        (
            f"From any folder for {FAMILY} or another family and device:",
            f"  quartus_sh -t DIR/{FOLDER}/run.tcl",
            f'  quartus_sh -t DIR/{FOLDER}/run.tcl "Agilex 7" DEVICE',
            f"  {name}_quartus/output_files/ then has {name}.fit.rpt (area) and {name}.sta.rpt (timing).",
            f"All ports but clk are virtual pins, held to {PORT_SHARE:.0%} of the period outside.",
            "In your own project, add the files of rtl/sources.f, and do not use this .sdc.",
            "The pipeline is cut by delays of AMD's fabric: expect another slack.",
        )
    )


PACKAGE = Package("quartus", "Quartus, to fitted area and timing, with virtual pins", write, connect)
