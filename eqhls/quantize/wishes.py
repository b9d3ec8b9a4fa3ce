"""Which formats the options ask for, value by value."""

from __future__ import annotations

from dataclasses import dataclass

from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Reading, Tensor
from eqhls.options import Options
from eqhls.quantize.weights import is_fixed_point, weights_of


@dataclass(frozen=True, slots=True)
class Wish:
    """The formats of a value and of its weights that the options ask for, empty for none; `everywhere` if
    that of the value is meant for all values of the network."""

    weight: str = ""
    result: str = ""
    everywhere: bool = False

    @property
    def formats(self) -> tuple[Fixed, ...]:
        return tuple(Fixed.parse(part) for part in self.result.split("|")) if self.result else ()


def wishes(graph: Graph, options: Options) -> dict[str, Wish]:
    """Return what the options ask for by value. A name and a type beat the formats that the network itself
    gives; those beat the formats for the whole model."""
    return {n.name: _wish(n, options, _rounded_next(graph, n)) for n in graph}


def _wish(node: Node, options: Options, rounded_next: bool) -> Wish:
    asked, model = options.asked(node.name, node.op.name()), options.HLSConfig.Model.Precision
    own = bool(node.op.rounds_to()) or rounded_next or _is_number(node)
    weights = weights_of(node.op)
    trained = bool(weights) and all(is_fixed_point(w) for w in weights)
    weight = asked.weight or ("" if trained else model.weight)
    result = asked.result or ("" if own else model.result)
    return Wish(weight.replace("auto", ""), result.replace("auto", ""), not asked.result)


def _rounded_next(graph: Graph, node: Node) -> bool:
    """Whether the network itself rounds a value, wherever it is read."""
    readers = [n.op for n in graph if node.name in n.inputs]
    return bool(readers) and all(op.reads is Reading.FORMAT for op in readers)


def _is_number(node: Node) -> bool:
    """Whether a node is a constant of fixed-point numbers."""
    return bool(node.op.constant) and is_fixed_point(Tensor(node.op.constant_values()))


def held(wish: Wish, formats: tuple[Fixed, ...]) -> bool:
    """Whether a value of these formats has every bit in the format that is asked of all values."""
    wanted = wish.formats
    pairs = zip(wanted * len(formats) if len(wanted) == 1 else wanted, formats, strict=False)
    return wish.everywhere and len(wanted) in (1, len(formats)) and all(_holds(w, f) for w, f in pairs)


def _holds(wide: Fixed, narrow: Fixed) -> bool:
    shift = wide.frac - narrow.frac
    return shift >= 0 and wide.lo <= narrow.lo << shift and narrow.hi << shift <= wide.hi
