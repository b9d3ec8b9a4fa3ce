"""Mixing of channels within one representation: the only linear map that Schur's lemma allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, NumArray, const, constant_matmul
from eqhls.groups.charge import Charges
from eqhls.groups.coupling import Coupling
from eqhls.groups.lorentz.reps import F, T, V
from eqhls.groups.registry import coupling, parse_path
from eqhls.groups.rep import ONE, S
from eqhls.ir.op import Along, Example, Floats, Tensor, component_faults, neutral
from eqhls.ir.types import Axis, Type
from eqhls.ir.work import Work
from eqhls.ops.common import Arithmetic, contract, example, integers, mapped

DUAL = parse_path("S*F->F~")


def dual_of(type: Type) -> Coupling:
    """Return the product of a scalar with F that leaves the Hodge dual of F."""
    return coupling(DUAL, ONE, type.basis)


@dataclass(frozen=True, slots=True)
class ChannelMix(Arithmetic):
    """y_c = sum_d W_cd x_d (+ bias_c for scalars; + sum_d D_cd *x_d for F) along `axis`.

    The same weight acts on every component of the representation. `dual` mixes in the Hodge dual
    of F, the second real map that commutes with proper Lorentz transformations.
    """

    group: ClassVar[str] = "geometry"
    weights: ClassVar[tuple[str, ...]] = ("weight", "bias", "dual")
    moves_bits: ClassVar[bool] = False
    weight: Tensor
    bias: Tensor | None = None
    dual: Tensor | None = None
    axis: str = "c"

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        type = types[0]
        size = type.size(self.axis)
        if len(self.weight.shape) != 2 or self.weight.shape[1] != size:
            raise self.error(
                f"found weights {self.weight.shape} for {type}, expected (out, {size})",
                "give the weights this shape",
            )
        if self.bias is not None and type.rep is not S:
            raise self.error(
                f"found a bias on {type}, expected none", "a constant shift is only invariant on S"
            )
        if self.bias is not None and self.bias.shape != self.weight.shape[:1]:
            raise self.error(
                f"found a bias {self.bias.shape}, expected {self.weight.shape[:1]}",
                "give one bias per output channel",
            )
        if self.dual is not None and (type.rep is not F or self.dual.shape != self.weight.shape):
            raise self.error(
                f"found dual weights {self.dual.shape} on {type}",
                "only F has a dual; give it the shape of the weights",
            )
        return type.with_axis(self.axis, Axis(self.axis, self.weight.shape[0]))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT if axis == self.axis else Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        where = 1 + types[0].index(self.axis)
        v = np.moveaxis(x[0], where, -1)
        out = v @ self.weight.array.T
        if self.dual is not None:
            one = np.ones((*x[0].shape[:-1], 1))
            starred = np.moveaxis(dual_of(types[0]).contract(one, x[0]), where, -1)
            out = out + starred @ self.dual.array.T
        if self.bias is not None:
            out = out + self.bias.array
        return np.moveaxis(out, -1, where)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        where = types[0].index(self.axis)
        matrix, v = self.weight.array, np.moveaxis(x[0], where, -1)
        if self.dual is not None:
            one = np.full((*x[0].shape[:-1], 1), const(1, 0), dtype=object)
            starred = contract(dual_of(types[0]).table, 6, one, x[0])
            v = np.concatenate([v, np.moveaxis(starred, where, -1)], axis=-1)
            matrix = np.concatenate([matrix, self.dual.array], axis=1)
        raw, frac = integers(Tensor(matrix))
        out = np.empty((*v.shape[:-1], raw.shape[0]), dtype=object)
        for index in np.ndindex(v.shape[:-1]):
            out[index] = constant_matmul(raw, frac, list(v[index]))
        if self.bias is not None:
            shift, point = integers(self.bias)
            out = out + np.array([const(int(b), point) for b in shift], dtype=object)
        return np.moveaxis(out, -1, where)

    def parity_odd(self) -> bool:
        return self.dual is not None

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work(constants=mapped(self.infer(*types).elements, self.weight, self.dual))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return factors[0] if self.bias is None else None

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return component_faults(self.infer(*types))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        weight = Tensor([[0.5, -1.25], [2.0, 0.0], [0.75, 1.0]])
        return (
            Example(cls(weight, Tensor([0.25, -1.0, 0.0])), (example(S, "i:2,c:2"),), "scalars"),
            Example(cls(weight), (example(V, "i:2,c:2"),), "vectors"),
            Example(cls(weight, None, weight), (example(F, "c:2", (Fixed(6, 3),)),), "duals"),
            Example(cls(weight), (example(T, "c:2", (Fixed(6, 3),)),), "tensors"),
        )
