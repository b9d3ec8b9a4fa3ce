"""Minkowski products of four-vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import NumArray
from eqhls.groups.basis import Basis
from eqhls.groups.cg import parse_path, square_terms, table
from eqhls.groups.lorentz import Rep, dot
from eqhls.ir.op import EXCHANGED, FLIPPED, TRUNCATED, Example, Floats
from eqhls.ir.types import Axis, Type, joined_axes, spread
from eqhls.ir.work import Work
from eqhls.ops.common import LIGHT_CONE_FORMATS, Arithmetic, broadcast, contract, contract_faulty, example

PRODUCT = parse_path("V*V->S")


@dataclass(frozen=True, slots=True)
class Gram(Arithmetic):
    """<a, b> with signature (+,-,-,-), never rounded before it is subtracted.

    Two inputs: element-wise over axes matched by name, so V[i] and V[j] give S[i, j].
    One input: all pairs a <= b along `axis`, which becomes `to`, in the order 00, 01, .., 11, ..
    """

    group: ClassVar[str] = "geometry"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    axis: str = "i"
    to: str = "p"

    def infer(self, *types: Type) -> Type:
        if len(types) not in (1, 2):
            raise self.error(f"found {len(types)} inputs, expected one or two")
        for t in types:
            if t.rep is not Rep.V or t.basis is not types[0].basis:
                raise self.error(
                    f"found {', '.join(map(str, types))}, expected V in one basis",
                    "use cg_product or invariants for other representations",
                )
        if len(types) == 2:
            return types[0].like(Rep.S, joined_axes(*types))
        n = types[0].size(self.axis)
        return types[0].like(Rep.S).with_axis(self.axis, Axis(self.to, n * (n + 1) // 2))

    def _pairs(self, kind: Type) -> tuple[list[int], list[int]]:
        n = kind.size(self.axis)
        pairs = [(a, b) for a in range(n) for b in range(a, n)]
        return [a for a, _ in pairs], [b for _, b in pairs]

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        basis = types[0].basis
        if len(types) == 2:
            axes = self.infer(*types).axes
            a, b = (spread(v, t, axes, 1) for v, t in zip(x, types, strict=True))
        else:
            left, right = self._pairs(types[0])
            where = 1 + types[0].index(self.axis)
            a, b = np.take(x[0], left, axis=where), np.take(x[0], right, axis=where)
        return dot(basis, a, b)[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        full = table(PRODUCT, types[0].basis)
        if len(types) == 2:
            axes = self.infer(*types).axes
            a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
            return contract(full, 1, a, b)
        square = square_terms(PRODUCT, types[0].basis)
        where = types[0].index(self.axis)
        v = np.moveaxis(x[0], where, 0)
        rows = [
            contract(square if a == b else full, 1, v[a], v[b])
            for a, b in zip(*self._pairs(types[0]), strict=True)
        ]
        return np.moveaxis(np.stack(rows), 0, where)

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return (FLIPPED, EXCHANGED, TRUNCATED)

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        if len(types) == 2:
            axes = self.infer(*types).axes
            a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
        else:
            where = types[0].index(self.axis)
            a, b = (np.take(x[0], side, axis=where) for side in self._pairs(types[0]))
        return contract_faulty(table(PRODUCT, types[0].basis), 1, a, b, fault, cut)

    def work(self, types: tuple[Type, ...]) -> Work:
        """The square of a vector in light-cone components shares a product."""
        size, basis = self.infer(*types).elements, types[0].basis
        alike = types[0].size(self.axis) if len(types) == 1 else 0
        pairs = alike * (alike + 1) // 2 or 1
        mixed = (pairs - alike) * table(PRODUCT, basis).products
        return Work(size // pairs * (mixed + alike * square_terms(PRODUCT, basis).products))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] * factors[-1]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        cone = Basis.LIGHT_CONE
        p = example(Rep.V, "j:3", LIGHT_CONE_FORMATS, cone)
        return (
            Example(cls(), (example(Rep.V, "i:2", LIGHT_CONE_FORMATS, cone), p), "light_cone"),
            Example(cls(), (example(Rep.V, "i:2"), example(Rep.V, "j:3")), "cartesian"),
            Example(cls("j", "p"), (p,), "triangular"),
        )
