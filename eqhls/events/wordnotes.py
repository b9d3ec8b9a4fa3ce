"""What looks wrong with the words of the trigger, one line per kind; nothing is changed or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.events.notes import order_matters
from eqhls.events.oddities import CUT, FEW, UNSORTED, odd_jet, odd_momenta
from eqhls.events.ports import Filled
from eqhls.events.prepare import finite
from eqhls.events.wordports import COUNT, WordPorts
from eqhls.events.words import ANGLES, JET, MULTIPLICITY, TriggerWords, turn_of
from eqhls.ir.graph import Graph

FULL = 0.5
"""The share of events without an empty slot from which on jets look cut."""


def word_notes(
    arrays: Mapping[str, Any],
    graph: Graph,
    ports: WordPorts,
    filled: Mapping[str, Filled],
    made: TriggerWords | None,
) -> list[str]:
    """Return lines on the words at the ports, and on the momenta that they are made of, if `made`."""
    lines = list[str]()
    if made is not None and "p4" in arrays:
        lines += odd_momenta("p4", finite("p4", arrays["p4"]), 0.0)
    if made is not None:
        lines += _jet_notes(arrays, ports, made)
        lines += _cut_notes(made.given["pt"], ports.slots)
        lines += _count_notes(arrays, ports, made.given["pt"])
    raw = {k: filled[k].raw.reshape(len(filled[k].raw), -1) for k in ports.nodes}
    lines += _order_notes(graph, ports, filled, raw["pt"]) + _turn_notes(ports, raw)
    return lines + _saturation_notes(ports, raw)


def _jet_notes(arrays: Mapping[str, Any], ports: WordPorts, made: TriggerWords) -> list[str]:
    if "jet" in arrays:
        jet = finite("jet", arrays["jet"])
        odd = odd_momenta("jet", jet[:, None], 0.0)
        return odd or (odd_jet(finite("p4", arrays["p4"]), jet) if "p4" in arrays else [])
    if all(k in arrays for k in JET if k in ports):
        return []
    return [
        f"jet is missing: the sum of the {made.given['pt'].shape[1]} given constituents takes its place; "
        "give the jet (E, px, py, pz) in GeV that the network was trained with, or its words by name"
    ]


def _cut_notes(pt: Ints, slots: int) -> list[str]:
    """Return lines on words beyond the slots, if they carry much, and on events without words."""
    lines = list[str]()
    more = int((pt[:, slots:] > 0).any(axis=1).sum())
    share = float(np.mean(pt[:, slots:].sum(axis=1) / np.maximum(pt.sum(axis=1), 1)))
    if share > CUT:
        lines.append(
            f"words: those beyond the first {slots} are cut in {more} of {len(pt)} events, with "
            f"{share:.0%} of the pT on average"
        )
    empty = int((pt == 0).all(axis=1).sum())
    if empty:
        lines.append(f"words: {empty} of {len(pt)} events have none")
    return lines


def _count_notes(arrays: Mapping[str, Any], ports: WordPorts, pt: Ints) -> list[str]:
    """Return a line on jets that may have been cut, if nothing says how many constituents they had."""
    full = int((pt > 0).all(axis=1).sum())
    if MULTIPLICITY not in ports or COUNT in arrays or MULTIPLICITY in arrays or full <= FULL * len(pt):
        return []
    return [
        f"multiplicity counts the {pt.shape[1]} constituents that are given, and {full} of {len(pt)} events "
        "fill all of them: if they were cut, give their number before as n, or multiplicity by name"
    ]


def _order_notes(graph: Graph, ports: WordPorts, filled: Mapping[str, Filled], pt: Ints) -> list[str]:
    rows = np.flatnonzero((np.diff(pt, axis=1) > 0).any(axis=1))
    if len(rows) <= UNSORTED * len(pt):
        return []
    few = rows[:FEW]
    order = np.argsort(-pt[few], axis=1, kind="stable")
    if not order_matters(graph, filled, ports.axis, order, few):
        return []
    return [
        f"words: those of {len(rows)} of {len(pt)} events do not fall in pT, and the output depends on their "
        "order; sort them as in training"
    ]


def _turn_notes(ports: WordPorts, raw: Mapping[str, Ints]) -> list[str]:
    """Return lines on angles of words outside of the turn, which a trigger does not send."""
    lines = list[str]()
    for name in (k for k in ANGLES if k in ports):
        first, behind = turn_of(ports.formats[name], ports.turn)
        beyond = (raw[name] < first) | (raw[name] >= behind)
        out = (beyond & (raw["pt"] > 0) if name == "phi" else beyond).any(axis=1)
        if out.any():
            lines.append(
                f"{name}: {int(out.sum())} of {len(raw['pt'])} events have angles outside of the turn "
                f"[{first}, {behind})"
            )
    return lines


def _saturation_notes(ports: WordPorts, raw: Mapping[str, Ints]) -> list[str]:
    """Return lines on words at the ends of their formats, which stand for anything beyond."""

    def ended(name: str) -> Any:
        form = ports.formats[name]
        return (raw[name] == form.hi) | ((raw[name] == form.lo) & form.signed)

    lines = list[str]()
    words = ended("pt") | (ended("eta") & (raw["pt"] > 0))
    if words.any():
        lines.append(
            f"words: {int(words.sum())} of {int((raw['pt'] > 0).sum())} have the largest pT or eta that they "
            "can hold"
        )
    jets = [ended(k) for k in (*JET, MULTIPLICITY) if k in ports and k != "jet_phi"]
    events = int(np.any(jets, axis=0).sum()) if jets else 0
    if events:
        lines.append(
            "words: those of the jet, or the number of words, are the largest that they can hold in "
            f"{events} of {len(raw['pt'])} events"
        )
    return lines
