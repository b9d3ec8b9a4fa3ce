"""Package `ipxact`: a Tcl script by which Vivado writes component.xml, as UG1118 asks; it is not to be
written by hand."""

from __future__ import annotations

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.render import LIBRARY, VENDOR, VERSION, render
from eqhls.lower.plan import Plan
from eqhls.text import Project

SCRIPT = "ip/ipxact/package.tcl"


def write(plan: Plan, settings: Settings) -> Project:
    """Return package.tcl."""
    del settings
    return {SCRIPT: render("package.tcl.j2", plan)}


def connect(plan: Plan, settings: Settings) -> str:
    """Return the command, and how a project of Vivado takes the IP."""
    del settings
    name = plan.name
    return "\n".join(
        (
            "From any folder:",
            f"  vivado -mode batch -source DIR/{SCRIPT} -tclargs IP_FOLDER",
            f"writes the IP {VENDOR}:{LIBRARY}:{name}:{VERSION} into IP_FOLDER (./{name}_ip if left out).",
            "In your project:",
            "  set_property ip_repo_paths IP_FOLDER [current_project]",
            "  update_ip_catalog",
            f"  create_ip -vlnv {VENDOR}:{LIBRARY}:{name}:{VERSION} -module_name {name}_0",
        )
    )


PACKAGE = Package("ipxact", "a Tcl script by which Vivado packages the RTL as IP-XACT", write, connect)
