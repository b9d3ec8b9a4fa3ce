"""A trace of a project: its values in the engines that were asked for, and what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.engines import TRACED, Ints, TracedEngine
from eqhls.errors import CompileError
from eqhls.events.read import Events
from eqhls.ir.graph import Graph
from eqhls.lower.schedule import lower
from eqhls.progress import Report
from eqhls.text import npz, write_file
from eqhls.trace.compare import Parting, Row, first_bits, first_float, rows
from eqhls.trace.floats import Real, float_values
from eqhls.trace.hls import hls_values
from eqhls.trace.rtl import renumbered, rtl_values
from eqhls.trace.seen import Values
from eqhls.verify.given import Given
from eqhls.verify.proof import vectors

NUMBERS = 1 << 22
"""Numbers of one engine that a trace holds: more events than that are left out."""
MOST, BESIDE = 1000, 1000
"""Events that are traced at most, and events of the project's own that help to find values in a netlist."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Every value of some events, by name.

    `floats` has the numbers of the float network and their bounds, in real units; `integer` the raw integers
    of the integer engine, (events, *axes, components); `engines` those of the C++ ("hls") and of the Verilog
    ("rtl"), as far as they exist there. `left_out` are events that were not traced, `notes` say what is
    missing and why.
    """

    graph: Graph
    floats: Mapping[str, Real]
    integer: Mapping[str, Ints]
    engines: Mapping[str, Values]
    saturated: Mapping[str, int]
    events: int
    left_out: int
    notes: tuple[str, ...] = ()
    rows: tuple[Row, ...] = field(init=False)

    def __post_init__(self) -> None:
        made = rows(self.graph, self.floats, self.integer, self.engines, self.saturated)
        object.__setattr__(self, "rows", made)

    def __getitem__(self, value: str) -> Row:
        """Return what is known of a value. Raises CompileError if the compiled graph does not have it."""
        return self.rows[[n.name for n in self.graph].index(self.graph.node(value).name)]

    @property
    def parting(self) -> Parting | None:
        """The first place where float and integer part by more than the bound."""
        return first_float(self.graph, self.floats, self.integer, self.saturated)

    @property
    def different(self) -> dict[str, Parting]:
        """The first place where each engine of bits has another number than the integer engine."""
        found = {e: first_bits(self.graph, self.integer, v) for e, v in self.engines.items()}
        return {e: p for e, p in found.items() if p is not None}

    def arrays(self) -> dict[str, Any]:
        """Return all values: `float/NAME` and `bound/NAME` in real units, `integer/NAME`, `hls/NAME` and
        `rtl/NAME` as raw integers, `lsb/NAME` of each component, and `exists/NAME` for the elements that
        the Verilog has."""
        out: dict[str, Any] = {}
        for node in self.graph:
            out[f"float/{node.name}"] = self.floats[node.name].value
            out[f"bound/{node.name}"] = self.floats[node.name].limit
            out[f"integer/{node.name}"] = self.integer[node.name]
            out[f"lsb/{node.name}"] = node.type.formats.lsb
        for engine, values in self.engines.items():
            out |= {f"{engine}/{n}": s.raw for n, s in values.items()}
        return out | {f"exists/{n}": s.exists for n, s in self.engines.get("rtl", {}).items()}

    def save(self, path: Path) -> None:
        """Write all values as an .npz file (`arrays`), whole or not at all."""
        write_file(path, npz(self.arrays()))

    def as_json(self) -> dict[str, Any]:
        """Return what report/trace.json holds."""
        return {
            "name": self.graph.name,
            "events": self.events,
            "left_out": self.left_out,
            "engines": ["float", "integer", *self.engines],
            "notes": list(self.notes),
            "float_integer": None if self.parting is None else asdict(self.parting),
            "integer_bits": {e: asdict(p) for e, p in self.different.items()},
            "values": [asdict(r) for r in self.rows],
        }

    def write(self, folder: Path, picture: bytes) -> None:
        """Write report/trace.json and report/trace.png of a project."""
        write_file(folder / "report" / "trace.json", json.dumps(self.as_json(), indent=1) + "\n")
        write_file(folder / "report" / "trace.png", picture)


def trace(
    folder: Path,
    given: Given,
    graph: Graph,
    manifest: Mapping[str, Any],
    events: Events | None,
    engines: Sequence[TracedEngine],
    report: Report,
) -> Trace:
    """Trace events, or those of the project's own vectors. Floats and integers are always there; `engines`
    says which of "hls" and "rtl" are, too. Raises CompileError for unknown engines and missing tools."""
    unknown = [e for e in engines if e not in TRACED]
    if unknown:
        raise CompileError(
            "engine", f"found {unknown[0]!r}, expected {', '.join(TRACED)}", "choose among these"
        )
    shipped = vectors(folder, graph).raw
    feeds, left_out = _first(graph, shipped if events is None else events.raw)
    count = len(next(iter(feeds.values())))
    report("integers", 0.05)
    both = {k: np.concatenate([v, shipped[k][:BESIDE]]) for k, v in feeds.items()}
    known = graph.evaluate(both if "rtl" in engines else feeds, tuple(n.name for n in graph))
    integer = {k: v[:count] for k, v in known.items()}
    report("floats and their bounds", 0.1)
    floats = float_values(given, graph, feeds, integer)
    found: dict[str, Values] = {}
    if "hls" in engines:
        report("hls: build and run", 0.3)
        found["hls"] = hls_values(folder, graph, feeds, integer)
    note = ""
    if "rtl" in engines:
        report("rtl: find the values in the netlist, build and run", 0.5)
        netlist = lower(graph, given.options)
        note = renumbered(netlist, manifest)
        found |= {} if note else {"rtl": rtl_values(folder, graph, netlist, both, known, count)}
    notes = (note,) if note else ()
    return Trace(graph, floats, integer, found, graph.saturation(feeds), count, left_out, notes)


def _first(graph: Graph, raw: Mapping[str, Ints]) -> tuple[dict[str, Ints], int]:
    """Return as many events as a trace holds, and how many there are beside. Raises CompileError for none."""
    total = len(next(iter(raw.values())))
    count = min(MOST, max(NUMBERS // sum(n.type.elements for n in graph), 1), total)
    if not count:
        raise CompileError("events", "hold no events", "give at least one")
    return {k: v[:count] for k, v in raw.items()}, total - count
