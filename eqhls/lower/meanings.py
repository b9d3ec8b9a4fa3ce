"""What inputs and outputs stand for, read off a graph: unit, frame, order, empty slots, range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log2, tau

from eqhls.errors import CompileError
from eqhls.events.ports import FLAGS, is_flag, particle_axis
from eqhls.events.wordports import WordPorts, word_ports
from eqhls.events.words import ANGLES, CONSTITUENT, MULTIPLICITY
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.reps import V
from eqhls.groups.permutation import ACTIONS, PARTICLES
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.types import Axis
from eqhls.ops.common import nearest
from eqhls.ops.input import Frame, Input, frame_of

WIRES = "on the wires every pattern of bits is a value and is taken as it is"
_WORDS = {
    "pt": "transverse momenta",
    "eta": "pseudorapidities",
    "phi": "azimuths",
    "jet_pt": "transverse momentum of the jet",
    "jet_eta": "rapidity of the jet",
    "jet_phi": "azimuth of the jet",
    "jet_mass2": "squared mass of the jet",
    MULTIPLICITY: "number of constituents of the whole jet with pt > 0, before the cut to the slots",
}
_CUT = ("pt", "jet_pt", "jet_mass2")
"""Words of which the trigger cuts the fraction."""
_FRAMES = {
    None: "laboratory",
    Frame.JET: "of the jet: a boost along the beam and a turn about it put the jet on the x axis",
    Frame.SEED: "of entry 0: a boost along the beam and a turn about it put it on the x axis",
}


@dataclass(frozen=True, slots=True)
class Sense:
    """What a port stands for; texts as in `Signal`. The value 1 of its formats is `scale` in `unit`, and
    `taken` are the formats of the components with the modes by which they take real numbers."""

    meaning: str
    taken: tuple[Fixed, ...]
    unit: str = ""
    scale: float = 1.0
    whole: bool = False
    frame: str = ""
    order: str = ""
    holes: str = ""
    overflow: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads ports of one graph, whose names in programs and hardware are `legal`."""

    graph: Graph
    legal: Mapping[str, str]
    words: WordPorts | None
    particles: str
    free: bool

    @classmethod
    def of(cls, graph: Graph, legal: Mapping[str, str]) -> Reader:
        words = word_ports(graph)
        particles = words.axis if words else particle_axis(graph)
        return cls(graph, legal, words, particles, order_free(graph, particles))

    def input(self, node: Node) -> Sense:
        """Return what an input stands for."""
        if self.words and node.name in self.words:
            found = self._word(node, self.words)
        elif node.type.rep is V:
            found = self._momenta(node)
        elif self._flags(node):
            found = _flag(node)
        else:
            found = _other(node)
        order = self._order() if node.type.has(self.particles) else ""
        return replace(found, order=order)

    def output(self, node: Node) -> Sense:
        """Return what an output stands for: its unit only if it follows from that of momenta."""
        power = degree(self.graph, node.name)
        unit = {0: "", 1: "GeV"}.get(power, f"GeV^{power}") if power is not None else ""
        frames = {_FRAMES[frame_of(n.op)] for n in self.graph.inputs if n.type.rep is V}
        moved = node.type.rep is not S and len(frames) == 1
        entries = node.type.has(self.particles) and self.free
        return Sense(
            "result of the network",
            tuple(node.type.format_of(c) for c in range(node.type.dim)),
            unit,
            frame=next(iter(frames)) if moved else "",
            order="that of the inputs" if entries else "",
            overflow=_result_overflow(node),
        )

    def _order(self) -> str:
        if any(frame_of(n.op) is Frame.SEED for n in self.graph.inputs):
            return "the leading constituent, whose frame it is, is entry 0; the others as in training"
        if self.free:
            return "any: the results do not depend on it"
        return "falling pT, unless the network was trained on another order: the results depend on it"

    def _flags(self, node: Node) -> bool:
        return node.type.has(self.particles) and (node.name in FLAGS or is_flag(node))

    def _momenta(self, node: Node) -> Sense:
        over = node.type.has(self.particles)
        flags = [self.legal[n.name] for n in self.graph.inputs if n.type.rep is S and self._flags(n)]
        beside = "".join(f", with {name} = 0 beside it" for name in flags[:1])
        return Sense(
            f"four-momenta (E, px, py, pz){_basis(node)}" if over else f"four-momentum{_basis(node)}",
            _nearest(node),
            "GeV",
            frame=_FRAMES[frame_of(node.op)],
            holes=f"all components 0{beside}" if over else "",
            overflow=_rounded(),
        )

    def _word(self, node: Node, words: WordPorts) -> Sense:
        form, angle = node.type.format_of(0), "eta" in node.name or node.name in ANGLES
        turns = node.name in ANGLES
        fit = Overflow.WRAP if turns else Overflow.SAT
        mode = Rounding.TRN if node.name in _CUT else Rounding.RND_CONV
        taken = Fixed(form.width, form.integer, form.signed, mode, fit)
        squared = node.name == "jet_mass2"
        unit = "rad" if angle else "GeV^2" if squared else "" if node.name == MULTIPLICITY else "GeV"
        empty = "pt = 0, and eta = phi = 0 beside it" if node.name in CONSTITUENT else ""
        return Sense(
            _WORDS[node.name],
            (taken,),
            unit,
            tau / words.turn if angle else 1.0,
            node.name not in ("pt", "jet_pt"),
            holes=empty,
            overflow=_word_overflow(taken, words.turn if turns else 0),
        )


def _word_overflow(taken: Fixed, turn: int) -> str:
    how = "cut towards 0" if taken.rounding is Rounding.TRN else "rounded to the nearest"
    if turn:
        half = int(turn / taken.lsb) // 2
        return f"real angles are {how} and turned into [{-half}, {half}) in LSBs; {WIRES}"
    return f"real numbers are {how} and saturate at the ends of the range; {WIRES}"


def _rounded() -> str:
    return f"real numbers are rounded to the nearest, ties to even, and saturate at the ends; {WIRES}"


def _nearest(node: Node) -> tuple[Fixed, ...]:
    return tuple(nearest(node.type.format_of(c), Overflow.SAT) for c in range(node.type.dim))


def _basis(node: Node) -> str:
    return " on the light cone: p_plus = E + px, p_minus = E - px" if node.type.basis.name == "lc" else ""


def _flag(node: Node) -> Sense:
    meaning = "flags: 1 for a slot that holds a constituent, 0 for an empty one"
    return Sense(meaning, _nearest(node), whole=True, holes="0", overflow=WIRES)


def _other(node: Node) -> Sense:
    turns = [c for c in node.type.charges if c.modulus]
    unit = f"1/{turns[0].modulus} of a turn" if turns else ""
    meaning = "feature, in the unit that the network was trained in"
    if node.type.rep is not S:
        meaning = f"{node.type.rep.group} tensor {node.type.rep.name}, in the unit of the training"
    return Sense(meaning, _nearest(node), unit, overflow=_rounded())


def _result_overflow(node: Node) -> str:
    modes = {f.overflow for f in node.op.rounds_to()}
    if any(m.saturates for m in modes):
        return "saturates at the ends of the range of the network's last rounding"
    if modes:
        return "keeps the low bits of what the network's last rounding cannot hold"
    return "cannot occur: the format holds every result"


def order_free(graph: Graph, axis: str) -> bool:
    """Whether the results follow every permutation of the entries of an axis of the inputs, by their types:
    the network still has types if the axis is said to be a set, and every op commutes with what moves one."""
    if not any(n.type.has(axis) for n in graph.inputs):
        return False
    made = Builder(graph.name)
    try:
        for node in graph:
            op = node.op
            if isinstance(op, Input) and op.type.has(axis):
                given = op.type.axis(axis)
                if given.action.moves and given.action.group != PARTICLES.group:
                    return False
                moved = replace(op.type, axes=tuple(_set(a, axis) for a in op.type.axes))
                op = replace(op, type=moved)
            made.add(node.name, op, *node.inputs)
    except CompileError:
        return False
    return True


def _set(axis: Axis, name: str) -> Axis:
    return replace(axis, action=ACTIONS[PARTICLES.name]) if axis.name == name else axis


def degree(graph: Graph, name: str) -> int | None:
    """Return the power of GeV that a value has, or None if it has no such unit: if trained numbers or
    roundings enter, or values that are not momenta."""
    powers: dict[str, int | None] = {}
    for node in graph:
        into = [powers[n] for n in node.inputs]
        if node.op.source:
            powers[node.name] = 1 if node.type.rep is V else None
        elif node.op.weights or node.op.constant or None in into:
            powers[node.name] = None
        else:
            factors = tuple(2.0 ** (p or 0) for p in into)
            gain = node.op.gain(graph.types_into(node), factors)
            power = None if gain is None else log2(gain)
            powers[node.name] = int(power) if power is not None and power == int(power) else None
    return powers[name]
