"""Who writes a project: the one list of writers, for the project of a network and for test builds of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from eqhls.backends.emulator.emit import emit as emit_emulator
from eqhls.backends.hls.emit import emit as emit_hls
from eqhls.backends.rtl.emit import emit as emit_rtl
from eqhls.ir.graph import Graph
from eqhls.lower.plan import Plan
from eqhls.options import Options
from eqhls.text import MANIFEST, Project, asset, merged


@dataclass(frozen=True, slots=True)
class Writer:
    """A backend: what users call it, the files that it makes of a plan, and the share of a compilation that
    is done before it."""

    name: str
    write: Callable[[Plan], Project]
    share: float


def bench(plan: Plan) -> Project:
    """Return sim/, the cocotb bench, which is the same for every network: it reads the port map."""
    return {f"sim/{p.name}": p.read_bytes() for p in sorted(asset("sim").iterdir()) if p.is_file()}


WRITERS = (
    Writer("HLS C++", emit_hls, 0.7),
    Writer("RTL", emit_rtl, 0.8),
    Writer("emulator", emit_emulator, 0.86),
    Writer("bench", bench, 0.88),
)


def engines_project(graph: Graph, options: Options) -> Project:
    """Return the project of a test build: what the exact engines need of a network, under its own name."""
    plan = Plan.of(graph, options)
    manifest = json.dumps({"name": graph.name, "test_build": True}) + "\n"
    return merged([*((w.name, w.write(plan)) for w in WRITERS), ("manifest", {MANIFEST: manifest})])
