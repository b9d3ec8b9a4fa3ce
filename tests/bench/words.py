"""Networks from the trigger's words to the score: ours, and peers with front end and network traced as one."""

from __future__ import annotations

import runpy
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from alkaid.converter import trace_model
from alkaid.trace import FVArray, trace

import eqhls
from eqhls.events.read import read_events
from eqhls.fixed import NumArray
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout
from eqhls.lower.plan import Plan
from eqhls.lower.stages import cut
from eqhls.lower.tracer import Tracer
from eqhls.options import Options
from eqhls.passes import run as run_passes

from .models import compiled, cost, judged, physics, trained_values
from .names import FRONT_END, MODELS, WORD_PEERS
from .peers import WITHOUT_TABLES, Peer, as_manifest, outputs_of, parameters, scores, write

FRONT = runpy.run_path(str(WORD_PEERS / "front.py"))
JETS = runpy.run_path(str(WORD_PEERS / "jets.py"))
TASKS = {1: "top", 5: "five"}
"""By the number of scores."""


def read(path: Path) -> Peer:
    """Trace a peer from the words to its scores."""
    model = keras.saving.load_model(path, compile=False)
    front, tracer, wires = run_passes(FRONT["front_end"]()), Tracer(Options().stage_ns), []
    words = Layout.of(front.inputs)
    feeds: dict[str, NumArray] = {p.name: np.empty(p.shape, dtype=object) for p in words.ports}
    for field in words.fields:
        number = tracer.input(field.form)
        feeds[field.port][field.index] = number
        wires.append(number.wire)
    found = front.run(feeds)
    taken = tuple(_features(found, FRONT[group]) for group in ("PARTICLE", "EVENT"))
    _, made = trace_model(model, solver_options=WITHOUT_TABLES, inputs=taken)
    comb = trace(wires, list(made), optimize=False, keep_dead_inputs=True)
    netlist = cut(path.stem, words, outputs_of(comb), comb, [0] * len(made), Options().stage_ns)
    return Peer(model, comb, netlist)


def _features(found: dict[str, NumArray], scales: dict[str, float]) -> FVArray:
    """Return features of the front end as wires of their values, (1, .., features) as the network takes them."""
    parts = [_values(found[name], scale) for name, scale in scales.items()]
    return FVArray(np.concatenate(parts, axis=-1)[None], WITHOUT_TABLES)


def _values(numbers: NumArray, scale: float) -> np.ndarray:
    out = np.empty(numbers.shape, dtype=object)
    for index in np.ndindex(numbers.shape):
        number = numbers[index]
        out[index] = number.wire * (scale * 2.0**-number.frac)
    return out


def front_alone() -> dict[str, Any]:
    """Return what the front end of the peers costs by itself."""
    return cost(as_manifest(Plan.of(run_passes(FRONT["front_end"]()), Options()).netlist))


def measure_peer(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Return the row of one peer; mismatches are those of RTL and Keras model."""
    start = time.perf_counter()
    peer = read(WORD_PEERS / f"{name}.keras")
    project = write(peer, folder)
    seconds = time.perf_counter() - start
    words, labels = JETS["load"](TASKS[len(peer.netlist.outputs.ports)], data)
    found, rate = scores(peer, project, words)
    want = np.asarray(peer.model.predict(JETS["features"](words), batch_size=1000, verbose=0))
    row = physics(found, labels) | cost(as_manifest(peer.netlist))
    return row | {
        "task": TASKS[found.shape[1]],
        "values": parameters(peer.model),
        "mismatches": int((found != want).any(axis=1).sum()),
        "compile": f"{seconds:.1f}",
        "rtl": f"{rate:,.0f}",
    }


def measure_ours(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Return the row of one of our models that read words; mismatches are those of integer, HLS and RTL."""
    seconds, _ = compiled(name, folder)
    project = eqhls.open_project(folder / name)
    raw, labels = jets_of(project.graph, MODELS / name, data)
    facts = {"task": task_of(project.graph), "values": trained_values(project.graph), "compile": seconds}
    return judged(project, raw, labels) | cost(project.manifest) | facts


def jets_of(graph: Graph, model: Path, data: Path | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return test jets of FOLDER in the ports of a graph and their labels, or those that the model ships."""
    if data is None:
        events = read_events(model / "events.npz", graph)
        assert events.labels is not None
        return events.raw, events.labels
    words, labels = JETS["read"](data, task_of(graph), "test", graph.node("pt").type.shape[0])
    return {n.name: words[n.name].reshape(-1, *n.type.shape) for n in graph.inputs}, labels


def task_of(graph: Graph) -> str:
    return TASKS[sum(n.type.elements for n in graph.results)]


def measure(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Return the row of a peer, of the front end of the peers, or of a model, by its name and where it lies."""
    if name == FRONT_END:
        return front_alone()
    return (measure_peer if (WORD_PEERS / f"{name}.keras").exists() else measure_ours)(name, folder, data)
