"""Permutation-equivariant layers on pairs: PELICAN's maps, full and tied."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from eqhls.frontends.layers.base import EqLayer, K, constant, register
from eqhls.frontends.layers.weights import WeightQuantizer, built
from eqhls.groups.permutation import corner, pairs_of, triangle
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric


class _PairLayer(EqLayer):
    """K[s,d,b] = trained weight times divisor_b; the divisors are powers of two, so that sums over n or
    n^2 entries start at the scale of single ones and cost nothing."""

    block: ClassVar[type]
    divisors: ClassVar[tuple[int, ...]]
    """How often each map is divided by 2**shift: once for a sum over particles, twice for pairs."""
    has_diagonal: ClassVar[bool] = False

    def __init__(self, channels: int, shift: int = 4, quantizer: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.shift, self.quantizer = channels, shift, quantizer

    @property
    def scale(self) -> np.ndarray:
        return 2.0 ** (-self.shift * np.array(self.divisors))

    def prepare(self) -> None:
        if hasattr(self, "weight"):
            return
        shape = (self.channels, self.types[0].size("c"), len(self.divisors))
        self.weight = self.add_weight(shape=shape, initializer="glorot_uniform", name="weight")
        self.bias = self.add_weight(shape=shape[:1], initializer="zeros", name="bias")
        self.weight_quantizer = built(WeightQuantizer(self.quantizer, name="weight_quantizer"), shape)
        self.bias_quantizer = built(WeightQuantizer(self.quantizer, name="bias_quantizer"), shape[:1])
        if self.has_diagonal:
            self.diagonal = self.add_weight(shape=shape[:1], initializer="zeros", name="diagonal")

    def _values(self) -> tuple[Any, ...]:
        """Return weight, bias and, for maps to pairs, the diagonal bias, as they act."""
        values = (self.weight_quantizer(self.weight) * constant(self.scale), self.bias_quantizer(self.bias))
        return (*values, self.bias_quantizer(self.diagonal)) if self.has_diagonal else values

    def op(self) -> Op:
        return self.block(*(Tensor(K.convert_to_numpy(v)) for v in self._values()))

    def result_type(self) -> Type:
        shape = (self.channels, self.types[0].size("c"), len(self.divisors))
        return self.block(Tensor(np.zeros(shape))).infer(*self.types)

    def maps(self, x: Any) -> list[Any]:
        """Return op_b(x), each (events, .., channels) with the axes of the result, or 1."""
        raise NotImplementedError

    def call(self, x: Any) -> Any:
        values = self._values()
        shape = (-1, *(a.size for a in self.result_type().axes[:-1]), self.types[0].size("c"))
        maps = [K.broadcast_to(m, (K.shape(x)[0], *shape[1:])) for m in self.maps(x[..., 0])]
        weight = K.reshape(K.transpose(values[0], (2, 1, 0)), (-1, self.channels))
        out = K.matmul(K.concatenate(maps, axis=-1), weight) + values[1]
        if self.has_diagonal:
            out = out + values[2] * constant(self.eye())
        return out[..., None]

    def eye(self) -> np.ndarray:
        """Return delta_ij with the axes of the result and one channel."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        fields = {"channels": self.channels, "shift": self.shift, "quantizer": self.quantizer}
        return super().get_config() | fields


def _diagonal(x: Any) -> Any:
    """Return x_ii of (events, n, n, c)."""
    n = x.shape[1]
    flat = K.reshape(x, (-1, n * n, x.shape[-1]))
    return K.take(flat, [i * (n + 1) for i in range(n)], axis=1)


def _full(x: Any, kind: Type) -> Any:
    """Return (events, n, n, c), whether the pairs are stored so or triangular."""
    if len(kind.axes) == 3:
        return x
    n = corner(kind.axes[0].size)
    return K.reshape(K.take(x, triangle(n).ravel(), axis=1), (-1, n, n, x.shape[-1]))


@register
class Eq2to2Layer(_PairLayer):
    """All fifteen maps of pairs to pairs."""

    block = Eq2to2
    divisors = (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2)
    has_diagonal = True

    def eye(self) -> np.ndarray:
        return np.eye(self.types[0].axes[0].size)[None, :, :, None]

    def maps(self, x: Any) -> list[Any]:
        eye = constant(self.eye())
        d = _diagonal(x)
        c, r = K.sum(x, 1), K.sum(x, 2)
        trace, whole = K.sum(d, 1)[:, None, None], K.sum(r, 1)[:, None, None]
        found = [x, K.transpose(x, (0, 2, 1, 3))]
        for v in (d, c, r):
            found += [v[:, :, None] * eye, v[:, None], v[:, :, None]]
        return [*found, trace, trace * eye, whole, whole * eye]


@register
class Eq2to2SymmetricLayer(_PairLayer):
    """The nine tied maps of symmetric pairs, S[p,c] in triangular storage."""

    block = Eq2to2Symmetric
    divisors = (0, 0, 0, 1, 1, 1, 1, 2, 2)
    has_diagonal = True

    def eye(self) -> np.ndarray:
        pairs = pairs_of(corner(self.types[0].axes[0].size))
        return np.array([float(i == j) for i, j in pairs])[None, :, None]

    def maps(self, x: Any) -> list[Any]:
        eye = constant(self.eye())
        pairs = pairs_of(corner(self.types[0].axes[0].size))
        left, right = [i for i, _ in pairs], [j for _, j in pairs]
        whole = _full(x, self.types[0])
        d, r = _diagonal(whole), K.sum(whole, 2)
        d_left, r_left = K.take(d, left, axis=1), K.take(r, left, axis=1)
        trace, total = K.sum(d, 1)[:, None], K.sum(r, 1)[:, None]
        sides = [d_left * eye, d_left + K.take(d, right, axis=1)]
        sides += [r_left * eye, r_left + K.take(r, right, axis=1)]
        return [x, *sides, trace, trace * eye, total, total * eye]


@register
class Eq1to2Layer(_PairLayer):
    """The five maps of particles to pairs."""

    block = Eq1to2
    divisors = (0, 0, 0, 1, 1)

    def maps(self, x: Any) -> list[Any]:
        eye = constant(np.eye(self.types[0].axes[0].size)[None, :, :, None])
        whole = K.sum(x, 1)[:, None, None]
        return [x[:, :, None] * eye, x[:, None], x[:, :, None], whole * eye, whole]


@register
class Eq2to1Layer(_PairLayer):
    """The five maps of pairs to particles."""

    block = Eq2to1
    divisors = (0, 1, 1, 1, 2)

    def maps(self, x: Any) -> list[Any]:
        v = _full(x, self.types[0])
        d, r = _diagonal(v), K.sum(v, 2)
        return [d, r, K.sum(v, 1), K.sum(d, 1)[:, None], K.sum(r, 1)[:, None]]


@register
class Eq2to0Layer(_PairLayer):
    """Total and trace of pairs."""

    block = Eq2to0
    divisors = (2, 1)

    def maps(self, x: Any) -> list[Any]:
        v = _full(x, self.types[0])
        return [K.sum(v, (1, 2)), K.sum(_diagonal(v), 1)]
