"""`eqhls build`: the vendor tools are found, run and read; their core runs on the same bench."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

import networks
import numpy as np
import pytest

from eqhls.backends.hls.build import build_project, read_report
from eqhls.backends.hls.emit import emit as emit_hls
from eqhls.backends.rtl.emit import emit as emit_rtl
from eqhls.backends.rtl.vendor import vendor_rtl
from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.lower.plan import Plan
from eqhls.options import Options
from eqhls.text import write_project
from eqhls.verify.proof import ProjectEngines
from eqhls.verify.sampling import random_events

REPORT = """<profile><UserAssignments><TargetClockPeriod>2.78</TargetClockPeriod></UserAssignments>
<PerformanceEstimates><SummaryOfTimingAnalysis><EstimatedClockPeriod>2.05</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><Best-caseLatency>21</Best-caseLatency><Worst-caseLatency>21</Worst-caseLatency>
<Interval-min>1</Interval-min><Interval-max>1</Interval-max></SummaryOfOverallLatency></PerformanceEstimates>
<AreaEstimates><Resources><BRAM_18K>0</BRAM_18K><DSP>76</DSP><FF>9000</FF><LUT>8000</LUT></Resources></AreaEstimates></profile>
"""


@pytest.fixture
def graph(rng: np.random.Generator) -> Graph:
    return networks.seeded(rng, 4, 1)


def project(graph: Graph, folder: Path, backend: Literal["Vitis", "Vivado"] = "Vitis") -> Path:
    options = Options(Backend=backend)
    manifest = json.dumps({"options": options.model_dump(mode="json")})
    write_project({**emit_hls(Plan.of(graph, options)), "eqhls.json": manifest}, folder)
    return folder


@pytest.mark.parametrize(
    ("tool", "backend"), [("vitis-run", "Vitis"), ("vitis_hls", "Vitis"), ("vivado_hls", "Vivado")]
)
def test_a_tool_is_run_and_its_report_read(
    tool: str,
    backend: Literal["Vitis", "Vivado"],
    graph: Graph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = project(graph, tmp_path / "p", backend)
    programs = tmp_path / "bin"
    programs.mkdir()
    place = "seeded_prj/solution1/syn/report"
    (programs / tool).write_text(
        f"#!/bin/sh\necho \"$@\" > called\nmkdir -p {place}\ncat > {place}/seeded_csynth.xml <<'X'\n{REPORT}X\n"
    )
    (programs / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    made = build_project(folder)
    assert (made.lut, made.ff, made.dsp, made.bram) == (8000, 9000, 76, 0)
    assert made.interval == (1, 1) and made.latency == (21, 21) and made.estimated_ns == 2.05
    called = (folder / "called").read_text()
    assert "build_prj.tcl" in called and ("--mode hls" in called) == (tool == "vitis-run")


def test_failures_of_the_tool(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(graph, tmp_path / "p")
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    with pytest.raises(CompileError, match="none of vitis-run"):
        build_project(folder)
    (programs / "vivado_hls").write_text("#!/bin/sh\n")
    (programs / "vivado_hls").chmod(0o755)
    with pytest.raises(CompileError, match="there is vivado_hls: compile with the other Backend"):
        build_project(folder)
    for text, message in (("exit 3", "status 3"), ("exit 0", "no csynth report")):
        (programs / "vitis_hls").write_text(f"#!/bin/sh\n{text}\n")
        (programs / "vitis_hls").chmod(0o755)
        with pytest.raises(CompileError, match=message):
            build_project(folder)


def test_a_damaged_report(tmp_path: Path) -> None:
    path = tmp_path / "x_csynth.xml"
    path.write_text(REPORT.replace("<LUT>8000</LUT>", ""))
    with pytest.raises(CompileError, match="AreaEstimates/Resources/LUT"):
        read_report(path)
    path.write_text(REPORT.replace("<LUT>8000</LUT>", "<LUT>many</LUT>"))
    with pytest.raises(CompileError, match="expected a number"):
        read_report(path)
    path.write_text("<profile>")
    with pytest.raises(CompileError, match="cannot be read"):
        read_report(path)


@pytest.mark.parametrize("end", ["", "_V"])
def test_a_vendor_core_runs_on_the_same_bench(end: str, graph: Graph, tmp_path: Path) -> None:
    """A stand-in with the port names of Vitis or of Vivado HLS, made of our own core: same wrapper, same
    bench."""
    plan = Plan.of(graph, Options())
    ours = emit_rtl(plan)
    core = str(ours["rtl/seeded_core.v"]).replace(
        "input  wire clk,", "input  wire ap_clk,\n  input  wire ap_rst,"
    )
    core = core.replace("posedge clk", "posedge ap_clk").replace("module seeded_core", "module seeded_vitis")
    core = re.sub(r"\b(in|out)_data\b", rf"\1_data{end}", core)
    ports = json.loads(str(ours["rtl/seeded.portmap.json"]))
    files = vendor_rtl(ports, plan.latency_cycles, "seeded_vitis", {"seeded_vitis.v": core})
    write_project({**files, "eqhls.json": "{}"}, tmp_path / "p")
    engines = ProjectEngines(tmp_path / "p", graph)
    feeds = random_events(graph, np.random.default_rng(1), 500)
    (name,) = graph.outputs
    np.testing.assert_array_equal(engines.run("rtl", feeds)[name], engines.run("integer", feeds)[name])
    with pytest.raises(CompileError, match="is not a module of"):
        vendor_rtl(ports, 3, "other", {"seeded_vitis.v": core})


@pytest.mark.parametrize(("core", "wrapped"), [("seeded_hls", True), ("seeded_hls_typed", False)])
def test_only_the_core_of_one_word_is_wrapped(
    core: str, wrapped: bool, graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vendor/ has the ports of our own core around it, which those of arrays are not."""
    plan = Plan.of(graph, Options())
    manifest = json.dumps({"options": plan.options.model_dump(mode="json")})
    folder = tmp_path / "p"
    write_project({**emit_hls(plan), **emit_rtl(plan), "eqhls.json": manifest}, folder)
    programs, place = tmp_path / "bin", "seeded_prj/solution1/syn"
    programs.mkdir()
    (programs / "vitis-run").write_text(
        f"#!/bin/sh\nmkdir -p {place}/report {place}/verilog\ncat > {place}/report/{core}_csynth.xml <<'X'\n{REPORT}X\n"
        f"echo 'module {core} (); endmodule' > {place}/verilog/{core}.v\n"
    )
    (programs / "vitis-run").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    assert build_project(folder).lut == 8000
    assert (folder / "vendor" / "rtl" / "seeded.v").is_file() == wrapped
