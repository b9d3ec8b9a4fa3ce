"""Permutation-equivariant layers on pairs: PELICAN's maps, full and tied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from eqhls.fixed.ordered import ordered_product
from eqhls.frontends.layers.base import EqLayer, K, constant, register, stored, straight_through
from eqhls.frontends.layers.weights import quantizer_of
from eqhls.groups.permutation import corner, pairs_of, triangle
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric

Spread = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Mix:
    """One mix of the collapsed form: which maps K[:, :, b] meet which tensors, and how the result gets
    the axes of pairs."""

    tensors: tuple[Any, ...]
    maps: tuple[int, ...]
    spread: Spread | None = None


class _PairLayer(EqLayer):
    """K[s,d,b] = trained weight times divisor_b; the divisors are powers of two, so that sums over n or
    n^2 entries start at the scale of single ones and cost nothing. `maps` are the b that are trained, all
    where it is empty; the others are zero."""

    block: ClassVar[type]
    divisors: ClassVar[tuple[int, ...]]
    """How often each map is divided by 2**shift: once for a sum over particles, twice for pairs."""

    def __init__(
        self, channels: int, shift: int = 4, quantizer: str = "", maps: Any = (), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.channels, self.shift, self.quantizer = channels, shift, quantizer
        self.maps = tuple(maps) or tuple(range(len(self.divisors)))

    @property
    def places(self) -> np.ndarray:
        """The matrix (trained maps, all maps) that puts each trained weight, divided, into its place."""
        divided = np.diag(2.0 ** (-self.shift * np.array(self.divisors)))
        return divided[list(self.maps)]

    def prepare(self) -> None:
        if hasattr(self, "weight"):
            return
        shape = (self.channels, self.types[0].size("c"), len(self.maps))
        self.weight = self.add_weight(shape=shape, initializer="glorot_uniform", name="weight")
        self.bias = self.add_weight(shape=shape[:1], initializer="zeros", name="bias")
        self.weight_quantizer = quantizer_of(self, "weight", shape)
        self.bias_quantizer = quantizer_of(self, "bias", shape[:1])

    def values(self) -> tuple[Any, ...]:
        """Return weight and bias as they act."""
        weight, *shifts = self.trained()
        return K.matmul(weight, constant(self.places, weight)), *shifts

    def trained(self) -> tuple[Any, ...]:
        """Return the trained weights and shifts behind their quantizers."""
        return self.weight_quantizer(self.weight), self.bias_quantizer(self.bias)

    def op(self) -> Op:
        weight, *shifts = (stored(v) for v in self.trained())
        return self.block(Tensor(ordered_product(weight, self.places)), *map(Tensor, shifts))

    def result_type(self) -> Type:
        shape = (self.channels, self.types[0].size("c"), len(self.divisors))
        return self.block(Tensor(np.zeros(shape))).infer(*self.types)

    def mixes(self, x: Any) -> list[Mix]:
        """Return the mixes whose sum is the result, of x of shape (events, .., channels)."""
        raise NotImplementedError

    def rounded(self, x: Any) -> Any:
        """Round a mix before it meets the others."""
        return x

    def call(self, x: Any) -> Any:
        weight, out = self.values()[:2]
        for mix in self.mixes(x[..., 0]):
            matrix = K.concatenate([weight[:, :, b] for b in mix.maps], axis=1)
            z = self.rounded(K.matmul(K.concatenate(mix.tensors, axis=-1), K.transpose(matrix)))
            out = out + (z if mix.spread is None else mix.spread(z))
        return out[..., None]

    def get_config(self) -> dict[str, Any]:
        fields = {"channels": self.channels, "shift": self.shift, "quantizer": self.quantizer}
        return super().get_config() | fields | {"maps": list(self.maps)}


class _PairToPairLayer(_PairLayer):
    """Pairs to pairs: a bias of the diagonal, and `keep` as in the block, straight through."""

    def __init__(self, channels: int, keep: int | None = None, **kwargs: Any) -> None:
        super().__init__(channels, **kwargs)
        self.keep = keep

    def prepare(self) -> None:
        if not hasattr(self, "weight"):
            super().prepare()
            self.diagonal = self.add_weight(shape=(self.channels,), initializer="zeros", name="diagonal")

    def trained(self) -> tuple[Any, ...]:
        return (*super().trained(), self.bias_quantizer(self.diagonal))

    def op(self) -> Op:
        return replace(super().op(), keep=self.keep)

    def rounded(self, x: Any) -> Any:
        if self.keep is None:
            return x
        step = 2.0**-self.keep
        return straight_through(x, K.floor(x / step) * step)

    def eye(self) -> np.ndarray:
        """Return delta_ij with the axes of the result and one channel."""
        raise NotImplementedError

    def call(self, x: Any) -> Any:
        diagonal = self.values()[2]
        return super().call(x) + (diagonal * constant(self.eye(), diagonal))[..., None]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"keep": self.keep}


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
class Eq2to2Layer(_PairToPairLayer):
    """All fifteen maps of pairs to pairs."""

    block = Eq2to2
    divisors = (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2)

    def eye(self) -> np.ndarray:
        return np.eye(self.types[0].axes[0].size)[None, :, :, None]

    def mixes(self, x: Any) -> list[Mix]:
        eye = constant(self.eye(), x)
        d, c, r = _diagonal(x), K.sum(x, 1), K.sum(x, 2)
        event = (K.sum(d, 1), K.sum(r, 1))
        return [
            Mix((x, K.transpose(x, (0, 2, 1, 3))), (0, 1)),
            Mix((d, c, r), (3, 6, 9), lambda z: z[:, None]),
            Mix((d, c, r), (4, 7, 10), lambda z: z[:, :, None]),
            Mix((d, c, r), (2, 5, 8), lambda z: z[:, :, None] * eye),
            Mix(event, (11, 13), lambda z: z[:, None, None]),
            Mix(event, (12, 14), lambda z: z[:, None, None] * eye),
        ]


@register
class Eq2to2SymmetricLayer(_PairToPairLayer):
    """The nine tied maps of symmetric pairs, S[p,c] in triangular storage."""

    block = Eq2to2Symmetric
    divisors = (0, 0, 0, 1, 1, 1, 1, 2, 2)

    def eye(self) -> np.ndarray:
        pairs = pairs_of(corner(self.types[0].axes[0].size))
        return np.array([float(i == j) for i, j in pairs])[None, :, None]

    def mixes(self, x: Any) -> list[Mix]:
        eye = constant(self.eye(), x)
        pairs = pairs_of(corner(self.types[0].axes[0].size))
        left, right = [i for i, _ in pairs], [j for _, j in pairs]
        whole = _full(x, self.types[0])
        d, r = _diagonal(whole), K.sum(whole, 2)
        event = (K.sum(d, 1), K.sum(r, 1))
        return [
            Mix((x,), (0,)),
            Mix((d, r), (2, 4), lambda z: K.take(z, left, axis=1) + K.take(z, right, axis=1)),
            Mix((d, r), (1, 3), lambda z: K.take(z, left, axis=1) * eye),
            Mix(event, (5, 7), lambda z: z[:, None]),
            Mix(event, (6, 8), lambda z: z[:, None] * eye),
        ]


@register
class Eq1to2Layer(_PairLayer):
    """The five maps of particles to pairs."""

    block = Eq1to2
    divisors = (0, 0, 0, 1, 1)

    def mixes(self, x: Any) -> list[Mix]:
        eye = constant(np.eye(self.types[0].axes[0].size)[None, :, :, None], x)
        whole = (K.sum(x, 1),)
        return [
            Mix((x,), (1,), lambda z: z[:, None]),
            Mix((x,), (2,), lambda z: z[:, :, None]),
            Mix((x,), (0,), lambda z: z[:, :, None] * eye),
            Mix(whole, (4,), lambda z: z[:, None, None]),
            Mix(whole, (3,), lambda z: z[:, None, None] * eye),
        ]


@register
class Eq2to1Layer(_PairLayer):
    """The five maps of pairs to particles."""

    block = Eq2to1
    divisors = (0, 1, 1, 1, 2)

    def mixes(self, x: Any) -> list[Mix]:
        v = _full(x, self.types[0])
        d, r = _diagonal(v), K.sum(v, 2)
        event = (K.sum(d, 1), K.sum(r, 1))
        return [Mix((d, r, K.sum(v, 1)), (0, 1, 2)), Mix(event, (3, 4), lambda z: z[:, None])]


@register
class Eq2to0Layer(_PairLayer):
    """Total and trace of pairs."""

    block = Eq2to0
    divisors = (2, 1)

    def mixes(self, x: Any) -> list[Mix]:
        v = _full(x, self.types[0])
        return [Mix((K.sum(v, (1, 2)), K.sum(_diagonal(v), 1)), (0, 1))]
