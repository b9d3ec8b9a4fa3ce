"""Package `fusesoc`: a CAPI2 core file, in the project folder as FuseSoC wants it above all its files."""

from __future__ import annotations

from pathlib import PurePosixPath

from eqhls.backends.package.bench import bench, bench_file, word_files
from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.render import LIBRARY, VENDOR, VERSION, is_system_verilog, render
from eqhls.backends.rtl.sources import sources
from eqhls.lower.plan import Plan
from eqhls.text import Project


def vlnv(name: str) -> str:
    """Return vendor, library, name and version, as other cores depend on this one."""
    return f"{VENDOR}:{LIBRARY}:{name}:{VERSION}"


def write(plan: Plan, settings: Settings) -> Project:
    """Return NAME.core with the targets default, lint, sim and sim_verilator, and the bench."""
    del settings
    name = plan.name
    typed = [(s, "systemVerilogSource" if is_system_verilog(s) else "verilogSource") for s in sources(name)]
    core = render(
        "fusesoc.core.j2",
        plan,
        vlnv=vlnv(name),
        typed=typed,
        bench=bench_file(name),
        words=[(path, PurePosixPath(path).name) for path in word_files()],
        bench_top=f"{name}_tb",
    )
    return {f"{name}.core": core, **bench(plan)}


def connect(plan: Plan, settings: Settings) -> str:
    """Return the commands, and how another core depends on this one."""
    del settings
    core = vlnv(plan.name)
    return "\n".join(
        (
            f"Core {core}, top module {plan.name}. With DIR the project folder:",
            f"  fusesoc --cores-root DIR run --target=lint {core}           # Verilator -Wall",
            f"  fusesoc --cores-root DIR run --target=sim {core}            # Icarus",
            f"  fusesoc --cores-root DIR run --target=sim_verilator {core}",
            "  The simulations end with PASS, and with an error otherwise.",
            "In a core file of your own:",
            f'  depend: ["{core}"]      and once:  fusesoc library add {plan.name} DIR',
        )
    )


PACKAGE = Package("fusesoc", "a FuseSoC core (CAPI2) with lint and simulation", write, connect)
