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
from eqhls.verify.bulk import content_hash
from eqhls.verify.toolchain import require, run
from eqhls.verify.workspace import built, workspace

FLAGS = ("-std=c++14", "-O1", "-Wno-unknown-pragmas", "-Wno-int-in-bool-context")


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

    def sources(self) -> list[Path]:
        firmware = self.folder / "firmware"
        return sorted(p for p in firmware.rglob("*") if p.suffix in (".h", ".cpp"))

    def build(self) -> Path:
        """Compile the shared library, unless this very source was compiled before."""
        root = workspace(self.folder)
        firmware = self.folder / "firmware"
        key = f"csim_{content_hash(self.sources())}"

        def make(folder: Path) -> None:
            paths = (f"-I{firmware}", f"-I{firmware / 'ap_types'}")
            sources = (firmware / f"{self.name}.cpp", _exported(folder))
            flags = (*FLAGS, "-shared", "-fPIC", "-fvisibility=hidden")
            command = [require("g++"), *flags, *paths, *sources, "-o", folder / "libcsim.so"]
            run(command, "g++", root / f"{key}.log", folder)

        return built(root / key, "libcsim.so", make)

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
        root, firmware = workspace(self.folder), self.folder / "firmware"
        data = self.folder / "tb_data"
        with staging_folder(root / "testbench") as private:
            for file in ("tb_input.dat", "tb_output.dat"):
                shutil.copyfile(data / file, private / file)
            program = private / "testbench"
            paths = [f"-I{p}" for p in (self.folder, firmware, firmware / "ap_types")]
            tops = (f"{self.name}_hls.cpp", f"{self.name}_hls_typed.cpp", f"{self.name}_hls_cms.cpp")
            sources = [firmware / f for f in (f"{self.name}.cpp", *tops)]
            sources.append(self.folder / f"{self.name}_test.cpp")
            command = [require("g++"), *FLAGS, *paths, *sources, "-o", program]
            run(command, "g++", root / "testbench.log", private)
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


def _kept(results: bytes, data: Path, root: Path) -> Path:
    """Keep what the testbench wrote in tb_data/, or, if that cannot be written, beside its log."""
    for place in (data / "csim_results.log", root / "csim_results.log"):
        with suppress(OSError):
            write_whole(place, results)
            return place
    return root


def _exported(folder: Path) -> Path:
    """Make the bridge's two functions visible; everything else stays hidden."""
    path = folder / "bridge_export.cpp"
    path.write_text(
        '#pragma GCC visibility push(default)\n#include "bridge.cpp"\n#pragma GCC visibility pop\n'
    )
    return path
