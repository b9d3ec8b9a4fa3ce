"""The published LGN once more, from its equations: complex, canonical basis, every pair and every row.

Shares nothing with the importer but the SU(2) coefficients: no Cartesian basis, no real form, no hoisting,
momenta scaled first. Orders of irreps are made as the reference makes them, by dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from eqhls.groups.su2 import lorentz_clebsch

Irrep = tuple[int, int]
Features = dict[Irrep, np.ndarray]

SETS = {
    "py37": ([(0, 0), (1, 1)], [(0, 0), (2, 0), (1, 1), (2, 2), (0, 2)]),
    "py38": ([(1, 1), (0, 0)], [(0, 0), (1, 1), (2, 0), (0, 2), (2, 2)]),
}
CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "leakyrelu": lambda x: np.where(x < 0, 0.01 * x, x),
    "relu": lambda x: np.where(x < 0, 0.0, x),
    "elu": lambda x: np.where(x < 0, np.exp(x) - 1, x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "logsigmoid": lambda x: -np.log(1 + np.exp(-x)),
    "atan": np.arctan,
}
METRIC = np.array([1.0, -1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Shape:
    """What a checkpoint is made of."""

    maxdim: int | tuple[int, ...] = 2
    channels: tuple[int, ...] = (2, 2)
    pmu_in: bool = True
    mlp: bool = True
    beams: bool = True
    basis: int = 4
    python: str = "py38"
    depth: int = 3
    width: int = 2
    activation: str = "leakyrelu"
    beam_mass: float = 1.0

    def bound(self, level: int) -> int:
        return self.maxdim if isinstance(self.maxdim, int) else self.maxdim[level]

    def ordered(self, irreps: set[Irrep]) -> list[Irrep]:
        if irreps == {(0, 0)}:
            return [(0, 0)]
        return next(s for s in SETS[self.python] if set(s) == irreps)

    def first(self) -> list[Irrep]:
        return self.ordered({(0, 0), (1, 1)} if self.pmu_in else {(0, 0)})

    def arguments(self, rows: int) -> dict[str, Any]:
        return {
            "nobj": rows,
            "scale": 0.05,
            "add_beams": self.beams,
            "beam_mass": self.beam_mass,
            "set_order": self.python,
            "activation": self.activation,
        }


def outputs(a: Irrep, b: Irrep, maxdim: int) -> Iterator[Irrep]:
    for k in range(abs(a[0] - b[0]), min(a[0] + b[0], maxdim - 1) + 1, 2):
        for n in range(abs(a[1] - b[1]), min(a[1] + b[1], maxdim - 1) + 1, 2):
            if (k + n) % 2 == 0 and (k, n) not in ((3, 1), (1, 3)):
                yield k, n


def paths(left: list[Irrep], right: list[Irrep], maxdim: int) -> Iterator[tuple[Irrep, Irrep, Irrep]]:
    """Products of what is below maxdim into what is below maxdim."""
    left, right = ([k for k in keys if max(k) < maxdim] for keys in (left, right))
    for a in left:
        for b in right:
            for out in outputs(a, b, maxdim):
                yield a, b, out


def after(shape: Shape, keys: list[Irrep], level: int) -> list[Irrep]:
    """The keys of the features behind a level."""
    most = shape.bound(level)
    found = {out for _, _, out in paths(keys, [(0, 0), (1, 1)], most)}
    found |= {out for _, _, out in paths(keys, keys, most)} | {k for k in keys if max(k) < most}
    made = dict.fromkeys(shape.ordered(found))
    if shape.mlp:
        made[0, 0] = made.pop((0, 0))
    return list(made)


def random_state(rng: np.random.Generator, shape: Shape) -> dict[str, np.ndarray]:
    """A checkpoint with weights of a size that keeps every level alive."""
    state: dict[str, np.ndarray] = {}

    def put(key: str, *size: int, scale: float = 0.5) -> None:
        state[key] = rng.normal(size=size, scale=scale).astype(np.float32)

    inputs, keys, scalars = 1 + shape.beams, shape.first(), 0
    if shape.pmu_in:
        put("input_func_atom.weights.(0, 0)", 2, shape.channels[0], inputs)
        put("input_func_atom.weights.(1, 1)", 2, shape.channels[0], 1)
    else:
        put("input_func_atom.lin.weight", 2 * shape.channels[0], inputs)
        put("input_func_atom.lin.bias", 2 * shape.channels[0])
    for level, (c, new) in enumerate(zip(shape.channels, shape.channels[1:], strict=False)):
        scalars += c * len(keys)
        for k in "abc":
            put(f"rad_funcs.rad_funcs.{level}.{k}", 1, 1, 1, shape.basis)
        for zonal in (0, 1):
            put(f"rad_funcs.rad_funcs.{level}.linear.{zonal}.weight", 2 * c, shape.basis, scale=0.3)
            put(f"rad_funcs.rad_funcs.{level}.linear.{zonal}.bias", 2 * c, scale=0.3)
        made = after(shape, keys, level)
        for out in made:
            count = sum(o == out for _, _, o in paths(keys, [(0, 0), (1, 1)], shape.bound(level))) + (
                out in keys
            )
            count += sum(o == out for _, _, o in paths(keys, keys, shape.bound(level)))
            key = f"lgn_cg.atom_levels.{level}.cat_mix.mix_reps.weights.({out[0]}, {out[1]})"
            put(key, 2, new, c * count, scale=0.5 / count)
        if shape.mlp:
            inner = 2 * shape.width
            for layer, (rows, columns) in enumerate(pairwise([2, *[inner] * shape.depth, 2])):
                head = f"lgn_cg.mlp_levels.{level}.linear.{layer}"
                put(f"{head}.weight", columns * new, rows * new)
                put(f"{head}.bias", columns * new)
        keys = made
    scalars += shape.channels[-1] * len(keys)
    put("output_layer_atom.lin.weight", 2, 2 * scalars, scale=0.1)
    put("output_layer_atom.lin.bias", 2)
    return state


def rows_of(p4: np.ndarray, shape: Shape, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Scaled momenta with the beams in front, and labels."""
    energy = np.hypot(1, shape.beam_mass)
    beams = np.array([[energy, 0, 0, 1], [energy, 0, 0, -1]])
    if not shape.beams:
        return scale * p4, np.zeros((*p4.shape[:2], 0))
    full = np.concatenate([np.broadcast_to(beams, (len(p4), 2, 4)), p4], axis=1)
    labels = np.where(np.arange(full.shape[1]) < 2, 1.0, -1.0)
    return scale * full, np.broadcast_to(labels[:, None], (*full.shape[:2], 1))


def canonical(p: np.ndarray) -> np.ndarray:
    e, x, y, z = np.moveaxis(p, -1, 0)
    return np.stack([e, (x - 1j * y) / 2**0.5, z, -(x + 1j * y) / 2**0.5], axis=-1)


@cache
def table(a: Irrep, b: Irrep, out: Irrep) -> np.ndarray:
    return lorentz_clebsch(a, b, out)


def complexed(x: np.ndarray) -> np.ndarray:
    """(..., 2 c) interleaved to (..., c)."""
    return x[..., 0::2] + 1j * x[..., 1::2]


def interleaved(z: np.ndarray) -> np.ndarray:
    return np.stack([z.real, z.imag], axis=-1).reshape(*z.shape[:-1], -1)


class Reference:
    """One network; every method is one section of the equations."""

    def __init__(self, state: dict[str, np.ndarray], shape: Shape, scale: float = 0.05) -> None:
        self.w = {k: np.asarray(v, dtype=np.float64) for k, v in state.items()}
        self.shape, self.scale = shape, scale

    def logits(self, p4: np.ndarray) -> np.ndarray:
        p, labels = rows_of(p4, self.shape, self.scale)
        x = self.embed(p, labels)
        levels = [x]
        for level in range(len(self.shape.channels) - 1):
            x = self.level(level, x, p)
            levels.append(x)
        total = self.invariants(levels).sum(axis=1)
        return (
            interleaved(total) @ self.w["output_layer_atom.lin.weight"].T
            + self.w["output_layer_atom.lin.bias"]
        )

    def embed(self, p: np.ndarray, labels: np.ndarray) -> Features:
        mass = np.sqrt(np.abs((p * p * METRIC).sum(axis=-1, keepdims=True)))
        s, mask = np.concatenate([mass, labels], axis=-1), p[..., :1] != 0
        if not self.shape.pmu_in:
            y = mask * (s @ self.w["input_func_atom.lin.weight"].T + self.w["input_func_atom.lin.bias"])
            return {(0, 0): complexed(y)[..., None]}
        w0, w1 = (self.mixing(f"input_func_atom.weights.({k}, {k})") for k in (0, 1))
        made = {(0, 0): (s @ w0.T)[..., None], (1, 1): w1[:, 0][:, None] * canonical(p)[:, :, None]}
        return {k: made[k] for k in self.shape.first()}

    def mixing(self, key: str) -> np.ndarray:
        return self.w[key][0] + 1j * self.w[key][1]

    def radial(self, level: int, p: np.ndarray) -> list[np.ndarray]:
        d = p[:, :, None] - p[:, None]
        q = (d * d * METRIC).sum(axis=-1)
        live = p[..., 0] != 0
        mask = (live[:, :, None] & live[:, None] & (q != 0))[..., None]
        head = f"rad_funcs.rad_funcs.{level}"
        a, b, c = (self.w[f"{head}.{k}"].ravel() for k in "abc")
        phi = mask * (a + b / (1 + c**2 * np.abs(q)[..., None]))
        return [
            complexed(phi @ self.w[f"{head}.linear.{k}.weight"].T + self.w[f"{head}.linear.{k}.bias"])
            for k in (0, 1)
        ]

    def level(self, level: int, x: Features, p: np.ndarray) -> Features:
        r0, r1 = self.radial(level, p)
        zonal = canonical(p[:, :, None] - p[:, None])[:, :, :, None]
        edges = {(0, 0): (1 + 1j) * r0[..., None], (1, 1): r1[..., None] * zonal}
        parts: dict[Irrep, list[np.ndarray]] = {}
        for a, b, out in paths(list(x), [(0, 0), (1, 1)], self.shape.bound(level)):
            made = np.einsum("xyz,bjcx,bijcy->bicz", table(a, b, out), x[a], edges[b], optimize=True)
            parts.setdefault(out, []).append(made)
        for key, value in x.items():
            if max(key) < self.shape.bound(level):
                parts.setdefault(key, []).append(value)
        for a, b, out in paths(list(x), list(x), self.shape.bound(level)):
            parts.setdefault(out, []).append(np.einsum("xyz,bicx,bicy->bicz", table(a, b, out), x[a], x[b]))
        made = {}
        for out in self.shape.ordered(set(parts)):
            key = f"lgn_cg.atom_levels.{level}.cat_mix.mix_reps.weights.({out[0]}, {out[1]})"
            made[out] = np.einsum("oc,bicz->bioz", self.mixing(key), np.concatenate(parts[out], axis=2))
        if self.shape.mlp:
            made[0, 0] = self.network(level, made.pop((0, 0)))
        return made

    def network(self, level: int, x: np.ndarray) -> np.ndarray:
        v = interleaved(x[..., 0])
        for layer in range(self.shape.depth + 1):
            head = f"lgn_cg.mlp_levels.{level}.linear.{layer}"
            v = v @ self.w[f"{head}.weight"].T + self.w[f"{head}.bias"]
            v = CURVES[self.shape.activation](v) if layer < self.shape.depth else v
        return complexed(v)[..., None]

    def invariants(self, levels: list[Features]) -> np.ndarray:
        found = [x[0, 0][..., 0] for x in levels]
        for key in self.shape.ordered({k for x in levels for k in x}):
            if key != (0, 0):
                found += [square(key, x[key]) for x in levels if key in x]
        return np.concatenate(found, axis=-1)


def square(key: Irrep, x: np.ndarray) -> np.ndarray:
    """The bilinear square: Minkowski for (1,1), -f.f, -g.g, M.M, from the coefficients to (0,0)."""
    size = {(1, 1): 2.0, (2, 0): 3**0.5, (0, 2): 3**0.5, (2, 2): 3.0}[key]
    return size * np.einsum("xy,bicx,bicy->bic", table(key, key, (0, 0))[..., 0], x, x)


def jets(rng: np.random.Generator, events: int, rows: int, real: int | None = None) -> np.ndarray:
    """Momenta of a few GeV; from row `real` on zero."""
    p = rng.normal(size=(events, rows, 4), scale=2.0)
    p[..., 0] = np.sqrt((p[..., 1:] ** 2).sum(axis=-1) + rng.uniform(0.01, 1.0, (events, rows)))
    p[:, rows if real is None else real :] = 0.0
    return p
