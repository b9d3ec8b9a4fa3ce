"""Run Vivado or Vitis HLS if they are installed, and read their report."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from eqhls.backends.hls.tops import FORMS, top_name
from eqhls.backends.rtl.vendor import vendor_rtl
from eqhls.errors import CompileError
from eqhls.processes import run_logged
from eqhls.text import MANIFEST, sums, write_project

COMMANDS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "Vitis": (
        ("vitis-run", ("--mode", "hls", "--tcl", "build_prj.tcl")),
        ("vitis_hls", ("-f", "build_prj.tcl")),
    ),
    "Vivado": (("vivado_hls", ("-f", "build_prj.tcl")),),
}
"""The tools of each Backend, newest first; vitis-run passes no arguments to Tcl, so project.tcl holds all
options."""

TYPED = tuple(top_name("", form) for form in FORMS if form != "word")
"""How the names of the tops with typed arguments end."""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What csynth reports: periods in ns, latency and interval in clocks, resources."""

    target_ns: float
    estimated_ns: float
    latency: tuple[int, int]
    interval: tuple[int, int]
    lut: int
    ff: int
    dsp: int
    bram: int

    def __str__(self) -> str:
        timing = f"{self.estimated_ns} ns of {self.target_ns} ns"
        clocks = (
            f"latency {self.latency[0]} to {self.latency[1]}, II {self.interval[0]} to {self.interval[1]}"
        )
        area = f"{self.lut} LUT, {self.ff} FF, {self.dsp} DSP, {self.bram} BRAM"
        return f"csynth: {timing}, {clocks}, {area}"


def build_project(folder: Path) -> Synthesis:
    """Run the newest tool of the project's Backend and parse its report.

    Raises CompileError if no tool is installed, if it fails or writes no report.
    """
    if not (folder / "build_prj.tcl").is_file():
        raise CompileError(str(folder), "has no build_prj.tcl", "give a project that eqhls compiled")
    backend = _backend(folder)
    found = [(shutil.which(tool), tool, arguments) for tool, arguments in COMMANDS[backend]]
    program, tool, arguments = next((f for f in found if f[0]), (None, "", ()))
    if program is None:
        other = [t for b, tools in COMMANDS.items() for t, _ in tools if b != backend and shutil.which(t)]
        raise CompileError(
            "build",
            f"found none of {', '.join(t for t, _ in COMMANDS[backend])} on PATH, the tools of {backend}",
            f"there is {other[0]}: compile with the other Backend in the configuration"
            if other
            else "source the settings of Vitis or Vivado HLS first; simulation needs neither",
        )
    log = folder / "build" / f"{tool}.log"
    try:
        code = run_logged([program, *arguments], log, folder)
    except OSError as error:
        raise CompileError(
            str(folder), f"cannot be written ({error.strerror})", "build a copy of the project"
        ) from None
    if code:
        raise CompileError(tool, f"failed with status {code}", f"see {log}")
    reports = sorted(folder.glob("*_prj/solution1/syn/report/*_csynth.xml"))
    if not reports:
        raise CompileError(tool, "wrote no csynth report", f"see {log}")
    found_report = min(reports, key=lambda p: len(p.name))
    synthesis = read_report(found_report)
    _keep_rtl(folder, found_report, synthesis)
    return synthesis


def _backend(folder: Path) -> str:
    """Return the Backend that a project was compiled for; Vitis if its manifest names none."""
    try:
        backend = json.loads((folder / MANIFEST).read_text()).get("options", {}).get("Backend", "Vitis")
    except (OSError, ValueError, AttributeError) as error:
        raise CompileError(str(folder / MANIFEST), f"cannot be read ({error})", "compile again") from None
    if backend not in COMMANDS:
        raise CompileError(str(folder / MANIFEST), f"names the Backend {backend!r}", "compile again")
    return backend


def _keep_rtl(folder: Path, report: Path, synthesis: Synthesis) -> None:
    """Wrap the vendor's Verilog like our own, in vendor/, so that eqhls can simulate it. The wrapper has the
    ports of the top of one word; those of the typed tops are named by the tools, and differ between them."""
    verilog = {p.name: p.read_text() for p in sorted(report.parents[1].glob("verilog/*.v"))}
    maps = sorted((folder / "rtl").glob("*.portmap.json"))
    core = report.name.removesuffix("_csynth.xml")
    if not verilog or not maps or core.endswith(TYPED):
        return
    files = vendor_rtl(json.loads(maps[0].read_text()), synthesis.latency[1], core, verilog)
    manifest = {"name": core, "vendor": True, "sha256": sums(files)}
    write_project({**files, MANIFEST: json.dumps(manifest) + "\n"}, folder / "vendor")


def read_report(path: Path) -> Synthesis:
    """Read <top>_csynth.xml. Raises CompileError if a field is missing."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise CompileError(str(path), f"cannot be read ({error})", "run the synthesis again") from None

    def text(*places: str) -> str:
        for place in places:
            found = root.findtext(place)
            if found is not None:
                return found
        raise CompileError(
            str(path),
            f"has no field {places[0]}",
            "this version of the tool is not known to eqhls: read the report itself",
        )

    def number(*places: str) -> int:
        value = text(*places)
        try:
            return int(value)
        except ValueError:
            raise CompileError(
                str(path), f"{places[0]} is {value!r}, expected a number", "run the synthesis again"
            ) from None

    overall = "PerformanceEstimates/SummaryOfOverallLatency/"
    area = "AreaEstimates/Resources/"
    return Synthesis(
        float(text("UserAssignments/TargetClockPeriod")),
        float(text("PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod")),
        (number(overall + "Best-caseLatency"), number(overall + "Worst-caseLatency")),
        (number(overall + "Interval-min"), number(overall + "Interval-max")),
        number(area + "LUT"),
        number(area + "FF"),
        number(area + "DSP", area + "DSP48E"),
        number(area + "BRAM_18K"),
    )
