"""Links of 64 bits in front of a top: packets over the clocks of the time multiplexing become events."""

from __future__ import annotations

from typing import Any

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.wrapping import screen, sources, wrapper
from eqhls.errors import CompileError
from eqhls.events.layouts import WORD
from eqhls.lower.framing import Framing, Run, input_framing, output_framing
from eqhls.lower.plan import Plan
from eqhls.names import counted
from eqhls.text import Project

KIND = "links"


def write(plan: Plan, settings: Settings) -> Project:
    """Return ip/links/. Raises CompileError for packets that cannot hold an event, or that come more often
    than the network takes events."""
    if settings.tmux < plan.ii:
        raise CompileError(
            "tmux",
            f"found {settings.tmux}, {plan.name} takes an event every {plan.ii} clocks",
            "give more clocks",
        )
    framing, outs = input_framing(plan, settings.links, settings.tmux), output_framing(plan).links
    values = {
        "links": framing.links,
        "tmux": framing.clocks,
        "used": framing.used_links,
        "outs": outs,
        "at_bits": max((framing.clocks - 1).bit_length(), 1),
        "clocks": _clocks(framing),
        "table": table(framing),
    }
    return wrapper(plan, KIND, (), values)


def _clocks(framing: Framing) -> list[dict[str, Any]]:
    """Return, for each clock of a packet that brings bits, which bits of the links are which of the event."""
    found: dict[int, list[dict[str, int]]] = {}
    for run in framing.runs:
        clock, link = framing.place(run.word)
        low = WORD * link + run.at
        bits = {"msb": run.lsb + run.width - 1, "lsb": run.lsb, "high": low + run.width - 1, "low": low}
        found.setdefault(clock, []).append(bits)
    return [{"clock": clock, "runs": found[clock]} for clock in sorted(found)]


def table(framing: Framing) -> list[str]:
    """Return which bits of the packed word each word of an event brings, a line per word."""
    words: dict[int, list[Run]] = {}
    for run in framing.runs:
        words.setdefault(run.word, []).append(run)
    return [
        f"word {word}{' (PUPPI)' if word < framing.candidates else ''}: "
        + ", ".join(
            f"{r.at + r.width - 1}:{r.at} = in_data[{r.lsb + r.width - 1}:{r.lsb}]"
            for r in sorted(words[word], key=lambda r: r.at)
        )
        for word in sorted(words)
    ]


def connect(plan: Plan, settings: Settings) -> str:
    """Return how the wrapper is connected."""
    framing, outs = input_framing(plan, settings.links, settings.tmux), output_framing(plan).links
    kind = (
        f"words 0 to {framing.candidates - 1} are PUPPI candidates of 61 bits, then the other ports"
        if framing.candidates
        else "the packed word of the port map in pieces of 64 bits"
    )
    return screen(
        [
            sources(plan, KIND),
            f"d_data, d_valid, d_start, d_last: {counted(framing.links, 'link')} of {WORD} bits.",
            f"  A packet of {counted(framing.clocks, 'clock')} brings an event.",
            f"Word w on link w % {framing.links} in clock w / {framing.links}: {kind}.",
            f"  The header of ip/links/{plan.name}_links.sv lists every bit.",
            f"q_data: the result in one clock, on {counted(outs, 'link')}, {plan.latency_cycles + 1} clocks "
            "after the last frame of its packet.",
            "error, errors: packets that were dropped because they are short, long, cut or skewed.",
        ]
    )


PACKAGE = Package(
    KIND, "64-bit links with start and last, gathered into events over TMUX clocks", write, connect
)
