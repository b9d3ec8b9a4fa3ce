"""Cell counts by Yosys: an independent estimate beside alkaid's, without a vendor licence."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.progress import Report
from eqhls.staging import staging_folder
from eqhls.text import write_file
from eqhls.verify.builds import fill
from eqhls.verify.bulk import port_map, rtl_files
from eqhls.verify.packing import CARRY, SHIFT, functions, kinds, packed
from eqhls.verify.toolchain import run
from eqhls.verify.workspace import workspace


@dataclass(frozen=True, slots=True)
class Counts:
    """Cells after synth_xilinx -family xcup, flattened.

    `lut` counts the functions LUT1 to LUT6, `packed` the same with two functions of at most five inputs
    together as one (verify/packing.py), and `srl` shift registers of three and more stages (SRL16E,
    SRLC32E), each of which takes a LUT.
    """

    lut: int
    packed: int
    srl: int
    ff: int
    dsp: int
    carry: int

    def __str__(self) -> str:
        return (
            f"{self.packed + self.srl} LUT packed ({self.packed} of logic and {self.srl} SRL), "
            f"{self.lut + self.srl} LUT raw, {self.ff} FF, {self.dsp} DSP, {self.carry} CARRY4"
        )


def synthesize(folder: Path, report: Report) -> Counts:
    """Synthesize a project's RTL; the log stays in build/, the counts in report/.

    Raises CompileError if Yosys is not installed.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise CompileError(
            "yosys", "the Python package pyosys is not installed", "pip install 'eqhls[synth]'"
        )
    ports = port_map(folder)
    top = ports["name"]
    root, sources = workspace(folder), rtl_files(folder)
    report("Yosys: some minutes for a large design", 0.1)
    with staging_folder(root / "yosys") as private:
        fill(sources, private / "src")
        passes = [
            *(f"read_verilog -sv src/{name}" for name in sources),
            *mapping(top, dsp=ports.get("dsp", 0) > 0),
            "write_json yosys.json",
        ]
        run([sys.executable, "-c", _program(passes)], "yosys", root / "yosys.log", private)
        counts = read_counts(json.loads((private / "yosys.json").read_text()), top)
    write_file(folder / "report" / "yosys.json", json.dumps(asdict(counts)) + "\n")
    report("done", 1.0)
    return counts


def _program(passes: list[str]) -> str:
    """Return Python that runs the passes one by one in a fresh design."""
    lines = ["from pyosys import libyosys as ys", "design = ys.Design()"]
    lines += [f"ys.run_pass({p!r}, design)" for p in passes]
    return "\n".join(lines)


def mapping(top: str, dsp: bool = False) -> list[str]:
    """Return the passes from modules in Verilog to cells of the device. DSPs are used by the products that
    ask for one: all others become LUTs first."""
    synth = (
        f"synth_xilinx -family xcup -noiopad -noclkbuf -flatten {'' if dsp else '-nodsp '}-nobram -top {top}"
    )
    if not dsp:
        return [synth]
    return [
        f"hierarchy -top {top}",
        "proc",
        "flatten",
        "opt_clean",
        "select -set wanted w:* a:use_dsp=yes %i %ci1 t:$mul %i",
        "alumacc t:$mul @wanted %d",
        "maccmap t:$macc t:$macc_v2",
        synth,
    ]


def read_counts(netlist: Mapping[str, Any], top: str) -> Counts:
    """Count the cells of a module in Yosys' JSON."""
    cells = list(netlist["modules"][top]["cells"].values())
    luts, found = functions(cells), kinds(cells)

    def count(test: Callable[[str], bool]) -> int:
        return sum(n for name, n in found.items() if test(name))

    return Counts(
        len(luts),
        packed(luts),
        count(lambda n: bool(SHIFT.match(n))),
        count(lambda n: n.startswith("FD")),
        count(lambda n: n.startswith("DSP")),
        count(lambda n: bool(CARRY.match(n))),
    )
