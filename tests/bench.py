"""Figures of the shipped models, as Markdown tables: `make bench`. Never part of the tests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import eqhls
from eqhls.ir.graph import Graph
from eqhls.ir.op import Tensor
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.events import read_events
from eqhls.verify.metrics import auc, rejection
from eqhls.verify.proof import Machines

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("lgn_top_small", "lgn_top", "lgn_top_lab", "pelican_nano", "pelican_top")
PHYSICS = (
    ("trained", "values"),
    ("jets", "jets"),
    ("integer = HLS = RTL, mismatches", "mismatches"),
    ("AUC", "auc"),
    ("1/eB at 30 %", "rejection"),
    ("cycles", "cycles"),
    ("ns at 360 MHz", "ns"),
    ("deepest stage ns", "depth"),
    ("LUT (alkaid)", "lut"),
    ("register bits", "registers"),
    ("DSP", "dsp"),
)
ENGINES = (
    ("compile s", "compile"),
    ("peak MiB", "memory"),
    ("g++ s", "gpp"),
    ("Verilator s", "verilator"),
    ("integer ev/s", "integer"),
    ("HLS ev/s", "hls"),
    ("RTL ev/s", "rtl"),
    ("cocotb ev/s", "cocotb"),
)
COMPILE = (
    "import resource, sys, time; from pathlib import Path; import eqhls; start = time.perf_counter(); "
    "eqhls.compile(Path(sys.argv[1]), output=Path(sys.argv[2])); "
    "print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
)


def seconds(step: Callable[[], object], times: int = 3) -> float:
    """Return the median wall time."""
    found: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        step()
        found.append(time.perf_counter() - start)
    return sorted(found)[times // 2]


def trained_values(graph: Graph) -> int:
    """Return the number of weights, and of values at the knots of trained functions, in a graph."""
    count = 0
    for node in graph:
        for name in ("weight", "bias", "diagonal", "dual", "values"):
            field = getattr(node.op, name, None)
            if isinstance(field, Tensor) and node.op.kind() != "spurion":
                fixed = node.op.kind() == "table" and field.shape[-1] == 2
                count += 0 if fixed else field.array.size
    return count


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Compile one model in a process of its own, score its shipped jets, time every engine on them."""
    model = ROOT / "models" / name
    command = [sys.executable, "-c", COMPILE, str(model), str(folder)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    project = eqhls.open_project(folder)
    found = {"compile": f"{float(printed[0]):.1f}", "memory": f"{float(printed[1]):.0f}"}
    found |= engines(project, model / "events.npz")
    return found | physics(project, model / "events.npz")


def physics(project: eqhls.Compiled, jets: Path) -> dict[str, Any]:
    """Return what the network is worth and what it costs, and whether all engines agree on the jets."""
    manifest, graph = project.manifest, project.graph
    machines, events = Machines(project.folder, graph), read_events(jets, graph)
    assert events.labels is not None
    raw = {e: machines.run(e, events.raw).reshape(len(events), -1)[:, 0] for e in ("integer", "hls", "rtl")}
    scores = raw["integer"]
    return {
        "values": trained_values(graph),
        "jets": len(events),
        "mismatches": sum(int((raw[e] != scores).sum()) for e in ("hls", "rtl")),
        "auc": f"{auc(scores, events.labels):.4f}",
        "rejection": f"{rejection(scores, events.labels):.0f}",
        "cycles": manifest["latency_cycles"],
        "ns": manifest["latency_ns"],
        "depth": manifest["stage_depth_ns"],
        "lut": f"{manifest['lut_estimate']:,}",
        "registers": f"{manifest['register_bits']:,}",
        "dsp": manifest["dsp"],
    }


def engines(project: eqhls.Compiled, jets: Path) -> dict[str, Any]:
    """Return build seconds and events a second of every engine."""
    machines, events = Machines(project.folder, project.graph), read_events(jets, project.graph)
    words = machines.pack(events.raw)
    csim, bulk = CSim(project.folder), BulkSimulator(project.folder)
    found: dict[str, Any] = {
        "gpp": f"{seconds(csim.build, 1):.1f}",
        "verilator": f"{seconds(bulk.build, 1):.1f}",
    }
    steps = {
        "integer": lambda: machines.run("integer", events.raw),
        "hls": lambda: csim.run(words),
        "rtl": lambda: bulk.run(words),
    }
    found |= {k: f"{len(words) / seconds(step):,.0f}" for k, step in steps.items()}
    return found | {"cocotb": f"{project.simulate(jets).events_per_second:,.0f}"}


def table(columns: tuple[tuple[str, str], ...], rows: dict[str, dict[str, Any]]) -> str:
    lines = ["| model | " + " | ".join(c for c, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(str(row[key]) for _, key in columns) + " |")
    return "\n".join(lines)


def main() -> None:
    np.seterr(all="raise")
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            print(f"{name} ..", file=sys.stderr, flush=True)
            rows[name] = measure(name, Path(folder) / name)
    print(table(PHYSICS, rows), end="\n\n")
    print(table(ENGINES, rows))


if __name__ == "__main__":
    main()
