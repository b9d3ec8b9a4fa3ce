"""The Clebsch-Gordan product of two representations, projected onto a third."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.coupling import Coupling, Path
from eqhls.groups.registry import coupling, examples
from eqhls.ir.op import Along, Example, Floats, neutral, product_faults
from eqhls.ir.types import Type, joined_axes, spread
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic, broadcast, contract, contract_faulty, entrywise, example


@dataclass(frozen=True, slots=True)
class CgProduct(Arithmetic):
    """a x b -> out along one path, channel by channel; axes broadcast by name.

    Coefficients are dyadic, so nothing is rounded. `V*F->V~` is the dual path. Formulas:
    the tensor forms of the SO(3,C) tables for maxdim <= 3.
    """

    group: ClassVar[str] = "geometry"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    path: Path

    def infer(self, *types: Type) -> Type:
        self.expect(types, 2)
        a, b = types
        if (a.rep, b.rep) != (self.path.left, self.path.right):
            raise self.error(
                f"found {a} and {b}, expected {self.path.left.name} and {self.path.right.name} "
                f"for the path {self.path}",
                "choose a path of these representations",
            )
        return Type(self.path.out, joined_axes(a, b), self._product(types).out)

    def _product(self, types: tuple[Type, ...]) -> Coupling:
        return coupling(self.path, types[0].basis, types[1].basis)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return entrywise(types, axis)

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        out = self.infer(*types)
        a, b = broadcast(*(spread(v, t, out.axes, 1) for v, t in zip(x, types, strict=True)))
        return self._product(types).contract(a, b)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = joined_axes(*types)
        a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
        product = self._product(types)
        return contract(product.table, product.dim, a, b)

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return product_faults(types[1])

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = joined_axes(*types)
        a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
        product = self._product(types)
        return contract_faulty(product.table, product.dim, a, b, fault, cut)

    def parity_odd(self) -> bool:
        return self.path.parity_odd

    def work(self, types: tuple[Type, ...]) -> Work:
        product = self._product(types)
        return Work(self.infer(*types).elements // product.dim * product.table.products)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] * factors[1]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        small = (Fixed(5, 3),)
        return tuple(
            Example(
                cls(path),
                (example(path.left, "i:1", small, left), example(path.right, "j:2", small, right)),
                f"{path}.{left}*{right}",
            )
            for path, left, right in examples()
        )
