"""The emulator: the netlist in C++, compiled by g++ for this machine, as a function on raw integers."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.verify.bulk import content_hash
from eqhls.verify.toolchain import require, run
from eqhls.verify.workspace import built, workspace

FLAGS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-fvisibility=hidden")


class Emulator:
    """The C++ of a project folder's netlist as a function on raw integers by port. `machine` is the flag that
    names the lanes: those of this machine, or, if it is empty, those of every processor."""

    def __init__(self, folder: Path, machine: str = "-march=native") -> None:
        self.folder = folder.absolute()
        self.machine = machine

    def sources(self) -> list[Path]:
        """Return the files in emulator/. Raises CompileError if there are none."""
        found = sorted(p for p in (self.folder / "emulator").glob("*") if p.suffix in (".h", ".cpp"))
        if not found:
            raise CompileError(str(self.folder), "has no emulator", "compile again")
        return found

    def build(self) -> Path:
        """Compile the shared library, unless this very source was compiled before for such a machine. Raises
        CompileError if g++ is missing, VerificationError if it fails."""
        sources, compiler, root = self.sources(), require("g++"), workspace(self.folder)
        flags = (*FLAGS, *self.machine.split())
        key = f"emulator_{content_hash(sources)}_{_machine(compiler, flags)}"

        def make(folder: Path) -> None:
            command = [compiler, *flags, *(p for p in sources if p.suffix == ".cpp")]
            run([*command, "-o", folder / "libemulator.so"], "g++", root / f"{key}.log", folder)

        return built(root / key, "libemulator.so", make)

    def run(self, graph: Graph, feeds: Mapping[str, Ints]) -> dict[str, Ints]:
        """Return the raw integers of every output of the project's network, shape (events, *shape)."""
        shapes = [n.type.shape for n in graph.results]
        found = self.call(graph.name, [feeds[n.name] for n in graph.inputs], shapes)
        return {n.name: raw for n, raw in zip(graph.results, found, strict=True)}

    def call(self, name: str, inputs: Sequence[Ints], shapes: Sequence[tuple[int, ...]]) -> list[Ints]:
        """Return the outputs of the network of that name, of these shapes for one event, from raw integers of
        shape (events, *shape) of every port in order."""
        function = getattr(ctypes.CDLL(str(self.build())), f"eqhls_{name}_emulate")
        arrays = [np.ascontiguousarray(raw, dtype=np.int64) for raw in inputs]
        events = len(arrays[0])
        outputs = [np.empty((events, *shape), dtype=np.int64) for shape in shapes]
        function(_pointers(arrays), _pointers(outputs), ctypes.c_long(events))
        return outputs


def _pointers(arrays: Sequence[Ints]) -> ctypes.Array[Any]:
    return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))


@lru_cache(maxsize=8)
def _machine(compiler: str, flags: tuple[str, ...]) -> str:
    """Return a short name for what g++ takes from these flags on this machine: others may read the folder."""
    command = [compiler, *flags, "-dM", "-E", "-x", "c++", "-"]
    macros = subprocess.run(command, input=b"", capture_output=True, check=False).stdout
    return hashlib.sha256(macros + " ".join(flags).encode()).hexdigest()[:8]
