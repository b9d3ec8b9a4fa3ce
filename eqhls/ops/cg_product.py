"""The Clebsch-Gordan product of two representations, projected onto a third."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eqhls.fixed import Fixed, NumArray
from eqhls.groups.basis import Basis
from eqhls.groups.cg import PATHS, Path, table
from eqhls.groups.cg import contract as tensor_formula
from eqhls.groups.lorentz import Rep
from eqhls.ir.op import EXCHANGED, FLIPPED, TRUNCATED, Example, Floats
from eqhls.ir.types import Type, joined_axes, spread
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic, broadcast, contract, contract_faulty, example


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
        bases = {t.basis for t in types if t.rep is not Rep.S}
        if len(bases) > 1:
            raise self.error(f"found {a} and {b}, expected one basis", "the metric belongs to the basis")
        basis = bases.pop() if bases else Basis.CARTESIAN
        return Type(self.path.out, joined_axes(a, b), basis)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        out = self.infer(*types)
        a, b = broadcast(*(spread(v, t, out.axes, 1) for v, t in zip(x, types, strict=True)))
        return tensor_formula(self.path, self._basis(types), a, b)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = joined_axes(*types)
        a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
        return contract(table(self.path, self._basis(types)), self.path.out.dim, a, b)

    def _basis(self, types: tuple[Type, ...]) -> Basis:
        return next((t.basis for t in types if t.rep is not Rep.S), Basis.CARTESIAN)

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return () if self.path.right is Rep.S else (FLIPPED, EXCHANGED, TRUNCATED)

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        axes = joined_axes(*types)
        a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
        full = table(self.path, self._basis(types))
        return contract_faulty(full, self.path.out.dim, a, b, fault, cut)

    def parity_odd(self) -> bool:
        return self.path.parity_odd

    def work(self, types: tuple[Type, ...]) -> Work:
        terms = table(self.path, self._basis(types))
        return Work(self.infer(*types).elements // self.path.out.dim * terms.products)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] * factors[1]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        small = (Fixed(5, 3),)
        return tuple(
            Example(
                cls(path),
                (example(path.left, "i:1", small, basis), example(path.right, "j:2", small, basis)),
                f"{path}.{basis.value}",
            )
            for basis in Basis
            for path in PATHS
        )
