"""Two e3nn convolutions with a gate once more, from the equations with NumPy alone: edge by edge, with the tensor
formulas of the products instead of tables (e3nn 0.6.0, arXiv:2207.09453)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
State = dict[str, Floats]
Block = tuple[int, int, str]
"""Multiplicity, l, parity e or o."""
SILU, SIGMOID, TANH = 1.6791767923989418, 1.8467055342154763, 1.5937334472592695
EPS = np.zeros((3, 3, 3))
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    EPS[_i, _j, _k], EPS[_k, _j, _i] = 1, -1
KAPPA2 = {
    (0, 0, 0): 1, (0, 1, 1): 1 / 3, (0, 2, 2): 1 / 5, (1, 1, 0): 1 / 3, (1, 1, 1): 1 / 6, (1, 1, 2): 2 / 5,
    (1, 2, 1): 1 / 10, (1, 2, 2): 2 / 15, (2, 2, 0): 1 / 20, (2, 2, 1): 1 / 30, (2, 2, 2): 6 / 35,
}  # fmt: skip


def blocks(text: str) -> list[Block]:
    """Read irreps, such as 2x0e+1x1o."""
    return [(int(b.split("x")[0]), int(b.split("x")[1][:-1]), b[-1]) for b in text.split("+") if b]


def size(text: str) -> int:
    return sum(n * (2 * rank + 1) for n, rank, _ in blocks(text))


def paths(first: str, second: str, out: str) -> list[tuple[int, int, int]]:
    """Return the products that lead into `out`, as places of ops."""
    a, b, c = blocks(first), blocks(second), blocks(out)
    return [
        (i, j, k)
        for (i, x), (j, y), (k, z) in product(enumerate(a), enumerate(b), enumerate(c))
        if abs(x[1] - y[1]) <= z[1] <= x[1] + y[1] and (x[2] == y[2]) == (z[2] == "e")
    ]


def config(
    points: int, into: str, sh: str, scalars: str, gated: str, out: str, basis: int = 3, hidden: int = 5
) -> dict[str, Any]:
    """Return the settings of a network, as they stand in config.json."""
    gates = sum(n for n, _, _ in blocks(gated))
    sorted_in: dict[tuple[int, bool], int] = {}
    for n, rank, p in [*blocks(scalars), *([(gates, 0, "e")] if gates else []), *blocks(gated)]:
        sorted_in[rank, p == "e"] = sorted_in.get((rank, p == "e"), 0) + n
    gate_in = "+".join(f"{sorted_in[k]}x{k[0]}{'e' if k[1] else 'o'}" for k in sorted(sorted_in))
    constants = {f"scalar{k}": SILU if p == "e" else TANH for k, (_, _, p) in enumerate(blocks(scalars))}
    return {
        "family": "e3nn",
        "n_points": points,
        "irreps_in": into,
        "sh": sh,
        "scalars": scalars,
        "gated": gated,
        "irreps_out": out,
        "basis": basis,
        "hidden": hidden,
        "radius": 2.5,
        "neighbours": 4.0,
        "gate_irreps_in": gate_in,
        "gate_irreps_out": f"{scalars}+{gated}".strip("+"),
        "normalize2mom": {"silu_fc": SILU, "gate0": SIGMOID} | constants,
    }


def stages(settings: Mapping[str, Any]) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Return the irreps of both convolutions: input, harmonics, output."""
    sh = settings["sh"]
    return (
        (settings["irreps_in"], sh, settings["gate_irreps_in"]),
        (settings["gate_irreps_out"], sh, settings["irreps_out"]),
    )


def weights(rng: np.random.Generator, settings: Mapping[str, Any]) -> State:
    """Return random weights under the names of the state dict."""
    state: State = {}
    for k, (a, b, c) in enumerate(stages(settings), 1):
        count = sum(blocks(a)[i][0] * blocks(c)[o][0] for i, _, o in paths(a, b, c))
        state[f"c{k}.fc.layer0.weight"] = rng.normal(size=(settings["basis"], settings["hidden"]))
        state[f"c{k}.fc.layer1.weight"] = rng.normal(size=(settings["hidden"], count))
    return state


def scores(state: Mapping[str, Floats], settings: Mapping[str, Any], pos: Floats, x: Floats) -> Floats:
    """Return the features (events, points, size of irreps_out) of pos (events, points, 3) and x."""
    found = np.array([_event(state, settings, r, v) for r, v in zip(pos, x, strict=True)])
    return found.mean(axis=1) if settings.get("pool") == "mean" else found


def _event(state: Mapping[str, Floats], settings: Mapping[str, Any], r: Floats, x: Floats) -> Floats:
    first, second = stages(settings)
    y = _convolved(state, settings, "c1", first, r, x)
    y = np.array([_gated(settings, v) for v in y])
    return _convolved(state, settings, "c2", second, r, y)


def _convolved(
    state: Mapping[str, Floats],
    settings: Mapping[str, Any],
    name: str,
    irreps: tuple[str, str, str],
    r: Floats,
    x: Floats,
) -> Floats:
    y = np.zeros((len(r), size(irreps[2])))
    for dst, src in product(range(len(r)), repeat=2):
        away = r[src] - r[dst]
        if dst != src and np.linalg.norm(away) < settings["radius"]:
            w = _radial(state, settings, name, float(np.linalg.norm(away)))
            y[dst] += _message(irreps, w, x[src], away / max(np.linalg.norm(away), 1e-12))
    return y / np.sqrt(settings["neighbours"])


def _radial(state: Mapping[str, Floats], settings: Mapping[str, Any], name: str, distance: float) -> Floats:
    count = settings["basis"]
    values = np.linspace(0, settings["radius"], count + 2)
    z = (distance - values[1:-1]) / (values[1] - values[0])
    basis = 1.14136 * np.exp(2) * np.sqrt(count) * _soft(1 + z) * _soft(1 - z)
    first, second = (state[f"{name}.fc.layer{k}.weight"] for k in (0, 1))
    hidden = basis @ first / np.sqrt(count)
    hidden = settings["normalize2mom"]["silu_fc"] * hidden / (1 + np.exp(-hidden))
    return hidden @ second / np.sqrt(len(second))


def _soft(t: Floats) -> Floats:
    return np.where(t > 0, np.exp(-1 / np.where(t > 0, t, 1)), 0)


def _message(irreps: tuple[str, str, str], w: Floats, x: Floats, unit: Floats) -> Floats:
    """Return what one neighbour sends: the flat weights are taken path by path."""
    first, second, third = (blocks(t) for t in irreps)
    inputs = _split(x, first)
    filters = [components(harmonic(unit, rank))[None] * (1, 3, 15)[rank] ** 0.5 for _, rank, _ in second]
    out, at = [np.zeros((n, 2 * rank + 1)) for n, rank, _ in third], 0
    used = paths(*irreps)
    for a, b, o in used:
        shape = (first[a][0], third[o][0])
        own = w[at : at + shape[0] * shape[1]].reshape(shape)
        at += shape[0] * shape[1]
        fan = sum(first[i][0] for i, _, k in used if k == o)
        for u in range(shape[0]):
            made = coupled(inputs[a][u], filters[b][0], third[o][1])
            out[o] += np.sqrt((2 * third[o][1] + 1) / fan) * own[u][:, None] * made
    return np.concatenate([v.ravel() for v in out])


def _split(x: Floats, irreps: list[Block]) -> list[Floats]:
    parts, at = list[Floats](), 0
    for n, rank, _ in irreps:
        parts.append(x[at : at + n * (2 * rank + 1)].reshape(n, 2 * rank + 1))
        at += n * (2 * rank + 1)
    return parts


def harmonic(v: Floats, rank: int) -> Floats:
    """Return the symmetric traceless tensor of l factors v."""
    return (np.array(1.0), v, np.outer(v, v) - np.eye(3) * (v @ v) / 3)[rank]


def components(t: Floats) -> Floats:
    """Return the components that e3nn stores of a tensor; for l = 2 the polar axis is y."""
    if t.ndim < 2:
        return t.reshape(-1)
    polar = (2 * t[1, 1] - t[0, 0] - t[2, 2]) / 12**0.5
    return np.array([t[0, 2], t[0, 1], polar, t[1, 2], (t[2, 2] - t[0, 0]) / 2])


def tensor(x: Floats) -> Floats:
    """Return the tensor of components."""
    if len(x) < 5:
        return x if len(x) == 3 else x[0]
    y2 = x[2] * 2 / 3**0.5
    t = np.diag([-y2 / 2 - x[4], y2, -y2 / 2 + x[4]])
    t[0, 2], t[0, 1], t[1, 2] = x[0], x[1], x[3]
    return np.triu(t) + np.triu(t, 1).T


def coupled(x: Floats, y: Floats, rank: int) -> Floats:
    """Return the product of components x and y that has angular momentum l, as e3nn's w3j gives it."""
    left, right = (len(x) - 1) // 2, (len(y) - 1) // 2
    kappa = KAPPA2[min(left, right), max(left, right), rank] ** 0.5
    a, b = tensor(x), tensor(y)
    return kappa * components(np.asarray(_product(a, b, (left, right, rank))))


def _product(a: Floats, b: Floats, ls: tuple[int, int, int]) -> Floats:
    match ls:
        case (0, _, _) | (_, 0, _):
            return a * b
        case (1, 1, 0) | (2, 2, 0):
            return (a * b).sum()
        case (1, 1, 1):
            return np.cross(a, b)
        case (1, 1, 2):
            return _traceless(np.outer(a, b))
        case (1, 2, 1):
            return b @ a
        case (2, 1, 1):
            return a @ b
        case (1, 2, 2):
            return _traceless(np.einsum("iab,a,bj->ij", EPS, a, b))
        case (2, 1, 2):
            return _traceless(np.einsum("iab,aj,b->ij", EPS, a, b))
        case (2, 2, 1):
            return np.einsum("iab,ca,cb->i", EPS, a, b)
        case _:
            return _traceless(a @ b)


def _traceless(t: Floats) -> Floats:
    t = (t + t.T) / 2
    return t - np.eye(3) * np.trace(t) / 3


def _gated(settings: Mapping[str, Any], y: Floats) -> Floats:
    """Return scalars behind their activation, and the others times the sigmoid of their gate."""
    constants, places = settings["normalize2mom"], blocks(settings["gate_irreps_in"])
    parts = {(rank, p): v for v, (_, rank, p) in zip(_split(y, places), places, strict=True)}
    result, taken = list[Floats](), dict[tuple[int, str], int]()

    def take(count: int, rank: int, p: str) -> Floats:
        start = taken.get((rank, p), 0)
        taken[rank, p] = start + count
        return parts[rank, p][start : start + count]

    for k, (n, _, p) in enumerate(blocks(settings["scalars"])):
        v = take(n, 0, p)
        bent = v / (1 + np.exp(-v)) if p == "e" else np.tanh(v)
        result.append(constants[f"scalar{k}"] * bent)
    gated = blocks(settings["gated"])
    if not gated:
        return np.concatenate([v.ravel() for v in result])
    gates = take(sum(n for n, _, _ in gated), 0, "e")
    factors = constants["gate0"] / (1 + np.exp(-gates))
    at = 0
    for n, rank, p in gated:
        result.append(take(n, rank, p) * factors[at : at + n])
        at += n
    return np.concatenate([v.ravel() for v in result])
