"""One stage of the proof from those of many files: counts are added, bounds are the widest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from pathlib import Path

from eqhls.verify.evidence import Stage

WIDEST = ("largest", "limit", "used", "spread", "algebra")
"""Numbers of which the largest one of all files counts."""
LEAST = ("mistakes_caught",)
"""Numbers of which the smallest one counts."""
Numbers = Mapping[str, float]


def one_stage(parts: Mapping[Path, Stage], notes: tuple[str, ...] = ()) -> Stage:
    """Return the stage that says of all files what each of `parts` says of one; those that did not hold are
    named. `notes` are on what looks wrong with the events."""
    first = next(iter(parts.values()))
    numbers = _numbers([dict(s.numbers) for s in parts.values()])
    detail = f"{len(parts)} files, {DETAILS[first.name](numbers)}" + "".join(f"; note: {n}" for n in notes)
    bad = [f"{file}: {s.detail}" for file, s in parts.items() if not s.ok]
    return Stage(first.name, not bad, "; ".join([detail, *bad]), tuple(numbers.items()))


def _numbers(parts: list[dict[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key in dict.fromkeys(k for p in parts for k in p):
        values = [p[key] for p in parts if key in p]
        if key == "rms":
            events = sum(p["events"] for p in parts if key in p)
            found[key] = sqrt(sum(p[key] ** 2 * p["events"] for p in parts if key in p) / events)
        else:
            found[key] = max(values) if key in WIDEST else min(values) if key in LEAST else sum(values)
    return found


def _given(n: Numbers) -> str:
    cut = n.get("cut", 0)
    return (
        f"{n.get('outside', 0):g} of {n.get('events', 0):g} events differ from the given network by "
        f"more than is allowed; rms difference {n.get('rms', 0.0):.3g}, largest {n.get('largest', 0.0):.3g}; "
        f"{n.get('mistakes_caught', 0):g} kinds of mistakes caught with each file"
        + (f"; a range of the configuration cuts numbers off in {cut:g} of the events" if cut else "")
    )


def _inputs(n: Numbers) -> str:
    inside = sum(v for k, v in n.items() if k not in ("input", "events"))
    return f"{n['events']:g} events, {n['input']:g} input values saturated, {inside:g} inside"


DETAILS: dict[str, Callable[[Numbers], str]] = {
    "given network": _given,
    "rewrites": lambda n: (
        f"{n['events']:g} events, {n['mismatches']:g} changed by the passes after quantization; "
        f"{n['algebra']:.1g} of the output by the algebra before it"
    ),
    "inputs": _inputs,
    "integer": lambda n: f"{n['events']:g} events",
    "emulator": lambda n: f"{n['events']:g} events, {n['mismatches']:g} mismatches",
    "hls": lambda n: f"{n['events']:g} events, {n['mismatches']:g} mismatches",
    "rtl": lambda n: f"{n['events']:g} events, {n['mismatches']:g} mismatches",
}
"""What each stage that runs on every event says of all files."""
