"""What an engine of bits says of the values of a network: raw integers by name, and where they are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.ir.graph import Node

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """A value in one engine: `raw` integers (events, *axes, components) in the formats of its type, whether
    each element `exists` there (*axes, components), and which numbers are `wrong` (events, *axes,
    components), that is not those of the integer engine. Elements that do not exist are 0 and not wrong."""

    raw: Ints
    exists: Flags
    wrong: Flags


Values = Mapping[str, Seen]
"""What an engine says, by value. A value of which nothing exists in it has no entry."""


def shifted(raw: Ints, bits: int) -> tuple[Ints, Flags]:
    """Return raw * 2**bits, and where bits of it are lost on the right."""
    if bits >= 0:
        return raw << bits, np.zeros(raw.shape, dtype=bool)
    return raw >> -bits, (raw & ((1 << -bits) - 1)) != 0


def extended(bits: Ints, width: int, signed: bool) -> Ints:
    """Return the lowest bits as a number."""
    low = bits & ((1 << width) - 1)
    return low - ((low >> (width - 1)) << width) if signed else low


def whole(node: Node, raw: Ints, want: Ints, lost: Flags) -> Seen:
    """Return a value all of whose elements exist."""
    return Seen(raw, np.ones(node.type.shape, dtype=bool), (raw != want) | lost)
