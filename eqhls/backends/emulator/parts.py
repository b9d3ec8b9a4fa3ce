"""The cells in an order that keeps few values at once, cut into functions, and where values wait between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from eqhls.lower.netlist import Netlist, operands

LONGEST = 200
"""Cells of one function: compilers need more than twice the time for twice as many."""


@dataclass(frozen=True, slots=True)
class Part:
    """A function: its cells in order, those that it reads from the store, and those that it leaves there."""

    cells: tuple[int, ...]
    reads: tuple[int, ...]
    keeps: tuple[int, ...]


def depth_first(netlist: Netlist) -> list[int]:
    """Return the cells that an output depends on, each right behind the last of those that it reads: a value
    is read soon after it was made."""
    done: set[int] = set()
    order: list[int] = []
    for result in netlist.results:
        stack = [(result.cell, False)]
        while stack:
            k, ready = stack.pop()
            if k in done:
                continue
            if ready:
                done.add(k)
                order.append(k)
                continue
            stack.append((k, True))
            stack += [(o.cell, False) for o in reversed(operands(netlist.cells[k])) if o.cell not in done]
    return order


def parts(netlist: Netlist, order: Sequence[int]) -> tuple[Part, ...]:
    """Cut the cells into functions. The results stay in the store."""
    pieces = [order[k : k + LONGEST] for k in range(0, len(order), LONGEST)]
    home = {k: number for number, piece in enumerate(pieces) for k in piece}
    away = {o.cell for o in netlist.results}
    reads: list[tuple[int, ...]] = []
    for number, piece in enumerate(pieces):
        used = dict.fromkeys(o.cell for k in piece for o in operands(netlist.cells[k]))
        reads.append(tuple(k for k in used if home[k] != number))
        away |= set(reads[-1])
    keeps = [tuple(k for k in piece if k in away) for piece in pieces]
    return tuple(Part(tuple(p), r, k) for p, r, k in zip(pieces, reads, keeps, strict=True))


@dataclass(frozen=True, slots=True)
class Store:
    """The place of every value that waits, counted in its lane, and how many places each lane has."""

    places: Mapping[int, int]
    sizes: Mapping[int, int]


def store(netlist: Netlist, cut: Sequence[Part], lane: Callable[[int], int]) -> Store:
    """Give every value that waits a place; it is free again behind the last function that reads it, so that
    the store stays small enough for the nearest cache."""
    last = {k: number for number, part in enumerate(cut) for k in part.reads}
    last |= {o.cell: len(cut) for o in netlist.results}
    places: dict[int, int] = {}
    free: defaultdict[int, list[int]] = defaultdict(list)
    sizes: defaultdict[int, int] = defaultdict(int)
    for number, part in enumerate(cut):
        for k in part.keeps:
            if free[lane(k)]:
                places[k] = free[lane(k)].pop()
            else:
                places[k] = sizes[lane(k)]
                sizes[lane(k)] += 1
        for k in part.reads:
            if last[k] == number:
                free[lane(k)].append(places[k])
    return Store(places, dict(sizes))
