"""Constant tensors: beams and other reference vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray, dyadic
from eqhls.groups.basis import Basis
from eqhls.groups.lorentz import Rep
from eqhls.ir.op import Example, Floats, Op, Tensor, component_faults
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import example, map_numbers


@dataclass(frozen=True, slots=True)
class Spurion(Op):
    """A constant of the representation `type`; products with it need no multiplier.

    It breaks the symmetry to its little group unless it is transformed along: the symmetry
    tests turn every spurion into a port.
    """

    group: ClassVar[str] = "input"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    type: Type
    values: Tensor

    def infer(self, *types: Type) -> Type:
        self.expect(types, 0)
        if self.values.shape != self.type.shape:
            raise self.error(f"has values of shape {self.values.shape}, expected {self.type.shape}")
        return replace(self.type, formats=())

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return self.values.array[None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return map_numbers(self.values.array.astype(object), lambda v, _: dyadic(v))

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work()

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return 1.0

    def rounds_to(self) -> tuple[Fixed, ...]:
        return ()

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return component_faults(self.infer(*types))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        beams = np.array([[2.0, 2.0, 0.0, 2.0], [2.0, 2.0, 0.0, -2.0]])
        kind = example(Rep.V, "i:2", (), Basis.LIGHT_CONE)
        return (Example(cls(kind, Tensor(beams)), (), "beams"),)
