"""What the permutation-equivariant maps of pairs and particles share: which maps their weights mix."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from eqhls.ir.op import Tensor
from eqhls.ops.common import ScalarMap


@dataclass(frozen=True, slots=True)
class Spread:
    """One linear map that commutes with permutations: numbers taken from `source`, put to `place`.

    Sources: x and its transpose y, the diagonal d, sums c and r of columns and rows, trace and total; of
    particles v and their sum, the whole. Places of a pair (i, j): itself ("pair"), its row i, its column j,
    both ("sides"), the corner where i = j, all, and the diagonal from all; of a particle, or of the event,
    its "own", and all.
    """

    source: str
    place: str


def spreads(text: str) -> tuple[Spread, ...]:
    """Return maps that are written as source@place, with blanks between them."""
    return tuple(Spread(*part.split("@")) for part in text.split())


@dataclass(frozen=True, slots=True)
class PairOp(ScalarMap):
    """A mix of maps with weights (out, in, map), channels last."""

    maps: ClassVar[tuple[Spread, ...]]
    """The maps, in the order of the weights."""

    @abstractmethod
    def shifts(self) -> Mapping[str, Tensor | None]:
        """Return the shift of each channel (out,) by the place where it is added, or None without one."""

    @abstractmethod
    def kept(self) -> int | None:
        """Return to how many fraction bits each mix is rounded down before the mixes are added, or None if
        none is rounded."""
