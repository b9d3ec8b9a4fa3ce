"""Which cell of a netlist holds an element of a value: the first whose bits are the same in all events.

Optimisation leaves no names in a netlist, takes sums apart and moves binary points. An element exists if some
cell is, up to its sign and a power of two, the same number in every event that is traced and in events beside
them that reach every table and bit. An element that never changes, or whose bits no cell has, is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eqhls.engines import Ints
from eqhls.ir.graph import Graph
from eqhls.lower.netlist import Constant, Netlist, simulate

Element = tuple[str, tuple[int, ...]]
"""A value by name and the index of one of its elements."""


@dataclass(frozen=True, slots=True)
class Place:
    """The cell that holds an element: its number is the cell's times 2**shift, or minus that."""

    cell: int
    shift: int
    minus: bool


@dataclass(frozen=True, slots=True)
class Form:
    """A column of integers without its sign and the zeros at its end: equal columns have equal `key`."""

    key: bytes
    zeros: int
    minus: bool


def places(
    graph: Graph, netlist: Netlist, feeds: Mapping[str, Ints], integer: Mapping[str, Ints]
) -> dict[Element, Place]:
    """Return where the elements of values lie that exist in the netlist; `integer` are all values of the
    events `feeds` in the integer engine."""
    known: dict[bytes, tuple[int, Form]] = {}

    def watch(k: int, values: Ints) -> None:
        form = None if isinstance(netlist.cells[k], Constant) else form_of(values)
        if form is not None:
            known.setdefault(form.key, (k, form))

    simulate(netlist, netlist.inputs.columns(feeds), watch)
    found: dict[Element, Place] = {}
    for node in graph:
        for index in np.ndindex(node.type.shape):
            form = form_of(integer[node.name][(slice(None), *index)])
            cell, held = known.get(form.key, (0, None)) if form else (0, None)
            if form is not None and held is not None:
                found[node.name, index] = Place(cell, form.zeros - held.zeros, form.minus != held.minus)
    return found


def form_of(column: Ints) -> Form | None:
    """Return the form of a column, or None if it never changes."""
    if column.min() == column.max():
        return None
    bits = int(np.bitwise_or.reduce(column))
    zeros = (bits & -bits).bit_length() - 1
    plain = column >> zeros
    minus = bool(plain[np.flatnonzero(plain)[0]] < 0)
    data = np.ascontiguousarray(-plain if minus else plain, dtype=np.int64).tobytes()
    return Form(hashlib.blake2b(data, digest_size=16).digest(), zeros, minus)
