"""Networks from the layers: the seeded Lorentz group network, and the pair one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from eqhls.frontends.layers.geometry import (
    CgProductLayer,
    CgSquareLayer,
    ChannelMixLayer,
    GramLayer,
    InvariantsLayer,
    PairSumLayer,
)
from eqhls.frontends.layers.scalar import DenseLayer, Log2Layer, TableLayer
from eqhls.frontends.layers.structure import (
    AddLayer,
    ConcatLayer,
    MaskLayer,
    ParticleSumLayer,
    RenameLayer,
    SelectLayer,
    SpurionLayer,
    TypedInput,
)
from eqhls.groups.coupling import Path
from eqhls.groups.lorentz.cg import paths_up_to
from eqhls.groups.lorentz.reps import F, V
from eqhls.groups.registry import coupling, parse_path
from eqhls.groups.rep import Rep, S


@dataclass(frozen=True, slots=True)
class Inputs:
    """The formats of the ports, as type text without axes, the beams, and the frame of the vectors: jet, if
    it is left out, or seed."""

    basis: str = "lc"
    vector: str = "ufix<10,11>|ufix<8,5>|fix<9,8>|fix<9,8>"
    jet: str = "ufix<10,11>|ufix<10,7>|fix<9,8>|fix<9,8>"
    beams: tuple[tuple[float, ...], ...] = ((2.0, 2.0, 0.0, 2.0), (2.0, 2.0, 0.0, -2.0))
    frame: str = ""


JET_FRAME = Inputs()
COARSE = Inputs(
    "lc",
    "ufix<8,10>|ufix<6,4>|fix<7,7>|fix<7,7>",
    "ufix<9,11>|ufix<9,7>|fix<7,7>|fix<7,7>",
    ((4.0, 4.0, 0.0, 4.0), (4.0, 4.0, 0.0, -4.0)),
)
"""Steps of 4, 1/4, 1 and 1 GeV, for networks that multiply all pairs: still a lattice of the exact
group, and products of two 7-bit numbers fit into one pipeline stage."""
COARSER = Inputs(
    "lc",
    "ufix<7,10>|ufix<5,4>|fix<6,7>|fix<6,7>",
    "ufix<8,11>|ufix<8,7>|fix<6,7>|fix<6,7>",
    ((8.0, 8.0, 0.0, 8.0), (8.0, 8.0, 0.0, -8.0)),
)
"""Steps of 8, 1/2, 2 and 2 GeV, for the smallest networks."""
LAB_INPUTS = Inputs(
    "xyz",
    "ufix<14,12>|fix<14,12>|fix<14,12>|fix<15,13>",
    "ufix<14,12>|fix<14,12>|fix<14,12>|fix<15,13>",
    ((2.0, 0.0, 0.0, 2.0), (2.0, 0.0, 0.0, -2.0)),
)


@dataclass(frozen=True, slots=True)
class SeededConfig:
    """A seeded LGN: levels, sums a level, constituents, and the formats of its tables. `classes` is the
    number of classes that it tells apart: two by one score, three and more by a score each."""

    levels: int = 1
    sums: int = 2
    constituents: int = 16
    classes: int = 2
    inputs: Inputs = JET_FRAME
    edge: str = "fix<5,3,RND,SAT>"
    score: str = "ufix<4,0>"
    readout: str = "fix<8,6,RND,SAT>"
    sender_frac: int = 1
    pair_frac: int = 3


SHIFTS = (0.0, 0.25, 0.5, 1.0)


def ports(inputs: Inputs, constituents: int) -> tuple[Any, Any, Any]:
    """Return the typed inputs p V[j], jet V[i:1] and valid S[j]."""
    made: list[Any] = []
    for port, kind in (
        ("p", f"V.{inputs.basis}[j:{constituents}]:{inputs.vector}"),
        ("jet", f"V.{inputs.basis}[i:1]:{inputs.jet}"),
        ("valid", f"S[j:{constituents}]:ufix<1,1>"),
    ):
        shape = (1 if port == "jet" else constituents, 1 if port == "valid" else 4)
        raw = keras.Input(shape, name=f"{port}_raw")
        made.append(TypedInput(kind, "" if port == "valid" else inputs.frame, name=port)(raw))
    return made[0], made[1], made[2]


def network(name: str, ports: tuple[Any, ...], out: Any) -> keras.Model:
    """Return the model from typed inputs to a result."""
    raw = [t._keras_history.operation._inbound_nodes[0].input_tensors[0] for t in ports]
    return keras.Model(raw, out, name=name)


def heads(classes: int) -> tuple[str, ...]:
    """Return what is put behind the names of the layers that end in a score, an entry for each score: nothing
    if one score tells two classes apart."""
    return ("",) if classes <= 2 else tuple(f"_class{k}" for k in range(classes))


def logits(parts: Sequence[Sequence[Any]]) -> Any:
    """Return the sums of the terms S[] of each score: a score S[], or S[c] of several."""
    if len(parts) == 1:
        return AddLayer(name="logit")(*parts[0])
    opened: list[Any] = []
    for k, terms in enumerate(parts):
        total = AddLayer(name=f"logit{k}")(*terms)
        unit = SpurionLayer("S[c:1]", [[1.0]], name=f"logit{k}_unit")(total)
        opened.append(CgProductLayer("S*S->S", name=f"logit{k}_open")(total, unit))
    return ConcatLayer("c", name="logit")(*opened)


def seeded_lgn(config: SeededConfig, name: str, quantized: bool) -> keras.Model:
    """Return the seeded network (network A with one level, D with two), O(N) products.

    Level l: d_j = log2 <p_j, Q_l>, weights w_j = sigmoid(T(d_j) + U(t_j)) in {0, 1/4, 1/2, 1},
    V_l = sum_j w_j p_j, sums S_a likewise; Q_0 the leading constituent, Q_{l+1} = V_l. Read-out:
    one trained function for each log2 <X, Y>, X <= Y in {J, V_0, ..}, and for each S_a, and of several
    classes for each of them: everything else is shared.
    """
    p, jet, valid = ports(config.inputs, config.constituents)
    beams = SpurionLayer(f"V.{config.inputs.basis}[i:2]", config.inputs.beams, name="beams")(p)
    log_beam = Log2Layer(2.0, config.sender_frac, name="log_beam", quantized=quantized)
    sender = ParticleSumLayer("i", name="t")(log_beam(GramLayer(name="pbeam")(beams, p)))
    query = SelectLayer("j", (0,), "i", name="seed")(p)
    nodes, levels = [jet], list[list[Any]]()
    for level in range(config.levels):
        query, found = _level(config, level, (query, p, sender, valid), quantized)
        nodes.append(query)
        levels.append(found)
    pairs = GramLayer("i", "q", name="gram")(ConcatLayer("i", name="nodes")(*nodes))
    codes = Log2Layer(
        1.0, config.pair_frac, 2 ** (5 + config.pair_frac), name="log_gram", quantized=quantized
    )(pairs)
    knots = [1.0, 4.0, 6.0, *(7.0 + 0.5 * k for k in range(21)), 19.0]
    parts: list[list[Any]] = []
    for tail, terms in zip(heads(config.classes), zip(*levels, strict=True), strict=True):
        read = TableLayer(knots, "q", out=config.readout, name=f"f{tail}", quantized=quantized)(codes)
        parts.append([ParticleSumLayer("q", name=f"f_sum{tail}")(read), *terms])
    return network(name, (p, jet, valid), logits(parts))


EDGE_KNOTS = (1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0)
SENDER_KNOTS = (0.0, 4.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0)
SUM_KNOTS = (0.0, 2.0, 4.0, 7.0, 11.0, 15.0)


def _level(config: SeededConfig, k: int, wires: tuple[Any, ...], quantized: bool) -> tuple[Any, list[Any]]:
    """Return V_k, and for each score the read-out of the sums S of one level."""
    query, p, sender, valid = wires
    d = Log2Layer(0.25, 2, name=f"log_d{k}", quantized=quantized)(GramLayer(name=f"d{k}")(query, p))
    gates = [_gate(config, f"{k}_{a}", d, sender, quantized) for a in range(config.sums + 1)]
    sigmoid: dict[str, Any] = {"activation": "sigmoid", "trainable_values": False, "quantized": quantized}
    w = TableLayer((0.0, 1.0), out="ufix<3,1>", levels=SHIFTS, name=f"w{k}", **sigmoid)(gates[0])
    tails = heads(config.classes)
    scores: list[list[Any]] = [[] for _ in tails]
    for a, gate in enumerate(gates[1:], 1):
        s = TableLayer((0.0, 1.0), out=config.score, name=f"s{k}_{a}", **sigmoid)(gate)
        total = ParticleSumLayer(name=f"sum{k}_{a}")(MaskLayer(name=f"mask{k}_{a}")(s, valid))
        for tail, found in zip(tails, scores, strict=True):
            name = f"{k}_{a}{tail}"
            read = TableLayer(SUM_KNOTS, out=config.readout, name=f"g{name}", quantized=quantized)(total)
            found.append(ParticleSumLayer("i", name=f"gs{name}")(read))
    moved = PairSumLayer(name=f"v{k}")(w, p)
    totals = [AddLayer(name=f"score{k}{tail}")(*found) for tail, found in zip(tails, scores, strict=True)]
    return moved, totals


def _gate(config: SeededConfig, label: str, d: Any, sender: Any, quantized: bool) -> Any:
    """Return T(d) + U(t), the argument of a sigmoid."""
    edge = TableLayer(EDGE_KNOTS, out=config.edge, name=f"edge{label}", quantized=quantized)(d)
    drop = TableLayer(SENDER_KNOTS, out=config.edge, name=f"drop{label}", quantized=quantized)(sender)
    return AddLayer(name=f"z{label}")(edge, drop)


def pair_lgn(
    name: str,
    constituents: int = 4,
    levels: int = 1,
    channels: int = 2,
    maxdim: int = 2,
    receivers: tuple[int, ...] = (),
    inputs: Inputs = LAB_INPUTS,
    quantized: bool = False,
    mix: str = "",
) -> keras.Model:
    """Return the real-form Lorentz group network with pair messages.

    Receivers are all constituents, or the node subset given. Level: sum_j R_ij CG(X_j, p_j) + skip
    + self products, over every path up to `maxdim`, mixed per representation. Read-out: the
    invariants of every channel, summed over receivers, and a dense layer.
    """
    p, _, valid = ports(inputs, constituents)
    nodes = receivers or tuple(range(constituents))
    here = SelectLayer("j", nodes, "i", name="receivers")(p)
    logs = Log2Layer(0.25, 2, name="log_pair", quantized=quantized)(GramLayer(name="pair")(here, p))
    senders: dict[Rep, Any] = {V: _channels(p, channels, mix, "embed_j")}
    state: dict[Rep, Any] = {V: _channels(here, channels, mix, "embed_i")}
    for level in range(levels):
        radial = _radial(logs, valid, channels, level, quantized)
        state = _pair_level(state, senders, p, radial, (channels, maxdim, level, mix))
        senders = (
            {r: RenameLayer("i", "j", name=f"send{level}_{r.name}")(x) for r, x in state.items()}
            if not receivers
            else senders
        )
    scalars = [
        ParticleSumLayer("i", name=f"pool_{r.name}")(InvariantsLayer(name=f"inv_{r.name}")(x))
        for r, x in state.items()
    ]
    head = DenseLayer(1, mix, name="head")(ConcatLayer("c", name="scalars")(*scalars))
    return network(name, (p, valid), head)


def _channels(x: Any, channels: int, mix: str, name: str) -> Any:
    """Give a tensor without channels an axis c: x_c = w_c x."""
    lone = SpurionLayer("S[c:1]", [[1.0]], name=f"{name}_unit")(x)
    return ChannelMixLayer(channels, quantizer=mix, name=name)(
        CgProductLayer("V*S->V", name=f"{name}_open")(x, lone)
    )


def _radial(logs: Any, valid: Any, channels: int, level: int, quantized: bool) -> Any:
    unit = SpurionLayer(f"S[c:{channels}]", [[1.0]] * channels, name=f"radial{level}_unit")(logs)
    spreaded = CgProductLayer("S*S->S", name=f"radial{level}_open")(logs, unit)
    table = TableLayer(
        [0.0, 4.0, 8.0, 12.0, 16.0], "c", out="fix<8,2,RND,SAT>", name=f"radial{level}", quantized=quantized
    )(spreaded)
    return MaskLayer(name=f"radial{level}_mask")(table, valid)


def _squares(path: Path) -> bool:
    """Whether the product of a tensor with itself is not zero."""
    basis = path.left.basis()
    return bool(coupling(path, basis, basis).square.terms)


def _pair_level(
    state: dict[Rep, Any], senders: dict[Rep, Any], p: Any, radial: Any, config: tuple[int, int, int, str]
) -> dict[Rep, Any]:
    channels, maxdim, level, mix = config
    columns: dict[Rep, list[Any]] = {}
    for rep, x in senders.items():
        columns.setdefault(rep, []).append(PairSumLayer(name=f"sum{level}_{rep.name}_S")(radial, x))
        for path in _from(rep, maxdim):
            name = _safe(f"cg{level}_{path}")
            product = CgProductLayer(str(path), name=name)(x, p)
            columns.setdefault(path.out, []).append(PairSumLayer(name=f"sum_{name}")(radial, product))
    for rep, x in state.items():
        columns.setdefault(rep, []).append(x)
        for path in paths_up_to(maxdim):
            if path.left is rep is path.right and not path.dual and _squares(path):
                square = CgSquareLayer(str(path), name=_safe(f"square{level}_{path}"))(x)
                columns.setdefault(path.out, []).append(square)
    return {
        rep: ChannelMixLayer(channels, rep is S, rep is F, mix, name=f"mix{level}_{rep.name}")(
            ConcatLayer("c", name=f"cat{level}_{rep.name}")(*parts)
        )
        for rep, parts in columns.items()
    }


def _from(rep: Rep, maxdim: int) -> list[Path]:
    """Return the paths rep x V -> anything."""
    found = [
        p for p in paths_up_to(maxdim) if {p.left, p.right} == {rep, V} and (p.left is V or p.right is V)
    ]
    return [p if p.left is rep else parse_path(str(p.swapped)) for p in found]


def _safe(text: str) -> str:
    return text.replace("*", "x").replace("->", "_").replace("~", "_dual")
