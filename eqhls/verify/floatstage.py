"""The stages of the proof that begin at the user's file: the files of the project, the given network, and
the rewrites behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.verify.envelope import forward
from eqhls.verify.evidence import Stage
from eqhls.verify.given import ALGEBRA_ERROR, Feeds, Given, Held, Recorded, Target, target
from eqhls.verify.mistakes import doubled_outputs, exchanged_operands, moved_weights

TRIES = 60
"""Mistakes of one kind that are tried before it counts as one that cannot be seen."""
Mistakes = Callable[[Graph], Iterator[tuple[str, Graph]]]
KINDS: tuple[tuple[str, Mistakes], ...] = (
    ("weights", moved_weights),
    ("operands", exchanged_operands),
    ("the size of an output", doubled_outputs),
)
SMALL = ("weights", "operands")
"""Mistakes of which a composed bound must tell one apart: it is too wide if it only sees doubled outputs."""


def files_stage(folder: Path, manifest: Mapping[str, Any]) -> Stage:
    """Check the files of a project against the hashes of its manifest."""
    hashes: dict[str, str] = manifest["sha256"]
    missing = [name for name in hashes if not (folder / name).is_file()]
    changed = [
        name
        for name, digest in hashes.items()
        if name not in missing and hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]
    lost = [f"{n} is missing" for n in missing] + [f"{n} was changed" for n in changed]
    return Stage(
        "files",
        not lost,
        "; ".join(lost) or f"{len(hashes)} files have the hashes of the manifest",
        (("files", len(hashes)), ("changed", len(changed)), ("missing", len(missing))),
    )


def given_stage(
    given: Given, compiled: Graph, feeds: Feeds, vectors: Feeds, recorded: tuple[Recorded, ...]
) -> Stage:
    """Check the integers against the network as given, with mistakes that must be caught.

    `feeds` are the events of the proof and `vectors` those of the project, on which the differences
    `recorded` were measured when it was compiled: they are the limits if the composed ones are so wide that
    no mistake is caught.
    """
    try:
        goal = target(given, feeds)
        held, caught = goal.held(compiled), _caught(goal, compiled)
        limits = "the formats of the network itself" if goal.exact else "the roundings of its ops"
        if held.ok and not any(caught[kind] for kind in SMALL):
            goal = target(given, vectors).recorded(recorded)
            held, caught = goal.held(compiled), _caught(goal, compiled)
            limits = "what was measured when the project was compiled"
    except CompileError as error:
        return Stage("given network", False, str(error))
    return Stage(
        "given network",
        held.ok and any(caught.values()),
        f"{_detail(goal, held, limits)}; {_mistakes(caught)}",
        (
            ("events", held.events),
            ("saturated", goal.saturated),
            ("cut", goal.cut),
            ("outside", held.outside),
            ("largest", held.largest),
            ("rms", held.rms),
            ("limit", held.limit),
            ("used", held.used),
            ("spread", held.spread),
            ("mistakes_caught", sum(map(bool, caught.values()))),
        ),
    )


def _caught(goal: Target, compiled: Graph) -> dict[str, str]:
    """Return the first mistake of each kind that lies outside the limits; nothing if none does."""
    return {
        kind: next((text for text, wrong in islice(make(compiled), TRIES) if not goal.held(wrong).ok), "")
        for kind, make in KINDS
    }


def _mistakes(caught: Mapping[str, str]) -> str:
    found = [text for text in caught.values() if text]
    blind = [kind for kind, text in caught.items() if not text]
    return "; ".join(
        [f"{' and '.join(found)}: caught"] * bool(found)
        + [f"no mistake in {' or '.join(blind)} can be told apart"] * bool(blind)
    )


def _detail(goal: Target, held: Held, limits: str) -> str:
    left = f", {goal.saturated} that saturate or wrap left out" if goal.saturated else ""
    left += f", {goal.cut} in which a range of the configuration cuts numbers off" if goal.cut else ""
    outside = f"{held.outside} of {held.events} events differ from the given network"
    if goal.exact:
        return f"{outside} in any bit ({limits})"
    return (
        f"{outside} by more than {limits} allow{left}; rms difference {held.rms:.3g} of at most "
        f"{held.rms / held.used if held.used else held.limit:.3g}, spread {held.spread:.3g}"
    )


def rewrites_stage(given: Given, compiled: Graph, feeds: Feeds) -> Stage:
    """Hold both halves of the rewriting apart from quantization: the algebra before it must keep the float
    results, and the passes behind it every bit."""
    before, after = given.quantized.evaluate(feeds), compiled.evaluate(feeds)
    pairs = zip(given.quantized.results, compiled.results, strict=True)
    wrong = np.zeros(len(next(iter(feeds.values()))), dtype=bool)
    for old, new in pairs:
        differ = before[old.name] * old.type.formats.lsb != after[new.name] * new.type.formats.lsb
        wrong |= differ.reshape(len(wrong), -1).any(axis=1)
    change = _algebra_change(given, feeds)
    return Stage(
        "rewrites",
        not wrong.any() and change <= ALGEBRA_ERROR,
        f"{len(wrong)} events, {int(wrong.sum())} changed by the passes after quantization; "
        f"{change:.1g} of the output by the algebra before it",
        (("events", len(wrong)), ("mismatches", int(wrong.sum())), ("algebra", change)),
    )


def _algebra_change(given: Given, feeds: Feeds) -> float:
    """Return the largest change of an output by the algebra, relative to its largest value."""
    floats = {n.name: feeds[n.name] * n.type.formats.lsb for n in given.quantized.inputs}
    plain, rewritten = forward(given.network, floats), forward(given.simple, floats)
    changes = [
        np.abs(plain[a] - rewritten[b]).max(initial=0.0) / max(np.abs(plain[a]).max(initial=0.0), 1e-30)
        for a, b in zip(given.network.outputs, given.simple.outputs, strict=True)
    ]
    return float(max(changes))
