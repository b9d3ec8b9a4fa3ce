"""Train a network: float first, then with its quantizers, straight through.

    python models/lgn_top/train.py --data FOLDER

FOLDER holds toptag_{train,val,test}.npz with p4 (B, N, 4) in GeV, jet (B, 4) and y. Writes
model.keras, graph.eq, graph.npz, events.npz (jets as compact integers with labels and expected
outputs) and jets_p4.npz (a few jets in GeV) beside the script, and prints the AUCs.
"""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.progress import Progress

from eqhls.events.prepare import InputForm, Prepared, prepare
from eqhls.frontends.graphfile import save_graph
from eqhls.frontends.keras import read_keras
from eqhls.groups.lorentz.reps import V
from eqhls.ir.graph import Graph
from eqhls.text import write_file
from eqhls.verify.metrics import auc, rejection

SHIPPED, SAMPLE = 4000, 500


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up to `peak` over the first 30 % of the steps, then down to zero as a cosine."""

    def __init__(self, peak: float, steps: int) -> None:
        self.peak, self.steps = peak, steps

    def __call__(self, step: Any) -> Any:
        t = keras.ops.cast(step, "float32") / self.steps
        up = 0.5 - 0.5 * keras.ops.cos(math.pi * keras.ops.minimum(t / 0.3, 1.0))
        down = 0.5 + 0.5 * keras.ops.cos(math.pi * keras.ops.clip((t - 0.3) / 0.7, 0.0, 1.0))
        return self.peak * (0.04 + 0.96 * up) * down + 1e-5

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps}


class Bar(keras.callbacks.Callback):
    """A progress bar over all epochs, with the loss."""

    def __init__(self, progress: Progress, text: str, epochs: int) -> None:
        super().__init__()
        self.progress, self.text = progress, text
        self.task = progress.add_task(text, total=epochs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {}).get("loss", float("nan"))
        self.progress.update(self.task, advance=1, description=f"{self.text} loss {loss:.4f}")


def read(
    folder: Path, part: str, graph: Graph, form: InputForm
) -> tuple[Prepared, np.ndarray, dict[str, np.ndarray]]:
    """Return the jets as integers in the formats of the network's ports, labels, and what was read."""
    vectors = [n.name for n in graph.inputs if n.type.rep is V]
    formats = [graph.node(k).type.formats for k in vectors]
    with np.load(folder / f"toptag_{part}.npz") as file:
        raw = {k: file[k] for k in ("p4", "jet", "y")}
    return prepare(raw["p4"], raw["jet"], form, 16, *formats), raw["y"].astype(np.int64), raw


def values(graph: Graph, events: Prepared) -> list[np.ndarray]:
    """Return the inputs of the Keras model: integers times their LSBs."""
    return [(getattr(events, n.name) * n.type.formats.lsb).astype("float32") for n in graph.inputs]


def scores(graph: Graph, events: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """Return raw integer outputs and the float64 reference on unrounded inputs."""
    raw = graph.evaluate({n.name: getattr(events, n.name) for n in graph.inputs})[graph.outputs[0]]
    exact = {"p": events.p_exact, "jet": events.jet_exact, "valid": events.valid.astype(float)}
    return raw.ravel(), graph.reference(exact)[graph.outputs[0]].ravel()


def fit(model: keras.Model, x: list[np.ndarray], y: np.ndarray, rate: float, epochs: int, bar: Bar) -> None:
    size = 256
    schedule = OneCycle(rate, epochs * math.ceil(len(y) / size))
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-4, global_clipnorm=1.0)
    model.compile(
        optimizer=optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=True), jit_compile="auto"
    )
    model.fit(x, y.astype("float32"), batch_size=size, epochs=epochs, verbose=0, callbacks=[bar])


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def ship(folder: Path, model: keras.Model, graph: Graph, test: Prepared, raw: dict[str, np.ndarray]) -> None:
    """Write the model in both forms, the jets and the expected integers."""
    expected = scores(graph, test)[0][:SHIPPED]
    part = slice(0, SHIPPED)
    model.save(folder / "model.keras")
    save_graph(graph, folder)
    write_file(
        folder / "events.npz",
        npz(
            **{n.name: getattr(test, n.name)[part].astype(np.int16) for n in graph.inputs},
            y=raw["y"][part].astype(np.uint8),
            expected=expected.astype(np.int16),
        ),
    )
    write_file(
        folder / "jets_p4.npz",
        npz(
            p4=raw["p4"][:SAMPLE].astype(np.float32),
            jet=raw["jet"][:SAMPLE].astype(np.float32),
            y=raw["y"][:SAMPLE].astype(np.uint8),
        ),
    )


@dataclass(frozen=True)
class Plan:
    """How to train by default: seed, epochs and highest rates of the two phases."""

    seed: int = 1
    epochs: tuple[int, int] = (20, 15)
    rates: tuple[float, float] = (1e-1, 4e-2)
    form: InputForm = InputForm.JET_LIGHT_CONE


DEFAULT = Plan()


def train(name: str, build: Callable[[bool], keras.Model], folder: Path, plan: Plan = DEFAULT) -> None:
    """Run both phases of `build(quantized)` and ship what came out."""
    parser = argparse.ArgumentParser(description=f"train {name}")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--epochs", type=int, nargs=2, default=plan.epochs)
    parser.add_argument("--output", type=Path, default=folder)
    arguments = parser.parse_args()
    keras.utils.set_random_seed(arguments.seed)
    smooth, model = (build(quantized) for quantized in (False, True))
    graph = read_keras(model)
    (train_set, y, _), (val, y_val, _), (test, y_test, raw) = (
        read(arguments.data, part, graph, plan.form) for part in ("train", "val", "test")
    )
    x = values(graph, train_set)
    with Progress() as progress:
        first, second = arguments.epochs
        fit(smooth, x, y, plan.rates[0], first, Bar(progress, "float    ", first))
        model.set_weights(smooth.get_weights())
        fit(model, x, y, plan.rates[1], second, Bar(progress, "quantized", second))
    graph = read_keras(model).formatted()
    for part, events, labels in (("validation", val, y_val), ("test", test, y_test)):
        fixed, floating = scores(graph, events)
        print(
            f"{name} {part}: AUC float {auc(floating, labels):.4f} fixed {auc(fixed, labels):.4f} "
            f"rejection at 30 % signal {rejection(fixed, labels):.0f} ({len(labels)} jets)"
        )
    same = (
        np.asarray(model.predict(values(graph, test), batch_size=2000, verbose=0)).ravel()
        == scores(graph, test)[0] * graph.results[0].type.formats[0].lsb
    ).mean()
    print(
        f"{name}: Keras model equal to the integer model on {same:.2%} of the test jets, "
        f"{model.count_params()} values"
    )
    ship(arguments.output, model, graph, test, raw)
