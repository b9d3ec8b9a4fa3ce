"""Packets on links: good ones, and every way to break them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from streamed import drawn, integers

from eqhls.lower.framing import Framing, input_framing
from eqhls.lower.plan import Plan

EVENTS, FIRST = 256, 3
"""Events that packets bring in turn, and how many clocks the first reset takes."""
Words = list[int]
"""A word of each link."""


@dataclass
class Run:
    """Clock after clock of all links, with noise wherever a link says nothing and in every bit without meaning.

    `good` are the clocks of the last words of good packets with their events, as the packets were made.
    """

    plan: Plan
    links: int
    tmux: int
    seed: int = 0
    rows: dict[str, list[int]] = field(default_factory=dict)
    good: list[tuple[int, int]] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.framing: Framing = input_framing(self.plan, self.links, self.tmux)
        self.rows = {k: [] for k in ("rst", "d_data", "d_valid", "d_start", "d_last")}
        feeds = drawn(self.plan.inputs, EVENTS, self.seed)
        ones = {p.name: np.full((1, *p.shape), -1, dtype=np.int64) for p in self.plan.inputs.ports}
        frames, spare = self.framing.frames(feeds), ~self.framing.frames(ones)
        noise = self.rng.integers(0, 1 << 64, frames.shape, dtype=np.uint64)
        self.frames = frames | (noise & spare)
        self.results = integers(self.plan.outputs, self.plan.graph.evaluate(feeds))
        for _ in range(FIRST):
            self.clock(reset=1)

    def event(self) -> tuple[int, list[Words]]:
        """Return the next event and its words, clock by clock."""
        event = self.sent % EVENTS
        self.sent += 1
        return event, [[int(w) for w in clock] for clock in self.frames[event]]

    def bits(self) -> int:
        return int(self.rng.integers(0, 1 << self.links))

    def clock(
        self, words: Words | None = None, valid: int = 0, start: int = 0, last: int = 0, reset: int = 0
    ) -> None:
        """One clock; flags are a bit per link. What is not valid is noise, on links without a bit too."""
        used = (1 << self.framing.used_links) - 1
        valid = valid & used | self.bits() & ~used
        data = 0
        for link in range(self.links):
            noise = int(self.rng.integers(0, 1 << 64, dtype=np.uint64))
            data |= (words[link] if words is not None and valid & used & 1 << link else noise) << 64 * link
        row = {
            "rst": reset,
            "d_data": data,
            "d_valid": valid,
            "d_start": start & valid & used | self.bits() & ~(valid & used),
            "d_last": last & valid & used | self.bits() & ~(valid & used),
        }
        for name, value in row.items():
            self.rows[name].append(value)

    def idle(self, most: int = 3) -> None:
        for _ in range(self.rng.integers(0, most + 1)):
            self.clock()

    def words(self, words: list[Words], starts: set[int], lasts: set[int], gaps: float = 0.3) -> None:
        """Words that all links bring together, with start and last in those of these numbers."""
        whole = (1 << self.links) - 1
        for k, word in enumerate(words):
            while self.rng.random() < gaps:
                self.clock()
            self.clock(word, whole, whole * (k in starts), whole * (k in lasts))

    def packet(self, gaps: float = 0.3) -> None:
        event, words = self.event()
        self.words(words, {0}, {self.tmux - 1}, gaps)
        self.good.append((len(self.rows["rst"]) - 1, event))

    def link(self) -> int:
        """One of the links that carry something, as a mask."""
        return 1 << int(self.rng.integers(self.framing.used_links))


def no_start(run: Run) -> int:
    run.words(run.event()[1], set(), {run.tmux - 1})
    return 1


def no_last(run: Run) -> int:
    run.words(run.event()[1], {0}, set())
    return 1


def too_long(run: Run) -> int:
    more = [w for _ in range(run.rng.integers(1, 4)) for w in run.event()[1]]
    run.words(run.event()[1] + more, {0}, {run.tmux + len(more) - 1})
    return 1


def words_between(run: Run) -> int:
    run.words([w for _ in range(2) for w in run.event()[1]], set(), set())
    return 1


def too_short(run: Run) -> int:
    length = int(run.rng.integers(1, run.tmux))
    run.words(run.event()[1][:length], {0}, {length - 1})
    return 1


def cut_by_a_start(run: Run) -> int:
    run.words(run.event()[1][: run.rng.integers(1, run.tmux)], {0}, set())
    return 1


def cut_by_a_packet_that_is_too_short(run: Run) -> int:
    length = int(run.rng.integers(1, run.tmux))
    run.words([*run.event()[1][:length], run.event()[1][0]], {0, length}, {length})
    return 2


def a_link_a_clock_late(run: Run) -> int:
    late, whole, words = run.link(), (1 << run.links) - 1, run.event()[1]
    idle = [0] * run.links
    for now, before in zip([*words, idle], [idle, *words], strict=True):
        k = len(run.rows["rst"])
        mixed = [b if late >> n & 1 else a for n, (a, b) in enumerate(zip(now, before, strict=True))]
        on = (whole & ~late) * (now is not idle) | late * (before is not idle)
        start = (whole & ~late) * (now is words[0]) | late * (before is words[0])
        last = (whole & ~late) * (now is words[-1]) | late * (before is words[-1])
        run.clock(mixed, on, start, last)
        assert len(run.rows["rst"]) == k + 1
    return 2


def _odd(run: Run, which: str, word: int) -> int:
    """A packet in which one link has not one of its flags (or bring no word at all) in one word."""
    odd, whole, words = run.link(), (1 << run.links) - 1, run.event()[1]
    for k, data in enumerate(words):
        flags = {"valid": whole, "start": whole * (k == 0), "last": whole * (k == run.tmux - 1)}
        if k == word:
            flags[which] ^= odd
        run.clock(data, **flags)
    return 1


def a_word_missing_on_a_link(run: Run) -> int:
    return _odd(run, "valid", int(run.rng.integers(run.tmux)))


def a_start_missing_on_a_link(run: Run) -> int:
    return _odd(run, "start", 0)


def a_last_missing_on_a_link(run: Run) -> int:
    return _odd(run, "last", run.tmux - 1)


def a_start_too_many_on_a_link(run: Run) -> int:
    """It ends the packet, and it starts one that is broken."""
    _odd(run, "start", int(run.rng.integers(1, run.tmux)))
    return 2


def a_last_too_many_on_a_link(run: Run) -> int:
    return _odd(run, "last", int(run.rng.integers(run.tmux - 1)))


def a_dead_link(run: Run) -> int:
    dead, whole = run.link(), (1 << run.links) - 1
    for k, data in enumerate(run.event()[1]):
        on = whole & ~dead
        run.clock(data, on, on * (k == 0), on * (k == run.tmux - 1))
    return 1


ANY = (no_start, no_last, too_long, words_between)
LONG = (too_short, cut_by_a_start, cut_by_a_packet_that_is_too_short)
"""For packets of more than one word."""
MANY = (a_link_a_clock_late, a_word_missing_on_a_link, a_start_missing_on_a_link, a_last_missing_on_a_link)
MANY = (*MANY, a_dead_link)
"""For more than one link that carries something."""
BOTH = (a_start_too_many_on_a_link, a_last_too_many_on_a_link)
