"""The components of a tensor in another basis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed import Formats, NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.rep import Basis
from eqhls.groups.rotation.bases import BASES, change, from_tensor, to_tensor, traceless
from eqhls.groups.rotation.reps import irrep
from eqhls.ir.op import Along, Example, Floats, neutral
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import Plain, example, mixed


@dataclass(frozen=True, slots=True)
class ToBasis(Plain):
    """y = n x in the components of `basis`, for tensors of spin 2.

    n is the least factor that makes it a map by integers: 3 from differences (d5, d6) to the components of
    a tensor, 1 the other way. It belongs into the weights that follow.
    """

    group: ClassVar[str] = "geometry"
    moves_bits: ClassVar[bool] = False
    basis: str

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        type = types[0]
        targets = [b for b in type.rep.bases if b in BASES[2] and b != type.basis]
        for basis in targets:
            if basis.name == self.basis:
                return replace(type, basis=basis, formats=Formats())
        names = ", ".join(b.name for b in targets)
        raise self.error(
            f"found {type} and the basis {self.basis!r}",
            f"expected one of {names}" if names else "only tensors of spin 2 have several bases",
        )

    def change(self, types: tuple[Type, ...]) -> tuple[NDArray[np.int64], int]:
        """Return the integer matrix and n."""
        matrix, factor = change(types[0].basis, self._target(types))
        return matrix.astype(np.int64), factor

    def _target(self, types: tuple[Type, ...]) -> Basis:
        return self.infer(*types).basis

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        tensors = traceless(to_tensor(types[0].basis, x[0])).astype(np.float64)
        return self.change(types)[1] * from_tensor(self._target(types), tensors)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        return mixed(x[0], self.change(types)[0], 0)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0]

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work()

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        pairs = (("d5", "t5"), ("t5", "d5"), ("t6", "t5"), ("d6", "t6"), ("d5", "d6"))
        even, odd = irrep(2, "e"), irrep(2, "o")
        return tuple(
            Example(cls(to), (example(rep, "i:2", basis=rep.basis(have)),), f"{have}-{to}")
            for (have, to), rep in zip(pairs, (even, even, odd, even, odd), strict=True)
        )
