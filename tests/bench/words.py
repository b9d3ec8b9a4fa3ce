"""Peers that read the trigger's words: front end and network traced as one, then cut, emitted and simulated as ours are."""

from __future__ import annotations

import runpy
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from alkaid.converter import trace_model
from alkaid.trace import FVArray, trace

from eqhls.fixed import NumArray
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout
from eqhls.lower.stages import cut
from eqhls.lower.tracer import Tracer
from eqhls.options import Options
from eqhls.passes import run as run_passes

from .models import cost, physics
from .peers import WITHOUT_TABLES, Peer, as_manifest, outputs_of, parameters, scores, write

HERE = Path(__file__).resolve().parents[2] / "models" / "peers" / "words"
FRONT = runpy.run_path(str(HERE / "front.py"))
JETS = runpy.run_path(str(HERE / "jets.py"))


def names() -> list[str]:
    """Return the names of all peers that were trained."""
    return sorted(p.stem for p in HERE.glob("*.keras"))


def task_of(name: str) -> str:
    return name.split("_")[1]


def read(path: Path) -> Peer:
    """Trace a peer from the words to its scores."""
    model = keras.saving.load_model(path, compile=False)
    front = run_passes(FRONT["front_end"]())
    tracer = Tracer(Options().stage_ns)
    words, wires = Layout.of(front.inputs), []
    feeds: dict[str, NumArray] = {p.name: np.empty(p.shape, dtype=object) for p in words.ports}
    for field in words.fields:
        number = tracer.input(field.form)
        feeds[field.port][field.index] = number
        wires.append(number.wire)
    found = front.run(feeds)
    taken = tuple(features(found, FRONT[group]) for group in ("PARTICLE", "EVENT"))
    _, made = trace_model(model, solver_options=WITHOUT_TABLES, inputs=taken)
    comb = trace(wires, list(made), optimize=False, keep_dead_inputs=True)
    netlist = cut(path.stem, words, outputs_of(comb), comb, [0] * len(made), Options().stage_ns)
    return Peer(model, comb, netlist)


def features(found: dict[str, NumArray], scales: dict[str, float]) -> FVArray:
    """Return some features of the front end as wires of their values, the last axis as in the network."""
    parts = [_values(found[name], scale) for name, scale in scales.items()]
    return FVArray(np.concatenate(parts, axis=-1)[None], WITHOUT_TABLES)


def _values(numbers: NumArray, scale: float) -> np.ndarray:
    out = np.empty(numbers.shape, dtype=object)
    for index in np.ndindex(numbers.shape):
        number = numbers[index]
        out[index] = number.wire * (scale * 2.0**-number.frac)
    return out


def front_alone() -> dict[str, Any]:
    """Return what the front end costs by itself."""
    graph: Graph = FRONT["front_end"]()
    from eqhls.lower.plan import Plan

    return as_manifest(Plan.of(run_passes(graph), Options()).netlist)


def measure(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Return the row of one peer; mismatches are those of RTL and Keras model."""
    start = time.perf_counter()
    peer = read(HERE / f"{name}.keras")
    project = write(peer, folder)
    seconds = time.perf_counter() - start
    words, labels = JETS["load"](task_of(name), data)
    found, rate = scores(peer, project, words)
    want = np.asarray(peer.model.predict(JETS["features"](words), batch_size=1000, verbose=0))
    return (
        physics(found, labels)
        | cost(as_manifest(peer.netlist))
        | {
            "values": parameters(peer.model),
            "mismatches": int((found != want).any(axis=1).sum()),
            "compile": f"{seconds:.1f}",
            "rtl": f"{rate:,.0f}",
        }
    )
