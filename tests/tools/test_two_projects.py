"""Two projects in one design and in one program, names that look alike, and two commands at once."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from portbenches import ghdl, iverilog, verilated

from eqhls.backends.hls.lint import lint_project
from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.layout import Layout, Words
from eqhls.lower.modelhash import model_hash
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
        for file in (*tops, f"{name}.cpp", f"{name}_ports.h", "bridge.cpp"):
            parts.append(f'#include "{folder / "firmware" / file}"')
    header = projects["Net"][0] / "firmware" / "eqhls" / "relu.h"
    changed = header.read_text().replace(
        "namespace eqhls {", "namespace eqhls {\ninline int added() { return 1; }"
    )
    parts.append(
        "int main() {\n"
        "  eqhls_net::Inputs a;\n  eqhls_Net::Inputs b;\n"
        "  a.in_word[0] = b.in_word[0] = 1.5;\n  a.in_word[1] = b.in_word[1] = -3;\n"
        "  eqhls_net::out_word_t x;\n  eqhls_Net::out_word_t y;\n"
        "  eqhls_net::net(a.pack(), x);\n  eqhls_Net::Net(b.pack(), y);\n"
        "  const double first = eqhls_net::Outputs::unpack(x).x_out[0].to_double();\n"
        "  const double second = eqhls_Net::Outputs::unpack(y).x_out[0].to_double();\n"
        f"  return (first != {answer(projects['net'][1])!r}) + (second != {answer(projects['Net'][1])!r})\n"
        "         + eqhls_Net::eqhls::added() - 1;\n}"
    )
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


def answer(graph: Graph) -> float:
    """The result for 1.5 and -3 at the port, in real numbers."""
    raw = graph.evaluate({"in_word": np.array([[12, -24]])})["x_out"]
    return float(raw.item() * graph.node("x_out").type.format_of(0).lsb)


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


VERSIONS = (("net_v1", 0.75), ("net_v2", 0.75), ("other", -0.5))
"""Two versions of one network, and another network with the same ports."""


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three projects."""
    root = tmp_path_factory.mktemp("versions")
    for name, weight in VERSIONS:
        write_project(files(tiny(name, weight)), root / name)
    return root


def all_sources(root: Path) -> list[str]:
    """The Verilog of the three projects and their packages, relative to the folder of all."""
    listed = [
        f"{n}/{line}" for n, _ in VERSIONS for line in (root / n / "rtl" / "sources.f").read_text().split()
    ]
    return [*(f"{n}/rtl/{n}_pkg.sv" for n, _ in VERSIONS), *listed]


@pytest.mark.parametrize("simulator", [iverilog, verilated])
def test_versions_and_networks_run_in_one_design(versions: Path, simulator: Callable[..., str]) -> None:
    """Each instance gives the numbers of its own network and the hash of its own model; versions of one network
    have the same hash."""
    graph = tiny("net_v1", 0.75)
    feeds = random_events(graph, np.random.default_rng(1), 30)
    bits = Layout.of(graph.inputs).bits
    words = integers(Layout.of(graph.inputs).pack(feeds))
    instances = "\n".join(
        f"  wire v{k}; wire [{n}_pkg::OUT_BITS-1:0] d{k}; wire [31:0] h{k};\n"
        f"  {n} u{k} (.clk(clk), .rst(rst), .in_valid(valid), .in_data(data),\n"
        f"    .out_valid(v{k}), .out_data(d{k}), .model_hash(h{k}));\n"
        f'  always @(negedge clk) if (v{k}) $display("{k} %b %h", d{k}, h{k});'
        for k, (n, _) in enumerate(VERSIONS)
    )
    drives = "\n".join(f"    data = {bits}'h{w:x}; valid = 1; @(negedge clk);" for w in words)
    (versions / "bench.sv").write_text(
        f"`timescale 1ns/1ns\nmodule bench;\n  reg clk = 0, rst = 1, valid = 0; reg [{bits - 1}:0] data;\n"
        f"{instances}\n  always #1 clk = ~clk;\n  initial begin\n"
        "    repeat (60) @(negedge clk);\n    rst = 0;\n"
        f"{drives}\n    valid = 0; repeat (60) @(negedge clk);\n    $finish;\n  end\nendmodule\n"
    )
    lines = [line.split() for line in simulator(versions, [*all_sources(versions), "bench.sv"]).splitlines()]
    hashes = dict[int, str]()
    for k, (name, weight) in enumerate(VERSIONS):
        mine = tiny(name, weight)
        want = integers(Layout.of(mine.results).pack(mine.evaluate(feeds)))
        found = [line for line in lines if line[0] == str(k)]
        assert [int(bits, 2) for _, bits, _ in found] == want
        (hashes[k],) = {digits for _, _, digits in found}
        assert hashes[k] == model_hash(mine)
    assert hashes[0] == hashes[1] != hashes[2]


def test_versions_and_networks_are_in_one_vhdl_design(versions: Path) -> None:
    """A bench packs an event for each of the three and connects it to each component; the entities, whose ports
    are those of the Verilog tops, stand for them and show the low bits of what they are given."""
    entities, parts = list[str](), list[str]()
    for k, (name, _) in enumerate(VERSIONS):
        text = (versions / name / "rtl" / f"{name}.v").read_text()
        found = re.findall(r"^ +(input|output) +\w+ +(?:\[(\d+):0\] )?(\w+)", text, re.M)
        kinds = {p: f"std_logic_vector({w} downto 0)" if w else "std_logic" for _, w, p in found}
        ports = "; ".join(f"{p} : {'in' if way == 'input' else 'out'} {kinds[p]}" for way, _, p in found)
        entities.append(
            f"{IEEE}entity {name} is port ({ports}); end entity;\narchitecture a of {name} is begin\n"
            "  out_valid <= in_valid; out_data <= in_data(out_data'range);\n"
            f"  model_hash <= work.{name}_pkg.MODEL_HASH;\nend architecture;\n"
        )
        pkg = f"work.{name}_pkg"
        parts.append(
            f"  x{k}.in_word(0) <= to_signed({k + 3}, 6); x{k}.in_word(1) <= to_signed(-1, 6);\n"
            f"  d{k} <= {pkg}.to_word(x{k});\n"
            f"  u{k} : component {pkg}.{name} port map (clk => clk, rst => clk, in_valid => clk,\n"
            f"    in_data => d{k}, out_valid => open, out_data => open, model_hash => h{k});\n"
        )
    signals = "".join(
        f"  signal x{k} : work.{n}_pkg.inputs_t; signal h{k} : std_logic_vector(31 downto 0);\n"
        f"  signal d{k} : std_logic_vector(work.{n}_pkg.IN_BITS - 1 downto 0);\n"
        for k, (n, _) in enumerate(VERSIONS)
    )
    shows = "".join(
        f"    write(l, to_hstring(h{k}) & ' ' & to_bstring(d{k})); writeline(output, l);\n" for k in range(3)
    )
    (versions / "bench.vhd").write_text(
        "".join(entities) + f"{IEEE}use std.textio.all;\nentity bench is end entity;\n"
        f"architecture sim of bench is\n  signal clk : std_logic := '0';\n{signals}begin\n{''.join(parts)}"
        f"  process\n    variable l : line;\n  begin\n    wait for 1 ns;\n{shows}    wait;\n  end process;\n"
        "end architecture;\n"
    )
    packages = [f"{n}/rtl/{n}_pkg.vhd" for n, _ in VERSIONS]
    lines = ghdl(versions, [*packages, "bench.vhd"]).splitlines()
    want = [f"{model_hash(tiny(n, w)).upper()} 111111{k + 3:06b}" for k, (n, w) in enumerate(VERSIONS)]
    assert lines == want


IEEE = "library ieee;\nuse ieee.std_logic_1164.all;\nuse ieee.numeric_std.all;\n"


def integers(words: Words) -> list[int]:
    return [int.from_bytes(row.astype("<u4").tobytes(), "little") for row in words]
