"""What the permutation-equivariant maps of pairs and particles share: which maps their weights mix."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from eqhls.ir.op import Tensor
from eqhls.ops.common import ScalarMap
from eqhls.ops.maps import Maps


@dataclass(frozen=True, slots=True)
class PairOp(ScalarMap):
    """A mix of maps with weights (out, in, map), channels last."""

    maps: ClassVar[Maps]
    """The maps, in the order of the weights."""

    @abstractmethod
    def shifts(self) -> Mapping[str, Tensor | None]:
        """Return the shift of each channel (out,) by the place where it is added, or None without one."""

    @abstractmethod
    def kept(self) -> int | None:
        """Return to how many fraction bits each mix is rounded down before the mixes are added, or None if
        none is rounded."""
