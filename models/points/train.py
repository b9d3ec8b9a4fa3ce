"""Train the small Cormorant.

    python models/points/train.py --data FOLDER [--only NAME ...] [--seeds K ...]

FOLDER holds toptag_{train,val,test}.npz with p4 (B, N, 4) in GeV by falling pT and y. Writes a folder of
weights.npz and config.json for each network, as the published code names tensors and settings, with
events.npz, the first validation jets, and prints AUCs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from frame import UNIT, Floats, read
from jax.example_libraries import optimizers
from networks import CUT, MIX, Config, State, cormorant, paths
from rich.progress import Progress

from eqhls.text import npz, write_file
from eqhls.verify.metrics import auc

HERE = Path(__file__).resolve().parent
BATCH, SHOWN, SHIPPED = 256, 50, 4000
RATE, EPOCHS = 1e-2, 20
COMMON: Config = {
    "family": "cormorant",
    "model": "CormorantMD17",
    "n_atoms": 4,
    "num_species": 1,
    "charge_power": 1,
    "charge_scale": UNIT,
    "basis_set": [2, 0],
    "cutoff_type": ["learn"],
    "hard_cut_rad": 10.0,
    "soft_cut_rad": 2.0,
    "soft_cut_width": 0.3,
}
CONFIGS: dict[str, Config] = {
    "cormorant": COMMON | {"num_cg_levels": 1, "maxl": [1], "max_sh": [1], "num_channels": [1, 1]},
    "cormorant_two": COMMON
    | {"num_cg_levels": 2, "maxl": [1, 1], "max_sh": [1, 1], "num_channels": [1, 1, 1]},
}
"""Points in units of UNIT steps; charges are energies in steps."""


def start(rng: np.random.Generator, config: Config) -> State:
    """First weights; frequencies are multiples of a quarter, phases sines and cosines."""
    widths, inputs, trig = config["num_channels"], config["charge_power"] + 1, config["basis_set"][0] + 1
    state: State = {
        "input_func_atom.lin.weight": rng.normal(size=(2 * widths[0], inputs)),
        "input_func_atom.lin.bias": rng.normal(size=2 * widths[0]) * 0.3,
    }
    enters, carried, found = 0, -1, 0
    for level, (most, zonal) in enumerate(zip(config["maxl"], config["max_sh"], strict=True)):
        width, name = widths[level], f"rad_funcs.rad_funcs.{level}"
        state[f"{name}.scales"] = np.tile(np.arange(trig) / 4, 2).reshape(1, 1, 1, -1)
        phases = np.repeat([0, np.pi / 2], trig)
        phases[0] = np.pi / 2
        state[f"{name}.phases"] = phases.reshape(1, 1, 1, -1)
        if config["cutoff_type"]:
            for part in ("rad", "width"):
                state[CUT.format(level, part)] = np.full((1, 1, 1, width), config[f"soft_cut_{part}"])
        for k in range(zonal + 1):
            into = widths[level - 1] * (k <= carried) + width * (enters + 1) * (k <= enters)
            into += trig * (config["basis_set"][1] + 1)
            state[MIX.format("edge_levels", level, k)] = mixing(rng, width, into)
        for k in range(most + 1):
            into = len(paths(zonal, enters, k)) + len(paths(enters, enters, k)) + (k <= enters)
            state[MIX.format("atom_levels", level, k)] = mixing(rng, widths[level + 1], width * into)
        enters, carried, found = most, zonal, found + 2 * widths[level + 1] * (most + 2)
    state["output_layer_atom.lin.weight"] = rng.normal(size=(1, found)) * 0.1
    return state | {"output_layer_atom.lin.bias": np.zeros(1)}


def mixing(rng: np.random.Generator, out: int, into: int) -> Floats:
    return rng.normal(size=(out, into, 2)) * 0.5 / into**0.5


def fitted(
    config: Config, parts: tuple[Floats, Floats, Floats], seed: int, show: Callable[[float], None]
) -> State:
    """Minimise the cross-entropy by Adam, the rate falling as a cosine."""
    rng, (points, charges, y) = np.random.default_rng(seed), parts
    steps = EPOCHS * len(y) // BATCH
    begin, update, weights = optimizers.adam(
        lambda k: RATE * 0.5 * (1 + jnp.cos(jnp.pi * k / steps)), b2=0.99
    )

    def loss(state: State, r: Any, q: Any, target: Any) -> Any:
        return jax.nn.softplus(-cormorant(state, r, q, config) * (2 * target - 1)).mean()

    @jax.jit
    def step(k: Any, now: Any, r: Any, q: Any, target: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(weights(now), r, q, target)
        return value, update(k, optimizers.clip_grads(slopes, 1.0), now)

    now = begin({k: jnp.asarray(v, jnp.float32) for k, v in start(rng, config).items()})
    for k in range(steps):
        rows = rng.integers(len(y), size=BATCH)
        value, now = step(
            k, now, points[rows].astype(np.float32) / UNIT, charges[rows].astype(np.float32), y[rows]
        )
        if k % SHOWN == 0:
            show(float(value))
    return weights(now)


def measured(config: Config, state: State, parts: tuple[Floats, Floats, Floats]) -> float:
    """Return the AUC."""
    points, charges, y = parts
    run = jax.jit(lambda r, q: cormorant(state, r, q, config))
    pieces = zip(np.split(points / UNIT, 10), np.split(charges, 10), strict=True)
    return auc(
        np.concatenate([np.asarray(run(r.astype(np.float32), q.astype(np.float32))) for r, q in pieces]), y
    )


def train(name: str, folder: Path, seeds: list[int]) -> tuple[State, tuple[Floats, Floats, Floats]]:
    """Train from several seeds, print the AUCs; return the best by validation, and the validation jets."""
    config, found = CONFIGS[name], list[tuple[float, State]]()
    data, val, test = (read(folder, part, config["n_atoms"]) for part in ("train", "val", "test"))
    with Progress(transient=True) as progress:
        for seed in seeds:
            task = progress.add_task("", total=EPOCHS * len(data[2]) // BATCH)

            def show(loss: float, task: Any = task, seed: int = seed) -> None:
                progress.update(task, advance=SHOWN, description=f"{name} seed {seed} loss {loss:.4f}")

            state = fitted(config, data, seed, show)
            found.append((measured(config, state, val), state))
    best, state = max(found, key=lambda f: f[0])
    every = ", ".join(f"{f:.4f}" for f, _ in found)
    auc_test = measured(config, state, test)
    print(
        f"{name}: AUC {auc_test:.4f} on the test jets; validation {best:.4f}, the best of {every}", flush=True
    )
    return state, val


def events(parts: tuple[Floats, Floats, Floats]) -> dict[str, Floats]:
    """Return jets as the ports of the network take them."""
    points, charges, y = (part[:SHIPPED] for part in parts)
    flags = np.ones(charges.shape, bool)
    arrays = {"pos": (points / UNIT).astype(np.float32), "charges": charges.astype(np.int16)}
    return arrays | {"one_hot": flags[..., None], "atom_mask": flags, "y": y.astype(np.uint8)}


def main() -> None:
    parser = argparse.ArgumentParser(description="train the small networks of points")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=HERE)
    given = parser.parse_args()
    for name in given.only:
        state, val = train(name, given.data, given.seeds)
        folder = given.output / name
        write_file(folder / "weights.npz", npz({k: np.asarray(v, np.float32) for k, v in state.items()}))
        write_file(folder / "config.json", json.dumps(CONFIGS[name], indent=1) + "\n")
        write_file(folder / "events.npz", npz(events(val)))


if __name__ == "__main__":
    main()
