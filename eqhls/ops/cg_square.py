"""The Clebsch-Gordan product of a tensor with itself, columns merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.coupling import Coupling, Path
from eqhls.groups.registry import coupling, examples
from eqhls.ir.op import Along, Example, Floats, neutral, product_faults
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
        type = types[0]
        if (type.rep, type.rep) != (self.path.left, self.path.right):
            raise self.error(
                f"found {type}, expected {self.path.left.name} for the path {self.path}",
                "choose a path of this representation with itself",
            )
        if not self._product(types).square.terms:
            raise self.error(
                f"the path {self.path} of a tensor with itself is identically zero", "leave the path out"
            )
        return Type(self.path.out, type.axes, self._product(types).out)

    def _product(self, types: tuple[Type, ...]) -> Coupling:
        return coupling(self.path, types[0].basis, types[0].basis)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return self._product(types).contract(x[0], x[0])

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        product = self._product(types)
        return contract(product.square, product.dim, x[0], x[0])

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return product_faults(types[0])

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        product = self._product(types)
        return contract_faulty(product.table, product.dim, x[0], x[0], fault, cut)

    def parity_odd(self) -> bool:
        return self.path.parity_odd

    def work(self, types: tuple[Type, ...]) -> Work:
        product = self._product(types)
        return Work(self.infer(*types).elements // product.dim * product.square.products)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] ** 2

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return tuple(
            Example(cls(path), (example(path.left, "i:2", (Fixed(5, 3),), left),), f"{path}.{left}")
            for path, left, right in examples()
            if (path.left, left) == (path.right, right) and coupling(path, left, left).square.terms
        )
