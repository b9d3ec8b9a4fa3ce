"""The hash of a compiled network, by which the bits in an FPGA say which network they are."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from eqhls.ir.graph import Graph
from eqhls.ir.text import print_graph

DIGITS = 8
"""Hexadecimal digits of the hash that the hardware carries: 32 bits."""


def model_hash(graph: Graph) -> str:
    """Return the first 32 bits, as hexadecimal digits, of the SHA-256 over the text and the weights of a
    graph. Its name is not part of it: one network has one hash under all names."""
    text, arrays = print_graph(replace(graph, name="network"))
    found = hashlib.sha256(text.encode())
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        found.update(f"\n{key} {little.dtype.str} {little.shape}\n".encode())
        found.update(little.tobytes())
    return found.hexdigest()[:DIGITS]
