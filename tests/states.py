"""Checkpoints of every family, and how they are read."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import cormorant_numpy
import e3nn_numpy
import lgn_numpy
import lorentznet_numpy
import numpy as np
import tfn_numpy
from pelican_reference import Network, nano_state, pelican_state
from torchfiles import tensor

from eqhls.frontends.checkpoints.load import load_checkpoint
from eqhls.ir.graph import Graph

State = dict[str, Any]
UNUSED = re.compile(
    "nonlinearity/L0|layer1/.*(F1_to_1|L1/tensor_0/F0_to_L|self_interaction/L1|nonlinearity/L1)"
)
"""Variables of a tensor field network that its code makes and no output sees: biases of scalars, and vectors of
the last layer."""
NANO = Network(nobj=2, config="S", config_out="M", activation="relu", activate_agg_out=False)

CORMORANT: dict[str, Any] = {
    "model": "CormorantQM9", "n_atoms": 2, "num_species": 2, "charge_power": 1, "charge_scale": 4.0,
    "cutoff_type": ["soft", "hard"], "hard_cut_rad": 2.5, "soft_cut_rad": 1.7, "soft_cut_width": 0.3,
    "maxl": 1, "max_sh": 1, "num_cg_levels": 1, "num_channels": [1, 1], "basis_set": [0, 1],
    "basis_set_input_mpnn": [0, 1], "layer_width": 2,
}  # fmt: skip


@cache
def network(family: str) -> tuple[State, dict[str, Any]]:
    """A small random network of a family: its tensors and its arguments."""
    rng = np.random.default_rng(4)
    match family:
        case "pelican":
            net = Network(nobj=2, blocks=1)
            return pelican_state(net, rng), net.arguments
        case "nano":
            return nano_state(NANO, rng), NANO.nano_arguments | {"add_beams": True}
        case "lgn":
            shape = lgn_numpy.Shape(2, (1, 2))
            return lgn_numpy.random_state(rng, shape), shape.arguments(2)
        case "cormorant":
            return cormorant_numpy.random_state(rng, CORMORANT), CORMORANT
        case "tfn":
            settings = tfn_numpy.config(2, 1, [2, 1, 1], 3, 3.0, 2)
            return tfn_numpy.weights(rng, settings), settings
        case "e3nn":
            settings = e3nn_numpy.config(2, "1x0e", "1x0e+1x1o", "1x0e", "1x1o", "1x0e")
            return e3nn_numpy.weights(rng, settings), settings
        case _:
            return lorentznet_numpy.checkpoint(rng, 2, 2), {"nobj": 2, "n_nodes": 4, "c_weight": 0.1}


def load(folder: Path, state: State, arguments: dict[str, Any], **settings: Any) -> Graph:
    folder.mkdir(exist_ok=True)
    np.savez(folder / "state_dict.npz", **state)
    (folder / "config.json").write_text(json.dumps({"args": arguments, **settings}))
    return load_checkpoint(folder)


def prefixed(state: State, prefix: str) -> State:
    return {prefix + k: v for k, v in state.items()}


def one(name: str = "w") -> dict[str, Any]:
    return {name: tensor()}
