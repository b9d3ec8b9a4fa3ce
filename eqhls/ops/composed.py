"""Networks of one scalar: whatever is computed from it, hidden layers included, is one table per channel."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, NumArray, Overflow, Rounding, element
from eqhls.fixed.ordered import rounded_once
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Along, Example, Floats, Logarithm, Op, Reading, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.common import Function, beyond, clipped, example, lookups, scalars_only, tabled, tabulated
from eqhls.ops.input import Input
from eqhls.ops.relu import Relu
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table

NETWORK = "network"
"""The name of every network of one scalar; which value it belongs to, its op says."""
HELD = 1 << 22
"""Float64 numbers of all hidden values together that are evaluated at a time."""
PRODUCT = CgProduct(parse_path("S*S->S"))
TRIALS = 8
"""How many halves of the entries are moved to see on what a result depends."""


@dataclass(frozen=True, slots=True)
class Composed(Function):
    """y = f(x), f a network with one scalar input, evaluated for every entry of x on its own.

    The radial networks of tensor field networks, e3nn and Cormorant, and gates that are functions of a norm:
    no hidden layer reaches the hardware, each channel is one table. The input of `network` is S[] or, if
    entries of some axes of x have functions of their own, S[these axes]; its output has the same axes and
    new ones, which become the last of the result. The ops in it have no formats and act on every entry
    alone. `out` is the format of an entry. A positive `floor` says that x comes as an odd code of Log2 with
    this floor.
    """

    group: ClassVar[str] = "scalar"
    reads: ClassVar[Reading] = Reading.CURVE
    network: Graph
    floor: float = 0.0
    out: Fixed | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", replace(self.network, name=NETWORK))

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        x, rows, new = types[0], self.rows, self.channels
        found = tuple(a for a in x.axes if a in rows)
        if found != rows or any(x.has(a.name) for a in new):
            raise self.error(
                f"found a network of {self._port} with the result {self._result} for {x}",
                "its input has axes of x, in this order, and its result adds others",
            )
        if self.floor < 0:
            raise self.error(
                f"found floor {self.floor}, expected 0 or that of a Log2",
                "give the floor of the Log2 that it reads, or 0",
            )
        _check(self.network)
        return Type(S, (*x.axes, *new))

    @property
    def _port(self) -> Type:
        inputs, outputs = len(self.network.inputs), len(self.network.outputs)
        if (inputs, outputs) != (1, 1):
            problem = f"found {inputs} inputs and {outputs} outputs of the network"
            raise self.error(problem, "a function of one scalar has one of each")
        return self.network.inputs[0].type

    @property
    def _result(self) -> Type:
        return self.network.results[0].type

    @property
    def rows(self) -> tuple[Axis, ...]:
        """The axes of x whose entries have functions of their own."""
        return self._port.axes

    @property
    def channels(self) -> tuple[Axis, ...]:
        """The new axes of the result. Raises CompileError if the network drops or moves an axis."""
        axes, count = self._result.axes, len(self.rows)
        if self._port.rep is not S or self._result.rep is not S or axes[:count] != self.rows:
            raise self.error(
                f"found a network from {self._port} to {self._result}",
                "it takes a scalar, and its result begins with the axes of that",
            )
        return axes[count:]

    @property
    def count(self) -> int:
        """The number of functions: rows times channels."""
        return self._result.elements

    def function(self, x: Floats) -> Floats:
        """Return the results (n, *rows, *channels, 1) for arguments (n, *rows, 1), in the precision that
        the arguments have."""
        x = np.sign(x) * self.floor * (np.exp2(np.abs(x)) - 1) if self.floor else x
        (port,) = self.network.inputs
        values: dict[str, Floats] = {port.name: x}
        for node in self.network:
            if node is not port:
                types = self.network.types_into(node)
                values[node.name] = node.op.reference(types, *(values[n] for n in node.inputs))
        return values[self.network.outputs[0]]

    def everywhere(self, x: Floats) -> Floats:
        """Return every function at arguments of shape (n,), shape (n, functions)."""
        wide = np.broadcast_to(x.reshape(-1, *(1 for _ in self.rows), 1), (len(x), *self._port.shape))
        return self.function(wide).reshape(len(x), -1)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        type, own = types[0], self.rows
        place = [1 + type.index(a.name) for a in own]
        last = list(range(x[0].ndim - 1 - len(own), x[0].ndim - 1))
        moved = np.moveaxis(x[0], place, last)
        flat = moved.reshape(-1, *(a.size for a in own), 1)
        size = max(1, HELD // sum(n.type.elements for n in self.network))
        parts = [self.function(flat[k : k + size]) for k in range(0, max(len(flat), 1), size)]
        whole = np.concatenate(parts).reshape(*moved.shape[:-1], *(a.size for a in self.channels), 1)
        return np.moveaxis(whole, last, place)

    def bounded(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return clipped(self.reference(types, *x), self.out)

    def ideal(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return self.reference(types, *x)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return self._each(types, x[0], lookups(self.entries, self.out.frac if self.out else 0))

    def saturated(self, types: tuple[Type, ...], *x: NumArray) -> NumArray | None:
        def over(num: Num, k: int) -> list[int]:
            return beyond(_tabulated(self, num.lo, num.hi, num.frac)[:, k], self.out)

        return self._each(types, x[0], lookups(over, 0))

    def _each(self, types: tuple[Type, ...], x: NumArray, lookup: Callable[[Num, int], Num]) -> NumArray:
        result = np.empty(self.infer(*types).shape, dtype=object)
        place, sizes = [types[0].index(a.name) for a in self.rows], self._port.shape[:-1]
        new = tuple(a.size for a in self.channels)
        for index in np.ndindex(x.shape[:-1]):
            row = int(np.ravel_multi_index([index[k] for k in place], sizes)) if place else 0
            for k, channel in enumerate(np.ndindex(new)):
                number = row * (self.count // self._port.elements) + k
                result[(*index, *channel, 0)] = lookup(element(x, (*index, 0)), number)
        return result

    def entries(self, x: Num, number: int) -> list[int]:
        """Return the raw entry of one function for each raw address from x.lo to x.hi."""
        return tabulated(self.name(), x, self.out, lambda _: _tabulated(self, x.lo, x.hi, x.frac)[:, number])

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT if any(a.name == axis for a in self.rows) else Along.MAP

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return False

    def logarithm(self) -> Logarithm | None:
        """Where the functions bend, no one number says: `quantize` tries codes on them all."""
        return None if self.floor else Logarithm(odd=True, steepest=0.0)

    def rounding(self, types: tuple[Type, ...]) -> float:
        assert self.out is not None
        return 0.5 * self.out.lsb

    def rounds_to(self) -> tuple[Fixed, ...]:
        return () if self.out is None else (tabled(self.out),)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        out = Fixed(9, 3, True, Rounding.RND, Overflow.SAT)
        return (
            Example(cls(_hidden_layer(), out=out), (example(S, "i:2,j:2", (Fixed(7, 4),)),), "radial"),
            Example(cls(_hidden_layer(), 0.25, out), (example(S, "j:3", (Fixed(7, 4),)),), "code"),
            Example(cls(_gates(), out=out), (example(S, "i:2,c:2,j:2", (Fixed(6, 3),)),), "rows"),
        )


@lru_cache(maxsize=256)
def _tabulated(op: Composed, lo: int, hi: int, frac: int) -> Floats:
    """Return every function at each raw address, shape (addresses, functions), rounded to float64 once."""
    return rounded_once(op.everywhere, np.arange(lo, hi + 1, dtype=np.float64) * 2.0**-frac)


@lru_cache(maxsize=1024)
def _check(network: Graph) -> None:
    """Raise CompileError for a network that rounds or that is not a function of each entry alone."""
    (port,) = network.inputs
    fed = {port.name}
    for node in network.verify():
        where = f"{NETWORK}: %{node.name}"
        if node.op.rounds_to() or node.type.formats:
            problem = f"{node.op.name()} has formats ({node.type})"
            raise CompileError(where, problem, "leave them to the result of the network")
        if fed.isdisjoint(node.inputs):
            continue
        if not acts_alone(node.op, network.types_into(node), port.type.axes, places(node.inputs, fed)):
            problem = f"{node.op.name()} joins or moves entries of {port.type}"
            raise CompileError(where, problem, "a function of one scalar acts on every entry alone")
        fed.add(node.name)
    if network.outputs[0] not in fed:
        raise CompileError(NETWORK, "has a result that no input changes", "write a constant as a spurion")


def places(inputs: tuple[str, ...], names: Collection[str]) -> tuple[int, ...]:
    """Return which inputs of an op are among some values."""
    return tuple(k for k, n in enumerate(inputs) if n in names)


def acts_alone(op: Op, types: tuple[Type, ...], axes: tuple[Axis, ...], fed: tuple[int, ...]) -> bool:
    """Whether the result of an op at each place of `axes` depends on the inputs `fed` at this place alone.

    All of these must begin with the axes, and so must the result. What an op does along an axis is asked of
    its float reference: random numbers at a random half of the places must leave the results at the
    others.
    """
    lead = len(axes)
    if any(t.axes[:lead] != axes for t in (op.infer(*types), *(types[k] for k in fed))):
        return False
    rng = np.random.default_rng(1)
    plain = [rng.normal(size=(1, *t.shape)) for t in types]
    before = op.reference(types, *plain)
    for _ in range(TRIALS if axes else 0):
        there = rng.integers(0, 2, [a.size for a in axes]).astype(bool)
        moved = list(plain)
        for k in fed:
            moved[k] = plain[k].copy()
            moved[k][0, there] = rng.normal(size=moved[k][0, there].shape)
        after = op.reference(types, *moved)
        if not np.allclose(before[0, ~there], after[0, ~there], rtol=1e-9, atol=1e-12):
            return False
    return True


def _hidden_layer() -> Graph:
    """Return three radial functions of one scalar, behind a hidden layer of four."""
    b = Builder(NETWORK)
    x = b.add("x", Input(Type(S)))
    root = b.add("root", Table(activation=Activation.ROOT), x)
    ones = b.add("ones", Spurion(Type(S, (Axis("h", 4),)), Tensor(np.ones((4, 1)))))
    first = np.array([[1.0, -0.5, 0.25, 2.0], [-1.0, 0.5, 0.0, -1.5]]).T
    bases = Table(values=Tensor(first), activation=Activation.GAUSSIAN, axis="h")
    basis = b.add("basis", bases, b.add("copies", PRODUCT, root, ones))
    mix = Tensor([[1.0, -1.0, 0.5, 0.0], [0.5, 0.5, -2.0, 1.0], [0.0, 1.5, 1.0, -0.5], [1.0, 0.0, 0.0, 1.0]])
    hidden = b.add(
        "hidden", Relu(), b.add("mixed", ChannelMix(mix, Tensor([0.1, 0.0, -0.2, 0.3]), axis="h"), basis)
    )
    last = Tensor([[1.0, 0.5, -0.75, 0.0], [-0.5, 1.0, 0.0, 0.25], [0.0, 0.0, 2.0, -1.0]])
    return b.graph(b.add("y", ChannelMix(last, axis="h"), hidden))


def _gates() -> Graph:
    """Return elu(n + b_c) / n of n = sqrt(x_c), with a shift for each channel c."""
    b = Builder(NETWORK)
    x = b.add("x", Input(Type(S, (Axis("c", 2),))))
    norm = b.add("norm", Table(activation=Activation.ROOT), x)
    shifts = Tensor([[-0.5, 0.5], [0.25, 1.25]])
    top = b.add("top", Table(values=shifts, activation=Activation.ELU, axis="c"), norm)
    inverse = Table(activation=Activation.POWER, parameters=Tensor([[-1.0]]))
    return b.graph(b.add("y", PRODUCT, top, b.add("inverse", inverse, norm)))
