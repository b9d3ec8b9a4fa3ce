"""One layer of eqhls as a network of its own, exact from the formats of what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op, Reading
from eqhls.ir.types import Type
from eqhls.ops.input import Input
from eqhls.options import Options
from eqhls.quantize.assign import assign

RESULT = "y"


def single_graph(name: str, op: Op, types: Sequence[Type]) -> Graph:
    """Return the network of one op that reads ports x0, x1, .. of the given types."""
    made = Builder(name)
    reads = op.reads is not Reading.NOTHING
    ports = [made.add(f"x{k}", Input(type)) for k, type in enumerate(types)]
    made.add(RESULT, op, *(ports if reads else ()))
    return made.graph(RESULT)


def exact(graph: Graph, types: Sequence[Type]) -> Graph:
    """Return the network of one op with the formats of its ports, and with the exact ones of its results.

    Weights are rounded as eqhls compile rounds them. Raises CompileError for an input without a format, and
    for a function whose argument has more bits than an address.
    """
    made = Builder(graph.name)
    given = dict(zip((n.name for n in graph.inputs), types, strict=True))
    for node in graph:
        if node.op.source:
            made.add(node.name, Input(replace(node.type, formats=given[node.name].formats)))
        else:
            made.add(node.name, node.op, *node.inputs)
    try:
        return assign(made.graph(*graph.outputs), {}, Options())
    except CompileError as error:
        if "--calibrate" not in error.remedy:
            raise
        remedy = (
            "hls4ml calibrates on no events: put a RequantizeLayer of at most 10 bits before it, or give the "
            "layer the format of its result"
        )
        raise CompileError(error.where, error.problem, remedy) from None


def holding(formats: Sequence[Fixed]) -> Fixed:
    """Return the one format, without modes, that holds every value of some formats."""
    frac = max(f.frac for f in formats)
    lo = min(f.lo << (frac - f.frac) for f in formats)
    hi = max(f.hi << (frac - f.frac) for f in formats)
    return Fixed.covering(lo, hi, frac)
