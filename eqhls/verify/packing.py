"""Cells of a mapped netlist as the device counts them: LUTs one by one, in pairs, and shift registers.

A LUT6 of the device has two outputs, and holds two functions that together read at most five signals. Yosys
writes every function as a LUT of its own, so that a full adder counts twice. Two LUTs that feed a carry chain
stand at different places of it, and never share.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LUT = re.compile(r"LUT[1-6]$")
SHIFT = re.compile(r"SRL(16|C16|C32)E$")
CARRY = re.compile(r"CARRY\d")
SHARED = 5
"""The signals that the two functions of one LUT may read together."""
NEAREST = 200
"""Readers of one signal among which a partner is looked for: some signals have thousands."""
Module = Sequence[Mapping[str, Any]]
"""The cells of a module in Yosys' JSON."""


@dataclass(frozen=True, slots=True)
class Function:
    """The signals that a LUT reads, and whether it is a place of a carry chain."""

    reads: frozenset[int]
    chained: bool


def kinds(cells: Module) -> Counter[str]:
    """Return how many cells there are of each type."""
    return Counter(cell["type"] for cell in cells)


def functions(cells: Module) -> list[Function]:
    """Return the LUTs of a module."""
    chains = {bit for c in cells if CARRY.match(c["type"]) for bit in _bits(c, "S")}
    return [
        Function(frozenset(_bits(c, "I")), not chains.isdisjoint(_bits(c, "O")))
        for c in cells
        if LUT.match(c["type"])
    ]


def _bits(cell: Mapping[str, Any], prefix: str) -> Iterator[int]:
    """Return the signals at the ports of a cell whose names begin so; constants are not signals."""
    for port, bits in cell["connections"].items():
        if port.startswith(prefix):
            yield from (bit for bit in bits if isinstance(bit, int))


def packed(luts: Iterable[Function]) -> int:
    """Return how many LUTs are left if pairs share one wherever they can, chosen greedily: each LUT in turn,
    those of most signals first, takes the partner that shares most signals with it."""
    ordered = sorted(luts, key=lambda f: (-len(f.reads), sorted(f.reads), f.chained))
    small = [f for f in ordered if len(f.reads) <= SHARED]
    readers: defaultdict[int, list[int]] = defaultdict(list)
    for k, function in enumerate(small):
        for bit in function.reads:
            readers[bit].append(k)
    alone = set(range(len(small)))
    pairs = 0
    for k, function in enumerate(small):
        if k not in alone:
            continue
        alone.discard(k)
        near = {j for bit in sorted(function.reads) for j in readers[bit][:NEAREST]} & alone
        fitting = [j for j in near if _share(function, small[j])]
        if fitting:
            alone.discard(min(fitting, key=lambda j: (-len(function.reads & small[j].reads), j)))
            pairs += 1
    return len(ordered) - pairs


def _share(a: Function, b: Function) -> bool:
    return len(a.reads | b.reads) <= SHARED and not (a.chained and b.chained)
