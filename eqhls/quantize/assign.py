"""Give every value its fixed-point format. The only place where numbers change.

Formats come, in this order, from the options (by name, type, model), from the model's own
quantizers (fields of its ops) and from calibration on sample events. What remains is exact:
widths grow by interval analysis, and where a value grows past `LIMIT` bits an explicit,
saturating requantization is put in and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor, inf, log2

import numpy as np

from eqhls.engines import hull, interval
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, NumArray, Overflow, Rounding
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Floats, Logarithm, Op, Reading, typed
from eqhls.ir.types import Type
from eqhls.ops.log2 import Log2
from eqhls.ops.requantize import Requantize
from eqhls.options import Options
from eqhls.quantize.addresses import encode_logarithms
from eqhls.quantize.curves import Curve, address_of
from eqhls.quantize.weights import narrowed_constant, rounded_constant, rounded_weights
from eqhls.quantize.wishes import Wish, held, wishes

LIMIT = 24
"""Bits to which an exact result may grow before it is rounded; a DSP48E2 port takes 27."""
INPUT_BITS, RESULT_BITS, TABLE_BITS, ADDRESS_BITS = 16, 16, 10, 10
CODE_BITS, FLAT = 3, 6
"""Fraction bits of the logarithmic code of a radial function's argument, and where it starts."""
MARGIN = 2.0
"""How far a calibrated range exceeds the largest value seen."""


def assign(graph: Graph, samples: Mapping[str, Floats], options: Options) -> Graph:
    """Return the quantized graph, every value with a format.

    `samples` are float inputs of shape (events, *axes, components) by name; may be empty if
    nothing needs calibration. Raises CompileError if a format cannot be had or fails.
    """
    return assigned(graph, ranges(graph, samples), options)


def assigned(graph: Graph, seen: Mapping[str, Floats], options: Options) -> Graph:
    """Return the quantized graph, from the `ranges` of its values instead of samples."""
    given = wishes(graph, options)
    graph = encode_logarithms(graph, seen, {name for name, wish in given.items() if wish.result})
    _check_names(graph, options)
    invented = {k: w for k, w in wishes(graph, options).items() if k not in given and not w.everywhere}
    wanted = given | invented
    state = _State(Builder.reading(graph), {}, {}, _kept(graph), _curves(graph, seen), {})
    for node in graph:
        try:
            _quantize_node(state, node, wanted.get(node.name, Wish()), seen)
        except CompileError as error:
            raise error.at(f"{graph.name}: %{node.name}") from None
    return state.made.graph(*(state.rounded.get(n, n) for n in graph.outputs))


@dataclass(frozen=True, slots=True)
class _State:
    """The graph so far: its builder, the intervals of its values, values that got a rounded successor, and
    those that must not get one; the networks of each scalar, and what they read in its place: its name and
    the floor of its codes."""

    made: Builder
    nums: dict[str, NumArray]
    rounded: dict[str, str]
    kept: frozenset[str]
    curves: Mapping[str, tuple[Curve, ...]]
    addresses: dict[str, tuple[str, float]]

    def append(self, name: str, op: Op, *inputs: str) -> str:
        """Append a value with the exact format of its interval."""
        types = tuple(self.made.type(n) for n in inputs)
        type = typed(op, *types)
        if op.source:
            self.nums[name] = interval(type.formats, type.shape)
        else:
            self.nums[name] = op.body(types, *(self.nums[n] for n in inputs))
            type = replace(type, formats=hull(self.nums[name], type.rep.own_formats))
        return self.made.add(name, op, *inputs, declared=type)

    def invent(self, name: str, op: Op, *inputs: str) -> str:
        """Append a value that the network does not have."""
        return self.append(self.made.fresh(name), op, *inputs)


def _quantize_node(state: _State, node: Node, wanted: Wish, seen: Mapping[str, Floats]) -> None:
    name, op = node.name, node.op
    inputs = tuple(state.rounded.get(n, n) for n in node.inputs)
    if op.reads is Reading.ADDRESS and _address_bits(state.nums[inputs[0]]) > ADDRESS_BITS:
        type = state.made.type(inputs[0])
        narrow = Requantize(_calibrated(type, _address_range(node.inputs[0], type, seen), ADDRESS_BITS))
        inputs = (state.invent(f"{name}.address", narrow, *inputs),)
    wish = op.logarithm()
    if wish is not None and not wish.odd:
        code = _code(wish, state.nums[inputs[0]], float(_range(node.inputs[0], seen).max()))
        op, inputs = op.coded(code.floor), (state.invent(f"{name}.code", code, *inputs),)
    if wish is not None and op.reads is Reading.CURVE:
        address, floor_of = _address(state, node.inputs[0], inputs[0], seen)
        op, inputs = op.coded(floor_of) if floor_of else op, (address,)
    op = _quantized_op(replace(node, op=op), wanted, seen, [state.nums[n] for n in inputs])
    state.append(name, op, *inputs)
    types = tuple(state.made.type(n) for n in inputs)
    follow = _narrowing(state.made.find(name), types, wanted, {} if name in state.kept else seen)
    if follow is not None:
        state.rounded[name] = state.invent(f"{name}.q", follow, name)


def _curves(graph: Graph, seen: Mapping[str, Floats]) -> dict[str, tuple[Curve, ...]]:
    """Return the networks that read each scalar itself."""
    found: dict[str, tuple[Curve, ...]] = {}
    for node in graph:
        if node.op.reads is Reading.CURVE and node.op.logarithm() is not None:
            (name,), largest = node.inputs, seen.get(node.name, np.array(inf))
            found[name] = (*found.get(name, ()), Curve(node.op, float(largest.max())))
    return found


def _address(state: _State, name: str, value: str, seen: Mapping[str, Floats]) -> tuple[str, float]:
    """Return what all networks of a scalar read in its place, and the floor by which they decode it."""
    if name not in state.addresses:
        (form,) = hull(state.nums[value])
        wide = form.width > ADDRESS_BITS
        found = address_of(state.curves[name], form, float(_range(name, seen).max())) if wide else None
        made = state.invent(f"{name}.address", found.op, value) if found else value
        state.addresses[name] = (made, found.floor if found else 0.0)
    return state.addresses[name]


def _code(wish: Logarithm, x: NumArray, largest: float) -> Log2:
    """Return the logarithmic code of |x| in front of a function of it.

    Its floor lies where the steepest term has left its value at 0 by 2**-FLAT, even if that is below the last
    bit of x: 0 and that bit are as different as the function makes them.
    """
    steepest = wish.steepest
    lowest = 2.0 ** floor(-log2(steepest) - FLAT) if steepest > 0 else max(f.lsb for f in hull(x))
    octaves = max(ceil(log2(max(largest * MARGIN / lowest, 2.0))), 1)
    return Log2(lowest, CODE_BITS, (octaves << CODE_BITS) + 1, CODE_BITS + 4, 3, magnitude=True)


def _address_range(name: str, type: Type, seen: Mapping[str, Floats]) -> Floats:
    """Return the range of a value that is the address of a table and has too many bits for one."""
    if name in seen:
        return seen[name]
    raise CompileError(
        f"%{name}",
        f"is the address of a table and has {max(f.width for f in type.formats)} bits ({type}), at most "
        f"{ADDRESS_BITS} are possible, and there are no events to choose them by",
        f"give %{name} a Precision of {ADDRESS_BITS} bits, or sample events (--calibrate)",
    )


def _address_bits(nums: NumArray) -> int:
    return max(f.width for f in hull(nums))


def ranges(graph: Graph, samples: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the largest |value| seen per component, by name; nothing without samples."""
    if not samples:
        return {}
    missing = [n.name for n in graph.inputs if n.name not in samples]
    if missing:
        raise CompileError(graph.name, f"the samples have no input %{missing[0]}", "give every input")
    found: dict[str, Floats] = {}
    for values in graph.references(samples):
        for k, v in values.items():
            largest = np.abs(v).max(axis=tuple(range(v.ndim - 1)))
            found[k] = np.maximum(found[k], largest) if k in found else largest
    return found


def _kept(graph: Graph) -> frozenset[str]:
    """Return the values that are not rounded if nobody asks for it: those of which leading bits are read,
    wherever these are, even through exact ops, since an absolute step would lose small products; and those
    that are read by given roundings alone, even through wires and rectifiers: rounded twice, they would
    differ from the network that was trained with these roundings."""
    readers: dict[str, list[Node]] = {n.name: [] for n in graph}
    given, logged = set[str](), set[str]()
    for node in reversed(graph.nodes):
        if readers[node.name] and all(_rounds_next(graph, r, given) for r in readers[node.name]):
            given.add(node.name)
        for name in node.inputs:
            readers[name].append(node)
        if node.op.reads in (Reading.LOGARITHM, Reading.CURVE) or (
            node.name in logged and _is_exact(node.op)
        ):
            logged.update(node.inputs)
    return frozenset(given | logged)


def _rounds_next(graph: Graph, node: Node, given: set[str]) -> bool:
    """Whether a node rounds its input to a format that is given, or passes its bits to nodes that do."""
    if node.op.reads in (Reading.FORMAT, Reading.INNER):
        return True
    passes = node.op.moves_bits or node.op.rectifies(tuple(graph.node(n).type for n in node.inputs))
    return passes and node.name in given


def _is_exact(op: Op) -> bool:
    """Whether an op keeps every bit of its inputs, without weights of its own."""
    return not (op.weights or op.has_format or op.rounds_to())


def _check_names(graph: Graph, options: Options) -> None:
    names, kinds = {n.name for n in graph}, {n.op.name() for n in graph}
    for asked, known, what in (
        (options.HLSConfig.LayerName, names, "LayerName"),
        (options.HLSConfig.LayerType, kinds, "LayerType"),
    ):
        lost = sorted(set(asked) - known)
        if lost:
            raise CompileError(
                f"HLSConfig.{what}",
                f"found {lost[0]!r}, which is not in the model",
                f"it has {', '.join(sorted(known))}",
            )


def _quantized_op(node: Node, wanted: Wish, seen: Mapping[str, Floats], inputs: list[NumArray]) -> Op:
    op = node.op
    if op.constant:
        return rounded_constant(op, wanted.formats) if wanted.result else narrowed_constant(op)
    if not op.has_format:
        return rounded_weights(op, wanted.weight)
    if wanted.result:
        return op.with_formats(wanted.formats)
    if op.rounds_to():
        return op
    if op.source:
        return op.with_formats(_calibrated(node.type, _range(node.name, seen), INPUT_BITS))
    largest = float(seen[node.name].max()) if node.name in seen else inf
    return op.with_formats((_table_format(op, inputs[0], largest),))


def _range(name: str, seen: Mapping[str, Floats]) -> Floats:
    if name not in seen:
        raise CompileError(
            f"%{name}",
            "has no format, and no events were given to calibrate it on",
            "give sample events (--calibrate) or a Precision",
        )
    return seen[name]


def _calibrated(type: Type, largest: Floats, width: int) -> tuple[Fixed, ...]:
    """Return one format for a representation; light-cone components get a point each.

    Components that the exact symmetries exchange (y and z) share theirs.
    """
    signed = type.rep is not S
    rounding = Rounding.RND_CONV if signed else Rounding.RND
    fit = Overflow.SAT_SYM if signed else Overflow.SAT

    def covering(value: float) -> Fixed:
        integer = ceil(log2(max(value, 2.0**-20) * MARGIN)) + 1
        return Fixed(width, integer, True, rounding, fit)

    if type.rep is V and type.basis == LIGHT_CONE:
        across = max(largest[2], largest[3])
        return tuple(covering(v) for v in (largest[0], largest[1], across, across))
    return (covering(float(largest.max())),)


def _table_format(op: Op, address: NumArray, largest: float) -> Fixed:
    """Return the narrowest saturating format for the values that a function takes: of a logarithm at all its
    codes, of any other argument up to MARGIN times the largest value seen."""
    if op.reads is Reading.LOGARITHM:
        parts = [op.everywhere(np.arange(n.lo, n.hi + 1) * 2.0**-n.frac) for n in address.ravel()]
        return _covering_table(np.concatenate([p.ravel() for p in parts]), inf)
    form = max(hull(address), key=lambda f: f.width)
    every = np.arange(form.lo, form.hi + 1, dtype=np.float64) * form.lsb
    return _covering_table(op.everywhere(every), largest)


def _covering_table(values: Floats, largest: float) -> Fixed:
    signed = bool(values.min() < 0)
    top = min(float(np.abs(values).max()), MARGIN * largest)
    integer = ceil(log2(max(top, 2.0**-20) * (1 + 2.0**-TABLE_BITS))) + signed
    return Fixed(TABLE_BITS, integer, signed, Rounding.RND, Overflow.SAT)


def _narrowing(
    node: Node, types: tuple[Type, ...], wanted: Wish, seen: Mapping[str, Floats]
) -> Requantize | None:
    """Return the requantization to put behind a value, if any."""
    if node.op.has_format or node.op.constant:
        return None
    if wanted.result:
        return None if held(wanted, node.type.formats) else Requantize(wanted.formats)
    width = max(f.width for f in node.type.formats)
    if node.op.rectifies(types) and width > TABLE_BITS and node.name in seen:
        (signed,) = _calibrated(node.type, seen[node.name], TABLE_BITS + 1)
        return Requantize((replace(signed, width=TABLE_BITS, integer=signed.integer - 1, signed=False),))
    if width <= LIMIT or node.name not in seen:
        return None
    return Requantize(_calibrated(node.type, seen[node.name], RESULT_BITS))
