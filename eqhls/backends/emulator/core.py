"""The core of the emulator: C++ of a netlist on lanes, with the tables and the order of its inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.backends.emulator.lanes import TYPES, Lanes, literal, name
from eqhls.backends.emulator.parts import Part, Store, depth_first, parts, store
from eqhls.backends.emulator.ranges import Range, aligned, cut_entries, spans
from eqhls.lower.layout import Layout
from eqhls.lower.netlist import Input, Lookup, Netlist, Operand
from eqhls.lower.plan import Plan
from eqhls.text import Project

SHORTEST = 64
"""Entries that a table has at least: one permutation of the widest lanes reads as many."""
ACROSS = 16
"""Entries of a table in a line."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as an array of C++."""

    name: str
    type: str
    entries: str


@dataclass(frozen=True, slots=True)
class Run:
    """Elements of a port that stand side by side in it and in the rows of one lane."""

    port: int
    stride: int
    offset: int
    length: int
    row: str
    first: int


@dataclass(frozen=True, slots=True)
class Ports:
    """The rows of a word: their declarations, the row of each element (empty if nothing reads it), and the
    runs that are copied."""

    rows: tuple[str, ...]
    places: tuple[str, ...]
    runs: tuple[Run, ...]


def core(plan: Plan, space: str, stem: str) -> Project:
    """Return STEM.h and STEM.cpp: the function `emulate` in the namespace `space`."""
    netlist = plan.netlist
    order = depth_first(netlist)
    found = spans(netlist.cells)
    element = {c.element: found[k].value.lane for k in order if isinstance(c := netlist.cells[k], Input)}
    inputs = ports(plan.inputs, element)
    tables = tables_of(netlist, order)
    lanes = Lanes(netlist.cells, found, {e: t.name for e, t in tables.items()}, inputs.places)
    cut = parts(netlist, order)
    places = store(netlist, cut, lanes.lane)
    ends = list(zip(netlist.results, plan.outputs.fields, strict=True))
    widths = [aligned(o, f.form.frac, netlist.cells, found).lane for o, f in ends]
    outputs = ports(plan.outputs, dict(enumerate(widths)))
    facts = {
        "plan": plan,
        "includes": _source("includes.h"),
        "lanes": _source("lanes.h"),
        "space": space,
        "header": f"{stem}.h",
        "guard": f"EQHLS_EMULATOR_H_{space}",
        "tables": tuple(tables.values()),
        "inputs": inputs,
        "outputs": outputs,
        "store": [f"{TYPES[lane]} w{lane}[{size}]" for lane, size in sorted(places.sizes.items())],
        "parts": [list(_part(p, lanes, places)) for p in cut],
        "results": list(_results(lanes, places, [(o, f.form.frac) for o, f in ends], widths, outputs)),
    }
    return {f"{stem}.{end}": rendered(f"core.{end}.j2", facts) for end in ("h", "cpp")}


def rendered(template: str, facts: Mapping[str, Any]) -> str:
    """Fill in a template of this folder."""
    return _environment().get_template(template).render(facts)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("eqhls.backends.emulator", "sources"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def _source(file: str) -> str:
    return (Path(__file__).parent / "sources" / file).read_text()


def ports(layout: Layout, lanes: Mapping[int, int]) -> Ports:
    """Return the rows of a word of which element k is in lane `lanes[k]`, in the order of the word. No lane:
    nothing reads the element, and it has no row."""
    sizes: Counter[int] = Counter()
    places: list[str] = []
    runs: list[Run] = []
    k = 0
    for number, port in enumerate(layout.ports):
        open_run = False
        for offset in range(len(port.formats)):
            lane = lanes.get(k)
            k += 1
            if lane is None:
                places.append("")
                open_run = False
                continue
            row, first = _row(lane), sizes[lane]
            sizes[lane] += 1
            places.append(f"{row}[{first}]")
            if open_run and runs[-1].row == row:
                runs[-1] = replace(runs[-1], length=runs[-1].length + 1)
            else:
                runs.append(Run(number, len(port.formats), offset, 1, row, first))
            open_run = True
    rows = tuple(f"uint{lane}_t {_row(lane)}[{size}][EVENTS]" for lane, size in sorted(sizes.items()))
    return Ports(rows, tuple(places), tuple(runs))


def _row(lane: int) -> str:
    return f"w{lane}"


def tables_of(netlist: Netlist, order: Sequence[int]) -> dict[tuple[int, ...], Table]:
    """Return every table by its entries, each once, in the order of their use."""
    found: dict[tuple[int, ...], Table] = {}
    for k in order:
        cell = netlist.cells[k]
        if isinstance(cell, Lookup) and (entries := cut_entries(cell)) not in found:
            lane = Range(min(entries), max(entries)).lane
            whole = [*entries * max(SHORTEST // len(entries), 1), 0]
            lines = [whole[i : i + ACROSS] for i in range(0, len(whole), ACROSS)]
            text = ",\n".join(", ".join(map(literal, line)) for line in lines)
            found[entries] = Table(f"table{len(found)}", f"int{lane}_t", text)
    return found


def _part(part: Part, lanes: Lanes, places: Store) -> Iterator[str]:
    """Return the statements of a function."""
    for k in part.reads:
        yield f"const {TYPES[lanes.lane(k)]} {name(k)} = at.{_row(lanes.lane(k))}[{places.places[k]}];"
    kept = set(part.keeps)
    for k in part.cells:
        yield lanes.statement(k)
        if k in kept and k not in part.reads:
            yield f"at.{_row(lanes.lane(k))}[{places.places[k]}] = {name(k)};"


def _results(
    lanes: Lanes, places: Store, ends: Sequence[tuple[Operand, int]], widths: Sequence[int], outputs: Ports
) -> Iterator[str]:
    for k in dict.fromkeys(o.cell for o, _ in ends):
        yield f"const {TYPES[lanes.lane(k)]} {name(k)} = at.{_row(lanes.lane(k))}[{places.places[k]}];"
    for (o, frac), lane, row in zip(ends, widths, outputs.places, strict=True):
        yield f"keep<{TYPES[lane]}>({lanes.signed(o, frac, lane)}, out.{row});"
