"""The Clebsch-Gordan product of a tensor with itself, columns merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.basis import Basis
from eqhls.groups.cg import PATHS, Path, square_terms, table
from eqhls.groups.cg import contract as tensor_formula
from eqhls.groups.lorentz import Rep
from eqhls.ir.op import EXCHANGED, FLIPPED, TRUNCATED, Example, Floats
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic, contract, contract_faulty, example


@dataclass(frozen=True, slots=True)
class CgSquare(Arithmetic):
    """x x x -> out along one path; terms (a, b) and (b, a) share one product.

    Paths that vanish by antisymmetry are refused: their weights would be dead.
    """

    group: ClassVar[str] = "geometry"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    path: Path

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        kind = types[0]
        if (kind.rep, kind.rep) != (self.path.left, self.path.right):
            raise self.error(
                f"found {kind}, expected {self.path.left.name} for the path {self.path}",
                "choose a path of this representation with itself",
            )
        if not square_terms(self.path, kind.basis).terms:
            raise self.error(
                f"the path {self.path} of a tensor with itself is identically zero", "leave the path out"
            )
        return kind.like(self.path.out)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return tensor_formula(self.path, types[0].basis, x[0], x[0])

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return contract(square_terms(self.path, types[0].basis), self.path.out.dim, x[0], x[0])

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return () if self.path.left is Rep.S else (FLIPPED, EXCHANGED, TRUNCATED)

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        full = table(self.path, types[0].basis)
        return contract_faulty(full, self.path.out.dim, x[0], x[0], fault, cut)

    def parity_odd(self) -> bool:
        return self.path.parity_odd

    def work(self, types: tuple[Type, ...]) -> Work:
        terms = square_terms(self.path, types[0].basis)
        return Work(self.infer(*types).elements // self.path.out.dim * terms.products)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] ** 2

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return tuple(
            Example(cls(path), (example(path.left, "i:2", (Fixed(5, 3),), basis),), f"{path}.{basis.value}")
            for basis in Basis
            for path in PATHS
            if path.left is path.right and path.left is not Rep.S and square_terms(path, basis).terms
        )
