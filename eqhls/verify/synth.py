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
from eqhls.staging import staging_folder
from eqhls.text import write_file
from eqhls.verify.bulk import copied, port_map, rtl_sources
from eqhls.verify.toolchain import run
from eqhls.verify.workspace import workspace

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
    """Synthesize a project's RTL; the log stays in build/, the counts in report/.

    Raises CompileError where Yosys is not installed.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise CompileError(
            "yosys", "the Python package pyosys is not installed", "pip install 'eqhls[synth]'"
        )
    top = port_map(folder)["name"]
    root, project = workspace(folder), folder.absolute()
    report("Yosys: some minutes for a large design", 0.1)
    with staging_folder(root / "yosys") as private:
        passes = [
            *(f"read_verilog -sv {path}" for path in copied(rtl_sources(folder), project, private)),
            f"synth_xilinx -family xcup -noiopad -noclkbuf -flatten -nodsp -nobram -top {top}",
            "tee -q -o yosys.json stat -json",
        ]
        run([sys.executable, "-c", _program(passes)], "yosys", root / "yosys.log", private)
        counts = read_counts(json.loads((private / "yosys.json").read_text()))
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
