"""Random networks that grow one op at a time, of whatever the values so far allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.basis import CARTESIAN, LIGHT_CONE
from eqhls.groups.lorentz.cg import PATHS
from eqhls.groups.lorentz.reps import F, V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table

FLAG, FEATURE, MOMENTUM = Fixed(1, 1, False), Fixed(4, 4), Fixed(5, 5)
COARSE = Fixed(5, 7, True, Rounding.RND, Overflow.SAT)
ODD = Fixed(5, 6, True, Rounding.RND_CONV, Overflow.SAT_SYM)


class Growing:
    """A network that grows by random ops; what is not legal is not added."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([17, seed])
        self.basis = LIGHT_CONE if self.rng.random() < 0.4 else CARTESIAN
        self.b = Builder(f"random{seed}")
        self.names: list[str] = []
        self.fresh = count()
        n = int(self.rng.integers(2, 5))
        self.add(Input(Type(V, (Axis("j", n),), self.basis, (MOMENTUM,))))
        for rep, axes, form in (
            (S, (Axis("j", n),), FLAG),
            (S, (Axis("j", n), Axis("c", 2)), FEATURE),
            (V, (), MOMENTUM),
            (F, (), Fixed(3, 3)),
        ):
            if self.rng.random() < 0.4:
                self.add(Input(Type(rep, axes, self.basis, (form,))))

    def add(self, op: Op, *inputs: str) -> None:
        name = f"n{next(self.fresh)}"
        try:
            self.b.add(name, op, *inputs)
            kept = self.b.type(name).elements <= 160
            self.b.graph(name).formatted() if kept and inputs else None
        except CompileError:
            kept = False
        if kept:
            self.names.append(name)

    def pick(self, kind: Callable[[Type], bool]) -> str:
        """A value of some kind, late ones more often; any value if there is none."""
        fitting = [n for n in self.names if kind(self.b.type(n))] or self.names
        return fitting[-1 - int(self.rng.integers(0, min(len(fitting), 4)))]

    def axis(self, name: str) -> Axis:
        axes = self.b.type(name).axes or (Axis("j", 2),)
        return axes[int(self.rng.integers(len(axes)))]

    def weights(self, *shape: int) -> Tensor:
        return Tensor(self.rng.integers(-2, 3, shape))

    def step(self) -> None:
        moves = [m for m in dir(self) if m.startswith("grow_")]
        getattr(self, moves[int(self.rng.integers(len(moves)))])()

    def grow_sum(self) -> None:
        x = self.pick(lambda t: bool(t.axes))
        self.add(ParticleSum(self.axis(x).name), x)

    def grow_rename(self) -> None:
        x = self.pick(lambda t: bool(t.axes))
        self.add(Rename(self.axis(x).name, "ijkl"[int(self.rng.integers(4))]), x)

    def grow_gram(self) -> None:
        x = self.pick(lambda t: t.rep is V and bool(t.axes))
        if self.rng.random() < 0.5:
            self.add(Gram(self.axis(x).name, "p"), x)
        else:
            self.add(Gram(), x, self.pick(lambda t: t.rep is V))

    def grow_pairs(self) -> None:
        """Gram of x with itself, renamed, and a map of the pairs."""
        x = self.pick(lambda t: t.rep is V and len(t.axes) == 1)
        self.add(Rename(self.axis(x).name, "k"), x)
        self.add(Gram(), x, self.names[-1])

    def grow_maps(self) -> None:
        x = self.pick(lambda t: t.rep is S and len(t.axes) in (1, 2, 3))
        one = Spurion(Type(S, (Axis("c", 1),)), Tensor([[1.0]]))
        if not self.b.type(x).has("c"):
            self.add(one)
            self.add(CgProduct(next(p for p in PATHS if str(p) == "S*S->S")), x, self.names[-1])
            x = self.names[-1]
        axes = self.b.type(x).axes
        c = axes[-1].size
        names = [a.name for a in axes]
        if len(axes) == 3:
            full = Eq2to2(self.weights(1, c, 15), row=names[0], column=names[1])
            self.add(full, x)
        if len(axes) == 2:
            self.add(Eq2to2Symmetric(self.weights(1, c, 9), pair=names[0]), x)
            self.add(Eq1to2(self.weights(1, c, 5), row=names[0], column="l"), x)
        if self.rng.random() < 0.5:
            self.add(Eq2to1(self.weights(1, c, 5)), x)
        else:
            self.add(Eq2to0(self.weights(1, c, 2)), x)

    def grow_product(self) -> None:
        path = PATHS[int(self.rng.integers(len(PATHS)))]
        self.add(
            CgProduct(path), self.pick(lambda t: t.rep is path.left), self.pick(lambda t: t.rep is path.right)
        )

    def grow_invariants(self) -> None:
        self.add(Invariants(), self.pick(lambda t: t.rep is not S))

    def grow_messages(self) -> None:
        w = self.pick(lambda t: t.rep is S and bool(t.axes))
        over = self.axis(w).name
        self.add(PairSum(over), w, self.pick(lambda t: t.has(over) and t.rep is not S))

    def grow_mask(self) -> None:
        flag = self.pick(lambda t: t.rep is S and t.formats == (FLAG,))
        if self.b.type(flag).formats == (FLAG,):
            self.add(Mask(), self.pick(lambda t: t.has("j")), flag)

    def grow_add(self) -> None:
        x = self.pick(lambda t: True)
        type = self.b.type(x)
        self.add(Add((1,) if self.rng.random() < 0.3 else ()), x, self.pick(lambda t: t.rep is type.rep))

    def grow_select(self) -> None:
        x = self.pick(lambda t: bool(t.axes))
        axis = self.axis(x)
        size = int(self.rng.integers(1, axis.size + 1))
        chosen = tuple(int(k) for k in self.rng.choice(axis.size, size, replace=False))
        self.add(Select(axis.name, chosen, axis.name), x)

    def grow_constant(self) -> None:
        """Constants of the shape of a value, along its axes or alike along them, joined or multiplied."""
        x = self.pick(lambda t: len(t.axes) == 1)
        type = replace(self.b.type(x), formats=())
        values = self.rng.integers(-2, 3, type.shape).astype(float)
        if self.rng.random() < 0.5:
            values = np.broadcast_to(values[:1], type.shape)
        self.add(Spurion(type, Tensor(values)))
        made = self.names[-1]
        self.add(Concat(self.axis(x).name) if self.rng.random() < 0.5 else Add(), x, made)

    def grow_layer(self) -> None:
        x = self.pick(lambda t: t.rep is S)
        type = self.b.type(x)
        if self.rng.random() < 0.3:
            self.add(Dense(self.weights(2, type.elements)), x)
        elif type.axes:
            axis = self.axis(x)
            self.add(ChannelMix(self.weights(2, axis.size), axis=axis.name), x)

    def grow_function(self) -> None:
        x = self.pick(lambda t: t.rep is S)
        self.add(Requantize((COARSE,)), x)
        axis, knots = self.axis(x), Tensor([-8.0, 0.0, 8.0])
        rows = axis.size if self.rng.random() < 0.4 else 1
        along = axis.name if rows > 1 else ""
        self.add(Table(knots, self.weights(rows, 3), axis=along, out=FEATURE), self.names[-1])
        self.add(Relu(), x)

    def grow_rounding(self) -> None:
        if self.rng.random() < 0.15:
            self.add(
                Requantize((ODD if self.rng.random() < 0.7 else COARSE,)), self.pick(lambda t: t.rep is not S)
            )

    def graph(self) -> Graph:
        live = [n for n in self.names if self.b.type(n).elements <= 40]
        size = min(len(live), 1 + int(self.rng.random() < 0.3))
        return self.b.graph(*live[-size:]).formatted()


def network(seed: int) -> Graph:
    grown = Growing(seed)
    for _ in range(int(grown.rng.integers(3, 10))):
        grown.step()
    return grown.graph()
