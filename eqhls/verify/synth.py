"""Cell counts by Yosys: an independent estimate beside alkaid's, without a vendor licence."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from eqhls.errors import CompileError
from eqhls.text import write_file
from eqhls.verify.bulk import port_map, rtl_sources
from eqhls.verify.toolchain import run

LUT = re.compile(r"LUT[1-6]$")


@dataclass(frozen=True, slots=True)
class Counts:
    """Cells after synth_xilinx -family xcup, flattened."""

    lut: int
    ff: int
    dsp: int
    carry: int

    def __str__(self) -> str:
        return f"{self.lut} LUT, {self.ff} FF, {self.dsp} DSP, {self.carry} CARRY4"


def synthesize(folder: Path, report: Callable[[str, float], None]) -> Counts:
    """Synthesize a project's RTL; the log and the counts stay in build/ and report/.

    Raises CompileError where Yosys is not installed.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise CompileError(
            "yosys", "the Python package pyosys is not installed", "pip install 'eqhls[synth]'"
        )
    top = port_map(folder)["name"]
    statistics = folder.absolute() / "build" / "yosys.json"
    statistics.parent.mkdir(parents=True, exist_ok=True)
    passes = [
        *(f"read_verilog -sv {path}" for path in rtl_sources(folder)),
        f"synth_xilinx -family xcup -noiopad -noclkbuf -flatten -nodsp -nobram -top {top}",
        f"tee -q -o {statistics} stat -json",
    ]
    report("Yosys: some minutes for a large design", 0.1)
    run([sys.executable, "-c", _program(passes)], "yosys", folder / "build" / "yosys.log", folder)
    counts = read_counts(json.loads(statistics.read_text()))
    write_file(folder / "report" / "yosys.json", json.dumps(asdict(counts)) + "\n")
    report("done", 1.0)
    return counts


def _program(passes: list[str]) -> str:
    """Return Python that runs the passes one by one in a fresh design."""
    lines = ["from pyosys import libyosys as ys", "design = ys.Design()"]
    lines += [f"ys.run_pass({p!r}, design)" for p in passes]
    return "\n".join(lines)


def read_counts(statistics: dict[str, object]) -> Counts:
    """Read the cell counts of `stat -json`."""
    design = statistics.get("design")
    cells: dict[str, int] = design.get("num_cells_by_type", {}) if isinstance(design, dict) else {}

    def count(test: Callable[[str], bool]) -> int:
        return sum(n for name, n in cells.items() if test(name))

    return Counts(
        count(lambda n: bool(LUT.match(n))),
        count(lambda n: n.startswith("FD")),
        count(lambda n: n.startswith("DSP")),
        count(lambda n: n.startswith("CARRY")),
    )
