"""Minkowski products of four-vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from eqhls.fixed import NumArray
from eqhls.groups.charge import Charges
from eqhls.groups.coupling import Coupling
from eqhls.groups.lorentz.basis import LIGHT_CONE, VectorBasis
from eqhls.groups.lorentz.reps import V, dot
from eqhls.groups.permutation import CHANNELS, PARTICLES
from eqhls.groups.registry import coupling, form
from eqhls.groups.rep import S
from eqhls.ir.op import EXCHANGED, FLIPPED, TRUNCATED, Along, Example, Floats, neutral
from eqhls.ir.types import Type, joined_axes, spread
from eqhls.ir.work import Work
from eqhls.ops.common import (
    LIGHT_CONE_FORMATS,
    Arithmetic,
    broadcast,
    contract,
    contract_faulty,
    entrywise,
    example,
    paired,
)

PRODUCT = form(V)


def minkowski(type: Type) -> Coupling:
    """Return the product of four-vectors of this type."""
    return coupling(PRODUCT, type.basis, type.basis)


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
            raise self.error(
                f"found {len(types)} inputs, expected one or two",
                "give it one tensor of four-vectors, or two",
            )
        for t in types:
            if t.rep is not V or t.basis != types[0].basis:
                raise self.error(
                    f"found {', '.join(map(str, types))}, expected V in one basis",
                    "use cg_product or invariants for other representations",
                )
        if len(types) == 2:
            return types[0].like(S, joined_axes(*types))
        return types[0].like(S).with_axis(self.axis, paired(types[0].axis(self.axis), self.to))

    def _pairs(self, type: Type) -> tuple[list[int], list[int]]:
        n = type.size(self.axis)
        pairs = [(a, b) for a in range(n) for b in range(a, n)]
        return [a for a, _ in pairs], [b for _, b in pairs]

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        """The pairs of a set are permuted with it; those of a ring have no name."""
        if len(types) == 2 or axis != self.axis:
            return entrywise(types, axis)
        return Along.ALIKE if types[0].axis(axis).action in (CHANNELS, PARTICLES) else Along.EVENT

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        basis = cast(VectorBasis, types[0].basis)
        if len(types) == 2:
            axes = self.infer(*types).axes
            a, b = (spread(v, t, axes, 1) for v, t in zip(x, types, strict=True))
        else:
            left, right = self._pairs(types[0])
            where = 1 + types[0].index(self.axis)
            a, b = np.take(x[0], left, axis=where), np.take(x[0], right, axis=where)
        return dot(basis, a, b)[..., None]

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        product = minkowski(types[0])
        if len(types) == 2:
            axes = self.infer(*types).axes
            a, b = broadcast(*(spread(v, t, axes) for v, t in zip(x, types, strict=True)))
            return contract(product.table, 1, a, b)
        where = types[0].index(self.axis)
        v = np.moveaxis(x[0], where, 0)
        rows = [
            contract(product.square if a == b else product.table, 1, v[a], v[b])
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
        return contract_faulty(minkowski(types[0]).table, 1, a, b, fault, cut)

    def work(self, types: tuple[Type, ...]) -> Work:
        """The square of a vector in light-cone components shares a product."""
        size, product = self.infer(*types).elements, minkowski(types[0])
        alike = types[0].size(self.axis) if len(types) == 1 else 0
        pairs = alike * (alike + 1) // 2 or 1
        mixed = (pairs - alike) * product.table.products
        return Work(size // pairs * (mixed + alike * product.square.products))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] * factors[-1]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        p = example(V, "j:3", LIGHT_CONE_FORMATS, LIGHT_CONE)
        return (
            Example(cls(), (example(V, "i:2", LIGHT_CONE_FORMATS, LIGHT_CONE), p), "light_cone"),
            Example(cls(), (example(V, "i:2"), example(V, "j:3")), "cartesian"),
            Example(cls("j", "p"), (p,), "triangular"),
            Example(cls("j", "p"), (example(V, "j:1", LIGHT_CONE_FORMATS, LIGHT_CONE),), "square"),
        )
