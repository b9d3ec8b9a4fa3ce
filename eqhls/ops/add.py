"""Sums and differences of tensors that transform alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import Charges, combined
from eqhls.groups.lorentz.reps import F, V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats
from eqhls.ir.types import Type, joined_axes, spread
from eqhls.ops.common import Plain, entrywise, example


@dataclass(frozen=True, slots=True)
class Add(Plain):
    """x0 +- x1 +- ...; axes broadcast by name, `minus` lists the inputs that are subtracted."""

    group: ClassVar[str] = "structure"
    moves_bits: ClassVar[bool] = False
    variadic: ClassVar[bool] = True
    minus: tuple[int, ...] = ()

    def infer(self, *types: Type) -> Type:
        if not types:
            raise self.error("found no input, expected at least one", "give it an input")
        for t in types[1:]:
            if (t.rep, t.basis) != (types[0].rep, types[0].basis):
                raise self.error(
                    f"found {types[0]} and {t}, expected the same representation and basis",
                    "a sum of unlike representations is not equivariant",
                )
        if not all(0 <= k < len(types) for k in self.minus):
            raise self.error(
                f"found minus = {list(self.minus)} with {len(types)} inputs", "give one sign per input"
            )
        joined = reduce(lambda a, b: a.like(a.rep, joined_axes(a, b)), types)
        return joined.like(joined.rep)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return entrywise(types, axis)

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return combined([(-1 if k in self.minus else 1, t.charges) for k, t in enumerate(types)])

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        axes = self.infer(*types).axes
        parts = [spread(a, t, axes, 1) for a, t in zip(x, types, strict=True)]
        return sum((-p if k in self.minus else p for k, p in enumerate(parts)), np.zeros(1))

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = self.infer(*types).axes
        parts = [spread(a, t, axes) for a, t in zip(x, types, strict=True)]
        plus = [p for k, p in enumerate(parts) if k not in self.minus]
        minus = [p for k, p in enumerate(parts) if k in self.minus]
        if not plus:
            return -reduce(np.add, minus)
        return reduce(np.subtract, minus, reduce(np.add, plus))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] if len(set(factors)) == 1 else None

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        pair = (example(V, "i:2"), example(V, "j:3", (Fixed(7, 2),)))
        return (
            Example(cls((1,)), pair, "difference"),
            Example(cls(), (example(S, "j:3,c:2"), example(S, "c:2")), "bias"),
            Example(cls((0,)), (example(F, "i:2"),), "negate"),
        )
