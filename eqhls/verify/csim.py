"""The C simulation: the HLS project compiled by g++ with the ap_fixed headers."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np

from eqhls.errors import CompileError, VerificationError
from eqhls.lower.words import Words
from eqhls.verify.bulk import content_hash
from eqhls.verify.toolchain import require, run

FLAGS = ("-std=c++14", "-O1", "-Wno-unknown-pragmas", "-Wno-int-in-bool-context")


class CSim:
    """The HLS C++ of a project folder as a function on packed words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def name(self) -> str:
        """The project's name. Raises CompileError where there is no HLS project."""
        found = sorted(self.folder.glob("*_test.cpp"))
        if len(found) != 1:
            raise CompileError(str(self.folder), "has no HLS project", "compile again")
        return found[0].name.removesuffix("_test.cpp")

    def sources(self) -> list[Path]:
        firmware = self.folder / "firmware"
        return sorted(p for p in firmware.rglob("*") if p.suffix in (".h", ".cpp"))

    def build(self) -> Path:
        """Compile the shared library, unless this very source was compiled before."""
        folder = self.folder / "build" / f"csim_{content_hash(self.sources())}"
        library = folder / "libcsim.so"
        if not library.exists():
            firmware = self.folder / "firmware"
            partial = library.with_suffix(".part")
            folder.mkdir(parents=True, exist_ok=True)
            run(
                [
                    require("g++"),
                    *FLAGS,
                    "-shared",
                    "-fPIC",
                    "-fvisibility=hidden",
                    f"-I{firmware}",
                    f"-I{firmware / 'ap_types'}",
                    firmware / f"{self.name}.cpp",
                    _exported(firmware, folder),
                    "-o",
                    partial,
                ],
                "g++",
                folder / "csim.log",
                self.folder,
            )
            partial.rename(library)
        return library

    def run(self, words: Words) -> Words:
        """Run events through the top function; shape (events, ceil(bits / 32)) in and out."""
        library = ctypes.CDLL(str(self.build()))
        words = np.ascontiguousarray(words, dtype=np.uint32)
        out = np.zeros((len(words), library.eqhls_csim_out_words()), dtype=np.uint32)
        pointer = ctypes.POINTER(ctypes.c_uint32)
        library.eqhls_csim(
            words.ctypes.data_as(pointer), out.ctypes.data_as(pointer), ctypes.c_long(len(words))
        )
        return out

    def testbench(self) -> str:
        """Build and run the project's own testbench on tb_data; returns what it printed.

        Raises VerificationError where it finds a mismatch.
        """
        folder = self.folder / "build" / "testbench"
        firmware = self.folder / "firmware"
        program = folder / "testbench"
        paths = [f"-I{p}" for p in (self.folder, firmware, firmware / "ap_types")]
        sources = [firmware / f"{self.name}.cpp", firmware / f"{self.name}_hls.cpp"]
        sources.append(self.folder / f"{self.name}_test.cpp")
        command = [require("g++"), *FLAGS, *paths, *sources, "-o", program]
        run(command, "g++", folder / "build.log", self.folder)
        done = subprocess.run([program, self.folder / "tb_data"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise VerificationError(
                str(self.folder),
                f"the C testbench failed: {done.stdout}{done.stderr}".strip(),
                "compare tb_data/csim_results.log with tb_data/tb_output.dat",
            )
        return done.stdout.strip()


def _exported(firmware: Path, folder: Path) -> Path:
    """Make the bridge's two functions visible; everything else stays hidden."""
    path = folder / "bridge_export.cpp"
    path.write_text(
        "#pragma GCC visibility push(default)\n"
        f'#include "{firmware / "bridge.cpp"}"\n#pragma GCC visibility pop\n'
    )
    return path
