"""What the permutation-equivariant maps of pairs and particles share: which maps their weights mix."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Tensor
from eqhls.ir.types import Type
from eqhls.ops.common import ScalarMap, example
from eqhls.ops.maps import Maps

MOST_ROUNDED = 6
"""How many rounded mixes meet in one pair on the diagonal."""


@dataclass(frozen=True, slots=True)
class PairOp(ScalarMap):
    """A mix of maps with weights (out, in, map), channels last."""

    group: ClassVar[str] = "pair"
    maps: ClassVar[Maps]
    """The maps, in the order of the weights."""

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT if axis == types[0].axes[-1].name else Along.ALIKE

    @abstractmethod
    def shifts(self) -> Mapping[str, Tensor | None]:
        """Return the shift of each channel (out,) by the place where it is added, or None without one."""

    @abstractmethod
    def kept(self) -> int | None:
        """Return to how many fraction bits each mix is rounded down before the mixes are added, or None if
        none is rounded."""


@dataclass(frozen=True, slots=True)
class PairsOp(PairOp):
    """Maps of pairs to pairs: the diagonal has a shift of its own, and mixes may be rounded down to `keep`
    fraction bits before they meet in pairs."""

    weights: ClassVar[tuple[str, ...]] = ("weight", "bias", "diagonal")
    diagonal: Tensor | None = None
    keep: int | None = None

    def rounding(self, types: tuple[Type, ...]) -> float:
        return 0.0 if self.keep is None else MOST_ROUNDED * 2.0**-self.keep

    def shifts(self) -> Mapping[str, Tensor | None]:
        return {"all": self.bias, "diagonal": self.diagonal}

    def kept(self) -> int | None:
        return self.keep

    @classmethod
    def examples_on(cls, axes: str) -> tuple[Example, ...]:
        """Return the op on two channels of pairs, which lie along these axes."""
        weight = Tensor(np.round(np.sin(np.arange(4 * len(cls.maps))).reshape(2, 2, -1) * 8) / 4)
        type = example(S, axes)
        return (
            Example(cls(weight, Tensor([0.25, -1.0]), Tensor([1.5, 0.0])), (type,), "biased"),
            Example(cls(Tensor(weight.array[:1])), (type,), "plain"),
            Example(cls(weight, Tensor([0.25, -1.0]), keep=1), (type,), "kept"),
        )


def sample_weights(maps: Maps) -> Tensor:
    """Return weights of two channels for an example."""
    return Tensor(np.round(np.cos(np.arange(4 * len(maps))).reshape(2, 2, -1) * 8) / 4)


def examples_of_pairs(op: PairOp) -> tuple[Example, ...]:
    """Return an op that reads pairs, in full and in triangular storage."""
    full, triangular = example(S, "i:3,j:3,c:2"), example(S, "p:6,c:2")
    return Example(op, (full,), "full"), Example(op, (triangular,), "triangular")
