"""The three HLS tops of a project: equal bits by g++, callers, tokens, and scripts run by a Tcl interpreter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from tools_needed import need
from typer.testing import CliRunner

from eqhls.backends.hls.arguments import Argument, arguments
from eqhls.backends.hls.emit import STANDARD
from eqhls.backends.hls.lint import lint_project
from eqhls.backends.hls.tops import FORMS, top_name
from eqhls.cli import app
from eqhls.errors import VerificationError
from eqhls.flow import Compiled, compile_model
from eqhls.ir.graph import Graph
from eqhls.ir.text import parse_graph
from eqhls.lower.contract import Contract
from eqhls.lower.plan import Plan
from eqhls.ops import BY_NAME
from eqhls.options import Options
from eqhls.verify.csim import CSim
from eqhls.verify.sampling import random_events
from eqhls.verify.toolchain import require

ROOT = Path(__file__).resolve().parents[2]
NETWORK = """graph tops
%in = input() {type = V.lc[j:3]:ufix<10,11>|ufix<8,5>|fix<9,8>|fix<9,8>} : V.lc[j:3]:ufix<10,11>|ufix<8,5>|fix<9,8>|fix<9,8>
%token_in = input() {type = S[c:2,j:3]:fix<6,3>} : S[c:2,j:3]:fix<6,3>
%x = input() {type = S[]:ufix<5,9>} : S[]:ufix<5,9>
%sum = particle_sum(%in) : V.lc[]
%mass2 = invariants(%sum) : S[]
%r = relu(%token_in) : S[c:2,j:3]
%x_0 = relu(%x) : S[]
output %sum, %mass2, %r, %x_0
"""
"""Vectors of four formats, a keyword, a name of ours, two axes, a port without axes, and a name as of wire 0."""

BACKENDS: tuple[Literal["Vitis", "Vivado"], ...] = ("Vitis", "Vivado")


def graph() -> Graph:
    return parse_graph(NETWORK, {}, BY_NAME).formatted()


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Compiled]:
    """A project for either tool, below a folder with a blank in its name."""
    root = tmp_path_factory.mktemp("tops") / "My Documents"
    made = {
        "Vitis": Options(Backend="Vitis", HLSTop="typed", TokenBits=13),
        "Vivado": Options(Backend="Vivado", HLSTop="cms"),
    }
    return {b: compile_model(graph(), output=root / b, options=o) for b, o in made.items()}


def copied(project: Compiled, folder: Path) -> Path:
    return shutil.copytree(project.folder, folder / "p", ignore=shutil.ignore_patterns("build"))


def names(project: Compiled) -> list[str]:
    return [top_name(project.manifest["name"], form) for form in FORMS]


def test_no_two_arguments_share_a_name_or_a_wire() -> None:
    found = arguments(Contract.of(Plan.of(graph(), Options())))
    assert [[a.name + a.shape for a in word] for word in found] == [
        ["in_port[3]", "token_in_p2[2][3]", "x[1]"],
        ["sum[1]", "mass2[1]", "r[2][3]", "x_0_p2[1]"],
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_bench_compares_every_top_with_the_integers(
    backend: str, projects: dict[str, Compiled], tmp_path: Path
) -> None:
    """The expected numbers are those of the integer engine; one wrong number in them is seen."""
    project = projects[backend]
    data = project.folder / "tb_data"
    values = graph().evaluate(dict(np.load(data / "vectors.npz")))
    want = np.hstack([v.reshape(len(v), -1) for v in values.values()])
    np.testing.assert_array_equal(np.loadtxt(data / "tb_output.dat", dtype=np.int64), want)
    events = len(want)
    assert events >= 1000 and CSim(project.folder).testbench() == f"{events} events, 0 mismatches"
    folder = copied(project, tmp_path)
    expected = folder / "tb_data" / "tb_output.dat"
    rows = expected.read_text().splitlines()
    rows[5] = re.sub(r"^-?\d+", lambda m: str(int(m[0]) + 1), rows[5])
    expected.write_text("\n".join(rows) + "\n")
    with pytest.raises(VerificationError, match="1 mismatches"):
        CSim(folder).testbench()


FAULTS = {
    "token_out = token_in;": ("firmware/tops_hls_cms.cpp", "token_out = token_in + 1;", "tops_hls_cms"),
    "out_valid = in_valid;": ("firmware/tops_hls_typed.cpp", "out_valid = 1;", "tops_hls_typed"),
    "::tops(in_data, out_data);": ("firmware/tops_hls.cpp", "::tops(in_data + 1, out_data);", "tops_hls"),
    ".range(i0_ * 36 + 35, i0_ * 36) = in_port[i0_]": (
        "firmware/tops_hls.h",
        ".range(i0_ * 35 + 35, i0_ * 35) = in_port[i0_]",
        "tops_hls_cms",
    ),
}


@pytest.mark.parametrize("line", FAULTS)
def test_a_wrong_top_is_named(line: str, projects: dict[str, Compiled], tmp_path: Path) -> None:
    """The negative control: a fault in one top, and in what two of them share, fails the bench."""
    file, other, top = FAULTS[line]
    folder = copied(projects["Vitis"], tmp_path)
    path = folder / file
    assert path.read_text().count(line) == 1
    path.write_text(path.read_text().replace(line, other))
    with pytest.raises(VerificationError, match=rf"event \d+: {top} differs"):
        CSim(folder).testbench()


def build(sources: Sequence[Path], folder: Path, program: Path, *flags: str) -> str:
    """Compile and run, and return what the program prints."""
    paths = [f"-I{p}" for p in (folder / "firmware", folder / "firmware" / "ap_types")]
    command = [require("g++"), "-O1", "-Wno-unknown-pragmas", *flags, *paths, *sources, "-o", program]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    run = subprocess.run(
        [program, folder / "tb_data"], capture_output=True, text=True, check=False, cwd=program.parent
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_top_alone_as_the_tools_build_it(
    backend: Literal["Vitis", "Vivado"], projects: dict[str, Compiled], tmp_path: Path
) -> None:
    """With the flags of the scripts, the file of one top and no other. Vivado HLS's c++0x is C++11."""
    folder = projects[backend].folder
    firmware = folder / "firmware"
    for top in names(projects[backend]):
        sources = [firmware / "tops.cpp", firmware / f"{top}.cpp", folder / "tops_test.cpp"]
        flags = (f"-std={STANDARD[backend]}", f"-DEQHLS_ONLY_{top}")
        assert " 0 mismatches" in build(sources, folder, tmp_path / top, *flags)


def bits(value: str, width: int) -> str:
    return f"{value}.range({width - 1}, 0)"


def caller(network: Graph, feeds: dict[str, np.ndarray], events: int) -> str:
    """Return a program that calls the network by arrays and by an event, and prints both results, by turns."""
    inputs, outputs = arguments(Contract.of(Plan.of(network, Options())))
    lines = ["#include <iostream>", '#include "tops_hls.h"', "using namespace eqhls_tops;", "int main() {"]
    for event in range(events):
        lines += ["{", "Inputs all;", *(f"{a.type} {a.name}{a.shape};" for a in (*inputs, *outputs))]
        for a, place, inside, index in places(inputs):
            for d, (member, _) in enumerate(a.members):
                width = a.signal.components[d].form.width
                value = f"ap_int<64>({feeds[a.signal.name][(event, *index, d)]})"
                lines.append(f"{bits(a.name + place + member, width)} = {bits(value, width)};")
            lines.append(f"all.{a.signal.identifier}{inside} = {a.name}{place};")
        lines.append(f"tops({', '.join(a.name for a in (*inputs, *outputs))});")
        lines.append("const Outputs found = tops(all);")
        for a, place, inside, _ in places(outputs):
            for d, (member, signed) in enumerate(a.members):
                width = a.signal.components[d].form.width
                for element in (f"{a.name}{place}", f"found.{a.signal.identifier}{inside}"):
                    kind = f"ap_{'' if signed else 'u'}int<{width}>"
                    lines.append(f"std::cout << {kind}({bits(element + member, width)}) << ' ';")
        lines += ["std::cout << std::endl;", "}"]
    return "\n".join([*lines, "}", ""])


def places(found: Sequence[Argument]) -> Iterator[tuple[Argument, str, str, tuple[int, ...]]]:
    """Yield every element: its place in an argument and in a struct, as C++ writes them, and in an array."""
    for a in found:
        for index in np.ndindex(a.sizes):
            place = "".join(f"[{k}]" for k in index)
            yield a, place, place if a.signal.sizes else "", index if a.signal.sizes else ()


def test_other_hls_code_calls_it_with_arrays_and_with_an_event(
    projects: dict[str, Compiled], tmp_path: Path
) -> None:
    """Both forms of the call give the numbers of the integer engine, for events from random integers."""
    network, events = graph(), 9
    feeds = random_events(network, np.random.default_rng(3), events)
    (tmp_path / "caller.cpp").write_text(caller(network, feeds, events))
    folder = projects["Vitis"].folder
    sources = [tmp_path / "caller.cpp", folder / "firmware" / "tops.cpp"]
    printed = build(sources, folder, tmp_path / "caller", "-std=c++11")
    found = np.array([line.split() for line in printed.splitlines()], dtype=np.int64)
    values = network.evaluate(feeds)
    want = np.hstack([values[n.name].reshape(events, -1) for n in network.results])
    np.testing.assert_array_equal(found[:, 0::2], want)
    np.testing.assert_array_equal(found[:, 1::2], want)


@pytest.mark.parametrize("backend", BACKENDS)
def test_whole_projects_are_clean_for_the_linter(backend: str, projects: dict[str, Compiled]) -> None:
    folder = projects[backend].folder
    kinds = (".h", ".cpp", ".tcl", ".cfg")
    files = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.suffix in kinds}
    assert len(files) > 20 and lint_project({k: v for k, v in files.items() if "build/" not in k}) == []


def test_the_configuration_names_one_top_in_four_lines(projects: dict[str, Compiled]) -> None:
    lines = (projects["Vitis"].folder / "hls_config.cfg").read_text().splitlines()
    comments = [x for x in lines if x.startswith("#")]
    settings = [x for x in lines if x and not x.startswith("#")]
    assert sum("tops_hls_typed" in x for x in settings) == 4
    for step in ("v++ -c --mode hls", "--csim", "--cosim", "--package", "--impl"):
        assert any(step in x and "--config hls_config.cfg" in x and "--work_dir" in x for x in comments), step
    assert "csim.argv=tb_data" in settings and "cosim.argv=tb_data" in settings
    assert not (projects["Vivado"].folder / "hls_config.cfg").exists()


def tcl(
    project: Path, backend: str, folder: Path, how: str = "source", script: str | None = None
) -> tuple[int, str, list[str]]:
    """Run build_prj.tcl in a folder under commands that stand in for the tool; status, errors and the log."""
    program = need("tclsh")
    folder.mkdir(exist_ok=True)
    log = folder / "log.txt"
    log.unlink(missing_ok=True)
    path = script or str(project / "build_prj.tcl")
    command = [program, str(ROOT / "tests" / "vendor_hls.tcl"), backend, how, path, str(log)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    noted = log.read_text().splitlines() if log.is_file() else []
    return done.returncode, done.stderr, [line.split()[0] for line in noted]


STEPS = ("csim_design", "csynth_design", "export_design")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_scripts_run_from_anywhere(backend: str, projects: dict[str, Compiled], tmp_path: Path) -> None:
    """By an absolute and by a relative path, through a linked folder, and as text inside of the folder."""
    project = copied(projects[backend], tmp_path / "a b")
    (tmp_path / "link").symlink_to(project)
    runs = [
        tcl(project, backend, tmp_path / "elsewhere"),
        tcl(
            project,
            backend,
            tmp_path / "below",
            script=os.path.relpath(project / "build_prj.tcl", tmp_path / "below"),
        ),
        tcl(project, backend, tmp_path / "other", script=str(tmp_path / "link" / "build_prj.tcl")),
        tcl(project, backend, project, how="eval"),
    ]
    for status, errors, called in runs:
        assert status == 0, errors
        assert [c for c in called if c.endswith("_design")] == list(STEPS)
        assert called.count("add_files") == 4 and ("config_rtl" in called) == (backend == "Vitis")
    assert (tmp_path / "elsewhere" / "tops_prj").is_dir() and (project / "tops_prj").is_dir()


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_top_is_built_after_one_change(
    backend: str, projects: dict[str, Compiled], tmp_path: Path
) -> None:
    """The name of the top in project.tcl is all that another one needs; steps are chosen there, too."""
    project = copied(projects[backend], tmp_path)
    path = project / "project.tcl"
    text = path.read_text().replace("cosim 0", "cosim 1")
    for top in names(projects[backend]):
        path.write_text(re.sub(r"set eqhls_top \w+", f"set eqhls_top {top}", text))
        status, errors, called = tcl(project, backend, tmp_path / "run")
        assert status == 0, errors
        assert called.count("cosim_design") == 1


SPOILT = {
    "export_design -format": ("export_design -formt", "export_design has no option -formt"),
    "-pipeline_loops 0": ("-pipeline_loop 0", "config_compile has no option -pipeline_loop"),
    "firmware ${eqhls_project}.cpp": ("${eqhls_project}.cpp", "is not there"),
    "csim_design -argv [file join $eqhls_folder tb_data]": (
        "csim_design -argv tb_data",
        "has no tb_input.dat",
    ),
    "[file join $eqhls_folder tb_data]\n": ("tb_data\n", "tb_data is not there"),
    "csynth_design": ("csyn_design", 'invalid command name "csyn_design"'),
    "set_top $eqhls_top": ("set_top $eqhls_project", "add_files -cflags -DEQHLS_ONLY_tops_hls"),
    "open_solution -reset": ("open_solution -rest", "open_solution has no option -rest"),
}


@pytest.mark.parametrize("line", SPOILT)
def test_a_spoilt_script_is_refused(line: str, projects: dict[str, Compiled], tmp_path: Path) -> None:
    """The negative control of the stand-in."""
    project = copied(projects["Vitis"], tmp_path)
    other, problem = SPOILT[line]
    path = project / "build_prj.tcl"
    assert line in path.read_text()
    path.write_text(path.read_text().replace(line, other, 1))
    status, errors, _ = tcl(project, "Vitis", tmp_path / "run")
    assert status != 0 and problem in errors


def test_the_script_of_one_tool_is_not_that_of_the_other(
    projects: dict[str, Compiled], tmp_path: Path
) -> None:
    for backend, other in (BACKENDS, BACKENDS[::-1]):
        status, errors, _ = tcl(projects[backend].folder, other, tmp_path / backend)
        assert status == 3 and "-std=c++" in errors


def test_the_command_line_chooses_top_and_token(tmp_path: Path) -> None:
    (tmp_path / "tops.eq").write_text(NETWORK)
    np.savez(tmp_path / "tops.npz")
    chosen = ["--hls-top", "typed", "--token-bits", "7"]
    done = CliRunner().invoke(app, ["compile", str(tmp_path / "tops.eq"), "-o", str(tmp_path / "p"), *chosen])
    assert done.exit_code == 0, done.output
    assert "set eqhls_top tops_hls_typed" in (tmp_path / "p" / "project.tcl").read_text()
    header = (tmp_path / "p" / "firmware" / "tops_hls.h").read_text()
    assert "typedef ap_uint<7> token_t;" in header and header.count("token_t& token_out") == 2
    # the packages carry the same token, unless told otherwise
    for wish, width in (([], 7), (["--token", "3"], 3)):
        words = ["package", str(tmp_path / "p"), "--for", "token", "--for", "axi", *wish]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        assert f"in_token ({width} bits)" in done.output and f"tuser {width} bits" in done.output
    plain = compile_model(graph(), output=tmp_path / "q")
    for file in ("tops_hls.h", "tops_hls_typed.cpp", "tops_hls_cms.cpp"):
        text = (plain.folder / "firmware" / file).read_text()
        assert "token" not in text.replace("token_in_p2", "").replace("token_in_vector", ""), file
