"""Networks without symmetry on the same jets: traced by alkaid alone, then cut, emitted, simulated and
synthesized exactly as ours are."""

from __future__ import annotations

import json
import resource
import runpy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hgq.layers  # noqa: F401  (lets Keras find the layers)
import keras
import numpy as np
from alkaid.converter import trace_model
from alkaid.trace import trace
from alkaid.types import CombLogic

from eqhls.backends.rtl.emit import emit
from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout, Port
from eqhls.lower.netlist import Netlist
from eqhls.lower.plan import Plan
from eqhls.lower.stages import cut
from eqhls.options import Options
from eqhls.text import MANIFEST, write_project
from eqhls.verify.bulk import BulkSimulator

from .models import cost, physics

HERE = Path(__file__).resolve().parents[2] / "models" / "peers"
WITHOUT_TABLES = {"binary_lut": False}
"""alkaid 0.8.2 puts single bits through tables and takes a signed one for 0 and 1."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A traced peer: the network, alkaid's logic, and the netlist of it."""

    model: keras.Model
    comb: CombLogic
    netlist: Netlist


def read(path: Path) -> Peer:
    """Trace a Keras model of HGQ2 layers."""
    model = keras.saving.load_model(path, compile=False)
    taken, made = trace_model(model, solver_options=WITHOUT_TABLES)
    comb = trace(taken, made, optimize=False, keep_dead_inputs=True)
    forms = tuple(_covering(op.qint) for op in comb.ops if op.opcode == -1)
    ports, outs = Layout(tuple(Port(f"x{k}", (1,), (f,)) for k, f in enumerate(forms))), outputs_of(comb)
    return Peer(model, comb, cut(path.stem, ports, outs, comb, [0] * len(outs.ports), Options().stage_ns))


def outputs_of(comb: CombLogic) -> Layout:
    """Return the word of the scores."""
    return Layout(tuple(Port(f"y{k}", (1,), (_covering(q),)) for k, q in enumerate(comb.out_qint)))


def _covering(interval: Any) -> Fixed:
    signed, integer, frac = (int(v) for v in interval.kif)
    return Fixed(max(signed + integer + frac, 1), signed + integer, bool(signed))


def write(peer: Peer, folder: Path) -> Path:
    """Write the RTL of a peer as a project folder that the engines and Yosys can run."""
    name = peer.netlist.name
    plan = Plan(Graph(name, (), ()), peer.netlist, Options())
    files = dict(emit(plan)) | {MANIFEST: json.dumps({"name": name}) + "\n"}
    write_project(files, folder / name)
    return folder / name


def raw_inputs(peer: Peer, jets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return jets as integers of the ports, wrapped as HGQ2's first quantizers wrap."""
    flat = np.concatenate([jets[t.name].reshape(len(jets["y"]), -1) for t in peer.model.inputs], axis=1)
    raw: dict[str, np.ndarray] = {}
    for port, column in zip(peer.netlist.inputs.ports, flat.T, strict=True):
        (form,) = port.formats
        whole = np.floor(column.astype(np.float64) / form.lsb).astype(np.int64)
        raw[port.name] = ((whole - form.lo) % (1 << form.width) + form.lo)[:, None]
    return raw


def scores(peer: Peer, folder: Path, raw: dict[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """Return the RTL's scores (events, K) and its events a second."""
    bulk, words = BulkSimulator(folder), peer.netlist.inputs.pack(raw)
    bulk.build()
    start = time.perf_counter()
    out = bulk.run(words)
    rate = len(words) / (time.perf_counter() - start)
    raw_scores, ports = peer.netlist.outputs.unpack(out), peer.netlist.outputs.ports
    return np.concatenate([raw_scores[p.name] * p.formats[0].lsb for p in ports], axis=1), rate


def measure(name: str, folder: Path, data: Path | None) -> dict[str, Any]:
    """Return the row of one peer; mismatches are those of RTL and Keras model."""
    start = time.perf_counter()
    peer = read(HERE / f"{name}.keras")
    project = write(peer, folder)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    jets = load(data)
    found, rate = scores(peer, project, raw_inputs(peer, jets))
    taken = [jets[t.name] for t in peer.model.inputs]
    want = np.asarray(peer.model.predict(taken if len(taken) > 1 else taken[0], batch_size=1000, verbose=0))
    return (
        physics(found, jets["y"])
        | cost(as_manifest(peer.netlist))
        | {
            "values": parameters(peer.model),
            "mismatches": int((found != want).any(axis=1).sum()),
            "compile": f"{seconds:.1f}",
            "memory": f"{peak:.0f}",
            "rtl": f"{rate:,.0f}",
        }
    )


def load(data: Path | None) -> dict[str, np.ndarray]:
    """Return x, m and y of the shipped jets, or of a file with p4, jet and y in GeV."""
    if data is None:
        with np.load(HERE / "jets.npz") as file:
            return {k: file[k] for k in file.files}
    inputs = runpy.run_path(str(HERE / "inputs.py"))["inputs"]
    with np.load(data) as file:
        return inputs(file["p4"], file["jet"]) | {"y": file["y"]}


def as_manifest(netlist: Netlist) -> dict[str, Any]:
    return {
        "latency_cycles": netlist.latency_cycles,
        "latency_ns": netlist.latency_cycles * Options().ClockPeriod,
        "stage_depth_ns": netlist.stage_depth_ns,
        "lut_estimate": netlist.lut_estimate,
        "register_bits": netlist.register_bits,
        "dsp": 0,
    }


def parameters(model: keras.Model) -> int:
    """Return the number of weights and biases; the widths that HGQ2 trains are not parameters of the network."""
    kept = [w for w in model.trainable_variables if w.path.endswith(("kernel", "bias"))]
    return sum(int(np.prod(w.shape)) for w in kept)
