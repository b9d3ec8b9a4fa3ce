"""A constant factor on a value costs nothing: it moves into whatever trained numbers come behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from eqhls.groups.coupling import Path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.radial import Radial
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table


def fold_scale(graph: Graph) -> Graph:
    """Take products with one positive constant, as of momenta with an input scale, out of the graph.

    The factor is carried through linear and bilinear ops to the first numbers that can absorb it: the
    knots of a function, the slopes of a radial one, a matrix; or to a product whose other factor is a
    trained function of its own. So four-vectors are never multiplied. Where nothing can, the product
    stays, further down. What lacks the factor, or has absorbed it, is not the user's value any more and
    gets another name.
    """
    return _Folding(graph).result()


@dataclass(frozen=True, slots=True)
class _Held:
    """Where an old value is found: a name in the new graph, and the factor that it lacks there."""

    name: str
    factor: float = 1.0


class _Folding:
    """A graph that grows while another is read.

    A value has the name of the one that it stands for, with or without a factor, until the end: then those
    that are not the user's numbers get other names, and those that are get theirs.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.made = graph, Builder.reading(graph)
        self.held: dict[str, _Held] = {}
        self.left_out: dict[str, str] = {}
        self.wholes: dict[str, str] = {}
        self.multiplied: set[str] = set()
        self.readers = Counter(n for node in graph for n in node.inputs) + Counter(graph.outputs)

    def result(self) -> Graph:
        for node in self.graph:
            value, factor = self._scaled(node)
            if value and node.name not in self.graph.outputs:
                held = self.held[value]
                self.left_out[node.name] = value
                self.held[node.name] = replace(held, factor=held.factor * factor)
            else:
                self.held[node.name] = _Held(node.name, self._built(node))
        for name in self.graph.outputs:
            self._whole(name)
        self.made.rename(self._names())
        return self.made.graph()

    def _names(self) -> dict[str, str]:
        names = {whole: name for name, whole in self.wholes.items() if whole != name}
        for name, held in self.held.items():
            if held.name == name and held.factor != 1.0:
                names[name] = self.made.fresh(f"{name}.unscaled")
            elif name in self.multiplied:
                names[name] = self.made.fresh(f"{name}.scaled")
        return names

    def _scaled(self, node: Node) -> tuple[str, float]:
        """Return the value that a node multiplies by one positive number, and the number; else nothing."""
        if isinstance(node.op, CgProduct) and not node.op.path.dual:
            for value, by in (node.inputs, node.inputs[::-1]):
                factor = _constant(self.graph.node(by).op)
                if factor and self.graph.node(value).type == node.type:
                    return value, factor
        return "", 1.0

    def _built(self, old: Node) -> float:
        """Append a node and return the factor that its value lacks."""
        held = [self.held[n] for n in old.inputs]
        factors = [h.factor for h in held]
        node = replace(old, inputs=tuple(h.name for h in held))
        left = 1.0
        types = tuple(map(self.made.type, node.inputs))
        if set(factors) <= {1.0}:
            pass
        elif len(factors) == 1 and (found := _absorbed(node.op, factors[0])):
            node = replace(node, op=found)
        elif (gain := node.op.gain(types, tuple(factors))) is not None:
            left = self._offered(old, gain) if isinstance(node.op, CgProduct | PairSum) else gain
        else:
            node = replace(node, inputs=tuple(map(self._whole, old.inputs)))
        self.made.keep(node)
        return left

    def _offered(self, old: Node, factor: float) -> float:
        """Return the factor that neither side of a product absorbs."""
        return 1.0 if factor == 1.0 or any(self._absorb(n, factor) for n in old.inputs) else factor

    def _absorb(self, name: str, factor: float) -> bool:
        """Multiply the trained numbers that an old value comes from, if nothing else reads it."""
        if self.readers[name] != 1:
            return False
        if name in self.left_out:
            return self._absorb(self.left_out[name], factor)
        if self.held[name].factor != 1.0:
            return False
        node = self.graph.node(name)
        if self._carries(node):
            done = self._absorb(node.inputs[0], factor)
        else:
            found = _multiplied(self.made.find(name).op, factor)
            done = found is not None
            if found is not None:
                self.made.revise(name, found)
        if done:
            self.multiplied.add(name)
        return done

    def _carries(self, node: Node) -> bool:
        """Whether a factor of the first input alone is one of the result, and no trained number's."""
        if not node.inputs or _multiplied(node.op, 2.0) is not None:
            return False
        others = (1.0,) * (len(node.inputs) - 1)
        return node.op.gain(self.graph.types_into(node), (2.0, *others)) == 2.0

    def _whole(self, name: str) -> str:
        """Return an old value itself: what is left of it, times the factor that it lacks."""
        held = self.held[name]
        if held.factor == 1.0:
            return held.name
        if name not in self.wholes:
            self.wholes[name] = self._product(name, held)
        return self.wholes[name]

    def _product(self, name: str, held: _Held) -> str:
        if self.left_out.get(name) == held.name and self.held[held.name].factor == 1.0:
            return self.made.keep(self.graph.node(name))
        rep = self.made.type(held.name).rep
        by = self.made.fresh(f"{name}.factor")
        self.made.add(by, Spurion(Type(S), Tensor([held.factor])))
        whole = self.made.fresh(f"{name}.whole") if self.made.has(name) else name
        return self.made.add(whole, CgProduct(Path(S, rep, rep)), by, held.name)


def _constant(op: Op) -> float | None:
    """Return the number that an op is, if it is one positive scalar."""
    if not isinstance(op, Spurion) or op.type.rep is not S or op.values.array.size != 1:
        return None
    return max(float(op.values.array.ravel()[0]), 0.0)


def _absorbed(op: Op, factor: float) -> Op | None:
    """Return f(factor x) as an op of the same kind; None if formats are chosen already."""
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
    """Return factor * f(x) as an op of the same kind, or None; a constant that only spreads others over
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
