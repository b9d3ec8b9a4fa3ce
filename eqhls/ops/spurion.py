"""Constant tensors: beams and other reference vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray, dyadic
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.groups.permutation import Order
from eqhls.ir.op import Along, Example, Floats, Reading, Tensor, neutral
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import Plain, example, map_numbers


@dataclass(frozen=True, slots=True)
class Spurion(Plain):
    """A constant of the representation `type`; products with it need no multiplier.

    It breaks the symmetry to its little group unless it is transformed along: the symmetry
    tests turn every spurion into a port.
    """

    group: ClassVar[str] = "input"
    moves_bits: ClassVar[bool] = False
    constant: ClassVar[str] = "values"
    reads: ClassVar[Reading] = Reading.NOTHING
    type: Type
    values: Tensor

    def infer(self, *types: Type) -> Type:
        self.expect(types, 0)
        if self.values.shape != self.type.shape:
            raise self.error(
                f"has values of shape {self.values.shape}, expected {self.type.shape}",
                "give the values the shape of the type",
            )
        moved = next((a for a in self.type.axes if self._varies(a)), None)
        if moved is not None:
            raise self.error(
                f"has values that differ along axis {moved}, which {moved.action.group} moves",
                f"give all entries one value, or declare {moved.name}:{moved.size}, which nothing moves",
            )
        return replace(self.type, formats=())

    def _varies(self, axis: Axis) -> bool:
        """Whether the values change if the entries of an axis are moved, and of all axes that go with it."""
        orders = axis.action.generators(axis.moved_with[1]) if axis.action.moves else ()
        return any((self._moved(axis, o) != self.values.array).any() for o in orders)

    def _moved(self, axis: Axis, order: Order) -> Floats:
        values = self.values.array
        for place, other in enumerate(self.type.axes):
            if other.moved_with == axis.moved_with:
                values = np.take(values, other.action.order(order), axis=place)
        return values

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        raise AssertionError("a constant has no inputs")

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return self.values.array[None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return map_numbers(self.values.array.astype(object), lambda v, _: dyadic(v))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return 1.0

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        beams = np.array([[2.0, 2.0, 0.0, 2.0], [2.0, 2.0, 0.0, -2.0]])
        type = example(V, "i:2", (), LIGHT_CONE)
        return (Example(cls(type, Tensor(beams)), (), "beams"),)
