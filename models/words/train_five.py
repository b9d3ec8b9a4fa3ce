"""Train the five-class network on trigger words: smooth first, then with all roundings.

    python models/words/train_five.py --data FOLDER

FOLDER holds jets5_{train,test}.npz: p4 (B, 32, 4) and jet (B, 4) in GeV, n, the constituents of the whole
jet, and y, 0 to 4 for q, g, W, Z, t. One training gives two networks: models/tag5 ends with logits to the
base 2, models/tag5_ports with log2 of the probability of every class, made of them on the chip. Writes
graph.eq and graph.npz of both, and the words of the test jets with labels to models/tag5/events.npz.
"""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from five import CLASSES, Five, build
from five_model import Model, inputs, start, values
from five_training import Phase, fit

from eqhls.events.words import TRIGGER, words_of_momenta
from eqhls.frontends.graphfile import save_graph
from eqhls.ir.graph import Graph
from eqhls.text import write_file
from eqhls.verify.metrics import auc, tagger_auc

VALIDATION, CHUNK = 2500, 500

Words = dict[str, np.ndarray]


def read(folder: Path, part: str, net: Five, graph: Graph | None = None) -> tuple[Words, np.ndarray]:
    """Return the words of jets by port, and labels."""
    with np.load(folder / f"jets5_{part}.npz") as file:
        p4, jet, count, y = (file[k] for k in ("p4", "jet", "n", "y"))
    words = dict(words_of_momenta(p4, jet, net.slots).raw)
    words["multiplicity"] = np.minimum(count, TRIGGER["multiplicity"].hi).astype(np.int64)
    return {k: v for k, v in words.items() if k != "jet_pt"}, y.astype(np.int64)


def loss_of(outputs: Any, y: Any) -> Any:
    """Return the mean cross entropy of logits to the base 2, or of log2 of probabilities."""
    probability = jax.nn.log_softmax(outputs * math.log(2.0))
    return -jnp.take_along_axis(probability, y[:, None], 1).mean()


def predict(model: Model, bent: Any, x: Mapping[str, np.ndarray], rounded: bool) -> np.ndarray:
    run = jax.jit(partial(model, rounded=rounded))
    count = len(next(iter(x.values())))
    parts = ({k: v[i : i + CHUNK] for k, v in x.items()} for i in range(0, count, CHUNK))
    return np.concatenate([np.asarray(run(bent, part)) for part in parts])


def raw_auc(logits: np.ndarray, y: np.ndarray) -> float:
    """Return the mean AUC of each port alone, its class against the rest."""
    return float(np.mean([auc(logits[:, k], (y == k).astype(int)) for k in range(len(CLASSES))]))


def figures(outputs: np.ndarray, y: np.ndarray) -> str:
    """Return accuracy and mean AUCs, by softmax and of the ports alone."""
    accuracy, mean = (outputs.argmax(1) == y).mean(), tagger_auc(math.log(2.0) * outputs, y)
    return f"accuracy {accuracy:.4f} AUC {mean:.4f} (ports alone {raw_auc(outputs, y):.4f})"


def train(net: Five, data: Any, plan: argparse.Namespace) -> Any:
    """Return the bends after all phases; `data` are (inputs, labels) by part."""
    model, bent = Model(net), start(net, plan.seed)
    x, y = data["train"]
    both = jax.tree.map(jnp.asarray, {**x, "y": y})
    for phase in (Phase(plan.epochs[0], plan.rates[0], False), Phase(plan.epochs[1], plan.rates[1], True)):

        def found(b: Any, part: Any, rounded: bool = phase.rounded) -> Any:
            return loss_of(model(b, part, rounded), part["y"])

        bent, last = fit(found, bent, both, phase, plan.seed + phase.rounded)
        kind = "rounded" if phase.rounded else "smooth"
        print(f"{kind}: loss {last:.4f}")
        for name in ("validation", "test"):
            logits = predict(model, bent, data[name][0], phase.rounded)
            print(f"{kind}, {name}: {figures(logits, data[name][1])}", flush=True)
    return bent


def integers(graph: Graph, words: Words) -> np.ndarray:
    """Return the logits of the integer model, (B, classes)."""
    feeds = {n.name: words[n.name].reshape(-1, *n.type.shape) for n in graph.inputs}
    (result,) = graph.results
    return graph.evaluate(feeds)[result.name][..., 0] * result.type.formats.lsb


def demand_equal(net: Five, bent: Any, graph: Graph, x: Mapping[str, np.ndarray], words: Words) -> np.ndarray:
    """Return the logits of the graph; fail if those of the trained model, in float64, are not the same."""
    found = integers(graph, words)
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: jnp.asarray(np.asarray(a, np.float64)), (dict(bent), dict(x)))
        model = predict(Model(net), *double, rounded=True)
    differ = int((model != found).any(axis=1).sum())
    assert not differ, f"the trained model and the graph differ in {differ} of {len(found)} jets"
    return found


def ship(folder: Path, graph: Graph, words: Words, y: np.ndarray, events: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_graph(graph, folder)
    if events:
        buffer = io.BytesIO()
        small = {k: v.astype(np.int32 if k == "jet_mass2" else np.int16) for k, v in words.items()}
        np.savez_compressed(buffer, **small, y=y.astype(np.uint8))
        write_file(folder / "events.npz", buffer.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description="train the five-class network")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--slots", type=int, default=Five.slots)
    parser.add_argument("--subjets", type=int, default=Five.subjets)
    parser.add_argument("--levels", type=float, nargs="+", default=Five.levels)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, nargs=2, default=(35, 35))
    parser.add_argument("--rates", type=float, nargs=2, default=(3e-2, 1e-2))
    plan = parser.parse_args()
    net = Five(slots=plan.slots, subjets=plan.subjets, levels=tuple(plan.levels), ports=True)
    words, y = read(plan.data, "train", net)
    test_words, test_y = read(plan.data, "test", net)
    x, order = inputs(net, words), np.random.default_rng(0).permutation(len(y))
    parts = {"validation": order[:VALIDATION], "train": order[VALIDATION:]}
    data = {k: ({n: a[i] for n, a in x.items()}, y[i]) for k, i in parts.items()}
    data["test"] = (inputs(net, test_words), test_y)
    bent = train(net, data, plan)
    for name, made in {"tag5": replace(net, ports=False), "tag5_ports": net}.items():
        graph = build(made, values(made, bent), name)
        outputs = demand_equal(made, bent, graph, data["test"][0], test_words)
        print(f"{name}, {len(test_y)} test jets, integers: {figures(outputs, test_y)}")
        ship(plan.output / name, graph, test_words, test_y, events=not made.ports)


if __name__ == "__main__":
    main()
