"""The shipped models: compiled in a process of their own, scored, and every engine timed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import eqhls
from eqhls.events.read import read_events
from eqhls.ir.graph import Graph
from eqhls.ir.op import Tensor
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.metrics import rejection, tagger_auc
from eqhls.verify.proof import ProjectEngines

ROOT = Path(__file__).resolve().parents[2]
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
    """Return the number of weights, and of values at the knots of trained functions, in a graph; maps of
    pairs that are zero throughout are not part of the network."""
    count = 0
    for node in graph:
        for name in ("weight", "bias", "diagonal", "dual", "values"):
            field = getattr(node.op, name, None)
            if isinstance(field, Tensor) and node.op.name() != "spurion":
                fixed = node.op.name() == "table" and field.shape[-1] == 2
                maps = field.array.reshape(-1, field.shape[-1]) if len(field.shape) == 3 else None
                unused = 0 if maps is None else int((maps == 0).all(axis=0).sum()) * len(maps)
                count += 0 if fixed else field.array.size - unused
    return count


def compiled(name: str, folder: Path) -> tuple[str, str]:
    """Compile a model in a process of its own; return seconds and peak MiB."""
    command = [sys.executable, "-c", COMPILE, str(ROOT / "models" / name), str(folder / name)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return f"{float(printed[0]):.1f}", f"{float(printed[1]):.0f}"


def measure(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Return the row of one model. Jets are the shipped ones, or those of `data`."""
    seconds, peak = compiled(name, folder)
    model, project = ROOT / "models" / name, eqhls.open_project(folder / name)
    timings = engines(project, model / "events.npz")
    events = read_events(data or model / "events.npz", project.graph)
    assert events.labels is not None
    found = judged(project, events.raw, events.labels) | cost(project.manifest)
    return found | timings | {"values": trained_values(project.graph), "compile": seconds, "memory": peak}


def judged(project: eqhls.Compiled, raw: Mapping[str, np.ndarray], labels: np.ndarray) -> dict[str, Any]:
    """Return what a network is worth on jets, and on how many its engines differ."""
    graph, engines = project.graph, ProjectEngines(project.folder, project.graph)
    scores = {e: _scores(graph, engines.run(e, raw)) for e in ("integer", "hls", "rtl")}
    wrong = sum(int((scores[e] != scores["integer"]).any(axis=1).sum()) for e in ("hls", "rtl"))
    return physics(scores["integer"], labels) | {"mismatches": wrong}


def _scores(graph: Graph, out: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return all scores (events, K) of all outputs."""
    parts = [out[n.name] * n.type.formats.lsb for n in graph.results]
    return np.concatenate([p.reshape(len(p), -1) for p in parts], axis=1)


def physics(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return what a network is worth on its jets, of scores (events, K)."""
    one = scores.shape[1] == 1
    worth = {
        "auc": f"{tagger_auc(scores, labels):.4f}",
        "rejection": f"{rejection(scores[:, 0], labels):.0f}" if one else "",
    }
    return {"jets": len(labels)} | worth


def cost(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest, or one made of a netlist, says of the hardware."""
    return {
        "cycles": manifest["latency_cycles"],
        "ns": f"{manifest['latency_ns']:.1f}",
        "depth": f"{manifest['stage_depth_ns']:.2f}",
        "lut": f"{manifest['lut_estimate']:,.0f}",
        "registers": f"{manifest['register_bits']:,}",
        "dsp": manifest["dsp"],
    }


def engines(project: eqhls.Compiled, jets: Path) -> dict[str, Any]:
    """Return build seconds and events a second of every engine."""
    engines, events = ProjectEngines(project.folder, project.graph), read_events(jets, project.graph)
    words = engines.pack(events.raw)
    csim, bulk = CSim(project.folder), BulkSimulator(project.folder)
    found: dict[str, Any] = {
        "gpp": f"{seconds(csim.build, 1):.1f}",
        "verilator": f"{seconds(bulk.build, 1):.1f}",
    }
    steps = {
        "integer": lambda: engines.run("integer", events.raw),
        "hls": lambda: csim.run(words),
        "rtl": lambda: bulk.run(words),
    }
    found |= {k: f"{len(words) / seconds(step):,.0f}" for k, step in steps.items()}
    return found | {"cocotb": f"{project.simulate(jets).events_per_second:,.0f}"}
