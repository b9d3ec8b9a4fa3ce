"""Train the four small checkpoints.

    python models/checkpoints/train.py --data FOLDER [--only NAME ...] [--seeds K ...]

FOLDER holds toptag_{train,val,test}.npz with p4 (B, N, 4) in GeV by falling pT and y. Writes a folder of
state_dict.npz and config.json for each network, as their published codes name tensors and arguments,
and events.npz (the validation jets), and prints AUCs.

A jet enters as its SLOTS - 1 hardest constituents and the sum of all others, in steps of 1/4 GeV, so that the
ports of the firmware hold what the network was trained on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.example_libraries import optimizers
from networks import Network, State, lgn, lorentznet, nano, pelican
from numpy.typing import NDArray
from rich.progress import Progress

from eqhls.text import npz, write_file
from eqhls.verify.metrics import auc

HERE = Path(__file__).resolve().parent
SLOTS, STEP, SAMPLE, BATCH, SHOWN = 4, 0.25, 2000, 256, 50
STATISTICS = ("running_mean", "running_var")
Floats = NDArray[Any]


@dataclass(frozen=True)
class Plan:
    """A network: its function, the number it takes beside the momenta, first weights, arguments."""

    network: Network
    number: float
    start: Callable[[np.random.Generator], State]
    arguments: dict[str, Any]
    rate: float = 1e-2
    epochs: int = 20


def dense(rng: np.random.Generator, name: str, out: int, into: int, bias: bool = True) -> State:
    state: State = {f"{name}.weight": rng.normal(size=(out, into)) / into**0.5}
    return state | ({f"{name}.bias": rng.uniform(-0.3, 0.5, out)} if bias else {})


def norm(name: str, channels: int) -> State:
    return {f"{name}.weight": np.ones(channels), f"{name}.bias": np.zeros(channels)}


def pair_layer(rng: np.random.Generator, into: int, out: int, maps: int) -> State:
    eq = "net2to2.eq_layers.0"
    coefs = rng.normal(size=(into, out, maps)) / (into * maps) ** 0.5
    return {f"{eq}.coefs": coefs, f"{eq}.bias": np.zeros(out), f"{eq}.diag_bias": np.zeros(out)}


def head(rng: np.random.Generator, into: int, out: int) -> State:
    return {"agg_2to0.coefs": rng.normal(size=(into, out, 2)), "agg_2to0.bias": np.zeros((1, out))}


def start_nano(rng: np.random.Generator) -> State:
    norms = norm("net2to2.message_layers.0.normlayer", 1) | norm("msg_2to0.normlayer", 2)
    return norms | pair_layer(rng, 1, 2, 6) | head(rng, 2, 1)


def start_pelican(rng: np.random.Generator) -> State:
    state: State = {"linear.weight": np.array([[0.01]]), "linear.bias": np.zeros(1)}
    state |= {"input_encoder.rank2_alphas": np.array([0.3])}
    state |= {"eq1to2.coefs": rng.normal(size=(3, 2, 5)) / 4, "eq1to2.bias": np.zeros(2)}
    for name, into in (("net2to2.message_layers.0", 3), ("msg_2to0", 3)):
        state |= dense(rng, f"{name}.linear.0", 2, into) | norm(f"{name}.normlayer", 2)
    return state | pair_layer(rng, 2, 3, 15) | head(rng, 2, 2) | dense(rng, "mlp_out.linear.0", 2, 2)


def start_lorentznet(rng: np.random.Generator, hidden: int = 3) -> State:
    state = dense(rng, "embedding", hidden, 2) | norm("LGEBs.0.phi_e.1", hidden)
    state |= dense(rng, "LGEBs.0.phi_e.0", hidden, 2 * hidden + 2, bias=False)
    state |= dense(rng, "LGEBs.0.phi_e.3", hidden, hidden) | dense(rng, "LGEBs.0.phi_m.0", 1, hidden)
    state |= dense(rng, "LGEBs.0.phi_h.0", hidden, 2 * hidden + 2) | norm("LGEBs.0.phi_h.1", hidden)
    state |= dense(rng, "LGEBs.0.phi_h.3", hidden, hidden)
    return state | dense(rng, "graph_dec.0", hidden, hidden) | dense(rng, "graph_dec.3", 2, hidden)


def start_lgn(rng: np.random.Generator, basis: int = 3) -> State:
    state = dense(rng, "input_func_atom.lin", 2, 2)
    state |= {f"rad_funcs.rad_funcs.0.{k}": rng.normal(size=(1, 1, 1, basis)) for k in "abc"}
    for k in (0, 1):
        state |= dense(rng, f"rad_funcs.rad_funcs.0.linear.{k}", 2, basis)
    mix = "lgn_cg.atom_levels.0.cat_mix.mix_reps.weights"
    state |= {f"{mix}.(0, 0)": rng.normal(size=(2, 1, 3)) / 3, f"{mix}.(1, 1)": rng.normal(size=(2, 1, 1))}
    return state | dense(rng, "output_layer_atom.lin", 2, 6)


SIZE = {"nobj": SLOTS}
PLANS = {
    "nano": Plan(
        nano,
        6.0,
        start_nano,
        SIZE | {"nobj_avg": 6, "config": "s", "config_out": "s", "activation": "relu", "add_beams": True},
        rate=3e-2,
    ),
    "pelican": Plan(
        pelican,
        6.0,
        start_pelican,
        SIZE | {"nobj_avg": 6, "config": "s", "config_out": "s", "stabilizer": "so2", "method": "spurions"},
    ),
    "lgn": Plan(
        lgn,
        0.02,
        start_lgn,
        SIZE | {"scale": 0.02, "add_beams": True, "beam_mass": 1.0, "set_order": "py38", "maxdim": 2},
    ),
    "lorentznet": Plan(
        lorentznet,
        6.0,
        start_lorentznet,
        SIZE | {"n_nodes": SLOTS + 2, "c_weight": 1e-3, "n_hidden": 3, "n_layers": 1, "vectors": "gram"},
    ),
}


def read(folder: Path, part: str) -> tuple[Floats, Floats]:
    """Return momenta (B, SLOTS, 4) in steps of STEP, the last row the sum of all softer ones, and labels."""
    with np.load(folder / f"toptag_{part}.npz") as file:
        p4, y = file["p4"].astype(np.float64), file["y"].astype(np.int64)
    rest = p4[:, SLOTS - 1 :].sum(axis=1, keepdims=True)
    return np.rint(np.concatenate([p4[:, : SLOTS - 1], rest], axis=1) / STEP) * STEP, y


def fitted(plan: Plan, x: Floats, y: Floats, seed: int, show: Callable[[float], None]) -> State:
    """Minimise the cross-entropy of the difference of logits by Adam, the rate falling as a cosine;
    normalisations keep the statistics of the first weights."""
    rng = np.random.default_rng(seed)
    state = {k: jnp.asarray(v, jnp.float32) for k, v in plan.start(rng).items()}
    with jax.disable_jit():
        plan.network(state, jnp.asarray(x[:SAMPLE], jnp.float32), plan.number)
    fixed = {k: v for k, v in state.items() if k.endswith(STATISTICS)}

    def loss(free: State, p: Any, target: Any) -> Any:
        logits = plan.network(free | fixed, p, plan.number)
        return jax.nn.softplus((logits[:, 0] - logits[:, 1]) * (2 * target - 1)).mean()

    steps = plan.epochs * len(x) // BATCH
    start, update, weights = optimizers.adam(
        lambda k: plan.rate * 0.5 * (1 + jnp.cos(jnp.pi * k / steps)), b2=0.99
    )

    @jax.jit
    def step(k: Any, now: Any, p: Any, target: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(weights(now), p, target)
        return value, update(k, optimizers.clip_grads(slopes, 1.0), now)

    now = start({k: v for k, v in state.items() if k not in fixed})
    for k in range(steps):
        rows = rng.integers(len(x), size=BATCH)
        value, now = step(k, now, jnp.asarray(x[rows], jnp.float32), y[rows])
        if k % SHOWN == 0:
            show(float(value))
    return weights(now) | fixed


def measured(plan: Plan, state: State, x: Floats, y: Floats) -> float:
    """Return the AUC of the difference of logits."""
    run = jax.jit(lambda p: plan.network(state, p, plan.number))
    logits = np.concatenate([np.asarray(run(jnp.asarray(p, jnp.float32))) for p in np.split(x, 10)])
    return auc(logits[:, 1] - logits[:, 0], y)


def train(name: str, parts: dict[str, tuple[Floats, Floats]], seeds: list[int]) -> State:
    """Train from several seeds, print the AUCs and return the best by validation."""
    plan, found = PLANS[name], list[tuple[float, State]]()
    with Progress(transient=True) as progress:
        for seed in seeds:
            task = progress.add_task("", total=plan.epochs * len(parts["train"][1]) // BATCH)

            def show(loss: float, task: Any = task, seed: int = seed) -> None:
                progress.update(task, advance=SHOWN, description=f"{name} seed {seed} loss {loss:.4f}")

            state = fitted(plan, *parts["train"], seed, show)
            found.append((measured(plan, state, *parts["val"]), state))
    best, state = max(found, key=lambda f: f[0])
    every = ", ".join(f"{f:.4f}" for f, _ in found)
    test = measured(plan, state, *parts["test"])
    print(f"{name}: AUC {test:.4f} on the test jets; validation {best:.4f}, the best of {every}", flush=True)
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description="train the small checkpoints")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=PLANS, default=list(PLANS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, default=HERE)
    given = parser.parse_args()
    parts = {part: read(given.data, part) for part in ("train", "val", "test")}
    for name in given.only:
        state = train(name, parts, given.seeds)
        tensors = {k: np.asarray(v, np.float32) for k, v in state.items()}
        write_file(given.output / name / "state_dict.npz", npz(tensors))
        write_file(
            given.output / name / "config.json", json.dumps({"args": PLANS[name].arguments}, indent=1) + "\n"
        )
    p4, y = parts["val"]
    write_file(given.output / "events.npz", npz({"p4": p4.astype(np.float32), "y": y.astype(np.uint8)}))


if __name__ == "__main__":
    main()
