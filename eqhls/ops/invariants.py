"""Scalars from covariant features: one bilinear square per channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.basis import Basis
from eqhls.groups.cg import contract as tensor_formula
from eqhls.groups.cg import parse_path, square_terms, table
from eqhls.groups.lorentz import Rep, square
from eqhls.ir.op import EXCHANGED, FLIPPED, TRUNCATED, Example, Floats
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic, contract, contract_faulty, example


@dataclass(frozen=True, slots=True)
class Invariants(Arithmetic):
    """<x, x> of every channel: v.v for V, F^{mn}F_{mn} for F, T^{mn}T_{mn} for T; S stays."""

    group: ClassVar[str] = "geometry"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        return types[0].like(Rep.S)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        kind = types[0]
        if kind.rep is Rep.S:
            return x[0]
        if kind.rep is Rep.V:
            return square(kind.basis, x[0])[..., None]
        return tensor_formula(parse_path(f"{kind.rep.name}*{kind.rep.name}->S"), kind.basis, x[0], x[0])

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        kind = types[0]
        if kind.rep is Rep.S:
            return x[0]
        path = parse_path(f"{kind.rep.name}*{kind.rep.name}->S")
        return contract(square_terms(path, kind.basis), 1, x[0], x[0])

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return () if types[0].rep is Rep.S else (FLIPPED, EXCHANGED, TRUNCATED)

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        path = parse_path(f"{types[0].rep.name}*{types[0].rep.name}->S")
        return contract_faulty(table(path, types[0].basis), 1, x[0], x[0], fault, cut)

    def work(self, types: tuple[Type, ...]) -> Work:
        rep = types[0].rep
        if rep is Rep.S:
            return Work()
        terms = square_terms(parse_path(f"{rep.name}*{rep.name}->S"), types[0].basis)
        return Work(self.infer(*types).elements * terms.products)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] if types[0].rep is Rep.S else factors[0] ** 2

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return tuple(
            Example(cls(), (example(rep, "i:2,c:2", (Fixed(6, 3),), basis),), f"{rep.name}.{basis.value}")
            for rep in Rep
            for basis in (Basis if rep is not Rep.S else (Basis.CARTESIAN,))
        )
