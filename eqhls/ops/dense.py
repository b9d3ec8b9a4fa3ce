"""A dense layer on scalars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray, const, constant_matmul
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import ScalarMap, example, integers, scalars_only


@dataclass(frozen=True, slots=True)
class Dense(ScalarMap):
    """y = W x + b over all scalars of the event, flattened in the order of their axes."""

    group: ClassVar[str] = "scalar"
    to: str = "c"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        if len(self.weight.shape) != 2 or self.weight.shape[1] != types[0].elements:
            raise self.error(
                f"found weights {self.weight.shape} for {types[0]}, expected (out, {types[0].elements})",
                "give the weights this shape",
            )
        if self.bias is not None and self.bias.shape != self.weight.shape[:1]:
            raise self.error(
                f"found a bias {self.bias.shape}, expected {self.weight.shape[:1]}",
                "give one bias per output",
            )
        return Type(S, (Axis(self.to, self.weight.shape[0]),))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        out = x[0].reshape(len(x[0]), -1) @ self.weight.array.T
        return (out if self.bias is None else out + self.bias.array)[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        raw, frac = integers(self.weight)
        out = np.array(constant_matmul(raw, frac, list(x[0].ravel())), dtype=object)
        if self.bias is not None:
            shift, point = integers(self.bias)
            out = out + np.array([const(int(b), point) for b in shift], dtype=object)
        return out[:, None]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        weight = Tensor([[0.5, -1.25, 3.0, 0.0], [2.0, 0.75, -0.5, 1.0]])
        return (Example(cls(weight, Tensor([0.25, -1.0])), (example(S, "i:2,c:2"),)),)
