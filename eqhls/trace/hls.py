"""Every value of the C++: the top function of a project, with its values written out before the last line.

The source is that of the project with nothing taken away, so the arithmetic is that of the C simulation.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eqhls.backends.hls.formats import covering
from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph, Node
from eqhls.lower.layout import Layout
from eqhls.names import value_identifier
from eqhls.text import asset
from eqhls.trace.seen import Seen, extended, shifted, whole
from eqhls.verify.builds import built
from eqhls.verify.csim import FLAGS, PATHS, CSim, compiled
from eqhls.verify.workspace import workspace

LAST = "  out_word_t word = 0;\n"
"""The line of the top function behind which only the output word is packed."""


def hls_values(
    folder: Path, graph: Graph, feeds: Mapping[str, Ints], integer: Mapping[str, Ints]
) -> dict[str, Seen]:
    """Return every value of events (raw integers by port) as the C++ of a project computes it. Raises
    CompileError if the project has no C++ of eqhls."""
    library = ctypes.CDLL(str(_build(folder, graph)))
    words = np.ascontiguousarray(Layout.of(graph.inputs).pack(feeds), dtype=np.uint32)
    out = np.zeros((len(words), sum(n.type.elements for n in graph)), dtype=np.int64)
    library.eqhls_trace_run(
        words.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32)),
        out.ctypes.data_as(ctypes.POINTER(ctypes.c_int64)),
        ctypes.c_long(len(words)),
    )
    found: dict[str, Seen] = {}
    start = 0
    for node in graph:
        raw = out[:, start : start + node.type.elements].reshape(len(words), *node.type.shape)
        found[node.name] = _seen(node, raw, integer[node.name])
        start += node.type.elements
    return found


def _build(folder: Path, graph: Graph) -> Path:
    """Compile the traced library, unless exactly this was built before."""
    sim, bridge = CSim(folder), asset("sim", "trace_bridge.cpp")
    top, sources = f"firmware/{sim.name}.cpp", sim.sources()
    files = {
        **sources,
        "traced.cpp": traced(sources[top].decode(), graph, str(folder / top)),
        bridge.name: bridge.read_bytes(),
    }
    names = (f"-DEQHLS_TOP=eqhls_{sim.name}::{sim.name}", f"-DEQHLS_SPACE=eqhls_{sim.name}")
    arguments = (*FLAGS, "-shared", "-fPIC", *names, "-I.", *PATHS, bridge.name)
    return built(workspace(folder), compiled("trace_hls", "libtrace.so", files, arguments))


def traced(source: str, graph: Graph, where: str) -> str:
    """Return the source of a top function that writes out all values in the order of the graph."""
    if source.count(LAST) != 1:
        raise CompileError(where, f"does not have the line {LAST.strip()!r} once", "compile again")
    lines = "".join(f"  ::eqhls_trace::values({value_identifier(n.name)}, 0);\n" for n in graph)
    return source.replace(LAST, lines + LAST)


def _types(node: Node) -> tuple[Fixed, ...]:
    """Return the format of the C++ type of each component."""
    formats, dim = node.type.formats, node.type.dim
    return formats.each(dim) if node.type.rep.own_formats else (covering(formats),) * dim


def _seen(node: Node, bits: Ints, want: Ints) -> Seen:
    raw, lost = np.empty_like(bits), np.zeros(bits.shape, dtype=bool)
    for d, kind in enumerate(_types(node)):
        number = extended(bits[..., d], kind.width, kind.signed)
        raw[..., d], lost[..., d] = shifted(number, node.type.format_of(d).frac - kind.frac)
    return whole(node, raw, want, lost)
