"""Train taggers of two classes from trigger words to a score: float first, then rounded as their graph is.

    python models/words/train.py --data FOLDER [--only NAME ...] [--seed K] [--output FOLDER]

FOLDER holds toptag_{train,val,test}.npz with p4 (B, N, 4) in GeV, jet (B, 4), y, and n (B,), the constituents
of the jet before it was cut to N. Writes graph.eq, graph.npz and events.npz (test jets as words, labels and
expected outputs) into models/NAME and prints the AUCs. The network that was trained and the graph are held
against each other bit for bit on all test jets. JAX is in the extra `jax`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from model import Model, training_data
from numpy.typing import NDArray
from tagger import Tagger, build, front_graph
from training import Phase, fit

from eqhls.engines import Ints
from eqhls.events.words import words_of_momenta
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.graphfile import save_graph
from eqhls.ir.graph import Graph
from eqhls.text import npz, write_file
from eqhls.verify.metrics import auc, rejection

HERE = Path(__file__).resolve().parent.parent
SHIPPED = 4000
MOST = 127
"""The largest multiplicity that its port holds."""


@dataclass(frozen=True)
class Plan:
    """A network and how it is trained."""

    net: Tagger
    phases: tuple[Phase, ...] = (Phase(16, 0.05, False), Phase(16, 0.02, True))
    seed: int = 1
    decay: float = 3e-2


CUT = Fixed(7, 5, True, Rounding.TRN, Overflow.SAT)
"""Hidden sums cut to this save a clock."""
PLANS = {
    "tag16": Plan(Tagger(16, hidden=4, singles=2, whole=CUT)),
    "tag16_small": Plan(Tagger(12, sums=2)),
    "tag32": Plan(Tagger(32, hidden=4, singles=2, whole=CUT)),
}


@dataclass(frozen=True)
class Events:
    """Jets as words, by port, and their labels."""

    raw: dict[str, Ints]
    labels: NDArray[Any]

    def feeds(self, graph: Graph) -> dict[str, Ints]:
        """Return what a graph reads, in the shapes of its ports."""
        events = len(self.labels)
        return {n.name: self.raw[n.name].reshape(events, *n.type.shape) for n in graph.inputs}


def read(folder: Path, part: str, words: int) -> Events:
    """Return the jets of one file."""
    with np.load(folder / f"toptag_{part}.npz") as file:
        p4, jet, labels, count = (file[k] for k in ("p4", "jet", "y", "n"))
    raw = dict(words_of_momenta(p4, jet, words).raw)
    raw["multiplicity"] = np.minimum(count, MOST).astype(np.int64)
    return Events(raw, labels.astype(np.int64))


def score(graph: Graph, events: Events) -> Ints:
    return graph.evaluate(events.feeds(graph))[graph.outputs[0]].ravel()


def report(name: str, part: str, scores: NDArray[Any], fixed: Ints, labels: NDArray[Any]) -> None:
    print(
        f"{name} {part}: AUC float {auc(scores, labels):.4f} fixed {auc(fixed, labels):.4f} "
        f"rejection at 30 % signal {rejection(fixed, labels):.0f} ({len(labels)} jets)",
        flush=True,
    )


def ship(folder: Path, graph: Graph, test: Events, fixed: Ints) -> None:
    """Write the graph and the first test jets."""
    folder.mkdir(parents=True, exist_ok=True)
    save_graph(graph, folder)
    words = {n.name: test.raw[n.name][:SHIPPED].astype(np.int32) for n in graph.inputs}
    small = {k: v if k == "jet_mass2" else v.astype(np.int16) for k, v in words.items()}
    known = {"y": test.labels[:SHIPPED].astype(np.uint8), "expected": fixed[:SHIPPED].astype(np.int16)}
    write_file(folder / "events.npz", npz(small | known))


def train(name: str, plan: Plan, data: Path, seed: int, output: Path) -> None:
    """Train one network, hold it against its graph and write the graph."""
    net, model = plan.net, Model(plan.net)
    parts = {part: read(data, part, net.words) for part in ("train", "val", "test")}
    front = front_graph(net)
    known = {k: training_data(net, front, e.feeds(front)) for k, e in parts.items()}
    batches = {k: jnp.asarray(v, jnp.float32) for k, v in known["train"].items()}
    batches["label"] = jnp.asarray(parts["train"].labels, jnp.float32)
    weights, smooth = model.start(seed), model.start(seed)
    for phase in plan.phases:
        weights, loss = fit(
            lambda w, d, r=phase.rounded: model.loss(w, d, r), weights, batches, phase, seed, decay=plan.decay
        )
        smooth = smooth if phase.rounded else weights
        print(f"{name} {'rounded' if phase.rounded else 'float'}: loss {loss:.4f}", flush=True)
    exact = {k: jnp.asarray(v, jnp.float64) for k, v in weights.items()}
    graph = build(net, name, model.tables(exact))
    for part in ("val", "test"):
        fixed, x = score(graph, parts[part]), {k: jnp.asarray(v) for k, v in known[part].items()}
        rounded = np.asarray(model.logit(exact, x, True)) / graph.results[0].type.formats[0].lsb
        assert np.array_equal(rounded, fixed), f"{name}: the graph is not what was trained"
        report(name, part, np.asarray(model.logit(smooth, x, False)), fixed, parts[part].labels)
    ship(output / name, graph, parts["test"], fixed)


def main() -> None:
    parser = argparse.ArgumentParser(description="train taggers from trigger words to a score")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=PLANS, default=list(PLANS))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--output", type=Path, default=HERE)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    for name in arguments.only:
        seed = PLANS[name].seed if arguments.seed is None else arguments.seed
        train(name, PLANS[name], arguments.data, seed, arguments.output)


if __name__ == "__main__":
    main()
