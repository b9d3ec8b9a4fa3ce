"""Permutation-equivariant layers on pairs: PELICAN's maps, full and tied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from eqhls.fixed.ordered import ordered_product
from eqhls.frontends.layers.base import EqLayer, K, constant, register, stored, straight_through
from eqhls.frontends.layers.weights import quantizer_of
from eqhls.groups.permutation import pairs_of, points_of_pairs, triangle
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.eq1to2 import Eq1to2
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.ops.maps import at, sums

Spread = Callable[[Any], Any]


def own(z: Any) -> Any:
    """Leave a mix as it is: it has the axes of the result."""
    return z


@dataclass(frozen=True, slots=True)
class Mixes:
    """The collapsed form: the tensors that are mixed, by source, and how the mix for each place gets the
    axes of the result."""

    sources: Mapping[str, Any]
    places: Mapping[str, Spread]


class _PairLayer(EqLayer):
    """K[s,d,b] = trained weight times divisor_b; the divisors are powers of two, so that sums over n or
    n^2 entries start at the scale of single ones and cost nothing. `maps` are the b that are trained, all
    where it is empty; the others are zero."""

    op_class: ClassVar[type[Any]]

    def __init__(
        self, channels: int, shift: int = 4, quantizer: str = "", maps: Any = (), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.channels, self.shift, self.quantizer = channels, shift, quantizer
        self.maps = tuple(maps) or tuple(range(len(self.op_class.maps)))

    @property
    def places(self) -> np.ndarray:
        """The matrix (trained maps, all maps) that puts each trained weight into its place, divided by
        2**shift for each sum over particles that its map is."""
        divided = np.diag(2.0 ** (-self.shift * np.array(sums(self.op_class.maps))))
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
        return self.op_class(Tensor(ordered_product(weight, self.places)), *map(Tensor, shifts))

    def result_type(self) -> Type:
        shape = (self.channels, self.types[0].size("c"), len(self.op_class.maps))
        return self.op_class(Tensor(np.zeros(shape))).infer(*self.types)

    def mixes(self, x: Any) -> Mixes:
        """Return the mixes whose sum is the result, of x of shape (events, .., channels)."""
        raise NotImplementedError

    def rounded(self, x: Any) -> Any:
        """Round a mix before it meets the others."""
        return x

    def call(self, x: Any) -> Any:
        weight, out = self.values()[:2]
        mixes = self.mixes(x[..., 0])
        for place, spread in mixes.places.items():
            found = at(self.op_class.maps, place)
            matrix = K.concatenate([weight[:, :, b] for b in found.values()], axis=1)
            tensors = K.concatenate([mixes.sources[name] for name in found], axis=-1)
            out = out + spread(self.rounded(K.matmul(tensors, K.transpose(matrix))))
        return out[..., None]

    def get_config(self) -> dict[str, Any]:
        fields = {"channels": self.channels, "shift": self.shift, "quantizer": self.quantizer}
        return super().get_config() | fields | {"maps": list(self.maps)}


class _PairToPairLayer(_PairLayer):
    """Pairs to pairs: a bias of the diagonal, and `keep` as in the op, straight through."""

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


def _full(x: Any, type: Type) -> Any:
    """Return (events, n, n, c), whether the pairs are stored so or triangular."""
    if len(type.axes) == 3:
        return x
    n = points_of_pairs(type.axes[0].size)
    return K.reshape(K.take(x, triangle(n).ravel(), axis=1), (-1, n, n, x.shape[-1]))


def _sources(x: Any) -> dict[str, Any]:
    """Return the sums of pairs (events, n, n, c) by source."""
    d, c, r = _diagonal(x), K.sum(x, 1), K.sum(x, 2)
    return {"d": d, "c": c, "r": r, "trace": K.sum(d, 1), "total": K.sum(r, 1)}


@register
class Eq2to2Layer(_PairToPairLayer):
    """All fifteen maps of pairs to pairs."""

    op_class = Eq2to2

    def eye(self) -> np.ndarray:
        return np.eye(self.types[0].axes[0].size)[None, :, :, None]

    def mixes(self, x: Any) -> Mixes:
        eye = constant(self.eye(), x)
        places = {
            "pair": own,
            "column": lambda z: z[:, None],
            "row": lambda z: z[:, :, None],
            "corner": lambda z: z[:, :, None] * eye,
            "all": lambda z: z[:, None, None],
            "diagonal": lambda z: z[:, None, None] * eye,
        }
        return Mixes({"x": x, "y": K.transpose(x, (0, 2, 1, 3)), **_sources(x)}, places)


@register
class Eq2to2SymmetricLayer(_PairToPairLayer):
    """The nine tied maps of symmetric pairs, S[p,c] in triangular storage."""

    op_class = Eq2to2Symmetric

    def eye(self) -> np.ndarray:
        pairs = pairs_of(points_of_pairs(self.types[0].axes[0].size))
        return np.array([float(i == j) for i, j in pairs])[None, :, None]

    def mixes(self, x: Any) -> Mixes:
        eye = constant(self.eye(), x)
        pairs = pairs_of(points_of_pairs(self.types[0].axes[0].size))
        left, right = [i for i, _ in pairs], [j for _, j in pairs]
        places = {
            "pair": own,
            "sides": lambda z: K.take(z, left, axis=1) + K.take(z, right, axis=1),
            "corner": lambda z: K.take(z, left, axis=1) * eye,
            "all": lambda z: z[:, None],
            "diagonal": lambda z: z[:, None] * eye,
        }
        return Mixes({"x": x, **_sources(_full(x, self.types[0]))}, places)


@register
class Eq1to2Layer(_PairLayer):
    """The five maps of particles to pairs."""

    op_class = Eq1to2

    def mixes(self, x: Any) -> Mixes:
        eye = constant(np.eye(self.types[0].axes[0].size)[None, :, :, None], x)
        places = {
            "column": lambda z: z[:, None],
            "row": lambda z: z[:, :, None],
            "corner": lambda z: z[:, :, None] * eye,
            "all": lambda z: z[:, None, None],
            "diagonal": lambda z: z[:, None, None] * eye,
        }
        return Mixes({"v": x, "whole": K.sum(x, 1)}, places)


@register
class Eq2to1Layer(_PairLayer):
    """The five maps of pairs to particles."""

    op_class = Eq2to1

    def mixes(self, x: Any) -> Mixes:
        return Mixes(_sources(_full(x, self.types[0])), {"own": own, "all": lambda z: z[:, None]})


@register
class Eq2to0Layer(_PairLayer):
    """Total and trace of pairs."""

    op_class = Eq2to0

    def mixes(self, x: Any) -> Mixes:
        return Mixes(_sources(_full(x, self.types[0])), {"own": own})
