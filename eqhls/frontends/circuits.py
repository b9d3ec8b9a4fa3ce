"""Fixed-point networks in any arrangement of layers, traced by alkaid, as one Circuit.

alkaid's tracers know the layers of HGQ2, most operations of Keras and many modules of torch. What they make
is translated operation by operation (`alir`), unoptimised: passes and stages are ours, as for every network.
The first quantizers that read an input become the formats in which the netlist reads its elements, whatever
their modes, so that an input may be any value of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import log2, prod
from typing import Any

import numpy as np
from alkaid.converter import trace_model
from alkaid.trace import FVariable, FVArray, trace
from alkaid.trace.fixed_variable import FVariableInput

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.alir import Read, netlist
from eqhls.frontends.scalars.site import Value
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.logic import Kind, Logic
from eqhls.ir.op import Floats
from eqhls.ir.types import Axis, Type
from eqhls.lower.stages import deep_recursion
from eqhls.lower.wires import HARDWARE
from eqhls.ops.circuit import Circuit, form_of
from eqhls.ops.select import Select

WITHOUT_TABLES: Any = {"binary_lut": False}
"""alkaid 0.8.2 puts single bits through tables and takes a signed one for 0 and 1."""
AXES = ("e", "f", "g", "h", "i", "j", "c")
"""The names of the axes of a result, the last of them for the last axis."""
UNTRACED = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What alkaid raises for layers and arguments that it does not know."""
Shape = tuple[int, ...]


@dataclass(slots=True)
class Reads:
    """The formats in which the elements of all inputs are read, each with the wire that the trace got."""

    found: dict[Read, FVariable] = field(default_factory=dict[Read, FVariable])

    def wire(self, read: Read, scale: int) -> FVariable:
        """Return the wire of an element in a format; the wire counts in units of 2**scale."""
        if read not in self.found:
            form = read[1]
            unit = 2.0 ** (-form.frac - scale)
            self.found[read] = FVariable(form.lo * unit, form.hi * unit, unit, hwconf=HARDWARE, latency=0.0)
        return self.found[read]


class Element(FVariableInput):
    """An element of an input, divided by 2**scale, before anything rounds it: every quantizer that reads it
    is one of the formats in which the netlist reads the element."""

    def __init__(self, number: int, reads: Reads, scale: int = 0) -> None:
        super().__init__(0.0, HARDWARE)
        self.number, self.reads, self.scale = number, reads, scale

    def __mul__(self, other: Any) -> Any:
        places = log2(other) if isinstance(other, float | int) and other > 0 else 0.5
        if not places.is_integer():
            raise ValueError("Cannot multiply unquantized input variable")
        return Element(self.number, self.reads, self.scale - int(places)) if places else self

    __rmul__ = __mul__

    def quantize(
        self, k: int | bool, i: int, f: int, overflow_mode: str = "WRAP", round_mode: str = "TRN"
    ) -> FVariable:
        width = int(k) + int(i) + int(f)
        if width <= 0:
            return FVariable(0.0, 0.0, 1.0, hwconf=HARDWARE, opr="const")
        rounding, fit = Rounding[round_mode.removeprefix("S_").upper()], Overflow[overflow_mode.upper()]
        form = Fixed(width, int(k) + int(i) + self.scale, bool(k), rounding, fit)
        return self.reads.wire((self.number, form), self.scale)


@dataclass(frozen=True, slots=True)
class Traced:
    """A network as a netlist that reads the elements of its inputs one behind the other, and the shapes
    (events left out) of its inputs and outputs."""

    logic: Logic
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]

    @property
    def op(self) -> Circuit:
        """The op of all outputs: along the axes of the only one, or along c, one behind the other."""
        shape = self.outputs[0] if len(self.outputs) == 1 else (sum(map(prod, self.outputs)),)
        return Circuit(self.logic, tuple(map(prod, self.inputs)), Type(S, axes_of(shape)))

    def port(self, number: int) -> Fixed | None:
        """Return one format that holds every value of the formats in which an input is read, with a bit more
        if some are rounded on from it; None if it is not read."""
        first = sum(prod(s) for s in self.inputs[:number])
        span = range(first, first + prod(self.inputs[number]))
        forms = {form_of(c) for c in self.logic.cells if c.kind is Kind.IN and c.value in span}
        return covering(forms) if forms else None


def covering(forms: set[Fixed]) -> Fixed:
    """Return one saturating format from which a value can be assigned to each of several formats."""
    frac = max(f.frac for f in forms)
    finer = any(f.frac < frac for f in forms) and any(f.rounding is not Rounding.TRN for f in forms)
    point = frac + finer
    lo = min(f.lo << (point - f.frac) for f in forms)
    hi = max(((f.hi + 1) << (point - f.frac)) - 1 for f in forms)
    plain = Fixed.covering(lo, hi, point)
    return Fixed(plain.width, plain.integer, plain.signed, Rounding.RND_CONV, Overflow.SAT)


def axes_of(shape: Shape) -> tuple[Axis, ...]:
    """Return named axes for a shape. Raises CompileError for one of more than seven axes."""
    if len(shape) > len(AXES):
        raise CompileError("result", f"has {len(shape)} axes", f"expected at most {len(AXES)}")
    return tuple(Axis(n, s) for n, s in zip(AXES[len(AXES) - len(shape) :], shape, strict=True))


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a framework (keras or torch), with the shapes (events left out) of its inputs and outputs.
    `compute` returns its outputs, as arrays, for inputs (events, *shape). `ports`, if given, are formats that
    the inputs have before anything reads them; without, quantizers of the network must read them first."""

    model: Any
    framework: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    compute: Callable[..., Sequence[Any]]
    ports: tuple[Fixed, ...] = ()


def traced(where: str, network: Network) -> Traced:
    """Trace a network of fixed-point layers, and check the netlist against the framework.

    Raises CompileError for what alkaid does not know, for inputs that something other than a quantizer reads,
    for results without a format, and if the netlist does not compute what the framework computes.
    """
    reads, inputs, start = Reads(), list[Any](), 0
    for place, shape in enumerate(network.inputs):
        flat = np.empty(prod(shape), dtype=object)
        for k in range(len(flat)):
            given = network.ports and reads.wire((start + k, network.ports[place]), 0)
            flat[k] = given or Element(start + k, reads)
        inputs.append(FVArray(flat.reshape(1, *shape), WITHOUT_TABLES, HARDWARE))
        start += len(flat)
    with deep_recursion(), exact_factors():
        outputs = _outputs(where, network, tuple(inputs))
        wires = [w for o in outputs for w in np.asarray(o, dtype=object).ravel()]
        comb: Any = trace(list(reads.found.values()), wires, optimize=False, keep_dead_inputs=True)
    try:
        logic = netlist(comb, list(reads.found))
    except CompileError as error:
        raise error.at(where) from None
    made = Traced(logic, network.inputs, network.outputs)
    _compare(where, made, network.compute)
    return made


def _reason(error: Exception) -> str:
    """Return what alkaid says of a layer; of one that it does not know, it says the class."""
    if error.args and isinstance(error.args[0], type):
        return f"the tracer does not know {error.args[0].__name__}"
    text = str(error).strip()
    return text.splitlines()[0][:160] if text else type(error).__name__


@contextmanager
def exact_factors() -> Generator[None]:
    """Let alkaid multiply by numbers of at most 24 bits only, and raise ValueError for others: it searches
    without end for the sums that a number of 53 bits is, such as 1/3."""
    plain = FVariable.__mul__

    def times(self: FVariable, other: Any) -> Any:
        if isinstance(other, float | int | np.floating) and _bits(float(other)) > FACTOR:
            raise ValueError(f"it multiplies by {float(other):.6g}, which is not a number of {FACTOR} bits")
        return plain(self, other)  # pyright: ignore[reportArgumentType]

    FVariable.__mul__ = times
    try:
        yield
    finally:
        FVariable.__mul__ = plain


FACTOR = 24
"""Bits of a factor, without the zeros at its ends."""


def _bits(value: float) -> int:
    numerator = abs(value.as_integer_ratio()[0])
    return (numerator // (numerator & -numerator or 1)).bit_length()


def _outputs(where: str, network: Network, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the outputs of a trace, in the order of the model's."""
    try:
        found: Any = trace_model(
            network.model, HARDWARE, WITHOUT_TABLES, inputs=inputs, dump=True, framework=network.framework
        )
    except CompileError:
        raise
    except UNTRACED as error:
        raise CompileError(
            where,
            f"cannot be traced as fixed point ({_reason(error)})",
            "quantize each input of a layer (iq), and use layers that alkaid's tracer knows",
        ) from None
    outputs = tuple(found["final"])
    for output in outputs:
        open_ended = not isinstance(output, FVArray) or hasattr(output, "_operator")
        if open_ended or any(isinstance(w, Element) for w in np.asarray(output, dtype=object).ravel()):
            raise CompileError(
                where,
                "has a result that no quantizer gives a format",
                "end in a layer with an output quantizer",
            )
    if [o.size for o in outputs] != list(map(prod, network.outputs)):
        raise CompileError(where, f"is traced to outputs of {[o.shape for o in outputs]}", "report the model")
    return outputs


EVENTS = 64
"""Random events on which a netlist is checked against its framework."""
FLOAT32 = 2.0**-20
"""How far numbers that Keras adds up in float32 may lie from exact ones, relative to the largest."""


def _compare(where: str, made: Traced, compute: Callable[..., Any]) -> None:
    """Raise CompileError unless the netlist computes what the framework does, on random values of its
    ports."""
    rng, feeds = np.random.default_rng(23), list[Floats]()
    for number, shape in enumerate(made.inputs):
        form = made.port(number) or Fixed(1, 1, False)
        top = max(form.hi, -form.lo)
        raw = np.rint(rng.normal(0.0, 0.4 * top, (EVENTS, *shape))).clip(form.lo, form.hi)
        feeds.append(raw * form.lsb)
    types = tuple(Type(S, axes_of((prod(s),))) for s in made.inputs)
    got = made.op.reference(types, *(f.reshape(EVENTS, -1, 1) for f in feeds)).reshape(EVENTS, -1)
    results = compute(*feeds)
    flat = [np.asarray(r, dtype=np.float64).reshape(EVENTS, -1) for r in results]
    want = np.concatenate(flat, axis=1)
    wrong = np.abs(got - want).max(axis=1, initial=0.0) > FLOAT32 * np.abs(want).max(initial=0.0)
    if wrong.any():
        raise CompileError(
            where,
            f"is traced to a netlist that differs in {int(wrong.sum())} of {EVENTS} random events",
            "report the model: its layers are traced wrongly; or use layers that eqhls reads itself",
        )


def appended(builder: Builder, name: str, made: Traced, inputs: Sequence[Value]) -> list[Value]:
    """Append a netlist that reads some values, and return a value for each of its outputs."""
    whole = builder.add(name, made.op, *(v.name for v in inputs))
    if len(made.outputs) == 1:
        return [Value(whole, made.outputs[0])]
    ends = np.cumsum([0, *map(prod, made.outputs)])
    parts: list[Value] = []
    for k, shape in enumerate(made.outputs):
        part = Select("c", tuple(range(int(ends[k]), int(ends[k + 1]))), "c")
        parts.append(Value(builder.add(f"{name}.out{k}", part, whole), shape))
    return parts
