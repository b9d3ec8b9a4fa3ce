"""What a trace says: the first place where two engines part, the error of every op, ranges and formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from eqhls.engines import Ints
from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.trace.floats import Real
from eqhls.trace.seen import Flags, Seen, Values
from eqhls.verify.envelope import rms

QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Parting:
    """The first place, in the order of the graph, where two engines part: the value and its op, an event and
    an element of it, both numbers in real units, how far apart they may lie (0 for engines of bits), how many
    numbers of this value part, and how many saturated there."""

    value: str
    op: str
    event: int
    element: tuple[int, ...]
    want: float
    found: float
    limit: float
    numbers: int
    saturated: int = 0


@dataclass(frozen=True, slots=True)
class Range:
    """How a value uses its formats: the smallest and largest number seen in real units, the share of the
    range of its formats that lies between them (of the component that uses most), bits at the top and at
    the bottom of the word that no number needs, and how many numbers saturated or wrapped. `sizes` are the
    smallest, the quartiles and the largest of the absolute values of the numbers that are not 0, and empty if
    all are; `zeros` is the share of those that are."""

    low: float
    high: float
    used: float
    top: int
    bottom: int
    saturated: int
    wrapped: int
    sizes: tuple[float, ...]
    zeros: float


@dataclass(frozen=True, slots=True)
class Row:
    """A value: its op, formats and type; in LSB the rms and the largest difference of integers from floats,
    the rms of what is allowed, and the rms that its own op adds; numbers beyond the bound; the rms over the
    spread of the value (0 if it never changes); numbers that the engines of bits have wrong and elements
    that exist in them, by engine."""

    value: str
    op: str
    formats: str
    elements: int
    of_given: bool
    rms: float
    largest: float
    limit: float
    own: float
    beyond: int
    relative: float
    range: Range
    wrong: Mapping[str, int]
    exists: Mapping[str, int]


def rows(
    graph: Graph,
    floats: Mapping[str, Real],
    integer: Mapping[str, Ints],
    engines: Mapping[str, Values],
    saturated: Mapping[str, int],
) -> tuple[Row, ...]:
    """Return a row for every value of a compiled graph, in its order."""
    return tuple(_row(graph, n, floats[n.name], integer, engines, saturated.get(n.name, 0)) for n in graph)


def _row(
    graph: Graph,
    node: Node,
    real: Real,
    integer: Mapping[str, Ints],
    engines: Mapping[str, Values],
    saturated: int,
) -> Row:
    raw, lsb = integer[node.name], node.type.formats.lsb
    error, own = raw * lsb - real.value, _own(graph, node, integer)
    spread = float(real.value.std(axis=0).max(initial=0.0))
    held = {e: v[node.name] for e, v in engines.items() if node.name in v}
    return Row(
        value=node.name,
        op=node.op.name(),
        formats="|".join(str(Fixed(f.width, f.integer, f.signed)) for f in node.type.formats),
        elements=node.type.elements,
        of_given=real.given,
        rms=rms(error / lsb),
        largest=float(np.abs(error / lsb).max(initial=0.0)),
        limit=rms(real.limit / lsb),
        own=rms(own / lsb),
        beyond=int(beyond(raw, node, real).sum()),
        relative=rms(error) / spread if spread else 0.0,
        range=_range(node, raw, own, saturated),
        wrong={e: int(s.wrong.sum()) for e, s in held.items()},
        exists={e: int(held[e].exists.sum()) if e in held else 0 for e in engines},
    )


def beyond(raw: Ints, node: Node, real: Real) -> Flags:
    """Return which numbers lie further from the float network than the roundings explain."""
    return np.abs(raw * node.type.formats.lsb - real.value) > real.limit


def _own(graph: Graph, node: Node, integer: Mapping[str, Ints]) -> Floats:
    """Return what an op adds to the error: its integers less its float reference of the integers it read."""
    if node.op.source:
        return np.zeros(integer[node.name].shape)
    args = (integer[n] * graph.node(n).type.formats.lsb for n in node.inputs)
    return integer[node.name] * node.type.formats.lsb - node.op.reference(graph.types_into(node), *args)


def _range(node: Node, raw: Ints, own: Floats, saturated: int) -> Range:
    forms = node.type.formats.each(node.type.dim)
    columns = [raw[..., d].ravel() for d in range(node.type.dim)]
    ends = [(int(c.min()), int(c.max())) for c in columns]
    spans = [f.hi - f.lo for f in forms]
    wraps = [f for f in node.op.rounds_to() if not f.overflow.saturates]
    sizes = np.abs(raw * node.type.formats.lsb)
    some = sizes[sizes > 0]
    lost = np.abs(own) >= min((f.hi - f.lo) * f.lsb / 2 for f in wraps) if wraps else np.zeros(1, dtype=bool)
    return Range(
        low=min(lo * f.lsb for f, (lo, _) in zip(forms, ends, strict=True)),
        high=max(hi * f.lsb for f, (_, hi) in zip(forms, ends, strict=True)),
        used=max((hi - lo) / s if s else 1.0 for (lo, hi), s in zip(ends, spans, strict=True)),
        top=min(_top(f, lo, hi) for f, (lo, hi) in zip(forms, ends, strict=True)),
        bottom=min(_bottom(f, c) for f, c in zip(forms, columns, strict=True)),
        saturated=saturated,
        wrapped=int(lost.sum()),
        sizes=tuple(float(f"{q:.6g}") for q in np.quantile(some, QUARTILES)) if some.size else (),
        zeros=round(1.0 - some.size / sizes.size, 6),
    )


def _top(form: Fixed, lo: int, hi: int) -> int:
    """Return how many bits at the top are the same as the sign, or 0, in all numbers."""
    needed = max(max(hi, 0).bit_length(), (~lo).bit_length() if lo < 0 else 0) + form.signed
    return form.width - max(needed, 1)


def _bottom(form: Fixed, column: Ints) -> int:
    """Return how many bits at the bottom are 0 in all numbers."""
    bits = int(np.bitwise_or.reduce(column)) if len(column) else 0
    return (bits & -bits).bit_length() - 1 if bits else form.width


def first_float(
    graph: Graph, floats: Mapping[str, Real], integer: Mapping[str, Ints], saturated: Mapping[str, int]
) -> Parting | None:
    """Return the first value of which a number lies further from the float network than its bound, and of
    its numbers the one that is furthest beyond."""
    for node in graph:
        real, raw = floats[node.name], integer[node.name]
        flags = beyond(raw, node, real)
        if flags.any():
            found = raw * node.type.formats.lsb
            excess = np.where(flags, np.abs(found - real.value) - real.limit, -np.inf)
            event, *element = np.unravel_index(int(excess.argmax()), excess.shape)
            at = (event, *element)
            return Parting(
                node.name,
                node.op.name(),
                int(event),
                tuple(map(int, element)),
                float(real.value[at]),
                float(found[at]),
                float(real.limit[at]),
                int(flags.sum()),
                saturated.get(node.name, 0),
            )
    return None


def first_bits(graph: Graph, integer: Mapping[str, Ints], values: Values) -> Parting | None:
    """Return the first value that an engine of bits has wrong: the first event, and its first element."""
    for node in graph:
        seen = values.get(node.name)
        if seen is not None and seen.wrong.any():
            return _first_wrong(node, integer[node.name], seen)
    return None


def _first_wrong(node: Node, want: Ints, seen: Seen) -> Parting:
    event, *element = np.unravel_index(int(seen.wrong.argmax()), seen.wrong.shape)
    lsb = node.type.format_of(int(element[-1])).lsb
    at = (event, *element)
    return Parting(
        node.name,
        node.op.name(),
        int(event),
        tuple(map(int, element)),
        float(want[at] * lsb),
        float(seen.raw[at] * lsb),
        0.0,
        int(seen.wrong.sum()),
    )


def worst(found: Iterable[Row], count: int = 10) -> tuple[Row, ...]:
    """Return the values whose error is largest, relative to their spread."""
    return tuple(sorted((r for r in found if r.relative), key=lambda r: -r.relative)[:count])
