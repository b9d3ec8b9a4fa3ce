"""Figures of our models and of their peers, as Markdown tables.

    python -m bench [NAME ..] [--data toptag_test.npz] [--yosys]      (from tests/)
    python -m bench --words [NAME ..] [--data FOLDER] [--rows FILE] [--picture FILE] [--yosys]
    python -m bench --draw FILE --picture FILE

Each row is made by a process of its own, so that its peak memory is its own. With --words the networks are those that
read the trigger's words, front ends counted, and FOLDER holds toptag_test.npz and jets5_test.npz. With --draw nothing is measured: FILE holds the rows of docs/words.json, or a
list of tables as docs/results.json.
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

from eqhls.progress import silent
from eqhls.verify.synth import synthesize

from .names import FRONT_END, OURS, PEERS, fingerprint, module_of, ours_on_words, peers_on_words
from .picture import by_task, draw, message, points, read

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
ON_WORDS = (("task", "task"), *(c for c in COLUMNS if c[1] not in ("depth", "compile", "memory", "rtl")))
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


def row(name: str, folder: Path, data: Path | None, yosys: bool) -> dict[str, Any]:
    """Measure one network here; the front end of the peers by itself is not a project, so Yosys does not count it."""
    found = importlib.import_module(module_of(name)).measure(name, folder, data)
    counts = {"yosys": vars_of(synthesize(folder / name, silent))} if yosys and name != FRONT_END else {}
    return found | counts


def in_a_process(name: str, folder: Path, data: Path | None, yosys: bool) -> dict[str, Any]:
    """Measure one network in a process of its own."""
    command = [sys.executable, "-m", "bench", name, "--row", str(folder)]
    command += ["--data", str(data)] if data else []
    command += ["--yosys"] if yosys else []
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    if done.returncode:
        sys.exit(f"{name}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description="figures of our models and their peers")
    parser.add_argument("names", nargs="*", help="all if left out")
    parser.add_argument("--data", type=Path, help="jets with p4, jet, y instead of the shipped ones")
    parser.add_argument("--words", action="store_true", help="the networks that read the trigger's words")
    parser.add_argument(
        "--rows", type=Path, help="keep the rows here, and measure again only what has changed"
    )
    parser.add_argument("--picture", type=Path, help="draw AUC against LUT and ns here")
    parser.add_argument("--draw", type=Path, help="draw the rows that are kept here, and measure nothing")
    parser.add_argument("--yosys", action="store_true", help="count cells with Yosys too: minutes each")
    parser.add_argument("--row", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        print(json.dumps(row(arguments.names[0], arguments.row, arguments.data, arguments.yosys)))
        return
    if arguments.draw:
        if not arguments.picture:
            parser.error("--draw needs --picture FILE, the file to write")
        draw(read(arguments.draw), arguments.picture)
    elif arguments.words:
        on_words(arguments.names or [*ours_on_words(), *peers_on_words()], arguments)
    else:
        side_by_side(arguments.names or [*OURS, *PEERS], arguments.data, arguments.yosys)


def side_by_side(names: list[str], data: Path | None, yosys: bool) -> None:
    """Print the tables of networks on four-momenta and of their peers."""
    rows: dict[str, dict[str, Any]] = {}
    print(head(COLUMNS))
    with tempfile.TemporaryDirectory() as name:
        for network in names:
            print(f"{network} ..", file=sys.stderr, flush=True)
            rows[network] = in_a_process(network, Path(name), data, yosys)
            print(line(COLUMNS, network, rows[network]), flush=True)
    print("", table(ENGINES, rows), sep="\n")
    print_cells(rows)


def print_cells(rows: dict[str, dict[str, Any]]) -> None:
    """Print the table of Yosys of the rows that have its counts."""
    counts = {name: row["yosys"] for name, row in rows.items() if "yosys" in row}
    if counts:
        print("", table(YOSYS, counts), sep="\n")


def on_words(names: list[str], arguments: argparse.Namespace) -> None:
    """Print the table of networks on words, what the front end of the peers takes of it, and draw it."""
    kept = Rows(arguments.rows, arguments.data, arguments.yosys)
    rows = dict(sorted(((name, kept[name]) for name in names), key=by_task_and_cost))
    print(table(ON_WORDS, rows))
    print_cells(rows)
    alone = kept[FRONT_END]
    print(f"\nThe front end of the peers alone: {alone['lut']} LUT, {alone['cycles']} cycles.")
    print(message(points(rows)))
    if arguments.picture:
        draw(by_task(rows), arguments.picture)


class Rows:
    """Rows by name: from a file if network and jets are still the same and it has the counts of Yosys if these
    are wanted, else measured. Without the file all are measured, as after a change of the compiler."""

    def __init__(self, file: Path | None, data: Path | None, yosys: bool) -> None:
        self.file, self.data, self.yosys = file, data, yosys
        self.kept: dict[str, dict[str, Any]] = {}
        if file and file.exists():
            self.kept = json.loads(file.read_text())

    def __getitem__(self, name: str) -> dict[str, Any]:
        of = {"of": fingerprint(name), "from": "all" if self.data else "shipped"}
        row = self.kept.get(name, {})
        counted = "yosys" in row or not self.yosys or name == FRONT_END
        if not (counted and of.items() <= row.items()):
            print(f"{name} ..", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory() as folder:
                self.kept[name] = in_a_process(name, Path(folder), self.data, self.yosys) | of
            if self.file:
                self.file.write_text(json.dumps(self.kept, indent=1) + "\n")
        return self.kept[name]


def by_task_and_cost(item: tuple[str, dict[str, Any]]) -> tuple[bool, float]:
    return item[1]["task"] != "top", float(item[1]["lut"].replace(",", ""))


def vars_of(counts: Any) -> dict[str, int]:
    return {key: getattr(counts, key) for _, key in YOSYS}


if __name__ == "__main__":
    main()
