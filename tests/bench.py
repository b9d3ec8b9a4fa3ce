"""Timings of the shipped models, as a Markdown table: `make bench`. Never part of the tests."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import eqhls
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.events import read_events
from eqhls.verify.proof import Machines

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("lgn_top_small", "lgn_top", "lgn_top_lab")


def seconds(step: Callable[[], object], times: int = 3) -> float:
    """Return the median wall time."""
    found: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        step()
        found.append(time.perf_counter() - start)
    return sorted(found)[times // 2]


def row(name: str, folder: Path) -> str:
    """Compile one model and time every engine on its shipped jets."""
    compile_s = seconds(lambda: eqhls.compile(ROOT / "models" / name, output=folder), 1)
    project = eqhls.open_project(folder)
    manifest, graph = project.manifest, project.graph
    machines, events = Machines(folder, graph), read_events(ROOT / "models" / name / "events.npz", graph)
    words = machines.pack(events.raw)
    csim, bulk = CSim(folder), BulkSimulator(folder)
    hls_build, rtl_build = seconds(csim.build, 1), seconds(bulk.build, 1)
    rates = [
        len(words) / seconds(step)
        for step in (
            lambda: machines.run("integer", events.raw),
            lambda: csim.run(words),
            lambda: bulk.run(words),
        )
    ]
    cocotb = project.simulate(ROOT / "models" / name / "events.npz").events_per_second
    numbers = [f"{r:,.0f}" for r in (*rates, cocotb)]
    area = f"{manifest['lut_estimate']:,} | {manifest['register_bits']:,} | {manifest['latency_cycles'] - 1}"
    return (
        f"| {name} | {area} | {compile_s:.1f} | {hls_build:.1f} | {rtl_build:.1f} | {' | '.join(numbers)} |"
    )


def main() -> None:
    print(
        "| model | LUT (alkaid) | register bits | stages | compile s | g++ s | Verilator s "
        "| integer ev/s | HLS ev/s | RTL ev/s | cocotb ev/s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            print(row(name, Path(folder) / name), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory of this process: {peak:.0f} MiB.")


if __name__ == "__main__":
    main()
