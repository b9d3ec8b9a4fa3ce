"""How the bits of an event lie on links: which bit of the packed word is which of which link, in which clock.

A link carries a word of 64 bits per clock, and a packet of `clocks` clocks carries an event (the time
multiplexing of the trigger). The words of an event are numbered; word w comes on link `w % links` in clock
`w // links` of the packet, so that the first words come first. Link words that an event does not need, and
the bits of a link word that no run covers, are zero if we write them and ignored if we read them.

Words of an event, if its network reads the words of the trigger (ports `pt`, `eta`, `phi` in the formats of
the 61-bit PuppiObj, of which a turn of phi has 1440 steps): word k is candidate k, as the correlator packs
it: pt 13:0, eta 25:14, phi 36:26 (`eqhls.events.layouts`, "l1ct"); id and the rest of the PuppiObj are
ignored. All other ports follow from the next word on, their bits packed in the order of the layout.

Words of any other event, and of every result: bit i of the packed word is bit `i % 64` of word `i // 64`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.layouts import DEFAULT, LAYOUTS, WORD
from eqhls.events.wordports import word_ports
from eqhls.events.words import CONSTITUENT, TURN
from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Field, Layout
from eqhls.lower.plan import Plan
from eqhls.names import counted

Frames = NDArray[np.uint64]
"""Shape (events, clocks, links): the words of every link, clock by clock of the packet."""


@dataclass(frozen=True, slots=True)
class Run:
    """Bits `lsb` to `lsb + width - 1` of the packed word: bits `at` and up of word `word` of the event."""

    lsb: int
    width: int
    word: int
    at: int


@dataclass(frozen=True, slots=True)
class Framing:
    """The packed word `layout` on `links` links over `clocks` clocks, by runs from bit 0 upwards that cover
    it; the first `candidates` words are PuppiObj words."""

    layout: Layout
    links: int
    clocks: int
    runs: tuple[Run, ...]
    candidates: int = 0

    @property
    def words(self) -> int:
        """How many link words the event needs."""
        return 1 + max(r.word for r in self.runs)

    @property
    def used_links(self) -> int:
        """How many links, from link 0, carry a bit of the event; the others may carry anything."""
        return min(self.links, self.words)

    def place(self, word: int) -> tuple[int, int]:
        """Return clock and link of a word of the event."""
        return divmod(word, self.links)

    def frames(self, values: Mapping[str, Ints]) -> Frames:
        """Return the link words of raw integers (events, *shape) by port."""
        packed = np.ascontiguousarray(self.layout.pack(values))
        bits = np.unpackbits(packed.view(np.uint8), axis=1, bitorder="little")
        out = np.zeros((len(bits), self.clocks * self.links, WORD), dtype=np.uint8)
        for run in self.runs:
            out[:, run.word, run.at : run.at + run.width] = bits[:, run.lsb : run.lsb + run.width]
        words = np.packbits(out, axis=2, bitorder="little").view("<u8")
        return words.reshape(-1, self.clocks, self.links).astype(np.uint64)

    def values(self, frames: Frames) -> dict[str, Ints]:
        """Return the raw integers (events, *shape) by port of link words. Raises CompileError for an array
        of another shape than (events, clocks, links)."""
        if frames.ndim != 3 or frames.shape[1:] != (self.clocks, self.links):
            raise CompileError(
                "frames",
                f"have shape {frames.shape}, expected (events, {self.clocks}, {self.links})",
                "give one 64-bit word per event, clock of the packet and link",
            )
        given = np.ascontiguousarray(frames, dtype="<u8").reshape(len(frames), -1, 1)
        bits = np.unpackbits(given.view(np.uint8), axis=2, bitorder="little")
        packed = np.zeros((len(frames), -(-self.layout.bits // 32) * 32), dtype=np.uint8)
        for run in self.runs:
            packed[:, run.lsb : run.lsb + run.width] = bits[:, run.word, run.at : run.at + run.width]
        return self.layout.unpack(np.packbits(packed, axis=1, bitorder="little").view("<u4"))


def input_framing(plan: Plan, links: int, tmux: int) -> Framing:
    """Return how an input event of a network lies on `links` links over `tmux` clocks. Raises CompileError if
    it does not fit there."""
    return event_framing(plan.graph, links, tmux)


def event_framing(graph: Graph, links: int, tmux: int) -> Framing:
    """Return `input_framing` of a quantized graph, without a schedule."""
    layout, count = Layout.of(graph.inputs), _candidates(graph)
    runs = _with_candidates(layout, count) if count else _packed((0, layout.bits), 0)
    framing = Framing(layout, links, tmux, runs, count)
    if framing.words > links * tmux:
        clocks = -(-framing.words // links)
        raise CompileError(
            "links",
            f"an event of {graph.name} has {framing.words} words of {WORD} bits, "
            f"and {counted(links, 'link')} can carry {links * tmux} in {counted(tmux, 'clock')}",
            f"give {counted(clocks, 'clock')} (tmux) or more links",
        )
    return framing


def output_framing(plan: Plan) -> Framing:
    """Return how a result lies on links: one clock, as many links as its words."""
    return result_framing(plan.graph)


def result_framing(graph: Graph) -> Framing:
    """Return `output_framing` of a quantized graph, without a schedule."""
    layout = Layout.of(graph.results)
    runs = _packed((0, layout.bits), 0)
    return Framing(layout, len(runs), 1, runs)


def _candidates(graph: Graph) -> int:
    """Return how many PUPPI candidates a network reads: 0 if it reads anything else, or rounds them."""
    ports = word_ports(graph)
    if ports is None or ports.turn != TURN:
        return 0
    words = LAYOUTS[DEFAULT]
    same = all(_same_bits(ports.formats[k], words.field(k).format) for k in CONSTITUENT)
    return ports.slots if same else 0


def _same_bits(a: Fixed, b: Fixed) -> bool:
    return (a.width, a.frac, a.signed) == (b.width, b.frac, b.signed)


def _with_candidates(layout: Layout, count: int) -> tuple[Run, ...]:
    low = {k: LAYOUTS[DEFAULT].field(k).low for k in CONSTITUENT}
    ports = layout.by_port()
    runs = [
        Run(field.lsb, field.form.width, word, low[k])
        for k in CONSTITUENT
        for word, field in enumerate(ports[k])
    ]
    rest: Iterable[Field] = (f for name, fields in ports.items() if name not in low for f in fields)
    free = count * WORD
    for field in rest:
        made = _packed((field.lsb, field.form.width), free)
        runs += made
        free += field.form.width
    return tuple(sorted(runs, key=lambda r: r.lsb))


def _packed(bits: tuple[int, int], free: int) -> tuple[Run, ...]:
    """Return the runs of `bits` (lsb, width) that fill words from bit `free` of all words on."""
    lsb, left = bits
    runs: list[Run] = []
    while left:
        word, at = divmod(free, WORD)
        width = min(left, WORD - at)
        runs.append(Run(lsb, width, word, at))
        lsb, free, left = lsb + width, free + width, left - width
    return tuple(runs)
