"""The published tensor field network once more, from the equations with NumPy alone: edge by edge, nothing
folded (arXiv:1802.08219; names of variables as its code creates them)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
State = dict[str, Floats]
FILTERS = {0: (("F0_to_L", 0), ("F1_to_1", 1)), 1: (("F0_to_L", 0), ("F1_to_0", 1), ("F1_to_1", 1))}
"""The filters that act on features of l = 0 and of l = 1: name of the path, l of the filter."""


def config(
    points: int, scalars: int, dims: list[int], count: int, high: float, classes: int
) -> dict[str, Any]:
    """Return the settings of a network, as they stand in config.json."""
    return {
        "family": "tfn",
        "n_points": points,
        "scalars_in": scalars,
        "layer_dims": dims,
        "rbf_count": count,
        "rbf_low": 0.0,
        "rbf_high": high,
        "rbf_gamma": count / high,
        "hidden_dim": count,
        "radial_nonlin": "relu",
        "feature_nonlin": "elu",
        "epsilon": 1e-8,
        "pool": "mean",
        "classes": classes,
    }  # fmt: skip


def weights(rng: np.random.Generator, settings: Mapping[str, Any]) -> State:
    """Return random weights under the published names; unused biases are there, too."""
    dims, hidden, count = settings["layer_dims"], settings["hidden_dim"], settings["rbf_count"]
    state = {"embed/self_interaction_layer/weights": rng.normal(size=(dims[0], settings["scalars_in"]))}
    for k, (into, out) in enumerate(pairwise(dims)):
        ranks = (0, 1) if k else (0,)
        for rank in ranks:
            for path, order in FILTERS[rank]:
                at = f"layer{k}/convolution/L{rank}/tensor_0/{path}/F_{order}/radial_function"
                state[f"{at}/weights1"] = rng.normal(size=(hidden, count))
                state[f"{at}/biases1"] = rng.normal(size=hidden) / 2
                state[f"{at}/weights2"] = rng.normal(size=(into, hidden)) / hidden**0.5
                state[f"{at}/biases2"] = rng.normal(size=into) / 2
        width = into * len(ranks)
        more = into * (1 + 2 * (len(ranks) - 1))
        for rank, size in ((0, width), (1, more)):
            at = f"layer{k}/self_interaction/L{rank}/tensor_0/self_interaction_layer"
            state[f"{at}/weights"] = rng.normal(size=(out, size)) / size**0.5
            if rank == 0:
                state[f"{at}/biases"] = rng.normal(size=out) / 3
            state[f"layer{k}/nonlinearity/L{rank}/tensor_0/biases"] = rng.normal(size=out) / 3
    state["fully_connected_weights"] = rng.normal(size=(dims[-1], settings["classes"]))
    state["output_biases"] = rng.normal(size=settings["classes"])
    return state


def scores(state: Mapping[str, Floats], settings: Mapping[str, Any], pos: Floats, scalars: Floats) -> Floats:
    """Return the outputs (events, classes) of pos (events, points, 3) and scalars (events, points, features)."""
    return np.array([_event(state, settings, r, s) for r, s in zip(pos, scalars, strict=True)])


def _event(state: Mapping[str, Floats], settings: Mapping[str, Any], r: Floats, s: Floats) -> Floats:
    features = {0: (s @ state["embed/self_interaction_layer/weights"].T)[..., None]}
    for k in range(len(settings["layer_dims"]) - 1):
        features = _mixed(state, k, _convolved(state, settings, k, r, features))
    mean = features[0][..., 0].mean(axis=0)
    return mean @ state["fully_connected_weights"] + state["output_biases"]


def _convolved(
    state: Mapping[str, Floats],
    settings: Mapping[str, Any],
    k: int,
    r: Floats,
    features: Mapping[int, Floats],
) -> dict[int, Floats]:
    """Return the results of all filters by l, joined along channels in the order in which they are made."""
    parts: dict[int, list[Floats]] = {0: [], 1: []}
    for rank, v in features.items():
        for path, order in FILTERS[rank]:
            at = f"layer{k}/convolution/L{rank}/tensor_0/{path}/F_{order}/radial_function"
            out = rank if path == "F0_to_L" else int(path[-1])
            y = np.zeros((len(r), v.shape[1], 2 * out + 1))
            for i in range(len(r)):
                for j in range(len(r)):
                    y[i] += _message(state, settings, at, r[i] - r[j], v[j], order, out)
            parts[out].append(y)
    return {rank: np.concatenate(p, axis=1) for rank, p in parts.items() if p}


def _message(
    state: Mapping[str, Floats],
    settings: Mapping[str, Any],
    at: str,
    r: Floats,
    v: Floats,
    order: int,
    out: int,
) -> Floats:
    distance = np.sqrt(max(float(r @ r), settings["epsilon"]))
    centers = np.linspace(settings["rbf_low"], settings["rbf_high"], settings["rbf_count"])
    rbf = np.exp(-settings["rbf_gamma"] * (distance - centers) ** 2)
    hidden = np.maximum(state[f"{at}/weights1"] @ rbf + state[f"{at}/biases1"], 0)
    radial = (state[f"{at}/weights2"] @ hidden + state[f"{at}/biases2"])[:, None]
    if order == 0:
        return radial * v
    if np.linalg.norm(r) < settings["epsilon"]:
        return np.zeros((len(v), 2 * out + 1))
    unit = r / distance
    if v.shape[1] == 1:
        return radial * v * unit
    return radial * (v @ unit[:, None] if out == 0 else np.cross(unit, v))


def _mixed(state: Mapping[str, Floats], k: int, features: Mapping[int, Floats]) -> dict[int, Floats]:
    """Return the channels mixed, and bent: scalars by elu, vectors by elu of their length."""
    at = f"layer{k}/self_interaction/L{{}}/tensor_0/self_interaction_layer"
    scalars = np.einsum("ab,ibm->iam", state[f"{at.format(0)}/weights"], features[0])
    scalars = scalars + state[f"{at.format(0)}/biases"][:, None]
    vectors = np.einsum("ab,ibm->iam", state[f"{at.format(1)}/weights"], features[1])
    length = np.sqrt(np.maximum((vectors**2).sum(axis=-1), 1e-8))
    factor = _elu(length + state[f"layer{k}/nonlinearity/L1/tensor_0/biases"]) / length
    return {0: _elu(scalars), 1: vectors * factor[..., None]}


def _elu(x: Floats) -> Floats:
    return np.where(x < 0, np.expm1(np.minimum(x, 0)), x)
