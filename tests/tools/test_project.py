"""A project from the shipped small model: every engine, the bench, the proof, and what must fail."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import eqhls
from eqhls.errors import CompileError, VerificationError
from eqhls.events.read import read_events
from eqhls.flow import Compiled, open_project
from eqhls.text import write_file
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.cocotb_run import TESTS, read_results
from eqhls.verify.csim import CSim
from eqhls.verify.evidence import LABELLED, STAGES
from eqhls.verify.metrics import auc
from eqhls.verify.proof import ProjectEngines

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "lgn_top_small"
EVENTS = MODEL / "events.npz"
MASS = """\
graph mass
%p = input() {type = V.xyz[j:2]:fix<10,9>} : V.xyz[j:2]:fix<10,9>
%sum = particle_sum(%p) : V.xyz[]
%mass2 = invariants(%sum) : S[]
output %mass2
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return eqhls.compile(MODEL, output=tmp_path_factory.mktemp("project") / "small")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """A project that Verilator builds in a few seconds, for the faults that any network can have."""
    folder = tmp_path_factory.mktemp("tiny")
    write_file(folder / "mass.eq", MASS)
    np.savez(folder / "mass.npz")
    momenta = np.random.default_rng(7).normal(0, 30, size=(300, 2, 3))
    energy = np.linalg.norm(momenta, axis=-1, keepdims=True) + 1
    np.savez(folder / "events.npz", p4=np.concatenate([energy, momenta], axis=-1), y=np.arange(300) % 2)
    return eqhls.compile(folder / "mass.eq", output=folder / "project")


def events_of(tiny: Compiled) -> Path:
    return tiny.folder.parent / "events.npz"


def copy(project: Compiled, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("build"))
    return folder


def test_compiling_twice_gives_the_same_bytes(project: Compiled, tmp_path: Path) -> None:
    """Law 8, over all files but the one with the seconds."""
    other = eqhls.compile(MODEL, output=tmp_path / "again")
    assert project.manifest == other.manifest
    ours, theirs = (files_of(p.folder) for p in (project, other))
    assert ours == theirs
    for relative in ours:
        assert (project.folder / relative).read_bytes() == (other.folder / relative).read_bytes(), relative


def files_of(folder: Path) -> list[Path]:
    """What compiling wrote, but for the seconds that its steps took."""
    found = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return [p for p in found if p.parts[0] != "build" and p.name != "time_per_step.json"]


@pytest.mark.parametrize("name", ["given.eq", "quantized.eq"])
def test_a_project_without_its_network_is_refused(project: Compiled, name: str, tmp_path: Path) -> None:
    folder = copy(project, tmp_path)
    (folder / "model" / name).unlink()
    with pytest.raises(CompileError, match=f"no model/{name}.*compile the network again"):
        open_project(folder).verify(EVENTS)


def test_the_goals_of_the_hardware(project: Compiled) -> None:
    """At most 12k LUT and 60 ns at 360 MHz, where no stage is deeper than the clock; no DSP; II = 1."""
    manifest = project.manifest
    assert manifest["lut_estimate"] <= 11_500 and manifest["latency_ns"] <= 50
    assert manifest["stage_depth_ns"] <= 1e3 / 360
    assert manifest["dsp"] == 0 and manifest["ii"] == 1


def test_engines_agree_and_give_what_was_shipped(project: Compiled) -> None:
    with np.load(EVENTS) as file:
        expected, labels = file["expected"], file["y"]
    raws = {e: project.prediction(EVENTS, e) for e in ("integer", "hls", "rtl")}
    for engine, prediction in raws.items():
        assert prediction.raw is not None and prediction.raw.dtype == np.int64
        np.testing.assert_array_equal(prediction.raw[:, 0], expected, err_msg=engine)
    assert auc(raws["rtl"].scores[:, 0], labels) > 0.978


def test_verify_runs_every_stage(project: Compiled) -> None:
    evidence = project.verify(EVENTS)
    assert evidence.ok and {s.name for s in evidence.stages} == {*STAGES, *LABELLED}
    assert json.loads((project.folder / "report" / "evidence.json").read_text())["ok"] is True
    cocotb = evidence.stage("cocotb")
    assert cocotb is not None and cocotb.number("events") == 4000
    table = list(csv.DictReader((project.folder / "report" / "working_points.csv").read_text().splitlines()))
    scores = open_project(project.folder).prediction(EVENTS).raw
    assert scores is not None and [int(r["threshold"]) for r in table] == np.unique(scores).tolist()
    assert (project.folder / "report" / "boosts.png").read_bytes().startswith(b"\x89PNG")


def test_bench_and_waves(project: Compiled) -> None:
    """All events through cocotb (how fast is for `make bench`); waves on request."""
    result = project.simulate(EVENTS)
    assert result.ok and result.events == 4000
    assert project.simulate(waves="vcd").ok
    assert list((project.folder / "build" / "cocotb_vcd").glob("*.vcd"))


def test_fst_waves_or_a_clear_word(project: Compiled) -> None:
    """FST needs a system header: where it is missing, the message names the package."""
    try:
        assert project.simulate(waves="fst").ok
        assert list((project.folder / "build" / "cocotb_fst").glob("*.fst"))
    except CompileError as error:
        assert "liblz4-dev" in str(error)
    with pytest.raises(CompileError, match="expected vcd or fst"):
        project.simulate(waves="png")


def test_users_can_run_the_bench_by_make(project: Compiled) -> None:
    graph = project.graph
    events = read_events(EVENTS, graph)
    ProjectEngines(project.folder, graph).simulate(events)
    done = subprocess.run(
        ["make", "-C", project.folder / "sim", f"PYTHON={sys.executable}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "4 tests ran, 0 failed" in done.stdout, done.stdout[-2000:]


def test_the_c_testbench(project: Compiled, tmp_path: Path) -> None:
    folder = copy(project, tmp_path)
    lines = (folder / "tb_data" / "tb_output.dat").read_text().splitlines()
    assert CSim(folder).testbench() == f"{len(lines)} events, 0 mismatches"
    lines[7] = str(int(lines[7]) + 1)
    write_file(folder / "tb_data" / "tb_output.dat", "\n".join(lines) + "\n")
    with pytest.raises(VerificationError, match="1 mismatches"):
        CSim(folder).testbench()


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text, f"nothing to spoil in {file}"
    write_file(path, text.replace(old, new, 1))


def test_a_wrong_bit_in_the_rtl_is_caught(tiny: Compiled, tmp_path: Path) -> None:
    folder = copy(tiny, tmp_path)
    name = tiny.manifest["name"]
    spoil(folder, f"rtl/{name}_core.v", "out_data <= {", "out_data <= 1 ^ {")
    graph, events = tiny.graph, read_events(events_of(tiny), tiny.graph)
    engines = ProjectEngines(folder, graph)
    (name,) = graph.outputs
    assert (engines.run("rtl", events.raw)[name] != engines.run("integer", events.raw)[name]).any()
    assert not engines.simulate(events).ok


def test_verify_of_a_spoilt_project_fails(tiny: Compiled, tmp_path: Path) -> None:
    """The command says so and exits with 1."""
    folder = copy(tiny, tmp_path)
    spoil(folder, f"rtl/{tiny.manifest['name']}_core.v", "out_data <= {", "out_data <= 2 ^ {")
    command = [sys.executable, "-m", "eqhls.cli", "verify", folder, events_of(tiny)]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "not verified: files, rtl, cocotb" in done.stderr, done.stderr[-500:]


def test_a_wrong_latency_is_caught(tiny: Compiled, tmp_path: Path) -> None:
    folder = copy(tiny, tmp_path)
    latency = tiny.manifest["latency_cycles"]
    spoil(folder, f"rtl/{tiny.manifest['name']}.v", f".Latency({latency})", f".Latency({latency + 1})")
    events = read_events(events_of(tiny), tiny.graph)
    with pytest.raises(VerificationError, match="out_valid is wrong"):
        BulkSimulator(folder).run(ProjectEngines(folder, tiny.graph).pack(events.raw))
    assert not ProjectEngines(folder, tiny.graph).simulate(events).ok


def test_events_come_as_often_as_the_port_map_says(tiny: Compiled, tmp_path: Path) -> None:
    """A top that is busy for three clocks fails one event a clock, and passes one every three."""
    folder, name = copy(tiny, tmp_path), tiny.manifest["name"]
    busy = "in_valid && busy == 0 ? 2'd2 : busy == 0 ? 2'd0 : busy - 2'd1"
    register = f"reg [1:0] busy;\n  always @(posedge clk) busy <= rst ? 2'd0 : {busy};"
    spoil(folder, f"rtl/{name}.v", f"{name}_valid_pipe #(", f"{register}\n  {name}_valid_pipe #(")
    spoil(folder, f"rtl/{name}.v", ".in_valid(in_valid)", ".in_valid(in_valid && busy == 0)")
    events, engines = read_events(events_of(tiny), tiny.graph), ProjectEngines(folder, tiny.graph)
    with pytest.raises(VerificationError, match="out_valid is wrong"):
        BulkSimulator(folder).run(engines.pack(events.raw))
    assert not engines.simulate(events).ok
    spoil(folder, f"rtl/{name}.portmap.json", '"ii": 1', '"ii": 3')
    np.testing.assert_array_equal(
        BulkSimulator(folder).run(engines.pack(events.raw)),
        BulkSimulator(tiny.folder).run(engines.pack(events.raw)),
    )
    assert engines.simulate(events).ok


def test_a_reset_that_forgets_is_caught(tiny: Compiled, tmp_path: Path) -> None:
    folder = copy(tiny, tmp_path)
    cell = f"rtl/{tiny.manifest['name']}_valid_pipe.sv"
    spoil(folder, cell, "rst ? {Latency{1'b0}} :", "1'b0 ? {Latency{1'b0}} :")
    result = ProjectEngines(folder, tiny.graph).simulate(read_events(events_of(tiny), tiny.graph))
    failed = {name for name, passed, _ in result.tests if not passed}
    assert "reset_mid_stream" in failed


def test_a_wrong_constant_in_the_hls_is_caught(project: Compiled, tmp_path: Path) -> None:
    folder = copy(project, tmp_path)
    spoil(
        folder,
        "firmware/eqhls/gram.h",
        "sum = sum - a.c2[i] * b.c2[j];\n    sum = sum - a.c3[i] * b.c3[j];\n    return sum;\n  }\n};\n\ntemplate <>",
        "sum = sum + a.c2[i] * b.c2[j];\n    sum = sum - a.c3[i] * b.c3[j];\n    return sum;\n  }\n};\n\ntemplate <>",
    )
    spoil(
        folder,
        "firmware/eqhls/gram.h",
        "Y sum = half * (a.c0[i] * b.c1[j] + a.c1[i] * b.c0[j]);",
        "Y sum = half * (a.c0[i] * b.c0[j] + a.c1[i] * b.c0[j]);",
    )
    graph, events = project.graph, read_events(EVENTS, project.graph)
    engines = ProjectEngines(folder, graph)
    (name,) = graph.outputs
    assert (engines.run("hls", events.raw)[name] != engines.run("integer", events.raw)[name]).any()


def test_a_bench_that_did_not_run_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="did not run"):
        read_results(tmp_path / "results.xml", 10)
    (tmp_path / "results.xml").write_text(
        f"<testsuites><testsuite><testcase name='{TESTS[0]}'/></testsuite></testsuites>"
    )
    assert not read_results(tmp_path / "results.xml", 10).ok


def test_a_missing_tool_is_named(project: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy(project, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompileError, match=r"g\+\+: is not installed"):
        ProjectEngines(folder, project.graph).run("hls", read_events(EVENTS, project.graph).raw)


def test_report(project: Compiled) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eqhls.cli", "report", project.folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (project.folder / "report" / "report.html").read_text()
    assert "ROC of logit" in page and "symmetry rtl" in page and "ports with 4 more bits" in page
    assert "Working points of logit" in page and "background &lt;= 0.01" in page
    assert (
        json.loads((project.folder / "report" / "report.json").read_text())["manifest"]["name"]
        == "lgn_top_small"
    )


def test_python_in_a_few_lines(project: Compiled) -> None:
    """Arrays in, scores out, by every engine."""
    with np.load(MODEL / "jets_p4.npz") as file:
        p4 = file["p4"]
    exact = [project.predict(p4, engine=e) for e in ("integer", "hls", "rtl")]
    assert exact[0].shape == (len(p4), 1)
    np.testing.assert_array_equal(exact[0], exact[1])
    np.testing.assert_array_equal(exact[0], exact[2])
    with pytest.raises(CompileError, match="found 'gpu'"):
        project.predict(p4, engine="gpu")
