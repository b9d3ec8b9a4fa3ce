"""What a tracer remembers of factors: the values of codes, and which products bodies asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Codes:
    """The values of wires that come from tables."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[Any, frozenset[int]]] = {}

    def keep(self, wire: Any, entries: Sequence[int]) -> Any:
        """Remember the entries of the table behind a wire, which is kept so that its id stays its own."""
        self._values[id(wire)] = (wire, frozenset(map(int, entries)))
        return wire

    def powers(self, wire: Any) -> list[int]:
        """Return the places of the bits of a wire if never more than one of them is set, by the entries of
        the table that it comes from, and if there are two or more; an empty list for every other wire."""
        _, values = self._values.get(id(wire), (None, frozenset[int]()))
        if any(v < 0 or v & (v - 1) for v in values):
            return []
        places = sorted(v.bit_length() - 1 for v in values if v)
        return places if len(places) > 1 else []


class Asked:
    """The products of two variables that bodies ask for, in this order, and their sizes in bits: w1 w2."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self.sizes: list[int] = []

    def number(self, factors: tuple[int, int], size: int) -> int:
        """Return the place of the product of two factors, by their numbers."""
        if factors not in self._numbers:
            self._numbers[factors] = len(self.sizes)
            self.sizes.append(size)
        return self._numbers[factors]
