"""What the wrappers around a top share: templates, the hand-written cells that they use, lists of files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.errors import CompileError
from eqhls.lower.plan import UNFOLDED, Plan
from eqhls.text import Project, asset

WIDTH = 118
"""Characters of a line that says how a wrapper is connected."""


def wrapper(plan: Plan, kind: str, cells: Sequence[str], values: dict[str, Any]) -> Project:
    """Return ip/KIND/: the wrapper NAME_KIND, its cells (`skid` is eqhls/data/rtl/eq_skid.sv, as
    NAME_KIND_skid), and sources.f, which lists them without the files of rtl/sources.f, with paths from the
    project folder."""
    name = f"{plan.name}_{kind}"
    environment = Environment(
        loader=PackageLoader("eqhls.backends.package", "wrappers"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    words = {"in_bits": plan.inputs.bits, "out_bits": plan.outputs.bits}
    facts = {"name": plan.name, "latency": plan.latency_cycles, **words, **values}
    files = {f"ip/{kind}/{name}_{cell}.sv": _cell(name, cell) for cell in cells}
    files[f"ip/{kind}/{name}.sv"] = environment.get_template(f"{kind}.sv.j2").render(facts)
    return {**files, f"ip/{kind}/sources.f": "\n".join(files) + "\n"}


def demand_a_clock_per_event(plan: Plan, kind: str) -> None:
    """Raise CompileError for a network that does not take an event per clock."""
    if plan.ii != UNFOLDED:
        raise CompileError(
            f"package {kind}",
            f"found {plan.name} with an initiation interval of {plan.ii} clocks, expected 1",
            "compile it without folding",
        )


def sources(plan: Plan, kind: str) -> str:
    """Return the lines that say which files a design needs for a wrapper."""
    return (
        f"Top {plan.name}_{kind}; its files, for Verilator and Icarus in the project folder:\n"
        f"  -f rtl/sources.f -f ip/{kind}/sources.f"
    )


def screen(lines: Iterable[str]) -> str:
    """Return lines as a screen shows them, none wider than WIDTH; what is left of one follows indented."""
    wrap = partial(textwrap.wrap, width=WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join("\n".join(wrap(line, break_long_words=False)) for line in lines)


def _cell(name: str, cell: str) -> str:
    """Return a hand-written cell under a name of its own: designs may hold projects of several versions."""
    return asset("rtl", f"eq_{cell}.sv").read_text().replace(f"eq_{cell}", f"{name}_{cell}")
