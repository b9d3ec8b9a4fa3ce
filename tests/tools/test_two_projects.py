"""Two projects in one design and in one program, names that look alike, and two commands at once."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eqhls.backends.hls.lint import lint_project
from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.layout import Layout
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.relu import Relu
from eqhls.options import Options
from eqhls.project import engines_project
from eqhls.text import Project, write_project
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.sampling import random_events
from eqhls.verify.toolchain import require, toolchain
from eqhls.verify.workspace import workspace


def tiny(name: str, weight: float) -> Graph:
    """Values whose names differ only in what C++ does not take, or look like types and tables of others."""
    b = Builder(name)
    b.add("in_word", Input(Type(S, (Axis("c", 2),), formats=(Fixed(6, 3),))))
    b.add("a.b", Dense(Tensor([[weight, -0.25], [0.5, 1.0]])), "in_word")
    b.add("a_b", Relu(), "a.b")
    b.add("x", Dense(Tensor([[weight, 0.5]])), "a_b")
    b.add("x_weight", Relu(), "x")
    b.add("x_out", Relu(), "x_weight")
    return b.graph("x_out").formatted()


def files(graph: Graph) -> Project:
    made = engines_project(graph, Options())
    assert lint_project(made) == []
    return made


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Graph]]:
    """Two names that differ in case alone, below a folder with a blank in its name."""
    root = tmp_path_factory.mktemp("two") / "My Documents"
    graphs = {name: tiny(name, w) for name, w in (("net", 0.75), ("Net", -0.5))}
    for name, graph in graphs.items():
        write_project(files(graph), root / name)
    return {name: (root / name, graph) for name, graph in graphs.items()}


def test_one_source_file_takes_both(projects: dict[str, tuple[Path, Graph]], tmp_path: Path) -> None:
    """Both tops, both networks and both bridges are compiled at once; the second project's library is as of
    another version of eqhls, whose headers have other content under the same names."""
    parts: list[str] = []
    for name, (folder, _) in projects.items():
        tops = (f"{name}_hls.cpp", f"{name}_hls_typed.cpp", f"{name}_hls_cms.cpp")
        for file in (*tops, f"{name}.cpp", "bridge.cpp"):
            parts.append(f'#include "{folder / "firmware" / file}"')
    header = projects["Net"][0] / "firmware" / "eqhls" / "relu.h"
    changed = header.read_text().replace(
        "namespace eqhls {", "namespace eqhls {\ninline int added() { return 1; }"
    )
    parts.append("int main() { return eqhls_Net::eqhls::added() - 1; }")
    copy = tmp_path / "relu.h"
    copy.write_text(header.read_text())
    header.write_text(changed)
    (tmp_path / "both.cpp").write_text("\n".join(parts))
    command = [require("g++"), "-std=c++14", "-Wno-unknown-pragmas", tmp_path / "both.cpp"]
    types = projects["net"][0] / "firmware" / "ap_types"
    done = subprocess.run(
        [*map(str, command), f"-I{types}", "-o", str(tmp_path / "both")],
        capture_output=True,
        text=True,
        check=False,
    )
    header.write_text(copy.read_text())
    assert done.returncode == 0, done.stderr[:2000]
    assert subprocess.run([tmp_path / "both"], check=False).returncode == 0


def test_one_design_takes_both(projects: dict[str, tuple[Path, Graph]], tmp_path: Path) -> None:
    """No module stands in both, and Verilator reads them together."""
    tools = toolchain()
    modules: list[str] = []
    for k, (folder, _) in enumerate(projects.values()):
        for line in (folder / "rtl" / "sources.f").read_text().split():
            text = (folder / line).read_text()
            modules += re.findall(r"^\s*module\s+(\w+)", text, re.M)
            (tmp_path / f"{k}_{Path(line).name}").write_text(text)
    assert len(modules) == len(set(modules)) == 6
    ports = [
        int(n)
        for f, _ in projects.values()
        for n in re.findall(r"\[(\d+):0\] (?:in|out)_data", (f / "rtl" / f"{f.name}.v").read_text())
    ]
    wires = ".clk(clk), .rst(rst), .in_valid(v)"
    (tmp_path / "top.v").write_text(
        f"module top(input clk, input rst, input v, input [{ports[0]}:0] a, output [{ports[1]}:0] b,\n"
        f"  output [{ports[3]}:0] c);\n  net u_0 ({wires}, .in_data(a), .out_valid(), .out_data(b), .model_hash());\n"
        f"  Net u_1 ({wires}, .in_data(a), .out_valid(), .out_data(c), .model_hash());\nendmodule\n"
    )
    command = [tools.verilator, "--lint-only", "--top-module", "top", *sorted(tmp_path.glob("*v"))]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=dict(tools.env), check=False
    )
    assert done.returncode == 0, done.stderr[:2000]


def test_both_run_in_one_process_below_a_blank_and_built_twice_at_once(
    projects: dict[str, tuple[Path, Graph]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """make takes no blanks: the builds lie in the cache. Every simulator gives the numbers of its own project."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for folder, graph in projects.values():
        feeds = random_events(graph, np.random.default_rng(1), 200)
        words, want = Layout.of(graph.inputs).pack(feeds), graph.evaluate(feeds)["x_out"]
        with ThreadPoolExecutor() as pool:
            built = list(pool.map(lambda _, f=folder: CSim(f).build(), range(2)))
        assert built[0] == built[1] and built[0].is_relative_to(tmp_path / "cache")
        for engine in (CSim(folder), BulkSimulator(folder)):
            found = Layout.of(graph.results).unpack(engine.run(words))
            np.testing.assert_array_equal(found["x_out"], want)
        place = workspace(folder)
        assert sorted(p.name for p in place.iterdir() if p.name.startswith(".")) == []
        assert not (folder / "build").exists()


def test_the_folder_for_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's own, or the cache where it cannot be made."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "p").mkdir()
    assert workspace(tmp_path / "p") == tmp_path / "p" / "build"
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "build").symlink_to(tmp_path / "not-mounted" / "scratch")
    first = workspace(tmp_path / "q")
    assert first.is_relative_to(tmp_path / "cache") and workspace(tmp_path / "q") == first


def test_a_killed_build_is_made_again(tmp_path: Path) -> None:
    """A folder that holds no library is not taken for one."""
    graph = replace(tiny("net", 0.5), name="again")
    write_project(files(graph), tmp_path / "p")
    library = CSim(tmp_path / "p").build()
    library.unlink()
    assert CSim(tmp_path / "p").build() == library and library.is_file()
