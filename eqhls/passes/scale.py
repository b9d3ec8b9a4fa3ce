"""A constant factor on a value costs nothing: it moves into whatever trained numbers come behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from eqhls.groups.cg import Path
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.invariants import Invariants
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.radial import Radial
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table
from eqhls.passes.rebuild import Rebuild

CARRIES = (Mask, ParticleSum, Relu, Rename, Select)
"""Blocks with f(k x) = k f(x) for k > 0, of their first input."""


def fold_scale(graph: Graph) -> Graph:
    """Take products with one positive constant, as of momenta with an input scale, out of the graph.

    The factor is carried through linear and bilinear blocks to the first numbers that can absorb it: the
    knots of a function, the slopes of a radial one, a matrix; or to a product whose other factor is a
    trained function of its own. So four-vectors are never multiplied. Where nothing can, the product
    stays, further down.
    """
    return _Folding(graph).result()


@dataclass(frozen=True, slots=True)
class _Held:
    """Where an old value is found: a name in the new graph, and the factor that it lacks there."""

    name: str
    factor: float = 1.0


class _Folding:
    """A graph that grows while another is read."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.made = graph, Rebuild(graph)
        self.held: dict[str, _Held] = {}
        self.readers = Counter(n for node in graph for n in node.inputs) + Counter(graph.outputs)

    def result(self) -> Graph:
        for node in self.graph:
            found = self._scaled(node)
            if found is None:
                found = _Held(node.name, self._built(node, [self.held[n] for n in node.inputs]))
            self.held[node.name] = found
        outputs = tuple(self._whole(self.held[n]) for n in self.graph.outputs)
        return replace(self.made.graph(), outputs=outputs)

    def _scaled(self, node: Node) -> _Held | None:
        """Return what a node multiplies by one positive number, if it does."""
        if not isinstance(node.op, CgProduct) or node.op.path.dual:
            return None
        for value, by in (node.inputs, node.inputs[::-1]):
            factor = _constant(self.graph.node(by).op)
            if factor and self.graph.node(value).type == node.type:
                held = self.held[value]
                return replace(held, factor=held.factor * factor)
        return None

    def _built(self, node: Node, held: list[_Held]) -> float:
        """Append a node and return the factor that its value lacks."""
        factors = [h.factor for h in held]
        node = replace(node, inputs=tuple(h.name for h in held))
        left = 1.0
        match node.op:
            case _ if set(factors) <= {1.0}:
                pass
            case op if len(factors) == 1 and (found := _absorbed(op, factors[0])):
                node = replace(node, op=found)
            case Mask() | ParticleSum() | Relu() | Rename() | Select() if set(factors[1:]) <= {1.0}:
                left = factors[0]
            case Add() | Concat() if len(set(factors)) == 1:
                left = factors[0]
            case CgSquare() | Invariants():
                left = factors[0] ** 2
            case Gram():
                left = factors[0] * factors[-1]
            case CgProduct() | PairSum():
                left = self._offered(node, factors[0] * factors[1])
            case _:
                node = replace(node, inputs=tuple(map(self._whole, held)))
        self.made.keep(node)
        return left

    def _offered(self, node: Node, factor: float) -> float:
        """Return the factor that neither side of a product absorbs."""
        return 1.0 if factor == 1.0 or any(self._absorb(n, factor) for n in node.inputs) else factor

    def _absorb(self, name: str, factor: float) -> bool:
        """Multiply the trained numbers that a value comes from, where nothing else reads it."""
        node = self.made.find(name)
        if self.readers[name] != 1 or self.held[name] != _Held(name):
            return False
        if isinstance(node.op, CARRIES):
            return self._absorb(node.inputs[0], factor)
        found = _multiplied(node.op, factor)
        if found is not None:
            self.made.keep(replace(node, op=found))
        return found is not None

    def _whole(self, held: _Held) -> str:
        """Return the value itself: a product with the factor it lacks."""
        if held.factor == 1.0:
            return held.name
        rep = self.made.type(held.name).rep
        by = self.made.add(f"{held.name}.factor", Spurion(Type(Rep.S), Tensor([held.factor])))
        return self.made.add(f"{held.name}.scaled", CgProduct(Path(Rep.S, rep, rep)), by, held.name)


def _constant(op: Op) -> float | None:
    """Return the number that an op is, where it is one positive scalar."""
    if not isinstance(op, Spurion) or op.type.rep is not Rep.S or op.values.array.size != 1:
        return None
    return max(float(op.values.array.ravel()[0]), 0.0)


def _absorbed(op: Op, factor: float) -> Op | None:
    """Return f(factor x) as a block of the same kind; None where formats are chosen already."""
    match op:
        case Table(out=None, floor=0.0):
            return replace(op, knots=Tensor(op.knots.array / factor))
        case Radial(out=None, floor=0.0):
            return replace(op, slope=Tensor(op.slope.array * factor))
        case ChannelMix() | Dense():
            return _with(op, factor, "weight", "dual")
        case _:
            return None


def _multiplied(op: Op, factor: float) -> Op | None:
    """Return factor * f(x) as a block of the same kind, or None; a constant that only spreads others over
    an axis (all ones) is not trained, and would become a multiplication."""
    match op:
        case Radial(out=None):
            return _with(op, factor, "weight", "offset")
        case ChannelMix() | Dense():
            return _with(op, factor, "weight", "bias", "dual")
        case Spurion() if not np.isin(op.values.array, (-1.0, 0.0, 1.0)).all():
            return _with(op, factor, "values")
        case _:
            return None


def _with(op: Op, factor: float, *names: str) -> Op:
    tensors = {n: getattr(op, n, None) for n in names}
    return replace(op, **{n: Tensor(t.array * factor) for n, t in tensors.items() if t is not None})
