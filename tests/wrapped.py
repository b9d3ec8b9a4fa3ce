"""Wrappers around a top, in a folder and in a simulator: cocotb for AXI4-Stream, and a plain bench for the rest,
which puts a row of inputs in each clock and keeps what the outputs are in each, in Icarus and in Verilator."""

from __future__ import annotations

import ctypes
import os
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cocotb_tools.runner import Runner, VerilatorControlFile, get_runner

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.rtl.emit import emit
from eqhls.lower.plan import Plan
from eqhls.text import asset, merged
from eqhls.verify.toolchain import toolchain

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapper and all that it needs, below `folder`: the top module, its sources, its ports with widths."""

    folder: Path
    top: str
    sources: tuple[Path, ...]
    inputs: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)


Faults = Sequence[tuple[str, str, str]]
"""Pieces to exchange: the end of a file's name, a text that it has once, and what stands there instead."""


def wrapped(plan: Plan, package: Package, settings: Settings, folder: Path, faults: Faults = ()) -> Wrapped:
    """Write a wrapper with its core, and with faults if they are asked for."""
    files = dict(merged([("RTL", emit(plan)), (package.name, package.write(plan, settings))]))
    for end, old, new in faults:
        (path,) = (p for p in files if p.endswith(end))
        text = files[path]
        assert isinstance(text, str) and text.count(old) == 1, f"{path} has {old!r} not once"
        files[path] = text.replace(old, new)
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(content))
    lists = ("rtl/sources.f", f"ip/{package.name}/sources.f")
    names = [line for found in lists for line in str(files[found]).split()]
    return Wrapped(folder, f"{plan.name}_{package.name}", tuple(folder / n for n in names))


def lint(design: Wrapped) -> str:
    """Return what Verilator with -Wall and Icarus with -Wall say of a wrapper, in the language of 2005 too."""
    tools = toolchain()
    said = _said([tools.verilator, "--lint-only", "-Wall", "--quiet", "--top-module", design.top], design)
    for language in ("-g2012", "-g2005"):
        command = ["iverilog", language, "-Wall", "-tnull", "-s", design.top]
        lines = _said(command, design).splitlines()
        said += "\n".join(line for line in lines if "Attributes are not supported" not in line)
    return said


def _said(command: Sequence[str | Path], design: Wrapped) -> str:
    done = subprocess.run(
        [*command, *design.sources], env=toolchain().env, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr + (f"status {done.returncode}\n" if done.returncode else "")


AXI_PORTS = (
    "aclk",
    "aresetn",
    "model_hash",
    *(f"{s}_axis_{k}" for s in "sm" for k in ("tvalid", "tready", "tdata", "tlast", "tuser")),
)


def axi_bench(
    design: Wrapped, plan: Plan, vectors: Path, simulator: str, *, beats: int, user: int
) -> dict[str, bool]:
    """Run tests/axi_bench.py on a wrapper, and return which of its tests passed."""
    run = runpy.run_path(str(asset("sim", "run.py")))
    run["use_wheel"]()
    build = design.folder / f"build_{simulator}"
    build.mkdir()
    runner: Runner = run["LeanVerilator"]() if simulator == "verilator" else get_runner(simulator)
    sources: list[Any] = list(design.sources)
    arguments: list[str] = []
    if simulator == "verilator":
        control = build / "ports.vlt"
        ports = [f'public_flat_rw -module "{design.top}" -var "{p}"' for p in AXI_PORTS]
        control.write_text("\n".join(["`verilator_config", *ports]) + "\n")
        sources.insert(0, VerilatorControlFile(control))
        arguments = ["-O3", "-CFLAGS", "-std=c++17 -O1"]
    runner.build(
        sources=sources,
        hdl_toplevel=design.top,
        build_dir=build,
        always=True,
        build_args=arguments,
        timescale=None if simulator == "verilator" else ("1ns", "1ps"),
        log_file=build / "build.log",
    )
    with suppress(SystemExit):  # that is how it says that a test failed: the file names which
        runner.test(
            hdl_toplevel=design.top,
            test_module="axi_bench",
            build_dir=build,
            test_dir=build,
            results_xml=str(build / "results.xml"),
            seed=1,
            log_file=build / "test.log",
            extra_env={
                "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
                "EQ_VECTORS": str(vectors),
                "EQ_BEATS": str(beats),
                "EQ_USER": str(user),
                "EQ_HASH": plan.model_hash,
                "EQ_LATENCY": str(plan.latency_cycles),
                "EQ_IN_BITS": str(plan.inputs.bits),
            },
        )
    cases = ElementTree.parse(build / "results.xml").iter("testcase")
    bad = ("failure", "error", "skipped")
    return {str(c.get("name")): not any(True for tag in bad for _ in c.iter(tag)) for c in cases}


Rows = Mapping[str, Sequence[int]]
"""Per port, its value in each clock."""


def in_icarus(design: Wrapped, rows: Rows, parameters: str = "") -> dict[str, list[int | None]]:
    """Return the outputs in each clock, None if a bit of one is unknown."""
    widths = list(design.inputs.values())
    lines = [_packed([rows[p][k] for p in design.inputs], widths) for k in range(_clocks(rows))]
    (design.folder / "rows.hex").write_text("\n".join(f"{x:x}" for x in lines) + "\n")
    bench = design.folder / "bench.v"
    bench.write_text(_icarus_bench(design, len(lines), parameters))
    program = design.folder / "bench.vvp"
    command = ["iverilog", "-g2012", "-s", "bench", "-o", program, bench, *design.sources]
    subprocess.run(command, check=True, capture_output=True)
    subprocess.run(["vvp", "-n", program], check=True, cwd=design.folder, capture_output=True)
    seen = (design.folder / "seen.txt").read_text().split("\n")[:-1]
    assert len(seen) == len(lines)
    columns = zip(*(line.split() for line in seen), strict=True)
    found = dict(zip(design.outputs, columns, strict=True))
    return {
        p: [int(v, 16) if v.isalnum() and not set("xzXZ") & set(v) else None for v in c]
        for p, c in found.items()
    }


def _icarus_bench(design: Wrapped, clocks: int, parameters: str) -> str:
    total, at, lines = sum(design.inputs.values()), 0, list[str]()
    for port, width in design.inputs.items():
        lines.append(f".{port}(row[{at + width - 1}:{at}])")
        at += width
    lines += [f".{port}({port})" for port in design.outputs]
    wires = "\n".join(f"  wire [{w - 1}:0] {p};" for p, w in design.outputs.items())
    return f"""module bench;
  reg clk = 0;
  reg [{total - 1}:0] rows[0:{clocks - 1}];
  reg [{total - 1}:0] row;
{wires}
  integer k, file;
  {design.top} {parameters} dut (.clk(clk), {", ".join(lines)});
  initial begin
    $readmemh("rows.hex", rows);
    file = $fopen("seen.txt", "w");
    for (k = 0; k < {clocks}; k = k + 1) begin
      row = rows[k];
      #1 $fwrite(file, "{" ".join(["%h"] * len(design.outputs))}\\n", {", ".join(design.outputs)});
      clk = 1;
      #1 clk = 0;
    end
    $fclose(file);
    $finish;
  end
endmodule
"""


def in_verilator(design: Wrapped, rows: Rows) -> dict[str, list[int]]:
    """Return the outputs in each clock, as `in_icarus` does; no bit is ever unknown here."""
    build = design.folder / "build_plain"
    build.mkdir()
    (build / "rows.cpp").write_text(_verilator_harness(design))
    tools = toolchain()
    flags = ["--cc", "--build", "-Wno-fatal", "-CFLAGS", "-fPIC -O1", "--prefix", "Vdut", "--Mdir", "."]
    _demand([tools.verilator, *flags, "--top-module", design.top, *design.sources], build)
    include = tools.root / "include"
    paths = [f"-I{p}" for p in (build, include, include / "vltstd", asset("sim"))]
    parts = ["rows.cpp", "libVdut.a", "libverilated.a", "-pthread", "-o", "librows.so"]
    _demand(["g++", "-std=c++17", "-O1", "-shared", "-fPIC", *paths, *parts], build)
    given = np.concatenate([_words(rows[p], w) for p, w in design.inputs.items()], axis=1)
    sizes = [-(-w // 32) for w in design.outputs.values()]
    out = np.zeros((len(given), sum(sizes)), dtype=np.uint32)
    given = np.ascontiguousarray(given)
    run = ctypes.CDLL(str(build / "librows.so")).run_rows
    run(ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(out.ctypes.data), ctypes.c_long(len(given)))
    parts_of = np.split(out, np.cumsum(sizes)[:-1], axis=1)
    return {
        p: [int.from_bytes(np.ascontiguousarray(row).tobytes(), "little") for row in part]
        for p, part in zip(design.outputs, parts_of, strict=True)
    }


def _verilator_harness(design: Wrapped) -> str:
    stores, loads, at = list[str](), list[str](), 0
    for port, width in design.inputs.items():
        stores.append(f"    store(dut.{port}, in + {at});")
        at += -(-width // 32)
    before, at = at, 0
    for port, width in design.outputs.items():
        loads.append(f"    load(dut.{port}, out + {at});")
        at += -(-width // 32)
    stored, loaded = "\n".join(stores), "\n".join(loads)
    return f"""#include "Vdut.h"
#include "words.h"
extern "C" void run_rows(const std::uint32_t* in, std::uint32_t* out, long clocks) {{
  VerilatedContext context;
  Vdut dut(&context);
  for (long k = 0; k < clocks; ++k, in += {before}, out += {at}) {{
{stored}
    dut.clk = 0;
    dut.eval();
{loaded}
    dut.clk = 1;
    dut.eval();
  }}
}}
"""


def _demand(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, env=toolchain().env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _clocks(rows: Rows) -> int:
    (clocks,) = {len(values) for values in rows.values()}
    return clocks


def _packed(values: Sequence[int], widths: Sequence[int]) -> int:
    whole, at = 0, 0
    for value, width in zip(values, widths, strict=True):
        assert 0 <= value < 1 << width
        whole |= value << at
        at += width
    return whole


def _words(values: Sequence[int], width: int) -> np.ndarray:
    size = -(-width // 32)
    data = b"".join(int(v).to_bytes(4 * size, "little") for v in values)
    return np.frombuffer(data, dtype="<u4").reshape(-1, size)
