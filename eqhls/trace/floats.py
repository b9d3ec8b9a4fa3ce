"""The float network beside the integers: its values by name, and how far the integers may lie from them.

A value that quantization and the rewrites left as it was is checked against the network as it was given. Any
other, such as the parts into which a rewrite took an op, is checked against the float references of the
compiled graph, whose weights are rounded already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eqhls.engines import Ints
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats, Reading
from eqhls.trace.seen import Flags
from eqhls.verify.envelope import bounds, forward
from eqhls.verify.given import Given, asked, counted, saturated_events


@dataclass(frozen=True, slots=True)
class Real:
    """A value in the float network, and how far the integers may lie from it, (events, *axes, components)
    both. `given`: it is that of the network as it was given, not of the compiled graph."""

    value: Floats
    limit: Floats
    given: bool


def float_values(
    given: Given, compiled: Graph, feeds: Mapping[str, Ints], integer: Mapping[str, Ints]
) -> dict[str, Real]:
    """Return every value of the compiled graph in float64. All engines get the same inputs, those that are
    rounded to the formats of the ports."""
    floats = {n.name: feeds[n.name] * n.type.formats.lsb for n in compiled.inputs}
    plain, own = forward(compiled, floats), bounds(compiled, compiled, floats)
    known = _of_given(given, compiled, feeds, floats, integer)
    events = len(next(iter(floats.values())))
    return {
        n.name: known.get(n.name)
        or Real(_all(plain[n.name], n, events), _all(own[n.name].limit, n, events), False)
        for n in compiled
    }


def _of_given(
    given: Given,
    compiled: Graph,
    feeds: Mapping[str, Ints],
    floats: Mapping[str, Floats],
    integer: Mapping[str, Ints],
) -> dict[str, Real]:
    """Return the values that correspond to one of the given network: its counterpart was only rounded, and
    no rewrite gave it another scale."""
    ranges, events = asked(given), len(next(iter(floats.values())))
    sources = {n.name: s for n in given.quantized if (s := _source(given, n))}
    names = tuple(n.name for n in compiled if n.name in sources)
    before = given.quantized.evaluate(feeds, names) if names else {}
    plain = forward(given.simple, floats, ranges)
    limits = bounds(given.simple, given.quantized, floats, ranges)
    flags = saturated_events(given.quantized, feeds, counted(given, ranges))
    found: dict[str, Real] = {}
    for name in names:
        old, new = given.quantized.node(name), compiled.node(name)
        same = name in compiled.outputs or _same(old, before[name], new, integer[name])
        if old.type.shape == new.type.shape and same:
            value = _all(plain[sources[name]], old, events)
            found[name] = Real(value, _limit(limits[name].limit, limits[name].clipped, flags, old), True)
    return found


def _limit(limit: Floats, clipped: Floats, flags: Flags, node: Node) -> Floats:
    """In events in which something saturates, only errors that respect the ranges count: what a range cuts
    off is then seen where it is cut."""
    events = len(flags)
    shape = (events, *(1 for _ in node.type.shape))
    return np.where(flags.reshape(shape), _all(clipped, node, events), _all(limit, node, events))


def _source(given: Given, node: Node) -> str:
    """Return the value of the given network that a value of the quantized graph stands for, or nothing."""
    names = {n.name: n for n in given.simple}
    mine, read = names.get(node.name), names.get(node.inputs[0]) if node.inputs else None
    if mine is not None and (type(mine.op) is type(node.op) or node.op.reads is Reading.FORMAT):
        return mine.name if mine.type.shape == node.type.shape else ""
    if mine is not None or read is None or node.op.reads is not Reading.FORMAT:
        return ""
    return read.name if read.type.shape == node.type.shape else ""


def _same(old: Node, before: Ints, new: Node, after: Ints) -> bool:
    return bool((before * old.type.formats.lsb == after * new.type.formats.lsb).all())


def _all(value: Floats, node: Node, events: int) -> Floats:
    """Return a value for every event; constants are computed once."""
    return np.broadcast_to(value, (events, *node.type.shape))
