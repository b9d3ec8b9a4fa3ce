"""A tensor field network and two e3nn convolutions in jax, from their equations, on clouds of points.

Every function takes a state (published names to arrays), the settings that config.json holds, positions
(B, N, 3) and features (B, N, F), and returns scores (B, K).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any
State = Mapping[str, Array]
Settings = Mapping[str, Any]
Network = Callable[[State, Settings, Array, Array], Array]
EPS = np.zeros((3, 3, 3))
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    EPS[_i, _j, _k], EPS[_k, _j, _i] = 1, -1


# Tensor field network (arXiv:1802.08219), filters and features of l = 0 and 1


def tfn(state: State, settings: Settings, pos: Array, scalars: Array) -> Array:
    """Return the scores of the mean over points of the last scalars."""
    away = pos[:, :, None] - pos[:, None]
    square = (away**2).sum(-1)
    distance = jnp.sqrt(jnp.maximum(square, settings["epsilon"]))
    centers = jnp.linspace(settings["rbf_low"], settings["rbf_high"], settings["rbf_count"])
    rbf = jnp.exp(-settings["rbf_gamma"] * (distance[..., None] - centers) ** 2)
    edges = rbf, away / distance[..., None]
    s, v = scalars @ state["embed/self_interaction_layer/weights"].T, None
    for k in range(len(settings["layer_dims"]) - 1):
        s, v = layer(state, f"layer{k}", edges, s, v)
    return s.mean(1) @ state["fully_connected_weights"] + state["output_biases"]


def layer(state: State, name: str, edges: tuple[Array, Array], s: Array, v: Array) -> tuple[Array, Array]:
    """Return the scalars (B, N, C) and vectors (B, N, C, 3) behind one convolution, mixed and bent."""
    rbf, unit = edges

    def radial(path: str) -> Array:
        at = f"{name}/convolution/{path}/radial_function"
        hidden = jax.nn.relu(rbf @ state[f"{at}/weights1"].T + state[f"{at}/biases1"])
        return hidden @ state[f"{at}/weights2"].T + state[f"{at}/biases2"]

    scalars = [jnp.einsum("bijc,bjc->bic", radial("L0/tensor_0/F0_to_L/F_0"), s)]
    vectors = [jnp.einsum("bijc,bijx,bjc->bicx", radial("L0/tensor_0/F1_to_1/F_1"), unit, s)]
    if v is not None:
        own, dot, cross = (radial(f"L1/tensor_0/{p}") for p in ("F0_to_L/F_0", "F1_to_0/F_1", "F1_to_1/F_1"))
        scalars += [jnp.einsum("bijc,bijx,bjcx->bic", dot, unit, v)]
        vectors += [jnp.einsum("bijc,bjcx->bicx", own, v)]
        vectors += [jnp.einsum("xyz,bijc,bijy,bjcz->bicx", EPS, cross, unit, v)]
    at = f"{name}/self_interaction/L{{}}/tensor_0/self_interaction_layer"
    mix0, mix1 = (state[f"{at.format(rank)}/weights"] for rank in (0, 1))
    s = jnp.concatenate(scalars, axis=2) @ mix0.T + state[f"{at.format(0)}/biases"]
    v = jnp.einsum("ac,bicx->biax", mix1, jnp.concatenate(vectors, axis=2))
    length = jnp.sqrt(jnp.maximum((v**2).sum(-1), 1e-8))
    bent = jax.nn.elu(length + state[f"{name}/nonlinearity/L1/tensor_0/biases"]) / length
    return jax.nn.elu(s), v * bent[..., None]


# Two e3nn convolutions with a gate (arXiv:2207.09453), l up to 2


def blocks(text: str) -> list[tuple[int, int, str]]:
    """Read irreps: multiplicity, l and parity of every block."""
    return [(int(b.split("x")[0]), int(b.split("x")[1][:-1]), b[-1]) for b in text.split("+")]


def paths(first: str, second: str, out: str) -> list[tuple[int, int, int]]:
    """Return the products that lead into `out`, as places of blocks."""
    a, b, c = blocks(first), blocks(second), blocks(out)
    return [
        (i, j, k)
        for (i, x), (j, y), (k, z) in product(enumerate(a), enumerate(b), enumerate(c))
        if abs(x[1] - y[1]) <= z[1] <= x[1] + y[1] and (x[2] == y[2]) == (z[2] == "e")
    ]


def stages(settings: Settings) -> list[tuple[str, str, str]]:
    """Return the irreps of both convolutions: input, harmonics, output."""
    first = (settings["irreps_in"], settings["sh"], settings["gate_irreps_in"])
    return [first, (settings["gate_irreps_out"], settings["sh"], settings["irreps_out"])]


FORMULAS = {
    (1, 1, 0): ("Pa,Qa->PQ", False),
    (1, 1, 1): ("iab,Pa,Qb->PQi", True),
    (1, 1, 2): ("Pi,Qj->PQij", False),
    (1, 2, 1): ("Pa,Qia->PQi", False),
    (2, 1, 1): ("Pia,Qa->PQi", False),
    (1, 2, 2): ("iab,Pa,Qbj->PQij", True),
    (2, 1, 2): ("iab,Paj,Qb->PQij", True),
    (2, 2, 0): ("Pab,Qab->PQ", False),
    (2, 2, 1): ("iab,Pca,Qcb->PQi", True),
    (2, 2, 2): ("Pia,Qaj->PQij", False),
}
"""The products of two tensors by l, and whether the Levi-Civita tensor stands in front."""


def stored(rank: int) -> Array:
    """Return the tensor of each stored component of an irrep, (2 l + 1, 3, .., 3), all of one norm."""
    if rank < 2:
        return np.eye(3) if rank else np.ones(1)
    tensors = np.zeros((5, 3, 3))
    for k, (a, b) in ((0, (0, 2)), (1, (0, 1)), (3, (1, 2))):
        tensors[k, a, b] = tensors[k, b, a] = 1
    tensors[2], tensors[4] = np.diag([-1, 2, -1]) / 3**0.5, np.diag([-1, 0, 1])
    return tensors


def wigner(a: int, b: int, c: int) -> Array:
    """Return e3nn's w3j, (2a + 1, 2b + 1, 2c + 1): the tensor formula in stored components, of norm one."""
    if a * b == 0:
        table = np.eye(2 * c + 1).reshape(2 * a + 1, 2 * b + 1, 2 * c + 1)
    else:
        formula, odd = FORMULAS[a, b, c]
        made = np.einsum(formula, *((EPS,) if odd else ()), stored(a), stored(b))
        table = np.tensordot(made, np.moveaxis(stored(c), 0, -1), c) if c else made[..., None]
    return table / np.linalg.norm(table)


def e3nn(state: State, settings: Settings, pos: Array, x: Array) -> Array:
    """Return the features of all points, or their mean where `pool` says so."""
    first, second = stages(settings)
    away = pos[:, None] - pos[:, :, None]
    distance = jnp.sqrt((away**2).sum(-1))
    edges = distance, away / jnp.maximum(distance, 1e-12)[..., None]
    y = gated(settings, convolution(state, settings, "c1", first, edges, x))
    y = convolution(state, settings, "c2", second, edges, y)
    return y.mean(1) if settings.get("pool") == "mean" else y.reshape(len(y), -1)


def convolution(
    state: State, settings: Settings, name: str, irreps: tuple[str, str, str], edges: Any, x: Array
) -> Array:
    """Return what every point receives from its neighbours, in irreps[2]."""
    (first, second, third), (distance, unit) = (blocks(t) for t in irreps), edges
    w, inputs, at = radial(state, settings, name, distance), split(x, first), 0
    harmonics = {rank: harmonic(rank, unit) for _, rank, _ in second}
    out = [jnp.zeros((*x.shape[:2], n, 2 * rank + 1)) for n, rank, _ in third]
    used = paths(*irreps)
    for a, b, o in used:
        (n, rank, _), (m, to, _) = first[a], third[o]
        fan = sum(first[i][0] for i, _, k in used if k == o)
        block = w[..., at : at + n * m].reshape(*w.shape[:3], n, m)
        table = wigner(rank, second[b][1], to) * ((2 * to + 1) / fan) ** 0.5
        out[o] += jnp.einsum("bijuo,bjux,bijy,xyz->bioz", block, inputs[a], harmonics[second[b][1]], table)
        at += n * m
    return joined(out) / settings["neighbours"] ** 0.5


def harmonic(rank: int, unit: Array) -> Array:
    """Return spherical harmonics in component normalisation."""
    if rank < 2:
        return 3**0.5 * unit if rank else jnp.ones((*unit.shape[:-1], 1))
    return 15**0.5 * jnp.einsum("...x,...y,kxy->...k", unit, unit, stored(2)) / 2


def radial(state: State, settings: Settings, name: str, distance: Array) -> Array:
    """Return the weights of all products, (B, i, j, number); zero beyond the radius and at distance zero."""
    count = settings["basis"]
    values = jnp.linspace(0, settings["radius"], count + 2)
    z = (distance[..., None] - values[1:-1]) / (values[1] - values[0])
    smooth = [jnp.where(t > 0, jnp.exp(-1 / jnp.where(t > 0, t, 1)), 0) for t in (1 + z, 1 - z)]
    basis = 1.14136 * np.exp(2) * smooth[0] * smooth[1]
    hidden = jax.nn.silu(basis @ state[f"{name}.fc.layer0.weight"]) * settings["normalize2mom"]["silu_fc"]
    last = state[f"{name}.fc.layer1.weight"]
    return hidden @ last / len(last) ** 0.5


def split(x: Array, irreps: list[tuple[int, int, str]]) -> list[Array]:
    parts, at = [], 0
    for n, rank, _ in irreps:
        width = n * (2 * rank + 1)
        parts.append(x[..., at : at + width].reshape(*x.shape[:-1], n, 2 * rank + 1))
        at += width
    return parts


def joined(parts: list[Array]) -> Array:
    return jnp.concatenate([p.reshape(*p.shape[:-2], -1) for p in parts], axis=-1)


def gated(settings: Settings, y: Array) -> Array:
    """Return scalars behind their activation, and the others times the sigmoid of their gate."""
    places, constants = blocks(settings["gate_irreps_in"]), settings["normalize2mom"]
    parts = {(rank, p): v for v, (_, rank, p) in zip(split(y, places), places, strict=True)}
    wanted, gates = blocks(settings["scalars"]), blocks(settings["gated"])
    wanted += [(sum(n for n, _, _ in gates), 0, "e"), *gates]
    taken: list[Array] = []
    for n, rank, p in wanted:
        taken.append(parts[rank, p][..., :n, :])
        parts[rank, p] = parts[rank, p][..., n:, :]
    scalars = taken[: len(wanted) - len(gates) - 1]
    bent = [
        constants[f"scalar{k}"] * (jax.nn.silu(v) if p == "e" else jnp.tanh(v))
        for k, (v, (_, _, p)) in enumerate(zip(scalars, wanted, strict=False))
    ]
    factors, at = constants["gate0"] * jax.nn.sigmoid(taken[len(scalars)]), 0
    for v in taken[len(scalars) + 1 :]:
        bent.append(v * factors[..., at : at + v.shape[-2], :])
        at += v.shape[-2]
    return joined(bent)
