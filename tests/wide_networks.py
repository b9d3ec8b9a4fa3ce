"""Random quantized networks of scalars with words of up to 63 bits: the same seed builds the same network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.vectors import port_events
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.relu import Relu
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import Table

WIDEST_PORT, FINEST = 40, 24
ROUNDINGS, OVERFLOWS = tuple(Rounding), tuple(Overflow)


class Wide:
    """A network that grows by one layer at a time; what needs over 63 bits is left out again."""

    def __init__(self, seed: int) -> None:
        self.rng, self.b = np.random.default_rng([seed, 7]), Builder("wide")
        self.refused: list[tuple[str, CompileError]] = []
        widest = int(self.rng.choice([8, 16, 24, WIDEST_PORT]))
        for k in range(int(self.rng.integers(1, 3))):
            size = int(self.rng.integers(1, 4))
            self.b.add(f"x{k}", Input(Type(S, (Axis("c", size),), formats=(self.format(widest),))))

    def format(self, widest: int) -> Fixed:
        """Return a format of any mode; the point lies anywhere, in front of the word and behind it too."""
        rng = self.rng
        signed = bool(rng.integers(2))
        overflow = OVERFLOWS[int(rng.integers(len(OVERFLOWS)))]
        fits = signed or overflow not in (Overflow.WRAP_SM, Overflow.SAT_SYM)
        return Fixed(
            int(rng.integers(1 + signed, widest + 1)),
            int(rng.integers(-6, widest + 4)),
            signed,
            ROUNDINGS[int(rng.integers(len(ROUNDINGS)))],
            overflow if fits else Overflow.SAT,
        )

    def weights(self, *shape: int) -> Tensor:
        """Return weights of 1 to 24 bits, dense ones, sparse ones, and those next to a power of two."""
        rng, bits = self.rng, int(self.rng.integers(1, FINEST + 1))
        raw = rng.integers(-(1 << bits) + 1, 1 << bits, shape)
        if rng.random() < 0.3:
            raw = np.sign(raw) * ((1 << bits) - rng.integers(1, 4, shape))
        raw = raw * (rng.random(shape) < 0.9)
        return Tensor(raw * 2.0 ** -float(rng.integers(0, 24)))

    def pick(self) -> str:
        """Return a value, most often one of the last."""
        names = list(self.b.nodes)
        return str(self.rng.choice(names[-3:] if self.rng.random() < 0.8 else names))

    def like(self, name: str) -> str:
        names = [n for n in self.b.nodes if self.b.type(n).axes == self.b.type(name).axes]
        return str(self.rng.choice(names))

    def add(self, op: Op, *inputs: str) -> str:
        """Append a layer and return its name, or that of its input if its words would need over 63 bits."""
        before, name = self.b, f"{op.name()}{len(self.b.nodes)}"
        longer = Builder(before.name)
        for node in before.nodes.values():
            longer.keep(node)
        try:
            longer.graph(longer.add(name, op, *inputs)).formatted()
        except CompileError as error:
            self.refused.append((name, error))
            return inputs[0]
        self.b = longer
        return name

    def grow(self, layers: int) -> Graph:
        """Return the network of as many layers, with its last values as results."""
        for _ in range(layers):
            LAYERS[int(self.rng.integers(len(LAYERS)))](self)
        names = [n for n in self.b.nodes if not n.startswith("x")] or [self.add(Relu(), "x0")]
        return self.b.graph(*names[-3:]).formatted()


def _dense(w: Wide) -> None:
    x = w.pick()
    size = int(w.rng.integers(1, 4))
    bias = w.weights(size) if w.rng.random() < 0.5 else None
    w.add(Dense(w.weights(size, w.b.type(x).elements), bias), x)


def _mix(w: Wide) -> None:
    x = w.pick()
    size = int(w.rng.integers(1, 4))
    w.add(ChannelMix(w.weights(size, w.b.type(x).elements)), x)


def _cancel(w: Wide) -> None:
    """x + y - x, or x - f(x) of a mix that is almost the identity."""
    x = w.pick()
    size = w.b.type(x).elements
    if w.rng.random() < 0.5:
        y = w.like(x)
        w.add(Add((1,)), w.add(Add(), x, y), x)
    else:
        fine = np.eye(size) + 2.0 ** -float(w.rng.integers(1, FINEST)) * w.rng.integers(-1, 2, (size, size))
        w.add(Add((int(w.rng.integers(2)),)), x, w.add(ChannelMix(Tensor(fine)), x))


def _sum(w: Wide) -> None:
    x = w.pick()
    terms = [x, *(w.like(x) for _ in range(int(w.rng.integers(3))))]
    w.add(Add(tuple(k for k in range(len(terms)) if w.rng.random() < 0.5)), *terms)


def _join(w: Wide) -> None:
    x, y = w.pick(), w.pick()
    if w.b.type(x).elements + w.b.type(y).elements <= 6:
        w.add(Concat("c"), x, y)


def _function(w: Wide) -> None:
    x = w.pick()
    match int(w.rng.integers(4)):
        case 0:
            w.add(Relu(), x)
        case 1:
            octave = float(2.0 ** int(w.rng.integers(-20, 20)))
            odd, magnitude = [(False, False), (True, False), (False, True)][int(w.rng.integers(3))]
            codes = int(w.rng.integers(2, 400))
            w.add(Log2(octave, int(w.rng.integers(4)), codes, odd=odd, magnitude=magnitude), x)
        case 2:
            w.add(Requantize((w.format(WIDEST_PORT),)), x)
        case _:
            narrow = w.add(Requantize((w.format(8),)), x)
            values = Tensor(w.rng.normal(size=(1, 3)) * 2.0 ** float(w.rng.integers(-10, 30)))
            w.add(Table(knots=Tensor([-1.0, 0.0, 2.0]), values=values, out=w.format(WIDEST_PORT)), narrow)


def _requantize(w: Wide) -> None:
    w.add(Requantize((w.format(WIDEST_PORT),)), w.pick())


LAYERS: tuple[Callable[[Wide], None], ...] = (
    _dense, _dense, _mix, _mix, _mix, _cancel, _sum, _join, _function, _function, _requantize,
)  # fmt: skip


def events_of(graph: Graph, seed: int, count: int) -> dict[str, Ints]:
    """Return words of every kind: those of `port_events`, uniform ones, ends and small ones."""
    rng = np.random.default_rng([seed, 8])
    feeds = port_events(graph, rng, count)
    for node in graph.inputs:
        raw, form = feeds[node.name], node.type.format_of(0)
        quarter = count // 4
        raw[:quarter] = rng.integers(form.lo, form.hi + 1, raw[:quarter].shape)
        small = rng.integers(-2, 3, raw[:quarter].shape)
        raw[quarter : 2 * quarter] = np.clip(small, form.lo, form.hi)
        edge = np.array([form.lo, form.lo + 1, form.hi - 1, form.hi])
        raw[2 * quarter : 3 * quarter] = edge[rng.integers(4, size=raw[:quarter].shape)].clip(
            form.lo, form.hi
        )
    return feeds
