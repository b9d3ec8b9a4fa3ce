"""From a netlist to emulator/: its cells in C++, many events at a time, and the function engines call."""

from __future__ import annotations

from eqhls.backends.emulator.core import core, rendered
from eqhls.lower.plan import Plan
from eqhls.text import Project


def emit(plan: Plan) -> Project:
    """Return emulator/: NAME_emulator.h and .cpp, which need no other file, and bridge.cpp."""
    space, stem = f"eqhls_{plan.name}_emulator", f"{plan.name}_emulator"
    files = dict(core(plan, space, stem))
    facts = {"plan": plan, "space": space, "header": f"{stem}.h"}
    files["bridge.cpp"] = rendered("bridge.cpp.j2", facts)
    return {f"emulator/{path}": text for path, text in files.items()}
