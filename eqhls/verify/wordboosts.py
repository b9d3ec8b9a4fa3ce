"""What words of the trigger leave of the Lorentz group, measured: events are boosted and turned as
four-momenta and become words again, and the change of the output is given as a fraction of its spread.

Turns about the beam and boosts along it by whole steps are exact, and proved elsewhere (`claims.Steps`). Here
they come by any amount, so that rounding to words is all that changes; boosts across the beam are not a
symmetry of the words, and how much of one the network has learned is what the curve shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from eqhls.engines import Ints
from eqhls.events.read import Events
from eqhls.events.wordports import WordPorts
from eqhls.events.words import CONSTITUENT, JET, MULTIPLICITY, massless, words_of_momenta
from eqhls.groups.lorentz.reps import boost
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.plots import COLOURS, MARKERS, NORMAL, SMALL, dress, figure, percent, png
from eqhls.text import write_file
from eqhls.verify.evidence import Stage

SIZES = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Rapidities of boosts, and angles of turns in radians."""
EVENTS = 1000
Move = Callable[[np.random.Generator, float], Floats]


def _along(rng: np.random.Generator, size: float) -> Floats:
    return boost(np.array([0.0, 0.0, np.tanh(size)]))


def _across(rng: np.random.Generator, size: float) -> Floats:
    angle = rng.uniform(0, 2 * np.pi)
    return boost(np.tanh(size) * np.array([np.cos(angle), np.sin(angle), 0.0]))


def _turn(rng: np.random.Generator, size: float) -> Floats:
    out, (c, s) = np.eye(4), (np.cos(size), np.sin(size))
    out[1:3, 1:3] = [[c, -s], [s, c]]
    return out


MOVES: Mapping[str, Move] = MappingProxyType(
    {"boosts across the beam": _across, "boosts along the beam": _along, "turns about the beam": _turn}
)


def word_boosts(graph: Graph, ports: WordPorts, events: Events, folder: Path) -> Stage:
    """Boost and turn the events of a network on words, and measure how far the integer output moves. Writes
    report/boosts.png."""
    table = measured(graph, ports, {k: v[:EVENTS] for k, v in events.raw.items()}, SIZES)
    write_file(folder / "report" / "boosts.png", png(figure_of(graph.name, table)))
    most = ", ".join(f"{name} {row[-1]:.2g}" for name, row in table.items())
    numbers = [
        (f"{n.split()[1]}_{g}", v) for n, row in table.items() for g, v in zip(SIZES, row, strict=True)
    ]
    return Stage(
        "boosts",
        True,
        f"rms change of the output over its spread at {SIZES[-1]:g}: {most}; whole steps along and about the "
        "beam change nothing (symmetry stages)",
        tuple(numbers),
    )


def measured(
    graph: Graph, ports: WordPorts, raw: Mapping[str, Ints], sizes: tuple[float, ...]
) -> dict[str, list[float]]:
    """Return the rms change of the output over its spread for each of the `MOVES`, at each size."""
    momenta, jets = _momenta(ports, raw)
    before = graph.evaluate(_words(ports, raw, momenta, jets))
    return {
        name: [_change(graph, before, _moved(ports, raw, momenta, jets, move, size)) for size in sizes]
        for name, move in MOVES.items()
    }


def _momenta(ports: WordPorts, raw: Mapping[str, Ints]) -> tuple[Floats, Floats]:
    """Return the four-momenta of the constituents (B, N, 4) and of the jet (B, 4), in the middle of the cells
    that truncated momenta and masses fall into. A network that reads no jet word gets the sum."""
    one = {k: raw[k].reshape(len(raw[k]), -1) for k in CONSTITUENT}
    filled = one["pt"] > 0
    middle = np.where(filled, (one["pt"] + 0.5) / np.maximum(one["pt"], 1), 0.0)
    constituents = massless(one, ports.formats, ports.turn) * middle[..., None]
    if any(k not in ports for k in JET):
        return constituents, constituents.sum(axis=1)
    unit = 2 * np.pi / ports.turn
    value = {k: raw[k].reshape(-1) * ports.formats[k].lsb for k in JET}
    pt = value["jet_pt"] + 0.5 * ports.formats["jet_pt"].lsb
    mass2 = value["jet_mass2"] + 0.5 * ports.formats["jet_mass2"].lsb
    rapidity, phi = value["jet_eta"] * unit, value["jet_phi"] * unit
    transverse = np.asarray(np.sqrt(mass2 + pt**2), dtype=np.float64)
    parts = (
        transverse * np.cosh(rapidity),
        pt * np.cos(phi),
        pt * np.sin(phi),
        transverse * np.sinh(rapidity),
    )
    return constituents, np.stack(parts, axis=-1).astype(np.float64)


def _words(ports: WordPorts, raw: Mapping[str, Ints], momenta: Floats, jets: Floats) -> dict[str, Ints]:
    """Return the ports filled by momenta; the multiplicity, which counts words that are not here, stays."""
    made = words_of_momenta(momenta, jets, ports.slots, ports.formats, ports.turn).raw
    return dict(raw) | {
        name: made[name].reshape(raw[name].shape) for name in ports.nodes if name != MULTIPLICITY
    }


def _moved(
    ports: WordPorts, raw: Mapping[str, Ints], momenta: Floats, jets: Floats, move: Move, size: float
) -> dict[str, Ints]:
    """Return the words of events under one random transformation each, of either direction."""
    rng = np.random.default_rng(5)
    signs = rng.choice((-1.0, 1.0), len(jets))
    elements = np.stack([move(rng, float(sign * size)) for sign in signs])
    turned = np.einsum("bij,bnj->bni", elements, momenta)
    return _words(ports, raw, turned, np.einsum("bij,bj->bi", elements, jets))


def _change(graph: Graph, before: Mapping[str, Ints], moved: Mapping[str, Ints]) -> float:
    """Return the root mean square change over the spread, the largest of all outputs that vary."""
    after = graph.evaluate(moved)
    rms = {k: float(np.sqrt(((after[k] - v).astype(np.float64) ** 2).mean())) for k, v in before.items()}
    spreads = {k: float(v.std()) for k, v in before.items()}
    return max((rms[k] / spread for k, spread in spreads.items() if spread), default=0.0)


def figure_of(name: str, table: Mapping[str, Sequence[float]], sizes: Sequence[float] = SIZES) -> Any:
    """Return the change of the output in percent of its spread against the size of each of the `MOVES`."""
    drawn = figure(7.2, 4.4)
    axes = drawn.subplots()
    for (label, row), colour, marker in zip(table.items(), COLOURS, MARKERS, strict=False):
        axes.plot(sizes, [100 * v for v in row], color=colour, marker=marker, label=label)
    axes.set_title(_title(name, table, sizes), fontsize=NORMAL)
    axes.set_xlabel("rapidity of the boost, or angle of the turn [rad]")
    axes.set_ylabel("rms change of the output [% of its spread]")
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.3)
    dress(axes, named=True)
    axes.legend(fontsize=SMALL)
    return drawn


def _title(name: str, table: Mapping[str, Sequence[float]], sizes: Sequence[float]) -> str:
    """Return the message: what the largest of each of the moves changes."""
    moved = [(label.split(" ", 1), percent(row[-1])) for label, row in table.items()]
    (_, where), most = moved[0]
    others = ", ".join(f"{kind} {place} by {part}" for (kind, place), part in moved[1:])
    return f"{name}: boosts {where} by {sizes[-1]:g} move the output by {most} of its spread,\n{others}"
