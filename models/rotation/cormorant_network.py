"""Cormorant with linear input and output (CormorantMD17) in jax, from its equations, under its own names.

Complex features (B, N, C, 2l+1), m = -l..l, that turn as conjugated harmonics do. Charges are energies.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from eqhls.groups.su2 import fuse

Array = Any
State = dict[str, Array]
Config = dict[str, Any]
MIX = "cormorant_cg.{}.{}.cat_mix.mix_reps.weights.{}"
CUT = "cormorant_cg.edge_levels.{}.mask_layer.soft_cut_{}"
LEAST = 1e-3


def complexed(x: Array) -> Array:
    return x[..., 0::2] + 1j * x[..., 1::2]


def weight(state: State, kind: str, level: int, degree: int) -> Array:
    pair = state[MIX.format(kind, level, degree)]
    return pair[..., 0] + 1j * pair[..., 1]


def paths(left: int, right: int, degree: int) -> list[tuple[int, int]]:
    """Degrees of factors up to `left` and `right` that give `degree`, the left one ascending first."""
    every = [(a, b) for a in range(left + 1) for b in range(right + 1)]
    return [(a, b) for a, b in every if abs(a - b) <= degree <= a + b]


def products(left: list[Array], right: list[Array], degree: int) -> list[Array]:
    return [
        jnp.einsum("abc,...a,...b->...c", fuse(2 * a, 2 * b, 2 * degree), left[a], right[b])
        for a, b in paths(len(left) - 1, len(right) - 1, degree)
    ]


def bilinear(x: Array, y: Array) -> Array:
    """Sum over m of (-1)^m x_m y_-m."""
    most = x.shape[-1] // 2
    return (x * y[..., ::-1] * (-1.0) ** np.arange(-most, most + 1)).sum(axis=-1)


def radial(state: State, level: int, power: int, r: Array, live: Array) -> Array:
    """Complex functions of the distance: waves times falling powers, neighbours paired; 0 at r = 0."""
    name = f"rad_funcs.rad_funcs.{level}"
    waves = jnp.sin(
        2 * jnp.pi * state[f"{name}.scales"].ravel() * r[..., None] + state[f"{name}.phases"].ravel()
    )
    falling = r[..., None, None] ** -jnp.arange(power + 1.0)
    return complexed((waves[..., None] * falling).reshape(*r.shape, -1) * live[..., None])


def cut(state: State, level: int, r: Array) -> Array:
    radius, width = (jnp.maximum(LEAST, abs(state[CUT.format(level, k)].ravel())) for k in ("rad", "width"))
    return jax.nn.sigmoid((radius - r[..., None]) / width)


def edges(
    state: State, level: int, config: Config, before: list[Array], x: list[Array], r: Array, live: Array
) -> list[Array]:
    """Complex scalars (B, N, N, C) for each degree of the harmonics, 0 and 1."""
    phi = radial(state, level, config["basis_set"][1], r, live)
    dots = jnp.concatenate([bilinear(v[:, :, None], v[:, None]) for v in x], axis=-1)
    made = []
    for degree in range(config["max_sh"][level] + 1):
        parts = [*before[degree : degree + 1], *([dots] if degree < len(x) else []), phi]
        mixed = jnp.concatenate(parts, axis=-1) @ weight(state, "edge_levels", level, degree).T
        made.append(mixed * cut(state, level, r * live) if config["cutoff_type"] else mixed)
    return made


def cormorant(state: State, config: Config, points: Array, charges: Array) -> Array:
    """Scores (B, 1) of points (B, N, 3) of one species and their charges (B, N, 1)."""
    powers = jnp.arange(config["charge_power"] + 1.0)
    scalars = (charges / config["charge_scale"]) ** powers
    first = scalars @ state["input_func_atom.lin.weight"].T + state["input_func_atom.lin.bias"]
    d = points[:, :, None] - points[:, None]
    square = (d**2).sum(axis=-1)
    live = square > 0
    r = jnp.sqrt(jnp.where(live, square, 1.0))
    x, y, z = jnp.moveaxis(d, -1, 0)
    zonal = [
        jnp.ones((*r.shape, 1)),
        jnp.stack([(x + 1j * y) / 2**0.5, z + 0j, -(x - 1j * y) / 2**0.5], axis=-1),
    ]
    features, edge, levels = [complexed(first)[..., None]], [], []
    for level, most in enumerate(config["maxl"]):
        edge = edges(state, level, config, edge, features, r, live)
        sent = [e[..., None] * h[..., None, :] for e, h in zip(edge, zonal, strict=False)]
        features = [atoms(state, level, k, sent, features) for k in range(most + 1)]
        levels.append(features)
    flat = invariants(levels).sum(axis=1)
    return flat @ state["output_layer_atom.lin.weight"].T + state["output_layer_atom.lin.bias"]


def atoms(state: State, level: int, degree: int, sent: list[Array], x: list[Array]) -> Array:
    received = [v.sum(axis=2) for v in products(sent, [v[:, None] for v in x], degree)]
    parts = [*received, *x[degree : degree + 1], *products(x, x, degree)]
    mix = weight(state, "atom_levels", level, degree)
    return jnp.einsum("oc,bicm->biom", mix, jnp.concatenate(parts, axis=2))


def invariants(levels: list[list[Array]]) -> Array:
    found = [x[0][..., 0] for x in levels]
    for degree in range(max(map(len, levels))):
        for x in levels:
            for v in x[degree : degree + 1]:
                found.append(bilinear(v, v).real + 1j * (abs(v) ** 2).sum(axis=-1))
    every = jnp.concatenate(found, axis=-1)
    return jnp.stack([every.real, every.imag], axis=-1).reshape(*every.shape[:2], -1)


SETTINGS: Config = {
    "family": "cormorant",
    "model": "CormorantMD17",
    "n_atoms": 4,
    "num_species": 1,
    "charge_power": 1,
    "charge_scale": 1.0,
    "num_cg_levels": 1,
    "num_channels": [1, 1],
    "maxl": [1],
    "max_sh": [1],
    "basis_set": [2, 0],
    "cutoff_type": ["learn"],
    "soft_cut_rad": 2.0,
    "soft_cut_width": 0.3,
}


def first_weights(rng: np.random.Generator, config: Config) -> State:
    """Return first weights; frequencies are multiples of a quarter, phases sines and cosines."""
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


def mixing(rng: np.random.Generator, out: int, into: int) -> Array:
    return rng.normal(size=(out, into, 2)) * 0.5 / into**0.5
