"""Package `fusesoc`: a CAPI2 core file, in the project folder as FuseSoC wants it above all its files."""

from __future__ import annotations

from eqhls.backends.bench.emit import EXPECTED, FOLDER, INPUT
from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.render import LIBRARY, VENDOR, VERSION, is_system_verilog, render
from eqhls.backends.rtl.sources import sources
from eqhls.lower.plan import Plan
from eqhls.text import Project


def vlnv(name: str) -> str:
    """Return vendor, library, name and version, as other cores depend on this one."""
    return f"{VENDOR}:{LIBRARY}:{name}:{VERSION}"


def write(plan: Plan, settings: Settings) -> Project:
    """Return NAME.core with the targets default, lint, sim and sim_verilator; the last two run the plain
    Verilog bench that every project has, which looks for its words below the folder where it runs."""
    del settings
    name = plan.name
    typed = [(s, "systemVerilogSource" if is_system_verilog(s) else "verilogSource") for s in sources(name)]
    top = f"{name}_tb"
    core = render(
        "fusesoc.core.j2",
        plan,
        vlnv=vlnv(name),
        typed=typed,
        bench=f"{FOLDER}/{top}.v",
        words=(INPUT, EXPECTED),
        bench_top=top,
    )
    return {f"{name}.core": core}


def connect(plan: Plan, settings: Settings) -> str:
    """Return the commands, and how another core depends on this one."""
    del settings
    core = vlnv(plan.name)
    return "\n".join(
        (
            f"Core {core}, top module {plan.name}:",
            f"  fusesoc --cores-root DIR run --target=lint {core}           # Verilator -Wall",
            f"  fusesoc --cores-root DIR run --target=sim {core}            # Icarus: minutes if large",
            f"  fusesoc --cores-root DIR run --target=sim_verilator {core}  # Verilator 5",
            "  The simulations say PASS, or end with an error.",
            f"In a core file of your own, after  fusesoc library add {plan.name} DIR :",
            f'  depend: ["{core}"]',
        )
    )


PACKAGE = Package("fusesoc", "a FuseSoC core (CAPI2) with lint and simulation", write, connect)
