"""A configuration that says what eqhls does without one, with what there is to say about every value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.names import usable_name
from eqhls.ops.common import integers
from eqhls.options import Options
from eqhls.quantize.assign import assign
from eqhls.quantize.weights import WEIGHT_BITS, is_fixed_point, weights_of

Granularity = Literal["model", "type", "name"]
COLUMN = 44
"""Where comments begin."""
_PLAIN = re.compile(r"(?!(?:true|false|null)\Z)[A-Za-z_][\w.]*", re.IGNORECASE | re.ASCII)


def template(graph: Graph, granularity: Granularity = "name") -> str:
    """Return a configuration of a simplified network in YAML. It asks for nothing, so that compile does the
    same with it as without it; `auto` may be replaced by a format."""
    known = _known(graph)
    lines = [*_project(graph), "HLSConfig:", "  Model:", *_pair("    ", *_MODEL), *_ONLY]
    if granularity == "type":
        lines += ["  LayerType:", *_types(known)]
    if granularity == "name":
        lines += ["  LayerName:", *(line for node in known for line in _value(node))]
    return "\n".join(lines) + "\n"


def _line(text: str, comment: str) -> str:
    return f"{text:<{COLUMN}}# {comment}"


_MODEL = (
    f"of weights that are not fixed-point numbers yet; auto: {WEIGHT_BITS} bits per tensor",
    "of results without a format of their own; auto: exact, or calibrated (--calibrate)",
)
_ONLY = (
    _line("    ReuseFactor: 1", "hls4ml's word for a new event in every clock: the only value"),
    _line("    Strategy: Latency", "or distributed_arithmetic, the same: weights are adders and shifts"),
)


def _project(graph: Graph) -> Iterator[str]:
    """Yield the keys of the project with their defaults; those without one as comments."""
    options, name = Options(), usable_name(graph.name)
    yield f"# Configuration of {graph.name} for eqhls compile --config: every value is the default."
    yield "# Formats are fix<width,integer bits[,rounding[,overflow]]>, ufix<..>, or spelled as in hls4ml."
    yield _line(f"# ProjectName: {name}", "name of files, modules and namespaces")
    yield _line(f"# OutputDir: build/{name}", "folder to write; -o does the same")
    yield _line(f"Backend: {options.Backend}", "Vitis or Vivado: whose scripts are written")
    yield _line(f"Part: {options.Part}", "FPGA")
    yield _line(f"ClockPeriod: {options.ClockPeriod!r}", "ns, or with a unit: 360MHz, 2.777ns")
    yield _line(f"ClockUncertainty: {options.ClockUncertainty}", "share of the period or time: 0.3ns")
    yield _line(f"# StageDepth: {options.stage_ns:g}", "ns of logic in one stage of the RTL")
    yield _line(f"DSP: {options.DSP}", "how many products, the widest first, get a DSP in the RTL")
    yield _line(f"StagePrice: {options.StagePrice:g}", "share of the LUTs that one stage fewer may cost")
    yield _line(f"HLSTop: {options.HLSTop}", "word, typed or cms: the HLS top that the scripts name")
    yield _line(f"TokenBits: {options.TokenBits}", "width of a control token beside the event (typed, cms)")
    yield _line("IOType: io_parallel", "hls4ml's word for one word per event: the only value")


def _known(graph: Graph) -> tuple[Node, ...]:
    """Return the values of a network with their formats, as far as these follow from the network alone."""
    try:
        quantized = assign(graph, {}, Options())
    except CompileError:
        return graph.nodes
    return tuple(quantized.node(n.name) for n in graph if n.name in {q.name for q in quantized})


def _pair(indent: str, weight: str, result: str) -> list[str]:
    """Return the formats of weights, if there are any, and of results."""
    lines = [_line(f"{indent}  weight: auto", weight)] if weight else []
    return [f"{indent}Precision:", *lines, _line(f"{indent}  result: auto", result)]


def _types(nodes: tuple[Node, ...]) -> Iterator[str]:
    kinds: dict[str, list[Node]] = {}
    for node in nodes:
        kinds.setdefault(node.op.name(), []).append(node)
    for kind, members in kinds.items():
        named = ", ".join(n.name for n in members[:4]) + (", .." if len(members) > 4 else "")
        weights = "of all its weights" if any(weights_of(n.op) for n in members) else ""
        yield f"    {kind}:"
        yield from _pair("      ", weights, f"of {len(members)}: {named}")


def _value(node: Node) -> Iterator[str]:
    """Yield the entry of one value."""
    unit = ", GeV" if node.op.source and node.type.rep is not S else ""
    formats = "|".join(map(str, node.type.formats)) or "calibrated"
    kind = str(node.type).split(":fix")[0].split(":ufix")[0]
    yield f"    {node.name if _PLAIN.fullmatch(node.name) else repr(node.name)}:"
    yield from _pair("      ", _weights(node), f"{formats}: {node.op.name()}, {kind}{unit}")


def _weights(node: Node) -> str:
    """Say how many weights an op has, and their format if they have one."""
    tensors = weights_of(node.op)
    if not tensors:
        return ""
    count = sum(int(np.prod(t.shape)) for t in tensors)
    if not all(is_fixed_point(t) for t in tensors):
        return f"{count} numbers"
    raws = [integers(t) for t in tensors]
    frac = max(f for _, f in raws)
    low = min(int(r.min(initial=0)) << (frac - f) for r, f in raws)
    high = max(int(r.max(initial=0)) << (frac - f) for r, f in raws)
    return f"{count} numbers in {Fixed.covering(low, high, frac)}"
