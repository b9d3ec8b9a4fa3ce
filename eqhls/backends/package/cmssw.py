"""The package for CMSSW: the emulator as a library that hls4mlEmulator's loader takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.backends.emulator.core import core
from eqhls.backends.package.package import Package, Settings
from eqhls.engines import Ints
from eqhls.events.vectors import port_events
from eqhls.lower.layout import Layout, Port
from eqhls.lower.plan import Plan
from eqhls.names import value_identifier
from eqhls.text import Project

EVENTS = 32
"""Events of the smoke test; they are part of its source, as nothing is read at run time."""
TEMPLATES = {
    "types.h": "types.h.j2",
    "convert.h": "convert.h.j2",
    "emulator.cpp": "emulator.cpp.j2",
    "Makefile": "Makefile.j2",
    "README.md": "README.md.j2",
    "test/events.h": "events.h.j2",
    "test/smoke.cpp": "smoke.cpp.j2",
}
COPIES = {"interface/hls4ml/emulator.h": "interface.h", "exports.map": "exports.map"}


@dataclass(frozen=True, slots=True)
class Member:
    """A port as a member of input_t or result_t: the C++ types of the components of a vector, and how many
    vectors there are."""

    name: str
    id: str
    shape: str
    components: tuple[str, ...]
    vectors: int


@dataclass(frozen=True, slots=True)
class Record:
    """input_t or result_t, and the integers of the test's events: port by port, event by event."""

    name: str
    ports: tuple[Member, ...]
    rows: tuple[list[list[int]], ...]


def write(plan: Plan, settings: Settings) -> Project:
    """Return ip/cmssw/NAME_vVERSION/: sources of the library, its types, a Makefile and a smoke test."""
    space = name(plan, settings)
    feeds = port_events(plan.graph, np.random.default_rng(5), EVENTS)
    expected = plan.graph.evaluate(feeds)
    facts = {
        "plan": plan,
        "space": space,
        "events": EVENTS,
        "records": (_record("input_t", plan.inputs, feeds), _record("result_t", plan.outputs, expected)),
    }
    environment = Environment(
        loader=PackageLoader("eqhls.backends.package", "cmssw_sources"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    sources = Path(__file__).parent / "cmssw_sources"
    files = dict(core(plan, space, space))
    files |= {path: environment.get_template(file).render(facts) for path, file in TEMPLATES.items()}
    files |= {path: (sources / file).read_text() for path, file in COPIES.items()}
    return {f"ip/cmssw/{space}/{path}": text for path, text in files.items()}


def connect(plan: Plan, settings: Settings) -> str:
    """Return how the library is built, and what loads it."""
    space = name(plan, settings)
    return (
        f"ip/cmssw/{space}: the emulator as CMSSW loads it\n"
        f"  make -C DIR/ip/cmssw/{space} test\n"
        f"  make -C DIR/ip/cmssw/{space} install PREFIX=... EMULATOR_INCLUDE=... AP_INCLUDE=...\n"
        f'  hls4mlEmulator::ModelLoader loader("{space}");\n'
        f"  prepare_input takes a {space}::input_t*, read_result a {space}::result_t* (types.h)\n"
    )


def name(plan: Plan, settings: Settings) -> str:
    """Return the name of the library, which is also its namespace."""
    return f"{plan.name}_v{settings.version}"


def _record(name: str, layout: Layout, raw: Mapping[str, Ints]) -> Record:
    rows: tuple[Any, ...] = tuple(raw[p.name].reshape(EVENTS, -1).tolist() for p in layout.ports)
    return Record(name, tuple(map(_member, layout.ports)), rows)


def _member(port: Port) -> Member:
    shape = "(" + ", ".join(map(str, port.shape)) + ")"
    types = tuple(f.cpp for f in port.components)
    return Member(port.name, value_identifier(port.name), shape, types, port.vectors)


PACKAGE = Package("cmssw", "the emulator as a library of CMSSW's hls4mlEmulator", write, connect)
