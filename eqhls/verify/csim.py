"""The C simulation: the HLS project compiled by g++ with the ap_fixed headers."""

from __future__ import annotations

import ctypes
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from eqhls.errors import CompileError, VerificationError
from eqhls.lower.layout import Words
from eqhls.processes import run_logged
from eqhls.staging import staging_folder, write_whole
from eqhls.text import Project
from eqhls.verify.builds import Recipe, built, described, is_built
from eqhls.verify.toolchain import require
from eqhls.verify.workspace import workspace

FLAGS = ("-std=c++14", "-O1", "-Wno-unknown-pragmas", "-Wno-int-in-bool-context")
PATHS = ("-Ifirmware", "-Ifirmware/ap_types")
EXPORTED = '#pragma GCC visibility push(default)\n#include "bridge.cpp"\n#pragma GCC visibility pop\n'
"""The bridge with its two functions visible; everything else stays hidden."""


class CSim:
    """The HLS C++ of a project folder as a function on packed words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def name(self) -> str:
        """The project's name. Raises CompileError if there is no HLS project."""
        found = sorted(self.folder.glob("*_test.cpp"))
        if len(found) != 1:
            raise CompileError(str(self.folder), "has no HLS project", "compile again")
        return found[0].name.removesuffix("_test.cpp")

    def sources(self) -> dict[str, bytes]:
        """Return the content of headers and sources by path in the project."""
        firmware = self.folder / "firmware"
        found = sorted(p for p in firmware.rglob("*") if p.suffix in (".h", ".cpp"))
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in found}

    def recipe(self) -> Recipe:
        """Return how the library is made. Raises CompileError if g++ or the HLS project is missing."""
        flags = (*FLAGS, "-shared", "-fPIC", "-fvisibility=hidden")
        parts = (f"firmware/{self.name}.cpp", "bridge_export.cpp")
        files = {**self.sources(), "bridge_export.cpp": EXPORTED}
        return compiled("csim", "libcsim.so", files, (*flags, *PATHS, *parts))

    def is_built(self) -> bool:
        """Whether nothing has to be built. Raises CompileError as `recipe` does."""
        return is_built(workspace(self.folder), self.recipe())

    def build(self) -> Path:
        """Compile the shared library, unless exactly this was built before."""
        return built(workspace(self.folder), self.recipe())

    def run(self, words: Words) -> Words:
        """Run events through the top function; shape (events, ceil(bits / 32)) in and out."""
        library = ctypes.CDLL(str(self.build()))
        simulate = getattr(library, f"eqhls_{self.name}_csim")
        count = getattr(library, f"eqhls_{self.name}_csim_out_words")
        words = np.ascontiguousarray(words, dtype=np.uint32)
        out = np.zeros((len(words), count()), dtype=np.uint32)
        pointer = ctypes.POINTER(ctypes.c_uint32)
        simulate(words.ctypes.data_as(pointer), out.ctypes.data_as(pointer), ctypes.c_long(len(words)))
        return out

    def testbench(self) -> str:
        """Build and run the project's own testbench on tb_data; returns what it printed.

        Raises VerificationError if it finds a mismatch.
        """
        root, data = workspace(self.folder), self.folder / "tb_data"
        program = built(root, self._testbench())
        with staging_folder(root / "testbench") as private:
            for file in ("tb_input.dat", "tb_output.dat"):
                shutil.copyfile(data / file, private / file)
            printed = private / "printed.log"
            failed = run_logged([program, private], printed, private)
            found = printed.read_text(errors="replace").strip()
            results = private / "csim_results.log"
            kept = _kept(results.read_bytes() if results.is_file() else b"", data, root)
        if failed:
            raise VerificationError(
                str(self.folder),
                f"the C testbench failed: {found}",
                f"compare {kept} with tb_data/tb_output.dat",
            )
        return found

    def _testbench(self) -> Recipe:
        """Return how the program of the project's own testbench is made, with every top."""
        tops = (f"{self.name}_hls.cpp", f"{self.name}_hls_typed.cpp", f"{self.name}_hls_cms.cpp")
        parts = (*(f"firmware/{f}" for f in (f"{self.name}.cpp", *tops)), f"{self.name}_test.cpp")
        beside = {p.name: p.read_bytes() for p in sorted(self.folder.iterdir()) if p.suffix in (".h", ".cpp")}
        return compiled(
            "testbench", "testbench", {**self.sources(), **beside}, (*FLAGS, "-I.", *PATHS, *parts)
        )


def compiled(kind: str, product: str, files: Project, arguments: tuple[str, ...]) -> Recipe:
    """Return how g++ makes a product of files. Raises CompileError if it is missing."""
    compiler = require("g++")
    command = (compiler, *arguments, "-o", product)
    return Recipe(kind, product, files, (command,), (described(compiler),))


def _kept(results: bytes, data: Path, root: Path) -> Path:
    """Keep what the testbench wrote in tb_data/, or, if that cannot be written, beside its log."""
    for place in (data / "csim_results.log", root / "csim_results.log"):
        with suppress(OSError):
            write_whole(place, results)
            return place
    return root
