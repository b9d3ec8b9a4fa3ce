"""Every value of the Verilog that exists in it: wires of the datapath of a project, read clock by clock.

The datapath is the project's own file; a module around it shows the wires of the cells that hold values.
"""

from __future__ import annotations

import ctypes
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.backends.rtl.emit import core
from eqhls.backends.rtl.verilog import PREFIX
from eqhls.engines import Ints
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout, Words
from eqhls.lower.netlist import Netlist
from eqhls.text import Project, asset
from eqhls.trace.places import places
from eqhls.trace.seen import Seen, extended, shifted
from eqhls.verify.builds import built
from eqhls.verify.bulk import verilated
from eqhls.verify.workspace import workspace


def renumbered(netlist: Netlist, manifest: Mapping[str, Any]) -> str:
    """Return why the Verilog of a project cannot be traced, or nothing: the netlist that is made here must be
    the one that was written when the project was compiled."""
    file = f"rtl/{netlist.name}_core.v"
    if hashlib.sha256(core(netlist).encode()).hexdigest() == manifest["sha256"].get(file):
        return ""
    return (
        f"{file} was made by other versions of eqhls or alkaid, which number cells otherwise: it is not "
        "traced; compile again"
    )


def rtl_values(
    folder: Path,
    graph: Graph,
    netlist: Netlist,
    feeds: Mapping[str, Ints],
    integer: Mapping[str, Ints],
    traced: int,
) -> dict[str, Seen]:
    """Return the values of the first `traced` of the events `feeds` that exist in the Verilog of a project.

    `integer` has all values of all events in the integer engine: those behind the traced ones help to tell
    cells apart.
    """
    where = places(graph, netlist, feeds, integer)
    text = (folder / "rtl" / f"{graph.name}_core.v").read_text()
    declared = {*re.findall(r"^\s*wire \[\d+:0\] (\w+)(?: =|;)", text, re.MULTILINE)}
    cells = sorted({p.cell for p in where.values() if wire(netlist, p.cell) in declared})
    words = Layout.of(graph.inputs).pack({k: v[:traced] for k, v in feeds.items()})
    columns = _columns(_run(folder, graph.name, netlist, cells, words), netlist, cells, traced)
    found: dict[str, Seen] = {}
    for node in graph:
        want = integer[node.name][:traced]
        raw, wrong = np.zeros_like(want), np.zeros(want.shape, dtype=bool)
        exists = np.zeros(node.type.shape, dtype=bool)
        for index in np.ndindex(node.type.shape):
            place = where.get((node.name, index))
            if place is None or place.cell not in columns:
                continue
            at = (slice(None), *index)
            number, lost = shifted(columns[place.cell], place.shift)
            raw[at] = -number if place.minus else number
            exists[index], wrong[at] = True, (raw[at] != want[at]) | lost
        if exists.any():
            found[node.name] = Seen(raw, exists, wrong)
    return found


def wire(netlist: Netlist, cell: int) -> str:
    """Return the wire of a cell in the stage that computes it."""
    found = netlist.cells[cell]
    return f"{PREFIX[type(found)]}_{cell}_s{found.stage}"


def shown(netlist: Netlist, name: str, cells: Sequence[int]) -> str:
    """Return a module around the datapath that shows some of its wires, the first in the lowest bits."""
    bits = sum(netlist.cells[k].width for k in cells)
    wires = ", ".join(f"u_core.{wire(netlist, k)}" for k in reversed(cells))
    return (
        f"module eqhls_trace (\n  input  wire clk,\n  input  wire [{netlist.inputs.bits - 1}:0] in_data,\n"
        f"  output wire [{bits - 1}:0] trace_data\n);\n  wire [{netlist.outputs.bits - 1}:0] out_data;\n"
        f"  {name}_core u_core (.clk(clk), .in_data(in_data), .out_data(out_data));\n"
        f"  assign trace_data = {{{wires}}};\nendmodule\n"
    )


def _run(folder: Path, name: str, netlist: Netlist, cells: Sequence[int], words: Words) -> Words:
    """Return the shown wires of every clock, packed into words."""
    if not cells:
        return np.zeros((len(words) + netlist.stages, 0), dtype=np.uint32)
    library = ctypes.CDLL(str(_build(folder, name, shown(netlist, name, cells))))
    words = np.ascontiguousarray(words, dtype=np.uint32)
    bits, clocks = sum(netlist.cells[k].width for k in cells), len(words) + netlist.stages
    out = np.zeros((clocks, -(-bits // 32)), dtype=np.uint32)
    pointer = ctypes.POINTER(ctypes.c_uint32)
    sizes = (len(words), words.shape[1], out.shape[1], clocks)
    library.eqhls_trace_run(
        words.ctypes.data_as(pointer), out.ctypes.data_as(pointer), *(ctypes.c_long(n) for n in sizes)
    )
    return out


def _columns(words: Words, netlist: Netlist, cells: Sequence[int], events: int) -> dict[int, Ints]:
    """Return the numbers of each cell by event: stage s shows event k in clock k + s."""
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    found: dict[int, Ints] = {}
    start = 0
    for k in cells:
        cell = netlist.cells[k]
        rows = bits[cell.stage : cell.stage + events, start : start + cell.width].astype(np.int64)
        found[k] = extended(rows @ (np.int64(1) << np.arange(cell.width)), cell.width, cell.signed)
        start += cell.width
    return found


def _build(folder: Path, name: str, module: str) -> Path:
    """Verilate and compile, unless exactly this was built before."""
    core = (folder / "rtl" / f"{name}_core.v").read_bytes()
    flags = ("-O3", "-Wno-fatal", "-Wno-lint", "-CFLAGS", "-fPIC -O0")
    sources: Project = {"core.v": core, "shown.v": module}
    recipe = verilated("trace_rtl", "eqhls_trace", sources, asset("sim", "trace_harness.cpp"), flags)
    return built(workspace(folder), recipe)
