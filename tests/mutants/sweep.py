"""Every fault of a project's Verilog under the bench and the words that the project ships."""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.events.vectors import Feeds, port_events
from eqhls.flow import Compiled
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout, Words
from eqhls.text import asset
from eqhls.verify.toolchain import require, run, toolchain
from mutants.faults import core_mutants, protocol_mutants
from mutants.verilog import PIPE, Mutant, apply_lines, combined, numbered, protocol

TESTS = ("passed", "back to back", "gaps", "reset", "silence")
SHORT = 6000
"""As in the bench."""
ADVERSARIAL = 100_000
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Verdict:
    """Which test of the bench sees a fault; for those that pass all, whether other words tell them apart."""

    mutant: Mutant
    test: str
    equivalent: bool = False

    @property
    def killed(self) -> bool:
        return self.test != TESTS[0]


def drawn(project: Compiled, rng: np.random.Generator, share: float = 1.0) -> dict[int, Mutant]:
    """Return faults in the core, the top and the valid chain, numbered from 1."""
    rtl, name = project.folder / "rtl", project.graph.name
    core, top, pipe = ((rtl / f).read_text() for f in (f"{name}_core.v", f"{name}.v", f"{name}{PIPE}"))
    found = core_mutants(f"{name}_core.v", core, rng, share) + protocol_mutants(name, top, pipe)
    return numbered(found, 1)


def build(project: Compiled, mutants: Mapping[int, Mutant], folder: Path) -> Any:
    """Compile one model that holds all faults, with the bench around it."""
    rtl, name, graph = project.folder / "rtl", project.graph.name, project.graph
    core = {n: m for n, m in mutants.items() if m.file == f"{name}_core.v"}
    chain = {n: m for n, m in mutants.items() if n not in core}
    folder.mkdir(parents=True, exist_ok=True)
    sources = folder / "core.v", folder / "top.v"
    sources[0].write_text(combined((rtl / f"{name}_core.v").read_text(), core))
    sources[1].write_text(
        protocol((rtl / f"{name}.v").read_text(), (rtl / f"{name}{PIPE}").read_text(), chain)
    )
    tools, objects = toolchain(), folder / "objects"
    flags = [
        "-O3",
        "-Wno-fatal",
        "-Wno-lint",
        "-CFLAGS",
        "-fPIC -O1",
        "--prefix",
        "Vdut",
        "--Mdir",
        str(objects),
    ]
    verilate = ["--cc", "--build", "-j", "2", "--top-module", name, *flags]
    run([tools.verilator, *verilate, *sources], "verilator", folder / "verilator.log", folder, tools.env)
    include = tools.root / "include"
    paths = [f"-I{p}" for p in (objects, include, include / "vltstd", asset("sim"))]
    command = [require("g++"), "-std=c++17", "-O2", "-shared", "-fPIC", *paths, "-pthread"]
    parts = [HERE / "harness.cpp", objects / "libVdut.a", objects / "libverilated.a"]
    width = f"-DEQ_IN_BITS={Layout.of(graph.inputs).bits}"
    run([*command, width, *parts, "-o", folder / "bench.so"], "g++", folder / "link.log", folder, tools.env)
    return ctypes.CDLL(str(folder / "bench.so")).eqhls_bench


def bench(function: Any, number: int, words: Words, expected: Words, latency: int) -> str:
    """Run the bench with one fault alive (0 for none) and return the test that sees it."""
    pointer = ctypes.POINTER(ctypes.c_uint32)
    arrays = [np.ascontiguousarray(a, dtype=np.uint32) for a in (words, expected)]
    sizes = [len(words), arrays[0].shape[1], arrays[1].shape[1], latency, SHORT]
    found = function(
        ctypes.c_int(number), *(a.ctypes.data_as(pointer) for a in arrays), *(ctypes.c_long(n) for n in sizes)
    )
    return TESTS[found]


def adversarial(graph: Graph, rng: np.random.Generator, events: int) -> Feeds:
    """Return words that do not come from the generator alone: half are random bits under random masks, set
    or cleared, of the packed word."""
    feeds = port_events(graph, rng, events)
    for node in graph.inputs:
        for index in np.ndindex(node.type.shape):
            form = node.type.format_of(index[-1])
            part = feeds[node.name][(slice(events // 2, None), *index)]
            bits = rng.integers(0, 1 << form.width, (3, len(part)), endpoint=False)
            style = rng.integers(0, 4, len(part))
            raw = np.select(
                [style == 0, style == 1], [bits[0] & bits[1] & bits[2], bits[0] | bits[1] | bits[2]], bits[0]
            )
            part[:] = raw - (raw >> (form.width - 1) << form.width) if form.signed else raw
    return feeds


def packed(graph: Graph, feeds: Feeds) -> tuple[Words, Words]:
    return Layout.of(graph.inputs).pack(feeds), Layout.of(graph.results).pack(graph.evaluate(feeds))


def sweep(
    project: Compiled, mutants: Mapping[int, Mutant], folder: Path, more: int = ADVERSARIAL
) -> tuple[list[Verdict], float]:
    """Return a verdict for every fault, and the seconds; the design without a fault must pass."""
    begin, graph = time.monotonic(), project.graph
    latency = json.loads((project.folder / "rtl" / f"{graph.name}.portmap.json").read_text())[
        "latency_cycles"
    ]
    function = build(project, mutants, folder)
    with np.load(project.folder / "tb_data" / "words.npz") as file:
        shipped = file["input"], file["expected"]
    others = packed(graph, adversarial(graph, np.random.default_rng(99), more))
    for words in (shipped, others):
        assert bench(function, 0, *words, latency) == TESTS[0], f"{graph.name} fails without a fault"
    verdicts: list[Verdict] = []
    for number, mutant in mutants.items():
        test = bench(function, number, *shipped, latency)
        same = test == TESTS[0] and bench(function, number, *others, latency) == TESTS[0]
        verdicts.append(Verdict(mutant, test, same))
    return verdicts, time.monotonic() - begin


def single(project: Compiled, number: int, mutant: Mutant, folder: Path) -> None:
    """Put one fault alone into the Verilog of a copy of the project, for the real bench."""
    path = folder / "rtl" / mutant.file
    text = path.read_text()
    core = mutant.file.endswith("_core.v")
    path.write_text(combined(text, {number: mutant}, number) if core else apply_lines(text, mutant))
