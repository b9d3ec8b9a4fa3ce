"""The symmetry in the proof without a simulator: engines that are all the integer model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eqhls.engines import Ints
from eqhls.ir.graph import Builder, Graph
from eqhls.options import Options
from eqhls.verify.evidence import Stage
from eqhls.verify.symmetry_stages import symmetry_stages


@dataclass(frozen=True)
class Emulated:
    """Engines that are all the integer model; one of them may spoil an output."""

    folder: Path
    graph: Graph
    spoilt: str = ""

    def is_built(self, engine: str) -> bool:
        return True

    def run(self, engine: str, feeds: Mapping[str, Ints]) -> dict[str, Ints]:
        out = self.graph.evaluate(feeds)
        if self.spoilt and engine == "rtl":
            bit = feeds[self.graph.inputs[0].name][:, 0, 0] & 1
            out[self.spoilt] = out[self.spoilt] ^ bit.reshape(-1, *[1] * (out[self.spoilt].ndim - 1))
        return out


def network(kind: Callable[[Builder], list[str]]) -> Graph:
    b = Builder(kind.__name__)
    outputs = kind(b)
    return b.graph(*outputs).formatted()


def stages(graph: Graph, folder: Path, spoilt: str = "") -> list[Stage]:
    def make(folder: Path, test: Graph) -> Emulated:
        return Emulated(folder, test, spoilt)

    return list(symmetry_stages(make(folder, graph), make, Options(), lambda *_: None))
