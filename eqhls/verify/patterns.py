"""Pattern files of a project: its events on input links, its results on output links, and the comparison of
a captured file with the integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.patterns import Patterns, read_patterns
from eqhls.events.read import Events
from eqhls.ir.graph import Graph
from eqhls.lower.framing import Framing, event_framing, result_framing
from eqhls.lower.packets import Packets, packets_of, patterns_of

GATHERING = 1
"""Clocks that ip/links and ip/emp add to the latency of a top: the register that gathers the words."""


@dataclass(frozen=True, slots=True)
class Placing:
    """How events lie in a file: input links, clocks of a packet (0: as few as hold an event), clocks between
    packets, the largest number of frames (0: no limit), and the numbers of the first links."""

    links: int = 4
    tmux: int = 0
    gap: int = 0
    frames: int = 0
    first_input: int = 0
    first_output: int = 0

    def __post_init__(self) -> None:
        least = {"links": 1}
        for name in ("links", "tmux", "gap", "frames", "first_input", "first_output"):
            value, bound = getattr(self, name), least.get(name, 0)
            if value < bound:
                option = f"--{name.replace('_', '-')}"
                raise CompileError(option, f"found {value}, expected {bound} or more", "give a larger number")


@dataclass(frozen=True, slots=True)
class PatternFiles:
    """Input and expected output, how many of the `given` events they hold, the clocks of an input packet, and
    the frame of the first result."""

    inputs: Patterns
    expected: Patterns
    events: int
    given: int
    clocks: int
    first_result: int


def pattern_files(graph: Graph, events: Events, latency_cycles: int, placing: Placing) -> PatternFiles:
    """Return the patterns of events and of what the integers say of them. Both have as many frames, and a
    result is in the frame in which ip/emp gives it, `latency_cycles` + 1 after the last word of its event.

    Raises CompileError for events that do not fit on the links, and for frames that hold no event.
    """
    framing, results = _framing(graph, placing), result_framing(graph)
    period, delay = framing.clocks + placing.gap, framing.clocks - 1 + latency_cycles + GATHERING
    count = len(events)
    if placing.frames:
        count = min(count, max(0, placing.frames - delay - 1 + period) // period)
    if not count:
        raise CompileError(
            "--frames", f"found {placing.frames}: no event and its result fit", f"give {delay + 1} or more"
        )
    raw = {name: values[:count] for name, values in events.raw.items()}
    frames = period * (count - 1) + delay + 1
    inputs = patterns_of(framing.frames(raw), graph.name, 0, period, frames, placing.first_input)
    words = results.frames(graph.evaluate(raw))
    expected = patterns_of(words, graph.name, delay, period, frames, placing.first_output)
    return PatternFiles(inputs, expected, count, len(events), framing.clocks, delay)


def _framing(graph: Graph, placing: Placing) -> Framing:
    if placing.tmux:
        return event_framing(graph, placing.links, placing.tmux)
    whole = event_framing(graph, 1, 1 << 16)
    return event_framing(graph, placing.links, -(-whole.words // placing.links))


def difference(graph: Graph, events: Events, captured: Path, first_output: int) -> tuple[int, str]:
    """Return how many results of a captured file were compared, and a line on how it differs from the
    integers, empty if it does not: every event must have a result, in the order of the events, and every
    bit of its words must be right, those that carry nothing being zero. When they come does not matter.

    Raises CompileError for a file that cannot be read or lacks the links.
    """
    patterns, framing = read_patterns(captured), result_framing(graph)
    patterns = _chosen(patterns, framing.links, first_output, captured)
    try:
        packets = packets_of(patterns, "packets")
    except CompileError as error:
        return 0, str(error)
    return len(packets), _difference(packets, framing, graph.evaluate(events.raw))


def _difference(packets: Packets, framing: Framing, expected: Mapping[str, Ints]) -> str:
    words = framing.frames(expected)
    found = packets.words
    if found.shape[1:] != words.shape[1:]:
        return (
            f"a result has {found.shape[1]} words on {found.shape[2]} links, "
            f"expected {words.shape[1]} on {words.shape[2]}"
        )
    both = min(len(found), len(words))
    wrong = found[:both] != words[:both]
    if wrong.any():
        event, clock, link = (int(k) for k in np.argwhere(wrong)[0])
        frame = int(packets.frames[event, link]) + clock
        return (
            f"frame {frame}, link {packets.links[link]:03d}: found {found[event, clock, link]:016x}, "
            f"expected {words[event, clock, link]:016x} (event {event}); "
            f"{int(wrong.any(axis=(1, 2)).sum())} of {both} results differ"
        )
    return "" if len(found) == len(words) else _count(packets, len(words))


def _count(packets: Packets, events: int) -> str:
    if len(packets) > events:
        frame, link = int(packets.frames[events, 0]), packets.links[0]
        return f"frame {frame}, link {link:03d}: found a result after those of all {events} events"
    frame, link = int(packets.frames[-1, 0]), packets.links[0]
    return (
        f"frame {frame}, link {link:03d}: found the last of {len(packets)} results, "
        f"expected {events}, one per event"
    )


def _chosen(patterns: Patterns, count: int, first: int, where: Path) -> Patterns:
    """Return the columns of the output links. Raises CompileError if one is missing."""
    wanted = tuple(range(first, first + count))
    missing = [link for link in wanted if link not in patterns.links]
    if missing:
        raise CompileError(
            str(where),
            f"has no link {missing[0]:03d}; the results are on {' '.join(f'{k:03d}' for k in wanted)}",
            "give the number of the first one with --first-output",
        )
    at = [patterns.links.index(link) for link in wanted]
    flags = (getattr(patterns, k)[:, at] for k in ("valid", "start", "last", "orbit", "strobe"))
    return Patterns(patterns.name, wanted, patterns.data[:, at], *flags)
