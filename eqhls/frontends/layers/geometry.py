"""Covariant layers: products of representations, messages, channel mixing."""

from __future__ import annotations

from typing import Any

import numpy as np

from eqhls.frontends.layers.base import EqLayer, K, constant, register, spread, stored
from eqhls.frontends.layers.weights import quantizer_of
from eqhls.groups.coupling import CGTable
from eqhls.groups.registry import coupling, form, parse_path
from eqhls.groups.rep import S
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type, joined_axes
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix, dual_of
from eqhls.ops.gram import Gram, minkowski
from eqhls.ops.invariants import Invariants
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.to_basis import ToBasis


def contract(cg: CGTable, a: Any, b: Any) -> Any:
    """Contract the last axes by a Clebsch-Gordan table."""
    return K.einsum("oab,...a,...b->...o", constant(cg.dense, a), a, b)


@register
class GramLayer(EqLayer):
    """Minkowski products: all pairs of one set, or of two sets."""

    def __init__(self, axis: str = "i", to: str = "p", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.to = axis, to

    def op(self) -> Op:
        return Gram(self.axis, self.to)

    def call(self, *x: Any) -> Any:
        cg = minkowski(self.types[0]).table
        if len(x) == 2:
            axes = self.result_type().axes
            a, b = (spread(v, t, axes) for v, t in zip(x, self.types, strict=True))
            shape = K.broadcast_to(a * 0 + b * 0, K.shape(a * b))
            return contract(cg, a + shape, b + shape)
        n = self.types[0].size(self.axis)
        pairs = [(a, b) for a in range(n) for b in range(a, n)]
        where = 1 + self.types[0].index(self.axis)
        a, b = (K.take(x[0], [p[k] for p in pairs], axis=where) for k in (0, 1))
        return contract(cg, a, b)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis, "to": self.to}


@register
class CgProductLayer(EqLayer):
    """One Clebsch-Gordan path of two tensors, axes matched by name."""

    def __init__(self, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cg_path = parse_path(path)

    def op(self) -> Op:
        return CgProduct(self.cg_path)

    def call(self, a: Any, b: Any) -> Any:
        axes = joined_axes(*self.types)
        a, b = (spread(v, t, axes) for v, t in zip((a, b), self.types, strict=True))
        zero = K.sum(a, -1, keepdims=True) * 0 + K.sum(b, -1, keepdims=True) * 0
        product = coupling(self.cg_path, *(t.basis for t in self.types))
        return contract(product.table, a + zero, b + zero)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"path": str(self.cg_path)}


@register
class CgSquareLayer(EqLayer):
    """One Clebsch-Gordan path of a tensor with itself."""

    def __init__(self, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cg_path = parse_path(path)

    def op(self) -> Op:
        return CgSquare(self.cg_path)

    def call(self, x: Any) -> Any:
        basis = self.types[0].basis
        return contract(coupling(self.cg_path, basis, basis).square, x, x)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"path": str(self.cg_path)}


@register
class InvariantsLayer(EqLayer):
    """The square <x, x> of every channel."""

    def op(self) -> Op:
        return Invariants()

    def call(self, x: Any) -> Any:
        type = self.types[0]
        if type.rep is S:
            return x
        path = form(type.rep)
        return contract(coupling(path, type.basis, type.basis).square, x, x)


@register
class ToBasisLayer(EqLayer):
    """The components of a tensor of spin 2 in another basis, times the least factor that keeps them whole."""

    def __init__(self, basis: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.basis = basis

    def op(self) -> Op:
        return ToBasis(self.basis)

    def call(self, x: Any) -> Any:
        matrix, _ = ToBasis(self.basis).change(self.types)
        return K.matmul(x, constant(matrix.T.astype(np.float64), x))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"basis": self.basis}


@register
class PairSumLayer(EqLayer):
    """sum_j w_j x_j: PairSumLayer()(w, x)."""

    def __init__(self, over: str = "j", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.over = over

    def op(self) -> Op:
        return PairSum(self.over)

    def call(self, w: Any, x: Any) -> Any:
        axes = joined_axes(*self.types)
        w, x = (spread(v, t, axes) for v, t in zip((w, x), self.types, strict=True))
        return K.sum(w * x, axis=1 + [a.name for a in axes].index(self.over))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"over": self.over}


@register
class ChannelMixLayer(EqLayer):
    """Mix channels of one representation; `bias` for scalars, `dual` for F.

    `quantizer` is a format of the weights, or "hgq" for HGQ2's trained widths (WeightQuantizer).
    """

    def __init__(
        self, channels: int, bias: bool = False, dual: bool = False, quantizer: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.channels, self.use_bias, self.use_dual, self.quantizer = channels, bias, dual, quantizer

    def prepare(self) -> None:
        if hasattr(self, "weight"):
            return
        shape, start = (self.channels, self.types[0].size("c")), "glorot_uniform"
        self.weight = self.add_weight(shape=shape, initializer=start, name="weight")
        self.bias = self.dual = None
        self.weight_quantizer = quantizer_of(self, "weight", shape)
        if self.use_bias:
            self.bias = self.add_weight(shape=shape[:1], initializer="zeros", name="bias")
            self.bias_quantizer = quantizer_of(self, "bias", shape[:1])
        if self.use_dual:
            self.dual = self.add_weight(shape=shape, initializer=start, name="dual")
            self.dual_quantizer = quantizer_of(self, "dual", shape)

    def _values(self) -> tuple[Any, Any, Any]:
        """Return weight, bias and dual as they multiply."""
        return (
            self.weight_quantizer(self.weight),
            None if self.bias is None else self.bias_quantizer(self.bias),
            None if self.dual is None else self.dual_quantizer(self.dual),
        )

    def op(self) -> Op:
        weight, bias, dual = (None if w is None else Tensor(stored(w)) for w in self._values())
        assert weight is not None
        return ChannelMix(weight, bias, dual)

    def call(self, x: Any) -> Any:
        axis = 1 + self.types[0].index("c")
        weight, bias, dual = self._values()
        out = K.tensordot(x, K.transpose(weight), axes=([axis], [0]))
        if dual is not None:
            one = K.ones_like(x[..., :1])
            starred = contract(dual_of(self.types[0]).table, one, x)
            out = out + K.tensordot(starred, K.transpose(dual), axes=([axis], [0]))
        return K.moveaxis(out if bias is None else out + bias, -1, axis)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "channels": self.channels,
            "bias": self.use_bias,
            "dual": self.use_dual,
            "quantizer": self.quantizer,
        }

    def result_type(self) -> Type:
        shape = (self.channels, self.types[0].size("c"))
        empty = Tensor(np.zeros(shape))
        mix = ChannelMix(
            empty,
            Tensor(np.zeros(self.channels)) if self.use_bias else None,
            empty if self.use_dual else None,
        )
        return mix.infer(*self.types)
