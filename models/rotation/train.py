"""Train small networks of points to tell top quarks from QCD: tensor field, e3nn, Cormorant.

    python models/rotation/train.py --data FOLDER [--only NAME ...] [--seeds K ...]

FOLDER holds toptag_{train,val,test}.npz with p4 (B, N, 4) in GeV by falling pT and y. Writes a folder of
weights.npz, config.json and events.npz (the validation jets) for each network, in the layout of its published
code, and prints AUCs.

A jet enters as POINTS four-vectors, its POINTS - 1 hardest constituents and the sum of all others, boosted to
the rest frame of the jet. There no direction is special. Positions are the momenta, and the one feature of a
point is its energy, both in units of UNIT GeV and on a lattice of 1/GRID units, so that the ports of the
firmware hold what the network was trained on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cormorant_network
import jax
import jax.numpy as jnp
import numpy as np
from jax.example_libraries import optimizers
from networks import Network, e3nn, paths, stages, tfn
from numpy.typing import NDArray
from rich.progress import Progress

from eqhls.text import npz, write_file
from eqhls.verify.metrics import auc

HERE = Path(__file__).resolve().parent
POINTS, UNIT, GRID, LIMIT = 4, 32.0, 16, 127
BATCH, SHOWN = 256, 50
Floats = NDArray[Any]
Weights = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A network: its function, its settings, its first weights, and what its code calls the features."""

    network: Network
    settings: dict[str, Any]
    start: Callable[[np.random.Generator, dict[str, Any]], Weights]
    features: str
    flags: tuple[str, ...] = ()
    """Arrays that say of every point that it is there."""
    rate: float = 1e-2
    epochs: int = 20


def start_tfn(rng: np.random.Generator, settings: dict[str, Any]) -> Weights:
    """Return first weights by their published names; the biases of the last nonlinearity and those of scalars
    exist and change nothing."""
    dims, hidden, count = settings["layer_dims"], settings["hidden_dim"], settings["rbf_count"]
    state: Weights = {
        "embed/self_interaction_layer/weights": rng.normal(size=(dims[0], settings["scalars_in"]))
    }
    filters = (("L0", "F0_to_L/F_0"), ("L0", "F1_to_1/F_1"), ("L1", "F0_to_L/F_0"))
    filters += (("L1", "F1_to_0/F_1"), ("L1", "F1_to_1/F_1"))
    for k, (into, out) in enumerate(pairwise(dims)):
        for rank, path in filters if k else filters[:2]:
            at = f"layer{k}/convolution/{rank}/tensor_0/{path}/radial_function"
            state[f"{at}/weights1"] = rng.normal(size=(hidden, count))
            state[f"{at}/biases1"] = np.full(hidden, 0.3)
            state[f"{at}/weights2"] = rng.normal(size=(into, hidden)) / hidden / POINTS
            state[f"{at}/biases2"] = np.zeros(into)
        for rank, width in (("L0", 2 if k else 1), ("L1", 3 if k else 1)):
            at = f"layer{k}/self_interaction/{rank}/tensor_0/self_interaction_layer"
            state[f"{at}/weights"] = rng.normal(size=(out, into * width)) / (into * width) ** 0.5
            state |= {f"{at}/biases": np.zeros(out)} if rank == "L0" else {}
            state[f"layer{k}/nonlinearity/{rank}/tensor_0/biases"] = np.zeros(out)
    state["fully_connected_weights"] = rng.normal(size=(dims[-1], settings["classes"]))
    return state | {"output_biases": np.zeros(settings["classes"])}


def start_e3nn(rng: np.random.Generator, settings: dict[str, Any]) -> Weights:
    """Return first weights by the names of the state dict, of spread one, as e3nn has it."""
    state: Weights = {}
    for k, (a, b, c) in enumerate(stages(settings), 1):
        first, third = ([int(x.split("x")[0]) for x in t.split("+")] for t in (a, c))
        count = sum(first[i] * third[o] for i, _, o in paths(a, b, c))
        state[f"c{k}.fc.layer0.weight"] = rng.normal(size=(settings["basis"], settings["hidden"]))
        state[f"c{k}.fc.layer1.weight"] = rng.normal(size=(settings["hidden"], count))
    return state


TFN = {
    "family": "tfn",
    "n_points": POINTS,
    "scalars_in": 1,
    "layer_dims": [1, 2, 2],
    "rbf_count": 5,
    "rbf_low": 0.0,
    "rbf_high": 5.0,
    "rbf_gamma": 1.0,
    "hidden_dim": 5,
    "radial_nonlin": "relu",
    "feature_nonlin": "elu",
    "epsilon": 1e-8,
    "pool": "mean",
    "classes": 1,
}
E3NN = {
    "family": "e3nn",
    "n_points": POINTS,
    "irreps_in": "1x0e",
    "sh": "1x0e+1x1o+1x2e",
    "scalars": "2x0e",
    "gated": "1x1o+1x2e",
    "irreps_out": "1x0e",
    "basis": 4,
    "hidden": 6,
    "radius": 8.0,
    "neighbours": float(POINTS - 1),
    "gate_irreps_in": "4x0e+1x1o+1x2e",
    "gate_irreps_out": "2x0e+1x1o+1x2e",
    "normalize2mom": {
        "silu_fc": 1.6791767923989418,
        "scalar0": 1.6791767923989418,
        "gate0": 1.8467055342154763,
    },
    "pool": "mean",
}
PLANS = {
    "tfn": Plan(tfn, TFN, start_tfn, "scalars"),
    "e3nn": Plan(e3nn, E3NN, start_e3nn, "x", rate=3e-2),
    "cormorant": Plan(
        cormorant_network.cormorant,
        cormorant_network.SETTINGS,
        cormorant_network.first_weights,
        "charges",
        ("one_hot", "atom_mask"),
    ),
}


def at_rest(p4: Floats, jet: Floats) -> Floats:
    """Return four-vectors (B, N, 4) in the rest frame of jet (B, 4)."""
    mass = np.sqrt(np.maximum(jet[:, 0] ** 2 - (jet[:, 1:] ** 2).sum(axis=1), 1.0))
    u, gamma = (jet[:, 1:] / mass[:, None])[:, None], (jet[:, 0] / mass)[:, None, None]
    along, energy = (p4[..., 1:] * u).sum(axis=-1, keepdims=True), p4[..., :1]
    return np.concatenate([gamma * energy - along, p4[..., 1:] + u * (along / (1 + gamma) - energy)], axis=-1)


def read(folder: Path, part: str) -> tuple[Floats, Floats, Floats]:
    """Return positions (B, POINTS, 3) and energies (B, POINTS, 1) on the lattice, and labels."""
    with np.load(folder / f"toptag_{part}.npz") as file:
        p4, y = file["p4"].astype(np.float64), file["y"].astype(np.int64)
    rest = p4[:, POINTS - 1 :].sum(axis=1, keepdims=True)
    found = at_rest(np.concatenate([p4[:, : POINTS - 1], rest], axis=1), p4.sum(axis=1))
    found = np.clip(np.rint(found / UNIT * GRID), -LIMIT, LIMIT) / GRID
    return found[..., 1:], found[..., :1], y


def fitted(plan: Plan, parts: tuple[Floats, ...], seed: int, show: Callable[[float], None]) -> Weights:
    """Minimise the cross-entropy by Adam, the rate falling as a cosine."""
    pos, x, y = parts
    rng = np.random.default_rng(seed)

    def loss(state: Weights, r: Any, x: Any, target: Any) -> Any:
        logit = plan.network(state, plan.settings, r, x)[:, 0]
        return jax.nn.softplus(-logit * (2 * target - 1)).mean()

    steps = plan.epochs * len(y) // BATCH
    start, update, weights = optimizers.adam(
        lambda k: plan.rate * 0.5 * (1 + jnp.cos(jnp.pi * k / steps)), b2=0.99
    )

    @jax.jit
    def step(k: Any, now: Any, r: Any, x: Any, target: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(weights(now), r, x, target)
        return value, update(k, optimizers.clip_grads(slopes, 1.0), now)

    first = plan.start(rng, plan.settings)
    now = start({k: jnp.asarray(v, jnp.float32) for k, v in first.items()})
    for k in range(steps):
        rows = rng.integers(len(y), size=BATCH)
        value, now = step(
            k, now, jnp.asarray(pos[rows], jnp.float32), jnp.asarray(x[rows], jnp.float32), y[rows]
        )
        if k % SHOWN == 0:
            show(float(value))
    return weights(now)


def measured(plan: Plan, state: Weights, parts: tuple[Floats, ...]) -> float:
    """Return the AUC of the score."""
    pos, x, y = parts
    run = jax.jit(lambda r, v: plan.network(state, plan.settings, r, v)[:, 0])
    pieces = zip(np.split(pos, 10), np.split(x, 10), strict=True)
    scores = [np.asarray(run(jnp.asarray(r, jnp.float32), jnp.asarray(v, jnp.float32))) for r, v in pieces]
    return auc(np.concatenate(scores), y)


def train(name: str, parts: dict[str, tuple[Floats, ...]], seeds: list[int]) -> Weights:
    """Train from several seeds, print the AUCs and return the best by validation."""
    plan, found = PLANS[name], list[tuple[float, Weights]]()
    with Progress(transient=True) as progress:
        for seed in seeds:
            task = progress.add_task("", total=plan.epochs * len(parts["train"][2]) // BATCH)

            def show(loss: float, task: Any = task, seed: int = seed) -> None:
                progress.update(task, advance=SHOWN, description=f"{name} seed {seed} loss {loss:.4f}")

            state = fitted(plan, parts["train"], seed, show)
            found.append((measured(plan, state, parts["val"]), state))
    best, state = max(found, key=lambda f: f[0])
    every = ", ".join(f"{f:.4f}" for f, _ in found)
    test = measured(plan, state, parts["test"])
    print(f"{name}: AUC {test:.4f} on the test jets; validation {best:.4f}, the best of {every}", flush=True)
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description="train the small networks of points")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=PLANS, default=list(PLANS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=HERE)
    given = parser.parse_args()
    parts = {part: read(given.data, part) for part in ("train", "val", "test")}
    for name in given.only:
        plan, state = PLANS[name], train(name, parts, given.seeds)
        pos, x, y = parts["val"]
        arrays = {"pos": pos.astype(np.float32), plan.features: x.astype(np.float32), "y": y.astype(np.uint8)}
        arrays |= {flag: np.ones(x.shape, bool) for flag in plan.flags}
        files = {
            "weights.npz": npz({k: np.asarray(v, np.float32) for k, v in state.items()}),
            "config.json": json.dumps(plan.settings, indent=1) + "\n",
            "events.npz": npz(arrays),
        }
        for file, content in files.items():
            write_file(given.output / name / file, content)


if __name__ == "__main__":
    main()
