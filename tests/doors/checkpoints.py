"""Checkpoints of published networks: those that the project trained, checked against the jax code that trained
them, and random ones as files of torch and NumPy, checked against evaluations in NumPy that share no code with
the importers."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cormorant_numpy
import e3nn_numpy
import jax
import lgn_numpy
import lorentznet_numpy
import numpy as np
import pelican_reference
import tfn_numpy
import torchfiles

from doors import Door, Floats, Made

MODELS = Path(__file__).resolve().parents[2] / "models"
EVENTS = 160
"""Events of the trained networks; the random ones are evaluated event by event, in Python, and get fewer."""
FEW = 48
NUMBER = {"nano": "nobj_avg", "pelican": "nobj_avg", "lgn": "scale", "lorentznet": "n_nodes"}
"""The argument that a network's function takes beside the momenta."""
RESULT = {"pelican": "mlp0_active"}
"""The name of a network's result, if it is not `logits`."""
State = Mapping[str, np.ndarray]
Arguments = dict[str, Any]


def momenta(p4: Floats) -> dict[str, Floats]:
    """Return p4 (B, N, 4) by the ports of a network of jets."""
    return {"p": p4, "valid": (p4 != 0).any(axis=-1, keepdims=True).astype(np.float64)}


def weights(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as arrays:
        return {k: arrays[k].astype(np.float64) for k in arrays.files}


def jets(name: str) -> Door:
    """Return the door of a network of `models/checkpoints`."""
    at = MODELS / "checkpoints"

    def make(folder: Path) -> Made:
        with np.load(at / "events.npz") as file:
            p4 = file["p4"][:EVENTS].astype(np.float64)
        p4[::7, 2:] = 0
        number = json.loads((at / name / "config.json").read_text())["args"][NUMBER[name]]
        network = runpy.run_path(str(at / "networks.py"))[name]
        with jax.enable_x64(True):
            want = np.asarray(network(weights(at / name / "state_dict.npz"), p4, number))
        return Made(at / name, momenta(p4), {RESULT.get(name, "logits"): want}, tolerance=1e-10)

    return Door(name, make)


def points(name: str, source: str, ports: Mapping[str, str], given: tuple[str, ...], result: str) -> Door:
    """Return the door of a network of `models/rotation`: the array that fills each port, and those that the
    function in `source` takes."""
    at = MODELS / "rotation"

    def make(folder: Path) -> Made:
        with np.load(at / name / "events.npz") as file:
            arrays = {k: file[k][:EVENTS].astype(np.float64) for k in file.files}
        settings = json.loads((at / name / "config.json").read_text())
        network = runpy.run_path(str(at / source))[name]
        with jax.enable_x64(True):
            want = network(weights(at / name / "weights.npz"), settings, *(arrays[k] for k in given))
        events = {port: arrays[k] for port, k in ports.items()}
        return Made(at / name, events, {result: np.asarray(want)}, tolerance=1e-10)

    return Door(name, make)


def as_arrays(folder: Path, state: State, arguments: Arguments, file: str = "state_dict.npz") -> Path:
    """Write a folder of tensors with their arguments beside them."""
    folder.mkdir()
    np.savez(folder / file, **state)
    (folder / "config.json").write_text(json.dumps(arguments))
    return folder


def as_torch(folder: Path, state: State, arguments: Arguments) -> Path:
    """Write what torch.save gives of a dictionary with a state dict and the arguments of the training."""
    folder.mkdir()
    numbers = np.concatenate([np.ravel(v) for v in state.values()]).astype("<f8")
    storage, tensors, at = torchfiles.Storage("0", "DoubleStorage", len(numbers)), dict[str, Any](), 0
    for name, value in state.items():
        value = np.asarray(value)
        steps = tuple(int(np.prod(value.shape[k + 1 :])) for k in range(value.ndim))
        tensors[name] = torchfiles.tensor(storage, at, value.shape, steps)
        at += value.size
    content = {"model_state": tensors, "args": torchfiles.namespace(**arguments.get("args", arguments))}
    return torchfiles.write(folder / "best.pt", content, numbers.tobytes())


Network = tuple[State, Arguments, Mapping[str, Floats], Mapping[str, Floats]]
"""Tensors, arguments, events by port and what NumPy computes from them by result."""


def pelican(rng: np.random.Generator) -> Network:
    net = pelican_reference.Network(
        nobj=3, blocks=1, width=(3, 2), mlp=(2,), stabilizer="so3", more={"massless": True}
    )
    state, p4 = pelican_reference.pelican_state(net, rng), pelican_reference.jets(net, rng, FEW, 30.0)
    want = np.array([pelican_reference.pelican(state, net, p) for p in p4])
    return state, {"args": net.arguments}, momenta(p4), {"head": want}


def nano(rng: np.random.Generator) -> Network:
    net = pelican_reference.Network(
        nobj=3,
        config="s",
        config_out="s",
        activation="relu",
        activate_agg_out=False,
        more={"add_beams": False},
    )
    state, p4 = pelican_reference.nano_state(net, rng), pelican_reference.jets(net, rng, FEW, 30.0)
    want = np.array([pelican_reference.nano(state, net, p) for p in p4])
    return state, {"args": net.nano_arguments}, momenta(p4), {"logits": want}


def lgn(rng: np.random.Generator) -> Network:
    shape = lgn_numpy.Shape(2, (1, 2), mlp=False)
    state, p4 = lgn_numpy.random_state(rng, shape), lgn_numpy.jets(rng, FEW, 3)
    want = lgn_numpy.Reference(state, shape).logits(p4)
    return state, {"args": shape.arguments(3)}, momenta(p4), {"logits": want}


def lorentznet(rng: np.random.Generator) -> Network:
    state, p4 = lorentznet_numpy.checkpoint(rng, 2, 2), lorentznet_numpy.jets(rng, FEW, 3, 300.0)
    arguments = {"nobj": 3, "n_nodes": 5, "c_weight": 0.001}
    want, _ = lorentznet_numpy.logits(state, p4, 0.001, 5)
    return state, {"args": arguments}, momenta(p4), {"logits": want}


def tfn(rng: np.random.Generator) -> Network:
    settings = tfn_numpy.config(3, 1, [1, 2], 3, 3.0, 2)
    state = tfn_numpy.weights(rng, settings)
    pos, scalars = rng.normal(size=(FEW, 3, 3)), rng.normal(size=(FEW, 3, 1))
    want = tfn_numpy.scores(state, settings, pos, scalars)
    return state, settings, {"pos": pos, "scalars": scalars}, {"scores": want}


def e3nn(rng: np.random.Generator) -> Network:
    settings = e3nn_numpy.config(3, "1x0e", "1x0e+1x1o", "1x0e", "1x1o", "1x0e") | {"pool": "mean"}
    state = e3nn_numpy.weights(rng, settings)
    pos, x = rng.normal(size=(FEW, 3, 3)), rng.normal(size=(FEW, 3, 1))
    want = e3nn_numpy.scores(state, settings, pos, x)
    return state, settings, {"pos": pos, "x_1x0e": x}, {"out_1x0e": want}


MD17: Arguments = {
    "family": "cormorant", "model": "CormorantMD17", "n_atoms": 3, "num_species": 2, "charge_power": 1,
    "charge_scale": 4.0, "num_cg_levels": 1, "num_channels": [1, 1], "maxl": [1], "max_sh": [1],
    "basis_set": [1, 0], "cutoff_type": ["learn"], "soft_cut_rad": 2.0, "soft_cut_width": 0.3,
}  # fmt: skip


def cormorant(rng: np.random.Generator) -> Network:
    state = cormorant_numpy.random_state(rng, MD17)
    events = cormorant_numpy.random_events(rng, MD17, FEW, 0)
    want = cormorant_numpy.Reference(state, MD17)(events)
    ports = {k: np.asarray(v, dtype=np.float64) for k, v in events.items()}
    return state, MD17, ports, {"score": want}


def random(
    name: str,
    network: Callable[[np.random.Generator], Network],
    write: Callable[[Path, State, Arguments], Path] = as_arrays,
    seed: int = 14,
) -> Door:
    """Return the door of a random network, written in some way. Its seed is one with which the result depends
    on the momenta, not only on how many there are."""

    def make(folder: Path) -> Made:
        state, arguments, events, outputs = network(np.random.default_rng(seed))
        return Made(write(folder / name, state, arguments), events, outputs, tolerance=1e-9)

    return Door(name, make)


def apart(folder: Path) -> Made:
    """A file of tensors alone, whose arguments lie elsewhere."""
    state, arguments, events, outputs = pelican(np.random.default_rng(22))
    file = as_arrays(folder / "net", state, {})
    (file / "config.json").unlink()
    config = folder / "arguments.json"
    config.write_text(json.dumps(arguments))
    return Made(file, events, outputs, tolerance=1e-9, config=config)


def unknown(folder: Path) -> Made:
    state = {"encoder.weight": np.zeros((3, 4)), "encoder.bias": np.zeros(3)}
    return Made(as_arrays(folder / "net", state, {"nobj": 3}), {}, {})


def without_arguments(folder: Path) -> Made:
    state, _, _, _ = lgn(np.random.default_rng(14))
    return Made(as_arrays(folder / "net", state, {}), {}, {})


DOORS = [
    *map(jets, NUMBER),
    points("tfn", "networks.py", {"pos": "pos", "scalars": "scalars"}, ("pos", "scalars"), "scores"),
    points("e3nn", "networks.py", {"pos": "pos", "x_1x0e": "x"}, ("pos", "x"), "out_1x0e"),
    points(
        "cormorant",
        "cormorant_network.py",
        {k: k for k in ("pos", "atom_mask", "one_hot", "charges")},
        ("pos", "charges"),
        "score",
    ),
    random("pelican_torch", pelican, as_torch, seed=22),
    random("nano_torch", nano, as_torch),
    random("lgn_arrays", lgn),
    random("lorentznet_torch", lorentznet, as_torch, seed=20),
    random("tfn_arrays", tfn),
    random("e3nn_torch", e3nn, as_torch),
    random("cormorant_arrays", cormorant),
    Door("arguments_apart", apart),
    Door("unknown_network", unknown, "supported are pelican, nano, lgn", negative=True),
    Door("without_arguments", without_arguments, "nobj", negative=True),
]
