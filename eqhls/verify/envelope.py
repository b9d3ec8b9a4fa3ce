"""How far a quantized network may lie from the network that it was made of: a bound composed from its ops.

Every op says how far its exact body may lie from its float reference (`Op.rounding`), and a rounded weight
lies within half an LSB of the given one. The envelope is how far the outputs move if all of these errors
act at once: the quantized graph is evaluated in float64 with every value and every rounded weight moved by
its full error, in patterns of signs (docs/adr/0018-the-proof-begins-at-the-file.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats, Op, Tensor

SAFETY = 3.0
"""How much more than the drawn errors may change a single number. Half of the patterns act with errors that
are larger by it, since three times the change of an output is not the change by three times the error: a
small error may leave a ReLU closed that a larger one opens."""
AVERAGE = 2.0
"""How much more than the drawn errors may change an output on average (rms)."""
FLOAT_ERROR = 1e-9
"""What another order of float64 operations may change, relative to the largest output."""
Ranges = Mapping[str, tuple[Fixed, ...]]
"""Formats that the user asked for, by value: their ranges are part of the network."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way in which errors act together. `coherent` errors have one sign for each op; others have one
    for each number, and for each event if `events`. `sign` fixes all of them (0: random). If `back`, rounded
    weights move towards the given ones instead, as far as half an LSB allows."""

    coherent: bool
    events: bool = False
    uniform: bool = False
    sign: int = 0
    back: bool = False

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Return factors from -1 to 1 for errors of values of shape (events, ...)."""
        if self.coherent:
            return np.full((1,) * len(shape), self.sign or rng.choice((-1.0, 1.0)), dtype=np.float64)
        size = shape if self.events else (1, *shape[1:])
        return rng.uniform(-1, 1, size) if self.uniform else rng.choice((-1.0, 1.0), size)


TRUNCATED = (Pattern(True, sign=-1), Pattern(True, sign=1))
"""Truncation errs in one direction everywhere."""
BACK = Pattern(False, events=True, back=True)
"""The weights err as they do: few signs drawn at random come near to it if there are many weights."""
DRAWN = (
    Pattern(True),
    Pattern(False),
    Pattern(False, events=True),
    Pattern(False, events=True, uniform=True),
)
PATTERNS = tuple(product((*TRUNCATED, BACK, *DRAWN), (1.0, SAFETY), (False, True)))
"""What is tried: a pattern, the factor of its errors, and whether only the given ranges act."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """How far one output may lie from the given network: `limit` for each number of each event, shape
    (events, *axes, components), and `share`, how much of it may be used on average (rms; more than 0)."""

    limit: Floats
    share: float

    def used(self, difference: Floats) -> Floats:
        """Return the share of the limit that a difference takes; infinite if it takes some of none."""
        some = np.where(difference == 0, 0.0, np.inf)
        return np.divide(np.abs(difference), self.limit, out=some, where=self.limit > 0)

    def holds(self, difference: Floats) -> NDArray[np.bool_]:
        """Return, for each event, whether a difference lies inside; never if its rms does not."""
        if self.ratio(difference) > 1:
            return np.zeros(len(difference), dtype=bool)
        return np.asarray((self.used(difference) <= 1).reshape(len(difference), -1).all(axis=1))

    def ratio(self, difference: Floats) -> float:
        """Return the rms of the used shares over the one that is allowed: 1 is the most that holds."""
        return rms(self.used(difference)) / self.share


def rms(x: Floats) -> float:
    """Return the root mean square of all numbers, 0 for none."""
    return float(np.sqrt((x**2).mean())) if x.size else 0.0


def envelopes(
    given: Graph, quantized: Graph, feeds: Mapping[str, Floats], ranges: Ranges | None = None, seed: int = 7
) -> tuple[Envelope, ...]:
    """Return how far each output of `quantized` may lie from that of `given`.

    `quantized` is what `eqhls.quantize` made of `given`, before any rewrite, with the formats `ranges` that
    were asked for; `feeds` are the values of the ports in real units, shape (events, *axes, components).
    """
    plain = forward(quantized, feeds)
    found = [c for _, c in _changes(given, quantized, feeds, ranges, seed, plain, quantized.outputs)]
    return tuple(_envelope(plain[name], [c[name] for c in found]) for name in quantized.outputs)


@dataclass(frozen=True, slots=True)
class Bound:
    """How far each number of a value may lie from the given network, shape (events, *axes, components):
    `limit` if nothing saturates, and `clipped` with the ranges of the compiler acting in all patterns."""

    limit: Floats
    clipped: Floats


def bounds(
    given: Graph, quantized: Graph, feeds: Mapping[str, Floats], ranges: Ranges | None = None, seed: int = 7
) -> dict[str, Bound]:
    """Return for every value of `quantized` what `envelopes` says of the outputs."""
    plain = forward(quantized, feeds)
    names = tuple(n.name for n in quantized)
    widest = {n: (np.zeros_like(plain[n]), np.zeros_like(plain[n])) for n in names}
    for ideal, found in _changes(given, quantized, feeds, ranges, seed, plain, names):
        for name, change in found.items():
            limit, clipped = widest[name]
            widest[name] = np.maximum(limit, change), clipped if ideal else np.maximum(clipped, change)
    return {name: Bound(*(_limit(plain[name], w) for w in both)) for name, both in widest.items()}


def _changes(
    given: Graph,
    quantized: Graph,
    feeds: Mapping[str, Floats],
    ranges: Ranges | None,
    seed: int,
    plain: Mapping[str, Floats],
    names: tuple[str, ...],
) -> Iterator[tuple[bool, dict[str, Floats]]]:
    """Yield what every pattern of errors changes of some values, and whether only the given ranges act."""
    own = counterparts(given, quantized)
    kept = {n for n, op in own.items() if op == quantized.node(n).op} | set(ranges or {})
    for k, (pattern, scale, ideal) in enumerate(PATTERNS):
        errors = Errors(own, pattern, scale, np.random.default_rng((seed, k)))
        bounded = kept if ideal else {n.name for n in quantized}
        moved = _moved(quantized, feeds, errors, bounded)
        yield ideal, {name: np.abs(moved[name] - plain[name]) * (SAFETY / scale) for name in names}


def _envelope(plain: Floats, changes: list[Floats]) -> Envelope:
    """Events in which the patterns happen to cancel get the mean of all on top."""
    limit = _limit(plain, np.max(changes, axis=0))
    return Envelope(limit, min(AVERAGE / SAFETY * max(rms(c / limit) for c in changes) + FLOAT_ERROR, 1.0))


def _limit(plain: Floats, widest: Floats) -> Floats:
    typical = widest.mean(axis=0) if len(widest) else 0.0
    return widest + typical + FLOAT_ERROR * max(1.0, float(np.abs(plain).max(initial=0.0)))


def forward(graph: Graph, feeds: Mapping[str, Floats], ranges: Ranges | None = None) -> dict[str, Floats]:
    """Return every value in float64, within the ranges of the formats that the graph has, and within those
    that were asked for by name."""
    events = len(next(iter(feeds.values())))
    values: dict[str, Floats] = {}
    for node in graph:
        if node.op.source:
            value = np.asarray(feeds[node.name], dtype=np.float64)
        else:
            value = node.op.bounded(graph.types_into(node), *(values[n] for n in node.inputs))
        if ranges and node.name in ranges:
            lsb, low, high = np.array([(f.lsb, f.lo, f.hi) for f in ranges[node.name]]).T
            value = np.clip(value, low * lsb, high * lsb)
        values[node.name] = value
    return values | {n: np.broadcast_to(values[n], (events, *values[n].shape[1:])) for n in graph.outputs}


def counterparts(given: Graph, quantized: Graph) -> dict[str, Op]:
    """Return the op of the given network behind each value of the quantized graph that has one: under the
    same name, or, if the name of an output went to its rounding, in front of that."""
    found: dict[str, Op] = {}
    for node in given:
        try:
            made = quantized.node(node.name)
        except CompileError:
            continue
        if type(made.op) is not type(node.op) and made.inputs:
            made = quantized.node(made.inputs[0])
        if type(made.op) is type(node.op):
            found[made.name] = node.op
    return found


@dataclass(frozen=True, slots=True)
class Errors:
    """All errors of a quantized graph as one pattern draws them, times `scale`. `own` holds the op of the
    given network behind each value."""

    own: Mapping[str, Op]
    pattern: Pattern
    scale: float
    rng: np.random.Generator

    def of_values(self, error: Floats, shape: tuple[int, ...]) -> Floats:
        """Return errors of values of shape (events, ...), each at most `scale` times `error`."""
        return self.scale * error * self.pattern.draw(self.rng, shape)

    def of_weights(self, value: Floats, old: object) -> Floats:
        """Return errors of a rounded tensor: half an LSB of it, or the change that quantization made if
        that is less and the given tensor is known."""
        error = 0.5 * _step(value)
        signs = self.pattern.draw(self.rng, (1, *value.shape))[0]
        if isinstance(old, Tensor) and old.shape == value.shape:
            change = old.array - value
            error = np.minimum(error, np.abs(change))
            signs = np.sign(change) if self.pattern.back else signs
        return self.scale * error * signs


def _moved(
    quantized: Graph, feeds: Mapping[str, Floats], errors: Errors, bounded: Collection[str]
) -> dict[str, Floats]:
    """Return the values of the quantized graph with all errors acting. Ops that are not `bounded` stand for
    what they replace, without a floor or a range of their own."""
    values: dict[str, Floats] = {}
    for node in quantized:
        if node.op.source:
            values[node.name] = np.asarray(feeds[node.name], dtype=np.float64)
            continue
        types, args = quantized.types_into(node), tuple(values[n] for n in node.inputs)
        op = shaken(node.op, errors.own.get(node.name), errors)
        value = op.bounded(types, *args) if node.name in bounded else op.ideal(types, *args)
        error = np.asarray(op.rounding(types))
        values[node.name] = value + errors.of_values(error, value.shape) if error.any() else value
    return values


def shaken(op: Op, before: Op | None, errors: Errors) -> Op:
    """Return an op with each rounded weight moved by its error. `before` is the op of the given network."""
    changed: dict[str, Tensor] = {}
    for field in fields(op):
        value = getattr(op, field.name)
        old = getattr(before, field.name, None) if type(before) is type(op) else None
        if isinstance(value, Tensor) and value != old:
            changed[field.name] = Tensor(value.array + errors.of_weights(value.array, old))
    return replace(op, **changed) if changed else op


def _step(weights: Floats) -> Floats:
    """Return the unit of the last place of weights, one for each map of pairs (the last of three axes)."""
    if weights.ndim != 3:
        return np.array(_unit(weights))
    return np.array([_unit(weights[..., k]) for k in range(weights.shape[-1])])


def _unit(weights: Floats) -> float:
    """Return the largest power of two of which all weights are multiples; 0 if they have over 40 bits."""
    for bits in range(-16, 40):
        scaled: Floats = weights * 2.0**bits
        if (scaled == np.rint(scaled)).all():
            return 2.0**-bits
    return 0.0
