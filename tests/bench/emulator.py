"""Events a second of the emulator and of the integer engine, as a Markdown table.

    python -m bench.emulator [NAME ..]      (from tests/)

All is CPU time of one core, so that other jobs do not count: from raw integers by port to those of the outputs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import eqhls
from eqhls.verify.emulator import Emulator
from eqhls.verify.proof import ProjectEngines, vectors

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("lgn_top_small", "lgn_top", "tag16")
EVENTS = 500_000
COLUMNS = ("network", "g++ CPU s", "emulator ev/s", "without -march=native", "integer ev/s", "mismatches")


def cpu() -> float:
    """Return the CPU seconds of this process and of those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def seconds(step: Callable[[], object], times: int = 3) -> float:
    """Return the median CPU time."""
    found: list[float] = []
    for _ in range(times):
        start = cpu()
        step()
        found.append(cpu() - start)
    return sorted(found)[times // 2]


def row(name: str, folder: Path) -> list[str]:
    """Compile a model and measure it on its own vectors, again and again."""
    project = eqhls.compile(ROOT / "models" / name, output=folder / name)
    graph, native, plain = project.graph, Emulator(project.folder), Emulator(project.folder, "")
    raw = vectors(project.folder, graph).raw
    events = len(next(iter(raw.values())))
    many = {k: np.concatenate([v] * -(-EVENTS // events)) for k, v in raw.items()}
    total = len(next(iter(many.values())))
    build = seconds(native.build, 1)
    want = ProjectEngines(project.folder, graph).run("integer", raw)
    differs = np.zeros(events, dtype=bool)
    for emulator in (native, plain):
        for key, found in emulator.run(graph, raw).items():
            differs |= (found != want[key]).reshape(events, -1).any(axis=1)
    speeds = [total / seconds(lambda e=e: e.run(graph, many)) for e in (native, plain)]
    speeds.append(events / seconds(lambda: graph.evaluate(raw)))
    return [name, f"{build:.1f}", *(f"{s:,.0f}" for s in speeds), f"{differs.sum()} of {events:,}"]


def main() -> None:
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or NAMES:
            print("| " + " | ".join(row(name, Path(folder))) + " |", flush=True)


if __name__ == "__main__":
    main()
