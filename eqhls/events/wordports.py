"""Ports that read the words of the trigger, and how events fill them.

They go by their names: `pt`, `eta` and `phi` over one axis of slots, and beside them `jet_pt`, `jet_eta`,
`jet_phi`, `jet_mass2` and `multiplicity` are one number per event. The type of `phi` says that it
counts steps of a turn: `S+phi%1440[j:16]` adds modulo 1440 steps, and eta is counted in the same steps. A
port of that name with any other type is an ordinary one, filled by name alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.layouts import DEFAULT
from eqhls.events.ports import Filled, given_port
from eqhls.events.prepare import whole
from eqhls.events.words import (
    ANGLES,
    CONSTITUENT,
    MULTIPLICITY,
    TRIGGER,
    TriggerWords,
    words_of_momenta,
    words_of_puppi,
)
from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats

PUPPI, LAYOUT = "puppi", "layout"
"""Arrays of words, and of the name of their layout."""
COUNT = "n"
"""The array beside p4 that says how many constituents the whole jet had before p4 was cut."""


@dataclass(frozen=True, slots=True)
class WordPorts:
    """The ports of a graph that read words, by name; the axis of the slots and its size; the formats of all
    words, those of the ports if there are some; and the units of phi in a turn."""

    nodes: Mapping[str, Node]
    axis: str
    slots: int
    formats: Mapping[str, Fixed]
    turn: int

    def __contains__(self, name: str) -> bool:
        return name in self.nodes


def word_ports(graph: Graph) -> WordPorts | None:
    """Return the ports of a graph that read words, or None if it has none. Raises CompileError if phi and
    jet_phi have different turns."""
    ports = {n.name: n for n in graph.inputs if n.type.rep is S}
    turns = {turn: k for k in ANGLES if k in ports for turn in _turns(ports[k])}
    if not (all(k in ports for k in CONSTITUENT) and _turns(ports["phi"])):
        return None
    if len(turns) > 1:
        said = " and ".join(f"a turn of {k} has {turn} steps" for turn, k in turns.items())
        raise CompileError(graph.name, said, "give phi and jet_phi one modulus")
    axes = {ports[k].type.axes for k in CONSTITUENT}
    slots = next(iter(axes))
    if len(axes) > 1 or len(slots) != 1:
        return None
    single = {k: n for k, n in ports.items() if k in TRIGGER and n.type.elements == 1}
    nodes = single | {k: ports[k] for k in CONSTITUENT}
    formats = {k: n.type.format_of(0) for k, n in nodes.items() if n.type.formats}
    return WordPorts(nodes, slots[0].name, slots[0].size, {**TRIGGER, **formats}, next(iter(turns)))


def _turns(node: Node) -> list[int]:
    """Return the units in a turn, if the values of a port add modulo one."""
    return [c.modulus for c in node.type.charges if c.modulus]


def words_given(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays with words under their name: one array of unsigned words (B, M) may come as p4, as
    it does from a .npy file."""
    alone = np.asarray(arrays["p4"]) if "p4" in arrays else np.zeros(())
    if PUPPI in arrays or alone.ndim != 2 or alone.dtype.kind != "u":
        return dict(arrays)
    return {k: v for k, v in arrays.items() if k != "p4"} | {PUPPI: arrays["p4"]}


def made_words(arrays: Mapping[str, Any], ports: WordPorts) -> TriggerWords:
    """Return the words of events, from `puppi` if it is there, else from `p4`; constituents that `n` counts
    and p4 lacks count as words. Raises CompileError if both are there, and if p4 holds more than `n` says."""
    if PUPPI in arrays and "p4" in arrays:
        raise CompileError("arrays", "hold both p4 and puppi, which fill the same ports", "leave one out")
    jet, rest = arrays.get("jet"), (ports.slots, ports.formats, ports.turn)
    if PUPPI in arrays:
        return words_of_puppi(arrays[PUPPI], jet, arrays.get(LAYOUT, DEFAULT), *rest)
    made = words_of_momenta(arrays["p4"], jet, *rest)
    if COUNT not in arrays or MULTIPLICITY not in ports:
        return made
    return _counted(made, np.asarray(arrays["p4"]), np.asarray(arrays[COUNT]), ports.formats[MULTIPLICITY])


def _counted(made: TriggerWords, p4: Any, count: Any, form: Fixed) -> TriggerWords:
    """Return the words with constituents that were cut added to the multiplicity: all of them are words, for
    they are the softest of many. Raises CompileError for an array that cannot be that count."""
    given = (p4 != 0).any(axis=-1).sum(axis=1)
    remedy = "n counts the constituents of the whole jet: correct it, or rename the array"
    if count.ndim == 2 and count.shape[1] == 1:
        count = count[:, 0]
    if count.shape != given.shape or count.dtype.kind not in "iuf":
        raise CompileError(
            COUNT, f"is {count.dtype} of shape {count.shape}, expected numbers ({len(given)},)", remedy
        )
    bad = np.flatnonzero(~(np.isfinite(count) & (count >= given)) | (count != np.rint(count)))
    if len(bad):
        event = bad[0]
        raise CompileError(
            COUNT, f"is {count[event]:g} in event {event}, whose p4 has {given[event]} constituents", remedy
        )
    words = (made.given["pt"] > 0).sum(axis=1) + (count - given).astype(np.int64)
    raw, over = {MULTIPLICITY: np.minimum(words, form.hi)}, {MULTIPLICITY: (words > form.hi).astype(np.int64)}
    return replace(made, raw={**made.raw, **raw}, saturated={**made.saturated, **over})


def from_words(made: TriggerWords, ports: WordPorts, named: Collection[str]) -> dict[str, Filled]:
    """Return the ports that words fill, but for those that are given by name: of the jet and the number of
    words. Raises CompileError if the words of the constituents come by name, too."""
    twice = [k for k in CONSTITUENT if k in named]
    if twice:
        raise CompileError(
            "arrays", f"hold both words or p4 and {twice[0]}, which fill one port", "leave one out"
        )
    filled: dict[str, Filled] = {}
    for name, node in ports.nodes.items():
        if name not in named:
            raw = made.raw[name].reshape(-1, *node.type.shape)
            filled[name] = Filled(raw, _real(raw, ports.formats[name]), made.saturated[name])
    return filled


def given_words(node: Node, array: Any, ports: WordPorts) -> Filled:
    """Return a port of words filled by integers of its name. Raises CompileError for floats, which may be
    radians or steps; every integer of the port's format is a word that a wire may carry."""
    given = whole(node.name, array)
    if given.dtype.kind not in "iub":
        raise CompileError(
            node.name,
            f"holds {given.dtype}, expected the integers of words",
            "give integers in LSBs of the port, or p4 in GeV",
        )
    filled = given_port(node, given)
    raw = filled.raw if node.type.formats else filled.exact.astype(np.int64)
    return Filled(raw, _real(raw, ports.formats[node.name]), filled.over)


def _real(raw: Ints, form: Fixed) -> Floats:
    """Return what integers stand for: the words themselves, for nothing finer reaches the network."""
    return raw.astype(np.float64) * form.lsb
