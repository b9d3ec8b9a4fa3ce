"""LorentzNet once more, from the equations with NumPy alone: edges one by one, nothing folded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
State = dict[str, Floats]
BEAMS = np.array([[np.sqrt(2.0), 0, 0, 1], [np.sqrt(2.0), 0, 0, -1]])


def psi(z: Floats) -> Floats:
    return np.sign(z) * np.log(1 + np.abs(z))


def minkowski(a: Floats, b: Floats) -> float:
    return float(a[0] * b[0] - a[1:] @ b[1:])


def checkpoint(rng: np.random.Generator, hidden: int, layers: int) -> State:
    """Random weights under the published keys, alive behind their rectifiers on jets of some 100 GeV."""
    state: State = {}

    def linear(name: str, out: int, into: int, bias: bool = True) -> None:
        state[f"{name}.weight"] = rng.normal(size=(out, into)) / np.sqrt(into)
        if bias:
            state[f"{name}.bias"] = rng.uniform(0.2, 1, size=out)

    def normalisation(name: str) -> None:
        state[f"{name}.weight"] = rng.uniform(0.5, 1.5, hidden)
        state[f"{name}.bias"] = rng.uniform(0.5, 1, hidden)
        state[f"{name}.running_mean"] = rng.normal(size=hidden)
        state[f"{name}.running_var"] = rng.uniform(10, 40, hidden)
        state[f"{name}.num_batches_tracked"] = np.array(7.0)

    linear("embedding", hidden, 2)
    for k in range(layers):
        linear(f"LGEBs.{k}.phi_e.0", hidden, 2 * hidden + 2, bias=False)
        normalisation(f"LGEBs.{k}.phi_e.1")
        linear(f"LGEBs.{k}.phi_e.3", hidden, hidden)
        linear(f"LGEBs.{k}.phi_h.0", hidden, 2 * hidden + 2)
        normalisation(f"LGEBs.{k}.phi_h.1")
        linear(f"LGEBs.{k}.phi_h.3", hidden, hidden)
        linear(f"LGEBs.{k}.phi_m.0", 1, hidden)
        if k < layers - 1:
            linear(f"LGEBs.{k}.phi_x.0", hidden, hidden)
            linear(f"LGEBs.{k}.phi_x.2", 1, hidden, bias=False)
    linear("graph_dec.0", hidden, hidden)
    linear("graph_dec.3", 2, hidden)
    return state


def jets(rng: np.random.Generator, events: int, constituents: int, hardest: float) -> Floats:
    """Massless collinear constituents, soft ones last, padded with zeros behind random numbers of them."""
    pt = hardest * rng.uniform(0.01, 1, (events, constituents)) / (1 + np.arange(constituents))
    eta = rng.normal(size=(events, 1)) + 0.3 * rng.normal(size=pt.shape)
    phi = rng.uniform(0, 6.28, (events, 1)) + 0.3 * rng.normal(size=pt.shape)
    p = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    kept = np.arange(constituents) < rng.integers(1, constituents + 1, (events, 1))
    kept[: events // 2] = True
    return p * kept[..., None]


def logits(state: Mapping[str, Floats], p4: Floats, c_weight: float, divisor: float) -> tuple[Floats, float]:
    """Return logits (events, 2) of p4 (events, constituents, 4) and the largest |x_i - x_j| phi_x."""
    results = [_event(state, p[(p != 0).any(axis=1)], c_weight, divisor) for p in p4]
    return np.array([r for r, _ in results]), max(m for _, m in results)


def _event(
    t: Mapping[str, Floats], particles: Floats, c_weight: float, divisor: float
) -> tuple[Floats, float]:
    def linear(name: str, v: Floats) -> Floats:
        return t[f"{name}.weight"] @ v + t.get(f"{name}.bias", np.zeros(1))

    def normalised(name: str, v: Floats) -> Floats:
        spread = np.sqrt(t[f"{name}.running_var"] + 1e-5)
        return (v - t[f"{name}.running_mean"]) / spread * t[f"{name}.weight"] + t[f"{name}.bias"]

    def twice(name: str, last: str, v: Floats, batch: bool) -> Floats:
        y = linear(f"{name}.0", v)
        return linear(f"{name}.{last}", np.maximum(normalised(f"{name}.1", y) if batch else y, 0))

    x = np.concatenate([BEAMS, particles])
    mass = psi(np.sqrt(np.abs(2 * x[:, 0] ** 2 - (x**2).sum(axis=1))))
    s = [np.array([0, m]) if k < len(BEAMS) else np.array([m, 0]) for k, m in enumerate(mass)]
    h, nodes, largest = [linear("embedding", v) for v in s], range(len(x)), 0.0
    layers = 1 + max(int(k.split(".")[1]) for k in t if k.startswith("LGEBs"))
    for k in range(layers):
        at, messages, x_new = f"LGEBs.{k}", [np.zeros_like(v) for v in h], x.copy()
        for i in nodes:
            for j in nodes:
                if i == j:
                    continue
                away = x[i] - x[j]
                products = psi(np.array([minkowski(away, away), minkowski(x[i], x[j])]))
                m = np.maximum(twice(f"{at}.phi_e", "3", np.concatenate([h[i], h[j], products]), True), 0)
                m = m / (1 + np.exp(-linear(f"{at}.phi_m.0", m)))
                messages[i] += m
                if k < layers - 1:
                    moved = away * twice(f"{at}.phi_x", "2", m, False)
                    largest = max(largest, float(np.abs(moved).max()))
                    x_new[i] += c_weight / (len(x) - 1) * np.clip(moved, -100, 100)
        h = [h[i] + twice(f"{at}.phi_h", "3", np.concatenate([h[i], messages[i], s[i]]), True) for i in nodes]
        x = x_new
    return linear("graph_dec.3", np.maximum(linear("graph_dec.0", sum(h) / divisor), 0)), largest
