"""Events as packed words: element 0 in the lowest bits, each element at its own width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.ir.graph import Node

Words = NDArray[np.uint32]
"""Shape (events, ceil(bits / 32)), little end first."""


def word_bits(nodes: Sequence[Node]) -> int:
    """Return the width of the packed word of some ports."""
    return sum(n.type.format_of(i[-1]).width for n in nodes for i in np.ndindex(n.type.shape))


def pack(nodes: Sequence[Node], values: Mapping[str, Ints]) -> Words:
    """Pack raw integers of shape (events, *shape), port by port, element by element."""
    events = len(values[nodes[0].name])
    total = -(-word_bits(nodes) // 32) * 32
    bits = np.zeros((events, total), dtype=np.uint8)
    offset = 0
    for node in nodes:
        for index in np.ndindex(node.type.shape):
            width = node.type.format_of(index[-1]).width
            column = values[node.name][(slice(None), *index)].astype(np.int64)
            bits[:, offset : offset + width] = (column[:, None] >> np.arange(width)) & 1
            offset += width
    return np.packbits(bits, axis=1, bitorder="little").view("<u4")


def unpack(nodes: Sequence[Node], words: Words) -> dict[str, Ints]:
    """Return raw integers of shape (events, *shape) by port."""
    bits = np.unpackbits(np.ascontiguousarray(words, dtype="<u4").view(np.uint8), axis=1, bitorder="little")
    out: dict[str, Ints] = {}
    offset = 0
    for node in nodes:
        values = np.empty((len(words), *node.type.shape), dtype=np.int64)
        for index in np.ndindex(node.type.shape):
            form = node.type.format_of(index[-1])
            raw = bits[:, offset : offset + form.width].astype(np.int64) @ (1 << np.arange(form.width))
            if form.signed:
                raw -= (raw >> (form.width - 1)) << form.width
            values[(slice(None), *index)] = raw
            offset += form.width
        out[node.name] = values
    return out
