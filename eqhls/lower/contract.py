"""What the ports of a compiled network mean: the contract between the firmware and what it is connected to.

`Layout` says which bit is which number. This module says what the numbers stand for: the name of every
component, its unit, the frame of vectors, the order of entries, and what becomes of values that do not fit
and of slots that are empty. The port map, its table, and the packages in C++, SystemVerilog and VHDL are all
written from this one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eqhls.fixed import Fixed
from eqhls.ir.graph import Node
from eqhls.ir.types import Type
from eqhls.lower.layout import Field, Layout, Port
from eqhls.lower.meanings import Reader, Sense
from eqhls.lower.plan import Plan
from eqhls.names import identifiers


@dataclass(frozen=True, slots=True)
class Component:
    """A component of every entry of a port, or the entries themselves if they are scalars.

    `name` is legal in C++, SystemVerilog and VHDL, and empty for a scalar. The raw integer r on the wires is
    worth r * `lsb`, in `unit` if there is one. `taken` is the format with the modes by which a real number is
    brought to it; `whole` says that the trigger has the value as an integer.
    """

    name: str
    form: Fixed
    taken: Fixed
    unit: str
    lsb: float
    whole: bool = False

    @property
    def flag(self) -> bool:
        """Whether the component is one bit that is 0 or 1."""
        return not self.form.signed and self.form.width == 1 and self.form.frac == 0


@dataclass(frozen=True, slots=True)
class Signal:
    """A port: a tensor of a packed word, as the outside sees it.

    `name` is that of the layout and `identifier` the same made legal and unique; `axes` are the named axes
    without the components, `lsb` the first bit. The texts are sentences without a full stop, empty if there
    is nothing to say.
    """

    name: str
    identifier: str
    axes: tuple[tuple[str, int], ...]
    components: tuple[Component, ...]
    lsb: int
    bits: int
    stride: int
    meaning: str
    frame: str
    order: str
    holes: str
    overflow: str

    @property
    def scalar(self) -> bool:
        """Whether the entries have no components of their own names."""
        return len(self.components) == 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the axes; an axis-free port has none."""
        return tuple(size for _, size in self.axes)

    def element(self, index: tuple[int, ...]) -> str:
        """Return how an element is written, p[0].E or pt[3], by its index with the component last."""
        place = "".join(f"[{k}]" for k in index[:-1])
        return f"{self.identifier}{place}" + ("" if self.scalar else f".{self.components[index[-1]].name}")

    def offsets(self) -> tuple[int, ...]:
        """Return the first bit of every component, counted from that of its entry."""
        out, at = list[int](), 0
        for component in self.components:
            out.append(at)
            at += component.form.width
        return tuple(out)


@dataclass(frozen=True, slots=True)
class Contract:
    """Both words of a network by their ports, with what a design around it has to know of its time and of
    its identity. `model_hash` has eight hexadecimal digits."""

    name: str
    model_hash: str
    latency_cycles: int
    ii: int
    inputs: tuple[Signal, ...]
    outputs: tuple[Signal, ...]
    input_bits: int
    output_bits: int

    @classmethod
    def of(cls, plan: Plan) -> Contract:
        """Return what the ports of a plan mean; nothing of one that its graph does not have, as in a netlist
        that was traced without one."""
        graph = plan.graph
        nodes = {n.name: n for n in (*graph.inputs, *graph.results)}
        names = dict.fromkeys(p.name for p in (*plan.inputs.ports, *plan.outputs.ports))
        legal = dict(zip(names, identifiers(names), strict=True))
        read = Reader.of(graph, legal)
        return cls(
            plan.name,
            plan.model_hash,
            plan.latency_cycles,
            plan.ii,
            _signals(plan.inputs, nodes, legal, {n.name: read.input(n) for n in graph.inputs}),
            _signals(plan.outputs, nodes, legal, {n.name: read.output(n) for n in graph.results}),
            plan.inputs.bits,
            plan.outputs.bits,
        )

    @property
    def words(self) -> tuple[tuple[str, int, tuple[Signal, ...]], ...]:
        """Both words: inputs and outputs with their widths and ports."""
        return (("inputs", self.input_bits, self.inputs), ("outputs", self.output_bits, self.outputs))


def _signals(
    layout: Layout, nodes: Mapping[str, Node], legal: Mapping[str, str], senses: Mapping[str, Sense]
) -> tuple[Signal, ...]:
    fields = layout.by_port()
    return tuple(
        _signal(
            p,
            fields[p.name][0],
            nodes[p.name].type if p.name in nodes else None,
            legal[p.name],
            senses.get(p.name, Sense("", p.components)),
        )
        for p in layout.ports
    )


def _signal(port: Port, first: Field, type: Type | None, identifier: str, sense: Sense) -> Signal:
    names, axes = _names(port, type)
    components = tuple(
        Component(name, form, taken, sense.unit, form.lsb * sense.scale, sense.whole and form.frac == 0)
        for name, form, taken in zip(names, port.components, sense.taken, strict=True)
    )
    return Signal(
        port.name,
        identifier,
        axes,
        components,
        first.lsb,
        port.bits,
        port.stride,
        sense.meaning,
        sense.frame,
        sense.order,
        sense.holes,
        sense.overflow,
    )


def _names(port: Port, type: Type | None) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    """Return the names of the components, and the axes with their sizes; both by number without a type."""
    size = port.shape[-1]
    if type is None:
        axes = tuple((f"axis{k}", n) for k, n in enumerate(port.shape[:-1]))
        return tuple(f"c{k}" for k in range(size)) if size > 1 else ("",), axes
    return type.rep.names(type.basis) if size > 1 else ("",), tuple((a.name, a.size) for a in type.axes)


def remarks(signal: Signal) -> list[str]:
    """Return what a port means, line by line, for a comment above it."""
    said = {"frame": signal.frame, "order": signal.order, "empty slot": signal.holes}
    said["out of range"] = signal.overflow
    axes = ", ".join(f"{name}: {size}" for name, size in signal.axes)
    first = f"{signal.name}{f' [{axes}]' if axes else ''}: {signal.meaning}"
    return [first, *(f"  {key}: {text}" for key, text in said.items() if text)]
