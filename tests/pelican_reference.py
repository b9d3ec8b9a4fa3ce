"""PELICAN and PELICAN-nano in plain NumPy, map by map as their papers write them (arXiv:2211.00454,
arXiv:2310.16121): an opinion about the importers that shares no code with them. And networks to try it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
State = dict[str, Array]
SPURIONS: dict[str, list[list[float]]] = {
    "so13": [],
    "so3": [[1, 0, 0, 0]],
    "so2": [[1, 0, 0, 0], [0, 0, 0, 1]],
    "so2_0": [[1, 0, 0, 1], [1, 0, 0, -1]],
    "so12": [[0, 0, 0, 1]],
    "se2": [[1, 0, 0, -1]],
    "R": [[0, 1, 0, 0], [0, 0, 1, 0]],
    "1": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    "11": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    "1_0": [[1, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, -1]],
    "11_0": [[1, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, -1]],
}
INPUTS: dict[str, Callable[[Array], list[Array]]] = {
    "so13": lambda p: [],
    "so3": lambda p: [p[:, 0]],
    "so12": lambda p: [p[:, 3]],
    "se2": lambda p: [p[:, 0] - p[:, 3]],
    "so2": lambda p: [p[:, 0], p[:, 3]],
    "so2_0": lambda p: [p[:, 0] + p[:, 3], p[:, 0] - p[:, 3]],
    "R": lambda p: [p[:, 1], p[:, 2]],
    "1": lambda p: list(p.T),
    "11": lambda p: list(p.T),
    "1_0": lambda p: [p[:, 0] + p[:, 3], p[:, 0] - p[:, 1], p[:, 0] - p[:, 2], p[:, 0] - p[:, 3]],
    "11_0": lambda p: [p[:, 0] + p[:, 3], p[:, 0] + p[:, 1], p[:, 0] + p[:, 2], p[:, 0] - p[:, 3]],
}
"""What takes the place of spurions where the method is `input`: products of these of two particles."""
CURVES: dict[str, Callable[[Array], Array]] = {
    "leakyrelu": lambda x: np.where(x < 0, 0.01 * x, x),
    "relu": lambda x: np.where(x < 0, 0, x),
    "elu": lambda x: np.where(x < 0, np.exp(np.minimum(x, 0)) - 1, x),
    "celu": lambda x: np.where(x < 0, np.exp(np.minimum(x, 0)) - 1, x),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x < 0, 1.6732632423543772 * (np.exp(np.minimum(x, 0)) - 1), x)
    ),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "logsigmoid": lambda x: -np.logaddexp(0, -x),
    "tanh": np.tanh,
    "atan": np.arctan,
    "soft": lambda x: x / (1 + np.abs(x)),
    "identity": lambda x: x,
}


@dataclass
class Network:
    """The size of a network and its options, named as its code names them."""

    nobj: int = 4
    config: str = "M"
    config_out: str = "M"
    stabilizer: str = "so2"
    activation: str = "leakyrelu"
    nobj_avg: int = 5
    scale: float = 1.0
    factorize: bool = True
    activate_agg_out: bool = True
    activate_lin: bool = True
    blocks: int = 2
    width: tuple[int, int] = (4, 3)
    depth: int = 1
    mlp: tuple[int, ...] = (3, 2)
    method: str = "spurions"
    activate_agg: bool = False
    activate_lin_out: bool = False
    norms: bool = True
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        names = "nobj config config_out stabilizer activation nobj_avg scale activate_agg_out activate_lin"
        names += " method activate_agg activate_lin_out"
        norm = {"batchnorm": "b" if self.norms else "None"}
        return {n: getattr(self, n) for n in names.split()} | norm | self.more

    @property
    def nano_arguments(self) -> dict[str, Any]:
        """Those of a PELICAN-nano, which has beams instead of spurions."""
        return {k: v for k, v in self.arguments.items() if k not in ("stabilizer", "method")}

    @property
    def spurions(self) -> list[list[float]]:
        return SPURIONS[self.stabilizer] if self.method == "spurions" else []

    @property
    def invariants(self) -> int:
        """How many numbers of a pair are encoded."""
        if self.method == "spurions":
            return 1
        return len(INPUTS[self.stabilizer](np.zeros((1, 4)))) + (self.stabilizer not in ("1", "1_0"))


def rectified(x: Array, name: str) -> Array:
    return CURVES[name](x)


def multiplicity(letter: str, order: int, alpha: Any, n: float, average: float) -> Any:
    """What a plain sum over `order` particles is multiplied with."""
    base = average if letter in "sS" else n
    return base**-order * ((n / average) ** alpha if letter.isupper() else 1.0)


def maps_2to2(x: Array, letters: str, alphas: dict[int, Array], n: float, average: float) -> Array:
    """All maps of one event x (m, m, c), as (maps, m, m, c)."""
    m, eye = len(x), np.eye(len(x))[..., None]
    one = np.ones((m, m, 1))
    diagonal = np.stack([x[i, i] for i in range(m)])
    out = [x, x.swapaxes(0, 1), eye * diagonal[:, None], one * diagonal[None], one * diagonal[:, None]]
    for k, letter in enumerate(letters):

        def f(b: int, order: int, k: int = k, letter: str = letter) -> Any:
            return multiplicity(letter, order, alphas[k][:, b] if k in alphas else 0.0, n, average)

        columns, rows, trace, total = x.sum(0), x.sum(1), diagonal.sum(0), x.sum((0, 1))
        for start, v in ((0, columns), (3, rows)):
            out += [
                eye * v[:, None] * f(start, 1),
                one * v[None] * f(start + 1, 1),
                one * v[:, None] * f(start + 2, 1),
            ]
        out += [one * trace * f(6, 1), eye * trace * f(7, 1), one * total * f(8, 2), eye * total * f(9, 2)]
    return np.stack(out)


def coefficients(state: State, prefix: str) -> Array:
    if f"{prefix}.coefs" in state:
        return state[f"{prefix}.coefs"]
    a, b, c, d = (state[f"{prefix}.coefs{k}"] for k in ("00", "01", "10", "11"))
    return np.einsum("db,ds->dsb", a, c) + np.einsum("sb,ds->dsb", b, d)


def alphas_of(state: State, prefix: str, letters: str) -> dict[int, Array]:
    found = {k: state.get(f"{prefix}.alphas.{k}") for k in range(len(letters))}
    return {k: np.squeeze(v, axis=(0, *range(3, v.ndim))) for k, v in found.items() if v is not None}


def normalised(x: Array, state: State, prefix: str) -> Array:
    if f"{prefix}.normlayer.weight" not in state:
        return x
    w, b, mean, var = (
        state[f"{prefix}.normlayer.{k}"] for k in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(var + 1e-5) * w + b


def message(x: Array, state: State, prefix: str, activation: str, mask: Array) -> Array:
    k = 0
    while f"{prefix}.linear.{k}.weight" in state:
        x = rectified(
            x @ state[f"{prefix}.linear.{k}.weight"].T + state[f"{prefix}.linear.{k}.bias"], activation
        )
        k += 1
    return normalised(x * mask, state, prefix) * mask


def head(x: Array, state: State, net: Network, n: float) -> Array:
    alphas = alphas_of(state, "agg_2to0", net.config_out)
    ops = []
    for k, letter in enumerate(net.config_out):
        for b, (order, value) in enumerate(((2, x.sum((0, 1))), (1, np.einsum("iic->c", x)))):
            alpha = alphas[k][:, b] if k in alphas else 0.0
            ops.append(value * multiplicity(letter, order, alpha, n, net.nobj_avg))
    pooled = np.stack(ops, axis=-1)
    pooled = rectified(pooled, net.activation) if net.activate_agg_out else pooled
    y = np.einsum("db,dsb->s", pooled, state["agg_2to0.coefs"]) + state["agg_2to0.bias"][0]
    return rectified(y, net.activation) if net.activate_lin_out else y


def labels(state: State, net: Network, real: Array, spurions: int, n: float) -> Array:
    """One-hot labels of the nodes, spread over pairs and rectified."""
    m = len(real)
    x = np.zeros((m, spurions + 1))
    x[range(spurions), range(1, spurions + 1)] = 1
    x[spurions:, 0] = real[spurions:]
    alphas = alphas_of(state, "eq1to2", net.config_out)
    eye, one, ops = np.eye(m)[..., None], np.ones((m, m, 1)), []
    for k, letter in enumerate(net.config_out):
        sums = x.sum(0)
        for b, (order, v) in enumerate(
            (
                (0, eye * x[:, None]),
                (0, one * x[None]),
                (0, one * x[:, None]),
                (1, eye * sums),
                (1, one * sums),
            )
        ):
            alpha = alphas[k][:, b] if k in alphas else 0.0
            ops.append(v * multiplicity(letter, order, alpha, n, net.nobj_avg))
    y = np.einsum("bijd,dsb->ijs", np.stack(ops), state["eq1to2.coefs"]) + state["eq1to2.bias"]
    return rectified(y, net.activation)


def pelican(state: State, net: Network, p: Array) -> Array:
    """Logits of one event, p (nobj, 4)."""
    fixed = np.array(net.spurions).reshape(-1, 4)
    nodes = np.concatenate([fixed, p * net.scale])
    real = np.concatenate([np.ones(len(fixed)), p[:, 0] != 0])
    n, mask = real.sum(), (real[:, None] * real)[..., None]
    metric = np.diag([1.0, -1.0, -1.0, -1.0])
    dots = [nodes @ metric @ nodes.T]
    if net.method == "input":
        own = [np.outer(v, v) for v in INPUTS[net.stabilizer](nodes)]
        dots = own if net.stabilizer in ("1", "1_0") else own + dots
    z = np.stack(dots, axis=-1) @ state["linear.weight"].T + state["linear.bias"]
    a = 1e-6 + state["input_encoder.rank2_alphas"] ** 2
    x = np.sign(z) * ((1 + np.abs(z)) ** a - 1) / a * mask
    if len(fixed):
        x = np.concatenate([x, labels(state, net, real, len(fixed), n) * mask], axis=-1)
    for k in range(net.blocks):
        x = message(x, state, f"net2to2.message_layers.{k}", net.activation, mask)
        eq = f"net2to2.eq_layers.{k}"
        ops = maps_2to2(x, net.config, alphas_of(state, eq, net.config), n, net.nobj_avg)
        ops = rectified(ops, net.activation) if net.activate_agg else ops
        x = np.einsum("bijd,dsb->ijs", ops, coefficients(state, eq)) + state[f"{eq}.bias"]
        x = x + np.eye(len(x))[..., None] * state[f"{eq}.diag_bias"]
        x = (rectified(x, net.activation) if net.activate_lin else x) * mask
    x = message(x, state, "msg_2to0", net.activation, mask)
    y = head(x, state, net, n)
    for k in range(len(net.mlp) - 1):
        y = rectified(
            y @ state[f"mlp_out.linear.{k}.weight"].T + state[f"mlp_out.linear.{k}.bias"], net.activation
        )
    return y


def nano(state: State, net: Network, p: Array) -> Array:
    """Logits of one event, p (nobj, 4)."""
    energy = np.hypot(1, net.more.get("beam_mass", 0.0))
    fixed = (
        np.array([[energy, 0, 0, 1], [energy, 0, 0, -1]])
        if net.more.get("add_beams", True)
        else np.zeros((0, 4))
    )
    nodes = np.concatenate([fixed, p * net.scale])
    real = np.concatenate([np.ones(len(fixed)), p[:, 0] != 0])
    n, mask = real.sum(), (real[:, None] * real)[..., None]
    x = (nodes @ np.diag([1.0, -1.0, -1.0, -1.0]) @ nodes.T)[..., None]
    x = normalised(x, state, "net2to2.message_layers.0") * mask
    eq = "net2to2.eq_layers.0"
    six = alphas_of(state, eq, net.config)
    wide = {0: np.zeros((1, 10))} if six else {}
    if six:
        wide[0][:, [0, 1, 2, 8, 9]] = six[0]
    ops = maps_2to2(x, net.config, wide, n, net.nobj_avg)[[0, 5, 6, 7, 13, 14]]
    ops = rectified(ops, net.activation) if net.activate_agg else ops
    x = np.einsum("bijd,dsb->ijs", ops, state[f"{eq}.coefs"]) + state[f"{eq}.bias"]
    x = x + np.eye(len(x))[..., None] * state[f"{eq}.diag_bias"]
    x = rectified(x, net.activation) if net.activate_lin else x
    x = normalised(x * mask, state, "msg_2to0") * mask
    w = head(x, state, net, n)
    return np.concatenate([-w, w])


def _norm(prefix: str, channels: int, rng: np.random.Generator) -> State:
    draws = {k: rng.normal(size=channels) for k in ("weight", "bias", "running_mean")}
    draws["running_var"] = rng.uniform(0.5, 2.0, channels)
    return {f"{prefix}.normlayer.{k}": v for k, v in draws.items()}


def _message(prefix: str, sizes: list[int], rng: np.random.Generator) -> State:
    state = _norm(prefix, sizes[-1], rng)
    for k, (a, b) in enumerate(pairwise(sizes)):
        state[f"{prefix}.linear.{k}.weight"] = rng.normal(size=(b, a)) / np.sqrt(a)
        state[f"{prefix}.linear.{k}.bias"] = rng.normal(size=b)
    return state


def _exponents(prefix: str, letters: str, shape: tuple[int, ...], rng: np.random.Generator) -> State:
    return {f"{prefix}.alphas.{k}": rng.uniform(size=shape) for k, t in enumerate(letters) if t.isupper()}


def pelican_state(net: Network, rng: np.random.Generator) -> State:
    """A random network."""
    (m, c), fixed = net.width if net.depth else (net.width[1],) * 2, len(net.spurions)
    encoded = m - (2 if fixed else 0)
    state: State = {
        "linear.weight": rng.normal(size=(encoded, net.invariants)),
        "linear.bias": rng.normal(size=encoded),
        "input_encoder.rank2_alphas": np.linspace(0.05, 0.5, encoded),
    }
    if fixed:
        state |= {
            "eq1to2.coefs": rng.normal(size=(fixed + 1, 2, 5 * len(net.config_out))),
            "eq1to2.bias": rng.normal(size=2),
            **_exponents("eq1to2", net.config_out, (1, fixed + 1, 5, 1, 1), rng),
        }
    basis = 15 + 10 * (len(net.config) - 1)
    for k in range(net.blocks):
        state |= _message(f"net2to2.message_layers.{k}", [m, *[c] * net.depth], rng)
        eq = f"net2to2.eq_layers.{k}"
        parts = {"coefs00": (c, basis), "coefs01": (m, basis), "coefs10": (c, m), "coefs11": (c, m)}
        parts = parts if net.factorize else {"coefs": (c, m, basis)}
        state |= {f"{eq}.{n}": 0.3 * rng.normal(size=s) for n, s in parts.items()}
        state |= {f"{eq}.bias": rng.normal(size=m), f"{eq}.diag_bias": rng.normal(size=m)}
        state |= _exponents(eq, net.config, (1, c, 10, 1, 1), rng)
    state |= _message("msg_2to0", [m, c] if net.depth else [c], rng)
    state |= {"agg_2to0.coefs": rng.normal(size=(c, net.mlp[0], 2 * len(net.config_out)))}
    state |= {"agg_2to0.bias": rng.normal(size=(1, net.mlp[0]))}
    state |= _exponents("agg_2to0", net.config_out, (1, c, 2), rng)
    for k, (a, b) in enumerate(pairwise(net.mlp)):
        state |= {
            f"mlp_out.linear.{k}.weight": rng.normal(size=(b, a)),
            f"mlp_out.linear.{k}.bias": rng.normal(size=b),
        }
    return {k: v for k, v in state.items() if net.norms or "normlayer" not in k}


def nano_state(net: Network, rng: np.random.Generator, norms: bool = True) -> State:
    """A random network of two hidden channels."""
    eq = "net2to2.eq_layers.0"
    state: State = {
        f"{eq}.coefs": rng.normal(size=(1, 2, 6)),
        "agg_2to0.coefs": rng.normal(size=(2, 1, 2 * len(net.config_out))),
    }
    state |= {f"{eq}.bias": rng.normal(size=2), f"{eq}.diag_bias": rng.normal(size=2)}
    state |= {"agg_2to0.bias": rng.normal(size=(1, 1))}
    state |= _exponents(eq, net.config, (1, 1, 5, 1, 1), rng) | _exponents(
        "agg_2to0", net.config_out, (1, 2, 2), rng
    )
    if norms:
        state |= _norm("net2to2.message_layers.0", 1, rng) | _norm("msg_2to0", 2, rng)
    return state


def jets(net: Network, rng: np.random.Generator, events: int = 6, size: float = 3.0) -> Array:
    """Massless particles (events, nobj, 4), all but the first event with padding."""
    p = rng.normal(size=(events, net.nobj, 3)) * size
    p4 = np.concatenate([np.linalg.norm(p, axis=-1, keepdims=True), p], axis=-1)
    keep = np.arange(net.nobj) < rng.integers(1, net.nobj + 1, events)[:, None]
    keep[0] = True
    return p4 * keep[..., None]
