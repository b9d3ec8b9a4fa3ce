"""Cormorant (Anderson, Hy, Kondor, NeurIPS 2019) from its equations: complex, canonical basis, every path.

Shares nothing with the importer but the SU(2) coefficients: no Cartesian basis, no real form, nothing dropped
or merged. Features X^l are complex (B, N, C, 2l+1), m = -l..l, and turn as conjugated harmonics do. Settings
are those of config.json, tensors those of weights.npz.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.su2 import fuse

Array = NDArray[Any]
State = dict[str, Array]
Config = dict[str, Any]
Events = Mapping[str, Array]
Features = list[Array]

MIX = "cormorant_cg.{}.{}.cat_mix.mix_reps.weights.{}"
CUT = "cormorant_cg.edge_levels.{}.mask_layer.soft_cut_{}"
EPSILON = 1e-3
CURVES: dict[str, Callable[[Array], Array]] = {
    "leakyrelu": lambda x: np.where(x < 0, 0.01 * x, x),
    "relu": lambda x: np.where(x < 0, 0.0, x),
    "elu": lambda x: np.where(x < 0, np.exp(np.minimum(x, 0)) - 1, x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "logsigmoid": lambda x: -np.log(1 + np.exp(-x)),
    "atan": np.arctan,
}


@cache
def clebsch(a: int, b: int, out: int) -> Array:
    """<a m1 b m2 | out m> as [m1, m2, m], m ascending."""
    return fuse(2 * a, 2 * b, 2 * out)


def triangle(a: int, b: int) -> range:
    return range(abs(a - b), a + b + 1)


def bilinear(x: Array, y: Array) -> Array:
    """Sum over m of (-1)^m x_m y_-m."""
    ell = x.shape[-1] // 2
    return (x * y[..., ::-1] * (-1.0) ** np.arange(-ell, ell + 1)).sum(axis=-1)


def harmonics(r: Array, most: int) -> Features:
    """Solid, conjugated: Y_1 in terms of x, y, z, all others by coupling; sum |Y_l|^2 = r^(2l)."""
    x, y, z = np.moveaxis(r, -1, 0)
    found = [np.ones((*x.shape, 1), complex)]
    first = np.stack([(x + 1j * y) / 2**0.5, z + 0j, -(x - 1j * y) / 2**0.5], axis=-1)
    for ell in range(1, most + 1):
        made = np.einsum("abc,...a,...b->...c", clebsch(1, ell - 1, ell), first, found[-1])
        found.append(made * ((2 * ell - 1) / ell) ** 0.5)
    return found


def per_level(config: Config, key: str) -> list[Any]:
    """A setting that holds for every level, or has a value for each."""
    value = config[key]
    return list(value) if isinstance(value, list) else [value] * config["num_cg_levels"]


def complexed(x: Array) -> Array:
    """(..., 2 c) interleaved to (..., c)."""
    return x[..., 0::2] + 1j * x[..., 1::2]


def coupled(left: Features, right: Features, most: int) -> list[list[Array]]:
    """Products into each l, the l of the left ascending, inside it that of the right."""
    made: list[list[Array]] = [[] for _ in range(most + 1)]
    for a, x in enumerate(left):
        for b, y in enumerate(right):
            for out in triangle(a, b):
                if out <= most:
                    made[out].append(
                        np.einsum("abc,...a,...b->...c", clebsch(a, b, out), x, y, optimize=True)
                    )
    return made


class Reference:
    """One network; every method is one part of the equations."""

    def __init__(self, state: State, config: Config) -> None:
        self.w = {k: np.asarray(v, dtype=np.float64) for k, v in state.items()}
        self.c = config
        self.mlp = config["model"] == "CormorantQM9"

    def __call__(self, events: Events) -> Array:
        """Scores (B,) of pos (B, N, 3), charges (B, N), one_hot (B, N, species), atom_mask (B, N)."""
        levels = self.levels(events)
        flat = self.invariants(levels)
        if not self.mlp:
            return self.dense("output_layer_atom.lin", flat.sum(axis=1))[..., 0]
        curve = CURVES[self.c.get("activation", "leakyrelu")]
        points = self.network("output_layer_atom.mlp1", flat, curve)
        total = (points * events["atom_mask"][..., None]).sum(axis=1)
        return self.network("output_layer_atom.mlp2", total, curve)[..., 0]

    def levels(self, events: Events) -> list[Features]:
        """The features behind the input, and behind every level."""
        mask = events["atom_mask"].astype(float)
        difference = events["pos"][:, :, None] - events["pos"][:, None]
        r, pairs = np.sqrt((difference**2).sum(axis=-1)), mask[:, :, None] * mask[:, None]
        scalars = self.scalars(events)
        if self.mlp:
            first = self.messages(scalars, r, pairs, mask)
        else:
            first = self.dense("input_func_atom.lin", scalars) * mask[..., None]
        levels, edges = [[complexed(first)[..., None]]], []
        for level, most in enumerate(per_level(self.c, "max_sh")):
            edges = self.edges(level, most, edges, levels[-1], r, pairs)
            levels.append(self.level(level, levels[-1], edges, harmonics(difference, most)))
        return levels

    def dense(self, name: str, x: Array) -> Array:
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def network(self, name: str, x: Array, curve: Callable[[Array], Array]) -> Array:
        count = sum(k.startswith(f"{name}.linear.") and k.endswith("weight") for k in self.w)
        for layer in range(count):
            x = self.dense(f"{name}.linear.{layer}", x)
            x = curve(x) if layer < count - 1 else x
        return x

    def scalars(self, events: Events) -> Array:
        powers = np.arange(self.c["charge_power"] + 1)
        charges = (events["charges"] / self.c["charge_scale"])[..., None] ** powers
        both = events["one_hot"].astype(float)[..., None] * charges[..., None, :]
        return both.reshape(*both.shape[:2], -1)

    def basis(self, name: str, size: tuple[int, int], r: Array, pairs: Array) -> Array:
        """sin(2 pi s r + p) r^-q, the trigonometric index slow; zero where masked or r = 0."""
        live = (pairs > 0) & (r > 0)
        safe = np.where(live, r, 1.0)[..., None]
        waves = np.sin(2 * np.pi * self.w[f"{name}.scales"].ravel() * safe + self.w[f"{name}.phases"].ravel())
        assert waves.shape[-1] == 2 * (size[0] + 1)
        both = waves[..., None] * safe[..., None] ** -np.arange(size[1] + 1)
        return both.reshape(*r.shape, -1) * live[..., None]

    def cut(self, level: int, kinds: list[str], r: Array, given: str | None) -> Array:
        """(.., 1) or (.., C): the hard cut and the soft one, of the learned radii if there are some."""
        made = np.ones((*r.shape, 1))
        if "hard" in kinds:
            made = made * (r < per_level(self.c, "hard_cut_rad")[level])[..., None]
        if {"soft", "learn", "learn_rad", "learn_width"} & set(kinds):
            radius, width = (
                np.maximum(EPSILON, np.abs(self.w[key].ravel()))
                if given and (key := CUT.format(level, part)) in self.w
                else max(EPSILON, abs(per_level(self.c, f"soft_cut_{part}")[level]))
                for part in ("rad", "width")
            )
            made = made / (1 + np.exp(-(radius - r[..., None]) / width))
        return made

    def messages(self, s: Array, r: Array, pairs: Array, mask: Array) -> Array:
        layers = len({k.split(".")[2] for k in self.w if k.startswith("input_func_atom.mlps.")})
        for layer in range(layers):
            name = f"input_func_atom.rad_filts.{layer}"
            phi = self.basis(name, self.c["basis_set_input_mpnn"], r, pairs)
            f = (
                self.dense(f"{name}.linear.0", phi)
                * self.cut(0, ["soft", "hard"], r, None)
                * pairs[..., None]
            )
            both = np.concatenate([np.einsum("bijc,bjc->bic", f, s), s], axis=-1)
            s = self.network(f"input_func_atom.mlps.{layer}", both, CURVES["leakyrelu"]) * mask[..., None]
        return s

    def weight(self, kind: str, level: int, ell: int) -> Array:
        pair = self.w[MIX.format(kind, level, ell)]
        return pair[..., 0] + 1j * pair[..., 1]

    def edges(self, level: int, most: int, before: Features, x: Features, r: Array, pairs: Array) -> Features:
        """Complex scalars (B, N, N, C) for each l of the harmonics."""
        dots = np.concatenate([bilinear(v[:, :, None], v[:, None]) for v in x], axis=-1)
        phi = complexed(self.basis(f"rad_funcs.rad_funcs.{level}", self.c["basis_set"], r, pairs))
        cut = self.cut(level, self.c["cutoff_type"], r, "edge") * pairs[..., None]
        made: Features = []
        for ell in range(most + 1):
            parts = [before[ell]] if ell < len(before) else []
            parts += [dots] if ell < len(x) else []
            every = np.concatenate([*parts, phi], axis=-1)
            made.append(np.einsum("oc,bijc->bijo", self.weight("edge_levels", level, ell), every) * cut)
        return made

    def level(self, level: int, x: Features, edges: Features, y: Features) -> Features:
        most = reached(self.c, level, len(edges) - 1, len(x) - 1)
        zonal = [e[..., None] * h[..., None, :] for e, h in zip(edges, y, strict=True)]
        sent = coupled(zonal, [v[:, None] for v in x], most)
        squared = coupled(x, x, most)
        made: Features = []
        for ell in range(most + 1):
            own = [x[ell]] if ell < len(x) else []
            every = np.concatenate([*(v.sum(axis=2) for v in sent[ell]), *own, *squared[ell]], axis=2)
            made.append(np.einsum("oc,bicm->biom", self.weight("atom_levels", level, ell), every))
        return made

    def invariants(self, levels: list[Features]) -> Array:
        """(B, N, 2 F) without the input: scalars, then (Re of the bilinear square, norm) for each l and level."""
        found = [x[0][..., 0] for x in levels[1:]]
        for ell in range(max(map(len, levels[1:]))):
            for x in levels[1:]:
                if ell < len(x):
                    found.append(bilinear(x[ell], x[ell]).real + 1j * (np.abs(x[ell]) ** 2).sum(axis=-1))
        every = np.concatenate(found, axis=-1)
        return np.stack([every.real, every.imag], axis=-1).reshape(*every.shape[:2], -1)


def reached(config: Config, level: int, zonal: int, enters: int) -> int:
    """The highest l behind a level: no more than couples."""
    return min(per_level(config, "maxl")[level], max(zonal, enters) + enters)


def counts(config: Config) -> Iterator[tuple[int, list[int], int, list[int]]]:
    """For every level: the highest l that enters, paths of edges into each l, that of edges, paths of squares."""
    enters = 0
    for level, zonal in enumerate(per_level(config, "max_sh")):
        most = reached(config, level, zonal, enters)
        sent, squared = (
            [
                sum(ell in triangle(a, b) for a in range(n + 1) for b in range(enters + 1))
                for ell in range(most + 1)
            ]
            for n in (zonal, enters)
        )
        yield enters, sent, zonal, squared
        enters = most


def random_state(rng: np.random.Generator, config: Config) -> State:
    """Weights of a size that keeps every level alive."""
    state: State = {}
    widths, inputs = config["num_channels"], config["num_species"] * (config["charge_power"] + 1)

    def put(key: str, *size: int, scale: float = 0.5) -> None:
        state[key] = rng.normal(size=size, scale=scale)

    def linear(name: str, out: int, into: int, scale: float | None = None) -> None:
        put(f"{name}.weight", out, into, scale=scale or into**-0.5)
        put(f"{name}.bias", out, scale=0.3)

    def radial(name: str, size: tuple[int, int]) -> int:
        for part in ("scales", "phases"):
            put(f"{name}.{part}", 1, 1, 1, 2 * (size[0] + 1))
        return 2 * (size[0] + 1) * (size[1] + 1)

    def network(name: str, *sizes: int) -> None:
        for layer, (into, out) in enumerate(pairwise(sizes)):
            linear(f"{name}.linear.{layer}", out, into)

    if config["model"] == "CormorantQM9":
        steps = [inputs, *[max(inputs, widths[0])] * (config.get("num_mpnn_levels", 1) - 1), 2 * widths[0]]
        for layer, (into, out) in enumerate(pairwise(steps)):
            name = f"input_func_atom.rad_filts.{layer}"
            linear(f"{name}.linear.0", into, radial(name, config["basis_set_input_mpnn"]), 0.1)
            network(f"input_func_atom.mlps.{layer}", 2 * into, config["layer_width"], out)
    else:
        linear("input_func_atom.lin", 2 * widths[0], inputs)
    carried, found = -1, 0
    for level, (enters, sent, zonal, squared) in enumerate(counts(config)):
        c, new = widths[level], widths[level + 1]
        pairs = radial(f"rad_funcs.rad_funcs.{level}", config["basis_set"]) // 2
        for ell in range(zonal + 1):
            into = (
                (widths[level - 1] if ell <= carried else 0)
                + (c * (enters + 1) if ell <= enters else 0)
                + pairs
            )
            put(MIX.format("edge_levels", level, ell), c, into, 2, scale=0.4 / into**0.5)
        for ell, (a, q) in enumerate(zip(sent, squared, strict=True)):
            into = c * (a + q + (ell <= enters))
            put(MIX.format("atom_levels", level, ell), new, into, 2, scale=0.5 / into**0.5)
        for part in ("rad", "width"):
            if {"learn", f"learn_{part}"} & set(config["cutoff_type"]):
                state[CUT.format(level, part)] = rng.normal(config[f"soft_cut_{part}"], 0.1, (1, 1, 1, c))
        carried, found = zonal, found + 2 * new * (len(sent) + 1)
    if config["model"] == "CormorantQM9":
        width = config["layer_width"]
        network("output_layer_atom.mlp1", found, width, 4 * width)
        network("output_layer_atom.mlp2", 4 * width, width, 1)
    else:
        linear("output_layer_atom.lin", 1, found, 0.1)
    return state


def random_events(rng: np.random.Generator, config: Config, events: int, absent: int = 1) -> dict[str, Array]:
    """Points of size 1, charges of 1 to 4; the last rows of every second event stand for nothing."""
    rows = config["n_atoms"]
    mask = np.ones((events, rows), bool)
    mask[::2, rows - absent :] = False
    kinds = rng.integers(config["num_species"], size=(events, rows))
    one_hot = (kinds[..., None] == np.arange(config["num_species"])) & mask[..., None]
    return {
        "pos": rng.normal(size=(events, rows, 3)) * mask[..., None],
        "charges": rng.integers(1, 5, (events, rows)) * mask,
        "one_hot": one_hot,
        "atom_mask": mask,
    }
