"""Four published networks in jax, from their equations, with parameters under their published names.

Every function takes a state (names to arrays) and momenta p (B, N, 4), (E, px, py, pz) in GeV with zero
rows for padding, and returns logits (B, 2). Normalisations use the running statistics of the state; where
these are missing they are taken from the batch and written into it, which is how training begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from eqhls.groups.su2 import lorentz_clebsch

Array = Any
State = dict[str, Array]
Network = Callable[[State, Array, float], Array]
METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
EPSILON = 1e-5


def with_vectors(p: Array, vectors: list[list[float]]) -> tuple[Array, Array]:
    """Put constant vectors in front: nodes (B, M, 4) and flags (B, M)."""
    fixed = jnp.broadcast_to(jnp.array(vectors).reshape(-1, 4), (len(p), len(vectors), 4))
    flags = jnp.concatenate([jnp.ones(fixed.shape[:2]), (p[..., 0] != 0) * 1.0], axis=1)
    return jnp.concatenate([fixed, p], axis=1), flags


def linear(state: State, name: str, x: Array) -> Array:
    y = x @ state[f"{name}.weight"].T
    return y + state[f"{name}.bias"] if f"{name}.bias" in state else y


def normalised(state: State, name: str, x: Array, mask: Array) -> Array:
    """Batch normalisation over all axes but the last, by running statistics."""
    if f"{name}.running_mean" not in state:
        axes, count = tuple(range(x.ndim - 1)), mask.sum()
        state[f"{name}.running_mean"] = mean = (x * mask).sum(axes) / count
        state[f"{name}.running_var"] = (((x - mean) * mask) ** 2).sum(axes) / count
    spread = jnp.sqrt(state[f"{name}.running_var"] + EPSILON)
    x = (x - state[f"{name}.running_mean"]) / spread
    return x * state[f"{name}.weight"] + state[f"{name}.bias"]


def leaky(x: Array) -> Array:
    return jnp.where(x < 0, 0.01 * x, x)


# PELICAN (arXiv:2211.00454) and PELICAN-nano (arXiv:2310.16121)


def pair_maps(x: Array, average: float) -> Array:
    """The fifteen equivariant maps of x (B, m, m, c), sums over n particles divided by `average`**n."""
    eye = jnp.eye(x.shape[1])[:, :, None]
    diagonal = jnp.einsum("biic->bic", x)
    columns, rows = x.sum(1) / average, x.sum(2) / average
    trace, total = diagonal.sum(1) / average, x.sum((1, 2)) / average**2
    maps = [x, x.swapaxes(1, 2), eye * diagonal[:, :, None], diagonal[:, None], diagonal[:, :, None]]
    for v in (columns, rows):
        maps += [eye * v[:, :, None], v[:, None], v[:, :, None]]
    trace, total = trace[:, None, None], total[:, None, None]
    return stacked([*maps, trace, eye * trace, total, eye * total])


def stacked(maps: list[Array]) -> Array:
    return jnp.stack(jnp.broadcast_arrays(*maps), axis=-1)


def pooled(state: State, x: Array, average: float, function: Callable[[Array], Array]) -> Array:
    """Total and trace of every channel through a function, mixed: (B, out)."""
    sums = jnp.stack([x.sum((1, 2)) / average**2, jnp.einsum("biic->bc", x) / average], axis=-1)
    return jnp.einsum("bdm,dsm->bs", function(sums), state["agg_2to0.coefs"]) + state["agg_2to0.bias"][0]


def nano(state: State, p: Array, average: float) -> Array:
    """One layer of six maps with two hidden channels, beams of (1, 0, 0, +-1)."""
    nodes, flags = with_vectors(p, [[1, 0, 0, 1], [1, 0, 0, -1]])
    mask = (flags[:, :, None] * flags[:, None])[..., None]
    x = jnp.einsum("bix,xy,bjy->bij", nodes, METRIC, nodes)[..., None]
    x = normalised(state, "net2to2.message_layers.0.normlayer", x, mask) * mask
    maps = pair_maps(x, average)[..., jnp.array([0, 5, 6, 7, 13, 14])]
    eq = "net2to2.eq_layers.0"
    x = jnp.einsum("bijdm,dsm->bijs", maps, state[f"{eq}.coefs"]) + state[f"{eq}.bias"]
    x = jax.nn.relu(x + jnp.eye(x.shape[1])[..., None] * state[f"{eq}.diag_bias"]) * mask
    x = normalised(state, "msg_2to0.normlayer", x, mask) * mask
    weight = pooled(state, x, average, lambda v: v)
    return jnp.concatenate([-weight, weight], axis=-1)


SPURIONS = [[1.0, 0, 0, 0], [0, 0, 0, 1.0]]


def pelican(state: State, p: Array, average: float) -> Array:
    """One block of fifteen maps; products encoded by powers of a linear map, labels of the spurions."""
    nodes, flags = with_vectors(p, SPURIONS)
    mask = (flags[:, :, None] * flags[:, None])[..., None]
    z = linear(state, "linear", jnp.einsum("bix,xy,bjy->bij", nodes, METRIC, nodes)[..., None])
    power = 1e-6 + state["input_encoder.rank2_alphas"] ** 2
    x = jnp.sign(z) * jnp.expm1(power * jnp.log1p(jnp.abs(z))) / power
    x = jnp.concatenate([x, labels(state, flags, average)], axis=-1) * mask
    x = message(state, "net2to2.message_layers.0", x, mask)
    eq = "net2to2.eq_layers.0"
    x = jnp.einsum("bijdm,dsm->bijs", pair_maps(x, average), state[f"{eq}.coefs"]) + state[f"{eq}.bias"]
    x = leaky(x + jnp.eye(x.shape[1])[..., None] * state[f"{eq}.diag_bias"]) * mask
    x = pooled(state, message(state, "msg_2to0", x, mask), average, leaky)
    return leaky(linear(state, "mlp_out.linear.0", x))


def message(state: State, name: str, x: Array, mask: Array) -> Array:
    x = leaky(linear(state, f"{name}.linear.0", x))
    return normalised(state, f"{name}.normlayer", x * mask, mask) * mask


def labels(state: State, flags: Array, average: float) -> Array:
    """Which spurion a node is, or a particle, as pairs (B, m, m, out)."""
    x = jnp.eye(3)[jnp.minimum(jnp.arange(flags.shape[1]), 2)][:, jnp.array([2, 0, 1])] * flags[..., None]
    eye, sums = jnp.eye(flags.shape[1])[..., None], (x.sum(1) / average)[:, None, None]
    maps = stacked([eye * x[:, :, None], x[:, None], x[:, :, None], eye * sums, sums])
    return leaky(jnp.einsum("bijdm,dsm->bijs", maps, state["eq1to2.coefs"]) + state["eq1to2.bias"])


# LorentzNet (arXiv:2201.08187)


def psi(z: Array) -> Array:
    return jnp.sign(z) * jnp.log1p(jnp.abs(z))


def lorentznet(state: State, p: Array, average: float) -> Array:
    """One edge block: messages of gated pairs; vectors move in earlier blocks only, so not at all here."""
    energy = 2**0.5
    x, flags = with_vectors(p, [[energy, 0, 0, 1], [energy, 0, 0, -1]])
    edge = (flags[:, :, None] * flags[:, None] * (1 - jnp.eye(x.shape[1])))[..., None]
    dots = jnp.einsum("bix,xy,bjy->bij", x, METRIC, x)
    square = jnp.einsum("bii->bi", dots)
    mass = psi(jnp.sqrt(jnp.maximum(jnp.abs(square), 1e-12)))
    beam = jnp.arange(x.shape[1]) < 2
    s = jnp.stack([jnp.where(beam, 0.0, mass), jnp.where(beam, mass, 0.0)], axis=-1)
    h = linear(state, "embedding", s)
    norms = square[:, :, None] + square[:, None] - 2 * dots
    pairs = [h[:, :, None] + 0 * h[:, None], h[:, None] + 0 * h[:, :, None], psi(norms)[..., None]]
    m = jnp.concatenate([*pairs, psi(dots)[..., None]], axis=-1)
    m = normalised(state, "LGEBs.0.phi_e.1", linear(state, "LGEBs.0.phi_e.0", m), edge)
    m = jax.nn.relu(linear(state, "LGEBs.0.phi_e.3", jax.nn.relu(m)))
    m = m * jax.nn.sigmoid(linear(state, "LGEBs.0.phi_m.0", m)) * edge
    y = linear(state, "LGEBs.0.phi_h.0", jnp.concatenate([h, m.sum(2), s], axis=-1))
    y = jax.nn.relu(normalised(state, "LGEBs.0.phi_h.1", y, flags[..., None]))
    h = (h + linear(state, "LGEBs.0.phi_h.3", y)) * flags[..., None]
    return linear(state, "graph_dec.3", jax.nn.relu(linear(state, "graph_dec.0", h.sum(1) / average)))


# The Lorentz group network (Bogatskiy et al., ICML 2020): complex, canonical basis, one level, maxdim 2

KEYS = ((0, 0), (1, 1))


def interleaved(z: Array) -> Array:
    return jnp.stack([z.real, z.imag], axis=-1).reshape(*z.shape[:-1], -1)


def complexed(x: Array) -> Array:
    return x[..., 0::2] + 1j * x[..., 1::2]


def canonical(p: Array) -> Array:
    e, x, y, z = jnp.moveaxis(p, -1, 0)
    return jnp.stack([e + 0j, (x - 1j * y) / 2**0.5, z + 0j, -(x + 1j * y) / 2**0.5], axis=-1)


def lgn(state: State, p: Array, scale: float) -> Array:
    """One level on scalar inputs (mass and label): scalars, and vectors made of differences."""
    energy, head = 2**0.5, "lgn_cg.atom_levels.0.cat_mix.mix_reps.weights"
    nodes, _ = with_vectors(p, [[energy, 0, 0, 1], [energy, 0, 0, -1]])
    x, live = nodes * scale, (nodes[..., 0] != 0)
    square = jnp.einsum("bix,xy,biy->bi", x, METRIC, x)
    label = jnp.where(jnp.arange(x.shape[1]) < 2, 1.0, -1.0) + 0 * square
    s = jnp.stack([jnp.sqrt(jnp.maximum(jnp.abs(square), 1e-12)), label], axis=-1)
    first = complexed(live[..., None] * linear(state, "input_func_atom.lin", s))[..., None]
    radial = radials(state, x, live)
    edges = {(0, 0): (1 + 1j) * radial[0][..., None]}
    edges[1, 1] = radial[1][..., None] * canonical(x[:, :, None] - x[:, None])[:, :, :, None]
    scalars, vectors = (
        jnp.einsum("xyz,bjcx,bijcy->bicz", lorentz_clebsch((0, 0), k, k), first, edges[k]) for k in KEYS
    )
    own = jnp.einsum("xyz,bicx,bicy->bicz", lorentz_clebsch((0, 0), (0, 0), (0, 0)), first, first)
    mixes = [state[f"{head}.({a}, {b})"] for a, b in KEYS]
    mix0, mix1 = (m[0] + 1j * m[1] for m in mixes)
    scalars = jnp.einsum("oc,bicz->bio", mix0, jnp.concatenate([scalars, first, own], axis=2))
    vectors = jnp.einsum("oc,bicz->bioz", mix1, vectors)
    metric = 2 * lorentz_clebsch((1, 1), (1, 1), (0, 0))[..., 0]
    lengths = jnp.einsum("xy,bicx,bicy->bic", metric, vectors, vectors)
    every = jnp.concatenate([first[..., 0], scalars, lengths], axis=-1)
    return linear(state, "output_layer_atom.lin", interleaved(every).sum(1))


def radials(state: State, x: Array, live: Array) -> list[Array]:
    """Complex functions of (p_i - p_j)^2, one a channel: of the scalar and of the vector edge."""
    d = x[:, :, None] - x[:, None]
    q = jnp.einsum("bijx,xy,bijy->bij", d, METRIC, d)
    mask = (live[:, :, None] & live[:, None] & (q != 0))[..., None]
    a, b, c = (state[f"rad_funcs.rad_funcs.0.{k}"].ravel() for k in "abc")
    phi = mask * (a + b / (1 + c**2 * jnp.abs(q)[..., None]))
    return [complexed(linear(state, f"rad_funcs.rad_funcs.0.linear.{k}", phi)) for k in (0, 1)]
