"""Figures of our models and of their peers, as Markdown tables.

    python -m bench [NAME ..] [--data toptag_test.npz] [--yosys]      (from tests/)

Each row is made by a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from eqhls.verify.synth import synthesize

OURS = ("lgn_top_small", "lgn_top", "lgn_top_lab", "pelican_nano", "pelican_top", "pelican_nano_published")
PEERS = tuple(
    f"{net}{mass}_{size}" for net in ("deepset", "jedi") for mass in ("_mass", "") for size in "lms"
)
COLUMNS = (
    ("parameters", "values"),
    ("jets", "jets"),
    ("AUC", "auc"),
    ("1/eB at 30 %", "rejection"),
    ("mismatches", "mismatches"),
    ("cycles", "cycles"),
    ("ns at 360 MHz", "ns"),
    ("deepest stage ns", "depth"),
    ("LUT (alkaid)", "lut"),
    ("FF (register bits)", "registers"),
    ("DSP", "dsp"),
    ("compile s", "compile"),
    ("peak MiB", "memory"),
    ("RTL ev/s", "rtl"),
)
ENGINES = (
    ("g++ s", "gpp"),
    ("Verilator s", "verilator"),
    ("integer ev/s", "integer"),
    ("HLS ev/s", "hls"),
    ("RTL ev/s", "rtl"),
    ("cocotb ev/s", "cocotb"),
)
YOSYS = (
    ("LUT packed", "packed"),
    ("LUT raw", "lut"),
    ("SRL", "srl"),
    ("FF", "ff"),
    ("DSP", "dsp"),
    ("CARRY4", "carry"),
)


def table(columns: tuple[tuple[str, str], ...], rows: dict[str, dict[str, Any]]) -> str:
    """Return a Markdown table of the rows that have these columns."""
    fitting = {name: row for name, row in rows.items() if all(key in row for _, key in columns)}
    return "\n".join([head(columns), *(line(columns, name, row) for name, row in fitting.items())])


def head(columns: tuple[tuple[str, str], ...]) -> str:
    names = "| network | " + " | ".join(c for c, _ in columns) + " |"
    return names + "\n" + "|---" * (len(columns) + 1) + "|"


def line(columns: tuple[tuple[str, str], ...], name: str, row: dict[str, Any]) -> str:
    return f"| {name} | " + " | ".join(str(row[key]) for _, key in columns) + " |"


def row(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Measure one network here."""
    kind = "bench.models" if name in OURS else "bench.peers"
    return importlib.import_module(kind).measure(name, folder, data)


def in_a_process(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Measure one network in a process of its own."""
    command = [sys.executable, "-m", "bench", name, "--row", str(folder)]
    command += ["--data", str(data)] if data else []
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    if done.returncode:
        sys.exit(f"{name}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description="figures of our models and their peers")
    parser.add_argument("names", nargs="*", default=[*OURS, *PEERS])
    parser.add_argument("--data", type=Path, help="jets with p4, jet, y instead of the shipped 4,000")
    parser.add_argument("--yosys", action="store_true", help="count cells with Yosys too: minutes each")
    parser.add_argument("--row", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        print(json.dumps(row(arguments.names[0], arguments.row, arguments.data)))
        return
    rows: dict[str, dict[str, Any]] = {}
    counts: dict[str, dict[str, Any]] = {}
    print(head(COLUMNS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for network in arguments.names:
            print(f"{network} ..", file=sys.stderr, flush=True)
            rows[network] = in_a_process(network, folder, arguments.data)
            print(line(COLUMNS, network, rows[network]), flush=True)
            if arguments.yosys:
                counts[network] = vars_of(synthesize(folder / network, lambda text, share: None))
    print("", table(ENGINES, rows), sep="\n")
    if counts:
        print("", table(YOSYS, counts), sep="\n")


def vars_of(counts: Any) -> dict[str, int]:
    return {key: getattr(counts, key) for _, key in YOSYS}


if __name__ == "__main__":
    main()
