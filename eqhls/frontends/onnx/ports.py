"""Inputs of a file that no operator Input types: scalars by their shapes, events first."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from eqhls.errors import CompileError
from eqhls.exchange.domain import DOMAIN, op_of
from eqhls.fixed import Formats, Overflow, Rounding
from eqhls.frontends.onnx.quantizers import format_of, is_quantizer
from eqhls.frontends.onnx.reading import BATCH, Reading, printable
from eqhls.frontends.onnx.views import View
from eqhls.groups.rep import S
from eqhls.ir.types import Axis, Type
from eqhls.ops.input import Input

LETTERS = "hijc"
"""The names of the axes of a port; the last ones if it has fewer."""
CURE = "export with a free number of events and fixed other sizes, events first"


def typed_ports(graph: onnx.GraphProto) -> frozenset[str]:
    """Return the inputs that an operator Input gives a type."""
    calls = [n for n in graph.node if n.domain == DOMAIN and n.input]
    return frozenset(n.input[0] for n in calls if op_of(n.op_type) is Input)


def batch_of(graph: onnx.GraphProto, plain: Sequence[str]) -> int:
    """Return for how many events the shapes of a file are: its own number if it is fixed."""
    found = {_dims(i)[0] for i in graph.input if i.name in plain and _dims(i)} - {None}
    if len(found) > 1:
        numbers = ", ".join(map(str, sorted(n or 0 for n in found)))
        raise CompileError("inputs", f"have {numbers} events", CURE)
    return next(iter(found), None) or BATCH


def _dims(port: onnx.ValueInfoProto) -> list[int | None]:
    dims = port.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims]


def add_port(state: Reading, port: onnx.ValueInfoProto, graph: onnx.GraphProto) -> None:
    """Append the port of an input: scalars of its shape, in the format of the quantizer behind it if there is
    one. Raises CompileError for shapes that are not known."""
    where, sizes = f"{state.where}: input {printable(port.name)}", _dims(port)
    if not port.type.tensor_type.HasField("shape") or not sizes:
        raise CompileError(where, "has no shape of events", CURE)
    if None in sizes[1:]:
        shown = ", ".join("any" if s is None else str(s) for s in sizes)
        raise CompileError(where, f"has the shape ({shown}), which is not known before it runs", CURE)
    shape = tuple(s for s in sizes[1:] if s is not None)
    if len(shape) > len(LETTERS):
        problem = f"has {len(shape)} axes behind the events"
        raise CompileError(where, problem, f"expected at most {len(LETTERS)}")
    names = LETTERS[len(LETTERS) - len(shape) :]
    axes = tuple(Axis(n, s) for n, s in zip(names, shape, strict=True))
    formats = _format(state, port.name, [n for n in graph.node if port.name in n.input])
    made = state.add(port.name, Input(Type(S, axes, formats=formats)))
    state.views[port.name] = View(made.name, made.index.reshape(1, *shape))


def _format(state: Reading, port: str, readers: Sequence[onnx.NodeProto]) -> Formats:
    """Return the format of the one quantizer that all readers of a port are, if a port can round as it does:
    to the nearest, halves to even, saturating."""
    found = {format_of(state, n) if is_quantizer(n) and n.input[0] == port else None for n in readers}
    form = found.pop() if len(found) == 1 else None
    if form is None or (form.rounding, form.overflow) != (Rounding.RND_CONV, Overflow.SAT):
        return Formats(())
    return Formats((form,))
