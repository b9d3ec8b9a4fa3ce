"""The maps between particles, pairs and the event that commute with permutations, by name.

What a map computes is its source, spread over the entries of its place. Importers, layers, rewrites and
backends find weights by these names; references, bodies and C++ headers state the same maps for themselves,
so that each can be checked against the others.
"""

from __future__ import annotations

from typing import NamedTuple

SUMS = {"x": 0, "y": 0, "d": 0, "v": 0, "c": 1, "r": 1, "trace": 1, "whole": 1, "total": 2}
"""The sources, with the number of sums over particles that each is: x_ij, its transpose y_ij = x_ji, the
diagonal d_i = x_ii; particles v_i; c_j = sum_i x_ij and r_i = sum_j x_ij, the trace sum_i d_i, the whole
sum_i v_i; the total sum_ij x_ij."""
PLACES = ("pair", "row", "column", "sides", "corner", "all", "diagonal", "own")
"""Where a source goes: `pair` ij from ij; `row` i, `column` j, both `sides` or, if i = j, the `corner` of a
pair from particles; `all` entries, or those of the `diagonal`, from the event; `own` is an entry of a result
without pairs."""


class Map(NamedTuple):
    """One map: what it sums, and where the sum goes."""

    source: str
    place: str


Maps = tuple[Map, ...]
"""The maps of an op in the order of its weights."""


def maps_of(text: str) -> Maps:
    """Return maps written as source@place, separated by blanks."""
    found = tuple(Map(*item.split("@")) for item in text.split())
    assert all(m.source in SUMS and m.place in PLACES for m in found), text
    return found


def at(maps: Maps, place: str) -> dict[str, int]:
    """Return the sources that go to a place, each with the position of its map, in the order of the maps."""
    return {m.source: k for k, m in enumerate(maps) if m.place == place}


def sums(maps: Maps) -> tuple[int, ...]:
    """Return how many sums over particles each map is."""
    return tuple(SUMS[m.source] for m in maps)
