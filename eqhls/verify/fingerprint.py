"""The engine of identities: it shows which permutations of the inputs a network cannot tell from none.

Every entry of a port is a random element of a finite field. Sums, products and choices between two values
are computed in the field, whatever is not polynomial (a table, a cut, a wrap) is a random function of its
argument. Two results are then equal, but for a chance of about 2**-60, only if they are the same polynomial
of the same functions of the inputs, which makes them equal for every event. The bodies of the ops are all
that is asked: no op has to say anything about its symmetries, and none can say something wrong.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import reduce
from itertools import product
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed import Num, NumArray, element
from eqhls.ir.graph import Graph, Node

PRIMES = ((1 << 31) - 1, (1 << 31) - 19)
"""A wire holds an element of each of two fields: no constant of 63 bits is zero in both."""
FIELD = np.array(PRIMES, dtype=np.int64)[:, None]
Wire = NDArray[np.int64]
"""Field elements of shape (2, cases)."""
Prints = NDArray[np.uint64]
"""Fingerprints of a result, of shape (cases, *axes, components)."""
Orders = Mapping[tuple[str, int], NDArray[np.int64]]
"""A permutation for axes of the ports, by name and size: entry k is taken from order[k]."""
Turn = tuple[NDArray[np.int64], ...]
"""The permutation of each axis of a result."""


class Fingerprints:
    """The engine; every wire holds one value for each case."""

    def __init__(self) -> None:
        self._functions: dict[Hashable, int] = {}

    def add(self, a: Wire, b: Wire, lo: int, hi: int) -> Wire:
        return (a + b) % FIELD

    def sub(self, a: Wire, b: Wire, lo: int, hi: int) -> Wire:
        return (a - b) % FIELD

    def mul(self, a: Wire, b: Wire, lo: int, hi: int) -> Wire:
        return a * b % FIELD

    def add_const(self, a: Wire, value: int, lo: int, hi: int) -> Wire:
        return (a + _constant(value)) % FIELD

    def mul_const(self, a: Wire, value: int, lo: int, hi: int) -> Wire:
        return a * _constant(value) % FIELD

    def shift_left(self, a: Wire, bits: int) -> Wire:
        return a * _constant(1 << bits) % FIELD

    def shift_right(self, a: Wire, bits: int) -> Wire:
        return self._function(("shift_right", bits), a)

    def wrap(self, a: Wire, width: int, signed: bool) -> Wire:
        return self._function(("wrap", width, signed), a)

    def relu(self, a: Wire) -> Wire:
        return self._function(("relu",), a)

    def nonzero(self, a: Wire) -> Wire:
        return self._function(("nonzero",), a)

    def largest(self, terms: Sequence[Wire], lo: int, hi: int) -> Wire:
        """A function of all terms alike: of the sum of functions of each."""
        total = sum((self._function(("a term of the largest",), a) for a in terms), np.zeros_like(terms[0]))
        return self._function(("largest",), total % FIELD)

    def select(self, cond: Wire, yes: Wire | int, no: Wire | int, lo: int, hi: int) -> Wire:
        """A condition is 0 or 1, so that a choice is a polynomial."""
        first, second = (_constant(v) if isinstance(v, int) else v for v in (yes, no))
        return (second + cond * ((first - second) % FIELD)) % FIELD

    def table(self, a: Wire, first: int, entries: Sequence[int]) -> Wire:
        return self._function(("table", first, tuple(entries)), a)

    def matvec(
        self, matrix: Sequence[Sequence[int]], x: Sequence[Wire], spans: Sequence[tuple[int, int]]
    ) -> Sequence[Wire]:
        inputs = np.stack(x)
        weights = [np.stack([_constant(w) for w in row]) for row in matrix]
        return [(row * inputs % FIELD).sum(axis=0) % FIELD for row in weights]

    def _function(self, key: Hashable, a: Wire) -> Wire:
        """Return a random function of all lanes together; functions of equal keys are the same."""
        number = self._functions.setdefault(key, len(self._functions) + 1)
        mixed = _mix(_joined(a) + np.uint64((number * 0x9E3779B97F4A7C15) % (1 << 64)))
        return _split(mixed)


def prints(
    graph: Graph,
    cases: Sequence[Orders],
    seed: int = 0,
    redrawn: Sequence[str] = (),
    moved: Sequence[str] = (),
) -> list[Prints]:
    """Return the fingerprints of every output for the same random inputs, permuted as each case says.

    The ports that are `redrawn` hold other random values in each case; to all entries of those that are
    `moved` the same vector is added, another one in each case.
    """
    rng, engine = np.random.default_rng(seed), Fingerprints()
    feeds: dict[str, NumArray] = {}
    sizes = {graph.node(name).type.dim for name in moved}
    vectors = rng.integers(0, PRIMES[1], (len(PRIMES), len(cases), max(sizes, default=1)))
    for node in graph.inputs:
        fresh = len(cases) if node.name in redrawn else 1
        symbols = rng.integers(0, PRIMES[1], (fresh, len(PRIMES), *node.type.shape))
        values = np.stack([_permuted(node, symbols[k % fresh], case) for k, case in enumerate(cases)], axis=1)
        if node.name in moved:
            step = vectors.reshape(*vectors.shape[:2], *(1 for _ in node.type.axes), -1)
            values = (values + step) % FIELD.reshape(-1, *(1 for _ in values.shape[1:]))
        feeds[node.name] = _loaded(engine, node, values)
    results = graph.run(feeds)
    return [_printed(results[n.name], n, len(cases)) for n in graph.results]


def turns(before: NDArray[Any], after: NDArray[Any]) -> Turn | None:
    """Return permutations of the axes of `before` (*axes, components) that make it `after`: entry k of an
    axis is taken from entry turn[k]. None if no such permutations were found."""
    axes = range(before.ndim - 1)
    found: list[NDArray[np.int64]] = []
    for axis in axes:
        turn = _matched(_rows(before, axis), _rows(after, axis))
        if turn is None:
            return None
        found.append(turn)
    same = np.array_equal(turned(before, tuple(found)), after)
    return tuple(found) if same else None


def turned(x: NDArray[Any], turn: Turn, lead: int = 0) -> NDArray[Any]:
    """Return x with each axis, behind `lead` others, in its new order."""
    return reduce(lambda v, k: np.take(v, turn[k], axis=lead + k), range(len(turn)), x)


def still(turn: Turn) -> bool:
    """Whether nothing is moved."""
    return all((order == np.arange(len(order))).all() for order in turn)


def same_when_moved(graph: Graph, ports: Sequence[str]) -> bool:
    """Whether all outputs stay as they are if one vector is added to all entries of these ports."""
    return all((p[0] == p[1]).all() for p in prints(graph, ({}, {}), moved=ports))


def depends(graph: Graph, ports: Sequence[str]) -> bool:
    """Whether any output changes with the values of these ports."""
    return any((p[0] != p[1]).any() for p in prints(graph, ({}, {}), redrawn=ports))


def _permuted(node: Node, symbols: Wire, orders: Orders) -> Wire:
    for k, axis in enumerate(node.type.axes):
        order = orders.get((axis.name, axis.size))
        symbols = symbols if order is None else np.take(symbols, order, axis=1 + k)
    return symbols


def _loaded(engine: Fingerprints, node: Node, values: Wire) -> NumArray:
    out = np.empty(node.type.shape, dtype=object)
    for index in product(*(range(n) for n in node.type.shape)):
        form = node.type.format_of(index[-1])
        wire = np.ascontiguousarray(values[(slice(None), slice(None), *index)])
        out[index] = Num(cast(Any, engine), wire, form.lo, form.hi, form.frac)
    return out


def _printed(nums: NumArray, node: Node, cases: int) -> Prints:
    out = np.empty((cases, *node.type.shape), dtype=np.uint64)
    for index in product(*(range(n) for n in node.type.shape)):
        num = element(nums, index).at(node.type.format_of(index[-1]).frac)
        wire = np.broadcast_to(_constant(num.lo), (len(PRIMES), cases)) if num.is_const else num.wire
        out[(slice(None), *index)] = _joined(wire)
    return out


def _joined(a: Wire) -> Prints:
    return (a[0].astype(np.uint64) << np.uint64(31)) | a[1].astype(np.uint64)


def _split(a: Prints) -> Wire:
    halves = a >> np.uint64(32), a & np.uint64(0xFFFFFFFF)
    return np.stack([half.astype(np.int64) for half in halves]) % FIELD


def _constant(value: int) -> Wire:
    return np.array([[value % p] for p in PRIMES], dtype=np.int64)


def _mix(a: Prints) -> Prints:
    """Return the finaliser of splitmix64 (Steele, Lea, Flood 2014), a bijection that scatters its bits."""
    a = (a ^ (a >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    a = (a ^ (a >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return a ^ (a >> np.uint64(31))


def _rows(x: NDArray[Any], axis: int) -> Prints:
    """Return one number for each entry of an axis that does not change if the other axes are permuted."""
    components = np.arange(x.shape[-1], dtype=np.uint64)
    scattered = _mix(x.astype(np.uint64) + components * np.uint64(0x9E3779B97F4A7C15))
    others = tuple(k for k in range(x.ndim) if k != axis)
    return np.asarray(_mix(scattered).sum(axis=others, dtype=np.uint64))


def _matched(before: Prints, after: Prints) -> NDArray[np.int64] | None:
    """Return turn with before[turn] == after that leaves in place what may stay, or None."""
    if not np.array_equal(np.sort(before), np.sort(after)):
        return None
    turn = np.arange(len(before))
    moved = np.flatnonzero(before != after)
    first, second = moved[np.argsort(before[moved])], moved[np.argsort(after[moved])]
    turn[second] = first
    return turn
