"""Scalars from covariant features: one bilinear square per channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.coupling import Coupling
from eqhls.groups.lorentz.basis import VectorBasis
from eqhls.groups.lorentz.reps import V, square
from eqhls.groups.registry import coupling, form, reps
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, neutral, product_faults
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic, contract, contract_faulty, example


@dataclass(frozen=True, slots=True)
class Invariants(Arithmetic):
    """<x, x> of every channel: v.v for V, F^{mn}F_{mn} for F, T^{mn}T_{mn} for T; S stays. For an irrep of
    the rotation group it is the full contraction, times the factor of its path."""

    group: ClassVar[str] = "geometry"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        return types[0].like(S)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        type = types[0]
        if type.rep is S:
            return x[0]
        if type.rep is V:
            return square(cast(VectorBasis, type.basis), x[0])[..., None]
        return _square(type).contract(x[0], x[0])

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        type = types[0]
        if type.rep is S:
            return x[0]
        return contract(_square(type).square, 1, x[0], x[0])

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return product_faults(types[0])

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return contract_faulty(_square(types[0]).table, 1, x[0], x[0], fault, cut)

    def work(self, types: tuple[Type, ...]) -> Work:
        if types[0].rep is S:
            return Work()
        return Work(self.infer(*types).elements * _square(types[0]).square.products)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] if types[0].rep is S else factors[0] ** 2

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return tuple(
            Example(cls(), (example(rep, "i:2,c:2", (Fixed(6, 3),), basis),), f"{rep}.{basis}")
            for rep in reps()
            for basis in rep.bases
        )


def _square(type: Type) -> Coupling:
    return coupling(form(type.rep), type.basis, type.basis)
