"""The network as the user gave it, and the integers checked against it.

A project keeps three graphs: the network as it was read (float64, before any rewrite), the quantized graph
before the rewrites that keep every bit, and the compiled graph. A network that brings the formats of all
its values must be met bit for bit; any other must be met inside the envelope of its roundings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints, hull, load, store
from eqhls.errors import CompileError
from eqhls.frontends.graphfile import graph_files, load_model
from eqhls.ir.graph import CHUNK, Graph, Node
from eqhls.ir.op import Floats, Reading
from eqhls.options import Options
from eqhls.passes import simplify
from eqhls.passes.structure import drop_dead, share_common
from eqhls.quantize.wishes import wishes
from eqhls.text import Project
from eqhls.verify.envelope import FLOAT_ERROR, Envelope, Ranges, counterparts, envelopes, forward, rms

Feeds = Mapping[str, Ints]
Flags = NDArray[np.bool_]
GIVEN, QUANTIZED = "given", "quantized"
"""The names of the graph files in model/, beside `graph` for the compiled one."""
EVENTS = 400
"""Events that are checked against the given network."""
ALGEBRA_ERROR = 1e-6
"""What the algebra before quantization may change, relative to the largest value of an output: another order
of sums that cancel (5e-8 for the LGN on words over the whole range of its ports)."""
ENOUGH = 40
"""Events without saturation that a comparison must have; smaller words are added if there are fewer."""


@dataclass(frozen=True, slots=True)
class Given:
    """The network as it was read, the same behind the algebra, whose values have the names that options
    use, the same quantized before any rewrite of bits, and the options, which may ask for formats."""

    network: Graph
    simple: Graph
    quantized: Graph
    options: Options

    @property
    def files(self) -> Project:
        """The files of a project that hold both graphs."""
        return {
            f"model/{name}": content
            for stem, graph in ((GIVEN, self.network), (QUANTIZED, self.quantized))
            for name, content in graph_files(graph, stem).items()
        }

    @property
    def exact(self) -> bool:
        """Whether quantization changed nothing, so that the network itself says every bit."""
        smallest = drop_dead(share_common(self.network))
        return _wiring(smallest) == _wiring(drop_dead(share_common(self.quantized)))


def _wiring(graph: Graph) -> tuple[object, ...]:
    return (*((n.name, n.op, n.inputs) for n in graph), graph.outputs)


def load_given(folder: Path, options: Options) -> Given:
    """Read the networks of a project folder. Raises CompileError if they are missing or damaged."""
    model = folder / "model"
    for stem in (GIVEN, QUANTIZED):
        if not (model / f"{stem}.eq").is_file():
            problem = f"the project has no model/{stem}.eq, the network that its proof starts from"
            raise CompileError(str(folder), problem, "compile the network again into this folder")
    network = load_model(model / f"{GIVEN}.eq")
    return Given(network, simplify(network), load_model(model / f"{QUANTIZED}.eq"), options)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The largest and the rms difference of an output from the given network, as measured."""

    largest: float
    rms: float

    @property
    def share(self) -> float:
        """The rms of what is used of the limit, with room for another order of float64 operations."""
        return (self.rms + FLOAT_ERROR) / (self.largest + FLOAT_ERROR) * (1 + FLOAT_ERROR)


@dataclass(frozen=True, slots=True)
class Held:
    """A comparison of integers with the given network: events compared, events that lie outside, and for
    the output that uses most of what is allowed: the largest difference, its rms, the rms of its limits,
    the part of them that is used (at most 1), and the spread of the output."""

    events: int
    outside: int
    largest: float
    rms: float
    limit: float
    used: float
    spread: float

    @property
    def ok(self) -> bool:
        return self.events > 0 and self.outside == 0


@dataclass(frozen=True, slots=True)
class Target:
    """What the outputs must be on some events: real values, shape (events, *axes, components) each, and
    how far the integers may lie from them; `saturated` events were left out. In `cut` of those that are
    compared a range that the options ask for cuts numbers off, in the given network as in the integers."""

    feeds: Feeds
    want: tuple[Floats, ...]
    allowed: tuple[Envelope, ...]
    exact: bool
    saturated: int
    cut: int = 0

    def held(self, compiled: Graph) -> Held:
        """Check the integers of a compiled graph against the given network, output by output."""
        raw = compiled.evaluate(self.feeds)
        pairs = zip(compiled.results, self.want, strict=True)
        differences = [raw[node.name] * node.type.formats.lsb - want for node, want in pairs]
        inside = [a.holds(d) for a, d in zip(self.allowed, differences, strict=True)]
        used = [a.ratio(d) for a, d in zip(self.allowed, differences, strict=True)]
        worst = int(np.argmax(used))
        return Held(
            events=len(differences[worst]),
            outside=int((~np.logical_and.reduce(inside)).sum()),
            largest=float(np.abs(differences[worst]).max(initial=0.0)),
            rms=rms(differences[worst]),
            limit=rms(self.allowed[worst].limit),
            used=used[worst],
            spread=float(self.want[worst].std()) if self.want[worst].size else 0.0,
        )

    def recorded(self, differences: Sequence[Recorded]) -> Target:
        """Return the same target with differences as limits that were measured when the project was
        compiled: what was measured once must be met again."""
        pairs = zip(self.want, differences, strict=True)
        limits = (
            Envelope(np.full_like(want, found.largest + FLOAT_ERROR), found.share) for want, found in pairs
        )
        return replace(self, allowed=tuple(limits))

    def differences(self, compiled: Graph) -> tuple[Recorded, ...]:
        """Measure, for each output, how far a compiled graph lies from the given network."""
        raw = compiled.evaluate(self.feeds)
        pairs = zip(compiled.results, self.want, strict=True)
        found = [np.abs(raw[node.name] * node.type.formats.lsb - want) for node, want in pairs]
        return tuple(Recorded(_upwards(float(f.max(initial=0.0))), _upwards(rms(f))) for f in found)


def target(given: Given, feeds: Feeds) -> Target:
    """Return what the given network says of events (raw integers by port), at most EVENTS of them.

    Events in which a value leaves the range that quantization chose for it are left out, for no rounding
    bounds what saturation does; they are counted. Raises CompileError if every event saturates.
    """
    first = {k: v[:EVENTS] for k, v in feeds.items()}
    if given.exact:
        network = given.network.formatted()
        raw = network.evaluate(first)
        want = tuple(raw[n.name] * n.type.formats.lsb for n in network.results)
        nothing = tuple(Envelope(np.zeros_like(w), 1.0) for w in want)
        return Target(first, want, nothing, True, 0)
    ranges = asked(given)
    chosen, lost = _unsaturated(given, first, ranges)
    floats = {n.name: chosen[n.name] * n.type.formats.lsb for n in given.quantized.inputs}
    cut = int(saturated_events(given.quantized, chosen, limited(given, ranges)).sum()) if ranges else 0
    values = forward(given.simple, floats, ranges)
    allowed = envelopes(given.simple, given.quantized, floats, ranges)
    want = tuple(values[n] for n in given.simple.outputs)
    return Target(chosen, want, allowed, False, lost, cut)


def _upwards(value: float) -> float:
    """Return a number rounded upwards to three digits: another order of float64 operations, as another
    processor has it, must not give another manifest."""
    if value < FLOAT_ERROR:
        return 0.0
    digits = 10.0 ** (2 - floor(log10(value)))
    return ceil(value * digits * (1 - FLOAT_ERROR)) / digits


def measured_differences(given: Given, compiled: Graph, feeds: Feeds) -> tuple[Recorded, ...]:
    """Measure how far a compiled graph lies from the given network; nothing if every event saturates."""
    try:
        return target(given, feeds).differences(compiled)
    except CompileError:
        return ()


def asked(given: Given) -> Ranges:
    """Return the formats of results that the options ask for, by value of the given network."""
    wanted = wishes(given.simple, given.options)
    return {name: wish.formats for name, wish in wanted.items() if wish.result}


def _unsaturated(given: Given, feeds: Feeds, ranges: Ranges) -> tuple[Feeds, int]:
    """Return events in which nothing saturates that is not part of the given network, and how many were
    left out; the same events in smaller and smaller words are added until there are ENOUGH."""
    quantized, nodes = given.quantized, counted(given, ranges)
    flags = saturated_events(quantized, feeds, nodes)
    parts, lost = [{k: v[~flags] for k, v in feeds.items()}], int(flags.sum())
    bits = max(f.width for n in quantized.inputs for f in n.type.formats)
    for shift in range(1, bits):
        if sum(len(p[quantized.inputs[0].name]) for p in parts) >= ENOUGH:
            break
        smaller = {n.name: _smaller(n, feeds[n.name], shift) for n in quantized.inputs}
        flags = saturated_events(quantized, smaller, nodes)
        parts.append({k: v[~flags] for k, v in smaller.items()})
    joined = {k: np.concatenate([p[k] for p in parts]) for k in feeds}
    if not len(joined[quantized.inputs[0].name]):
        raise CompileError(
            quantized.name,
            f"saturates in every event, at one of {', '.join(n.name for n in nodes)}",
            "give these values wider formats, or calibrate on events like the ones to come",
        )
    return joined, lost


def _smaller(node: Node, raw: Ints, shift: int) -> Ints:
    """Return smaller words for a port; flags of one bit stay."""
    return raw if max(f.width for f in node.type.formats) == 1 else raw >> shift


def counted(given: Given, ranges: Ranges) -> tuple[Node, ...]:
    """Return the nodes that no rounding bounds if they leave their range: those whose range is the
    compiler's choice, neither the network's own nor asked for, and those that wrap, whoever chose it."""
    own = counterparts(given.simple, given.quantized)
    return tuple(
        n
        for n in given.quantized
        if _wraps(n) or (own.get(n.name) != n.op and not _asked_for(n, n.name in own, ranges))
    )


def limited(given: Given, ranges: Ranges) -> tuple[Node, ...]:
    """Return the nodes whose range the options ask for."""
    own = counterparts(given.simple, given.quantized)
    return tuple(n for n in given.quantized if not _wraps(n) and _asked_for(n, n.name in own, ranges))


def _wraps(node: Node) -> bool:
    """Whether a node rounds to a format that wraps. In float64 it is the identity, since a rounding before it
    may put a number on the other side of the end of the range."""
    return node.op.reads is Reading.FORMAT and not all(f.overflow.saturates for f in node.op.rounds_to())


def _asked_for(node: Node, known: bool, ranges: Ranges) -> bool:
    """Whether the user chose the range to which a node saturates: that of the value of its name, or, if
    quantization put the node in, of the value that it rounds. Formats that wrap have no such range."""
    wanted = ranges.get(node.name, () if known or not node.inputs else ranges.get(node.inputs[0], ()))
    if node.op.reads is Reading.FORMAT:
        return node.op.rounds_to() == wanted and all(f.overflow.saturates for f in wanted)
    return bool(wanted)


def saturated_events(graph: Graph, feeds: Feeds, nodes: tuple[Node, ...]) -> Flags:
    """Return, for each event, whether one of some nodes saturates."""
    events = len(next(iter(feeds.values())))
    flags = np.zeros(events, dtype=bool)
    for start in range(0, events, CHUNK):
        piece = {k: v[start : start + CHUNK] for k, v in feeds.items()}
        size = min(CHUNK, events - start)
        nums = graph.run({n.name: load(n.type.formats, piece[n.name]) for n in graph.inputs})
        for node in nodes:
            found = graph.saturated(node, nums)
            if found is not None:
                raw = store(found, hull(found), size).reshape(size, -1)
                flags[start : start + size] |= raw.any(axis=1)
    return flags
