"""The emulator: the netlist in C++, compiled by g++ for this machine, as a function on raw integers."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.verify.builds import Recipe, built, described, is_built
from eqhls.verify.toolchain import require
from eqhls.verify.workspace import workspace

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

    def recipe(self) -> Recipe:
        """Return how the library is made. Raises CompileError if g++ or the source is missing."""
        sources, compiler = self.sources(), require("g++")
        flags = (*FLAGS, *self.machine.split())
        command = (compiler, *flags, *(p.name for p in sources if p.suffix == ".cpp"))
        return Recipe(
            "emulator",
            "libemulator.so",
            {p.name: p.read_bytes() for p in sources},
            ((*command, "-o", "libemulator.so"),),
            (described(compiler, *flags),),
        )

    def is_built(self) -> bool:
        """Whether nothing has to be built. Raises CompileError as `recipe` does."""
        return is_built(workspace(self.folder), self.recipe())

    def build(self) -> Path:
        """Compile the shared library, unless exactly this was built before for such a machine. Raises
        CompileError if g++ is missing, VerificationError if it fails."""
        return built(workspace(self.folder), self.recipe())

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
