"""The files of the core, for everything that compiles it: simulators, build systems, packages."""

from __future__ import annotations


def sources(name: str) -> tuple[str, ...]:
    """Return the paths below the project folder in the order of compilation, the top module last."""
    return f"rtl/{name}_valid_pipe.sv", f"rtl/{name}_core.v", f"rtl/{name}.v"
