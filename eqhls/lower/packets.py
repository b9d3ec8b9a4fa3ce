"""Events on links, clock by clock: packets of one event each in pattern files, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.events.patterns import Patterns, is_patterns, read_patterns
from eqhls.events.read import Events, from_mapping, read_events
from eqhls.ir.graph import Graph
from eqhls.lower.framing import Frames, event_framing


@dataclass(frozen=True, slots=True)
class Packets:
    """The packets of some links: `words` of shape (packets, clocks, links), and the frame of each packet's
    first word in each link, shape (packets, links)."""

    words: Frames
    frames: NDArray[np.int64]
    links: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.words)


def patterns_of(words: Frames, name: str, first_frame: int, period: int, frames: int, link: int) -> Patterns:
    """Return packets as patterns of `frames` frames: packet k begins in frame `first_frame` + k `period`, on
    links from number `link` on; start of orbit is in the first of them. The frames between are not valid.

    `words` has the shape (packets, clocks, links). Raises CompileError if packets overlap.
    """
    packets, clocks, links = words.shape
    if period < clocks:
        raise CompileError(
            "period", f"found {period} clocks for packets of {clocks}", "give them more clocks"
        )
    at = first_frame + period * np.arange(packets)[:, None] + np.arange(clocks)
    data = np.zeros((frames, links), dtype=np.uint64)
    data[at.ravel()] = words.reshape(-1, links)
    valid, start, last, orbit = (np.zeros((frames, links), dtype=bool) for _ in range(4))
    valid[at.ravel()], start[at[:, 0]], last[at[:, -1]], orbit[at[:1, 0]] = True, True, True, True
    numbers = tuple(range(link, link + links))
    return Patterns(name, numbers, data, valid, start, last, orbit, np.ones((frames, links), dtype=bool))


def packets_of(patterns: Patterns, where: str) -> Packets:
    """Return the packets of all links that carry any, in the order of their columns.

    Raises CompileError, with frame and link, for words outside of packets, packets that are cut, and links
    whose packets differ in number or length.
    """
    alive = patterns.valid & patterns.strobe
    columns = np.flatnonzero(alive.any(axis=0)).tolist()
    if not columns:
        raise CompileError(where, "has no valid word", "set the valid flag, the last of four or five")
    found = [_column(patterns, alive[:, c], c, where) for c in columns]
    first, (_, spans) = patterns.links[columns[0]], found[0]
    for column, (_, others) in zip(columns, found, strict=True):
        link = patterns.links[column]
        if len(others) != len(spans):
            raise CompileError(
                where,
                f"has {len(spans)} packets in link {first:03d} and {len(others)} in link {link:03d}",
                "send the packets of an event on all links together",
            )
        for span in others:
            if span[1] != spans[0][1]:
                raise CompileError(
                    f"{where}, frame {span[0]}, link {link:03d}",
                    f"begins a packet of {span[1]} words, expected {spans[0][1]} as in the first packet",
                    "give every packet the same number of clocks",
                )
    words = np.stack([w.reshape(len(spans), -1) for w, _ in found], axis=2)
    frames = np.array([[frame for frame, _ in s] for _, s in found], dtype=np.int64).T
    return Packets(words, frames, tuple(patterns.links[c] for c in columns))


def _column(
    patterns: Patterns, alive: NDArray[np.bool_], column: int, where: str
) -> tuple[NDArray[np.uint64], list[tuple[int, int]]]:
    """Return the words of a link, and the first frame and the number of words of each packet."""
    rows = np.flatnonzero(alive)
    starts, lasts = patterns.start[rows, column], patterns.last[rows, column]
    inside, spans = False, list[tuple[int, int]]()
    for row, start, last in zip(rows.tolist(), starts.tolist(), lasts.tolist(), strict=True):
        if start == inside:
            what = "begins a packet inside of another" if start else "holds a word outside of a packet"
            place = f"{where}, frame {row}, link {patterns.links[column]:03d}"
            raise CompileError(place, what, "mark the first and the last word of every packet")
        if start:
            spans.append((row, 0))
        spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        inside = not last
    if inside:
        place = f"{where}, frame {rows[-1]}, link {patterns.links[column]:03d}"
        raise CompileError(place, "ends inside of a packet", "give all frames of the last packet")
    return patterns.data[rows, column], spans


def read_any_events(path: Path, graph: Graph) -> Events:
    """Read events from any file that `read_events` reads, or from a pattern file, whose packets hold an event
    each (`Framing`); links without a valid word do not count.

    Raises CompileError as `read_events`, for broken packets, and for a network whose ports have no formats.
    """
    if not is_patterns(path):
        return read_events(path, graph)
    packets = packets_of(read_patterns(path), str(path))
    if not all(n.type.formats for n in graph.inputs):
        raise CompileError(
            str(path),
            f"holds packed words, and ports of {graph.name} have no format",
            "compile the model first",
        )
    _, clocks, links = packets.words.shape
    try:
        return from_mapping(graph, event_framing(graph, links, clocks).values(packets.words))
    except CompileError as error:
        raise error.at(str(path)) from None
