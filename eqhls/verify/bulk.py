"""Verilator without cocotb: many events per second, back to back, through ctypes."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.errors import CompileError, VerificationError
from eqhls.lower.layout import Words
from eqhls.text import Project, asset
from eqhls.verify.builds import Recipe, built, described, is_built, version
from eqhls.verify.toolchain import require, toolchain
from eqhls.verify.workspace import workspace


class BulkSimulator:
    """The RTL of a project folder as a function on packed words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = port_map(folder)

    def run(self, words: Words) -> Words:
        """Feed events as often as the port map says and return the output words (events, ceil(bits / 32)).

        Raises VerificationError if out_valid does not come exactly in its clock.
        """
        library = ctypes.CDLL(str(self.build()))
        library.eqhls_run.restype = ctypes.c_long
        words = np.ascontiguousarray(words, dtype=np.uint32)
        out = np.zeros((len(words), -(-self.ports["output_bits"] // 32)), dtype=np.uint32)
        pointer = ctypes.POINTER(ctypes.c_uint32)
        done = library.eqhls_run(
            words.ctypes.data_as(pointer),
            out.ctypes.data_as(pointer),
            ctypes.c_long(len(words)),
            ctypes.c_long(words.shape[1]),
            ctypes.c_long(out.shape[1]),
            ctypes.c_long(self.ports["latency_cycles"]),
            ctypes.c_long(self.ports["ii"]),
        )
        if done != len(words):
            raise VerificationError(
                str(self.folder),
                f"out_valid is wrong in clock {-1 - done}",
                f"expected latency {self.ports['latency_cycles']} and II = {self.ports['ii']}",
            )
        return out

    def recipe(self) -> Recipe:
        """Return how the library is made of the RTL. Raises CompileError if a tool or a file is missing."""
        return verilated(
            "rtl",
            self.ports["name"],
            rtl_files(self.folder),
            asset("sim", "bulk_harness.cpp"),
            ("-O3", "-Wno-fatal", "-CFLAGS", "-fPIC -O1"),
        )

    def is_built(self) -> bool:
        """Whether nothing has to be built. Raises CompileError as `recipe` does."""
        return is_built(workspace(self.folder), self.recipe())

    def build(self) -> Path:
        """Verilate and compile, unless exactly this was built before."""
        return built(workspace(self.folder), self.recipe())


def verilated(kind: str, top: str, sources: Project, harness: Path, flags: tuple[str, ...]) -> Recipe:
    """Return how a harness in C++ around a Verilated top becomes a library. Raises CompileError if a tool is
    missing."""
    tools, compiler = toolchain(), require("g++")
    include = tools.root / "include"
    verilate = ("--cc", "--build", "-j", "2", "--top-module", top, *flags, "--prefix", "Vdut", "--Mdir", ".")
    paths = tuple(f"-I{p}" for p in (".", include, include / "vltstd"))
    parts = (harness.name, "libVdut.a", "libverilated.a", "-pthread")
    link = (compiler, "-std=c++17", "-O2", "-shared", "-fPIC", *paths, *parts, "-o", "libdut.so")
    return Recipe(
        kind,
        "libdut.so",
        {**sources, **{p.name: p.read_bytes() for p in (harness, asset("sim", "words.h"))}},
        ((str(tools.verilator), *verilate, *sources), link),
        (version(tools.verilator, tools.env), described(compiler), described(require("c++"))),
        tools.env,
    )


def port_map(folder: Path) -> dict[str, Any]:
    """Read the port map of a project. Raises CompileError if it is missing or damaged."""
    found = sorted((folder / "rtl").glob("*.portmap.json"))
    if len(found) != 1:
        raise CompileError(str(folder), f"has {len(found)} port maps in rtl/, expected one", "compile again")
    try:
        return json.loads(found[0].read_text())
    except ValueError as error:
        raise CompileError(str(found[0]), f"cannot be read ({error})", "compile again") from None


def rtl_sources(folder: Path) -> list[Path]:
    """Return the Verilog files of a project, absolute, in order."""
    listing = folder / "rtl" / "sources.f"
    if not listing.is_file():
        raise CompileError(str(listing), "is missing", "compile again")
    paths = [(folder / line).absolute() for line in listing.read_text().split()]
    for path in paths:
        if not path.is_file():
            raise CompileError(str(path), "is missing", "compile again")
    return paths


def rtl_files(folder: Path) -> dict[str, bytes]:
    """Return the content of the Verilog files of a project by path in it, in order: copies have no blanks in
    their paths, at which the tools split."""
    return {str(p.relative_to(folder.absolute())): p.read_bytes() for p in rtl_sources(folder)}
