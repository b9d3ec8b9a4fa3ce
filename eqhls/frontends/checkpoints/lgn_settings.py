"""What a checkpoint of the Lorentz group network says about itself: options, orders, weights.

The blocks inside every mixing matrix follow the order in which Python iterated over a set of irreps
when the network was trained, and that order changed with Python 3.8; no shape tells which it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.fields import ACTIVATIONS, MAX_CONSTITUENTS, flattened
from eqhls.groups.lorentz.realform import REAL
from eqhls.ops.table import Activation

WHERE = "LGN checkpoint"
Array = NDArray[np.float64]

SET_ORDERS: dict[str, dict[frozenset[str], tuple[str, ...]]] = {
    "py37": {
        frozenset(["00"]): ("00",),
        frozenset(["00", "11"]): ("00", "11"),
        frozenset(REAL): ("00", "20", "11", "22", "02"),
    },
    "py38": {
        frozenset(["00"]): ("00",),
        frozenset(["00", "11"]): ("11", "00"),
        frozenset(REAL): ("00", "11", "20", "02", "22"),
    },
}
"""Iteration order of a set of irreps by the Python that trained: up to 3.7, and from 3.8 on."""

MASK_MODES = ("reference", "strict")
KNOWN = ("leakyrelu", "relu", "elu", "sigmoid", "logsigmoid", "atan")
"""The activations of the published code."""
MLP = re.compile(r"lgn_cg\.mlp_levels\.(\d+)\.linear\.(\d+)\.weight")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that do not follow from the weights.

    `constituents` slots are computed; `width` rows were there in training, zero rows included; where
    there are more rows than slots, the rest is one more node, counted `width - constituents` times.
    """

    name: str
    constituents: int
    width: int
    beam_mass: float | None
    scale: float
    activation: Activation
    set_order: str
    strict: bool
    key_orders: Mapping[str, tuple[str, ...]]

    @property
    def ghosts(self) -> int:
        """Zero rows beyond the slots. None if padding contributes nothing."""
        return 0 if self.strict else max(self.width - self.constituents, 0)


def read_settings(arguments: Mapping[str, Any]) -> Settings:
    """Read the training arguments, and `set_order`, `mask_mode`, `constituents` if they are given.

    A nested `args` counts as arguments; `key_orders`, as recorded beside a checkpoint, beats
    `set_order`, and so does the version in `python`. Raises CompileError for unsupported options.
    """
    given = flattened(arguments)
    _refuse_unsupported(given)
    width = _whole(given, "nobj", given.get("constituents"))
    beams = given.get("add_beams", True)
    if not isinstance(beams, bool):
        raise CompileError(WHERE, f"found add_beams = {beams!r}", "expected true or false")
    return Settings(
        name=_name(str(given.get("name") or given.get("prefix") or "lgn")),
        constituents=_whole(given, "constituents", width),
        width=width,
        beam_mass=_number(given, "beam_mass", 1.0) if beams else None,
        scale=_number(given, "scale", 0.005),
        activation=ACTIVATIONS[_choice(given, "activation", "leakyrelu", KNOWN)],
        set_order=_choice(given, "set_order", _order_of(given), tuple(SET_ORDERS)),
        strict=_choice(given, "mask_mode", "reference", MASK_MODES) == "strict",
        key_orders=_key_orders(given.get("key_orders") or {}),
    )


def _name(text: str) -> str:
    """Return a name for files and programs."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return f"lgn_{plain}" if plain[0].isdigit() else plain


def _key_orders(given: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping) or not all(isinstance(v, list | tuple) for v in given.values()):
        raise CompileError(WHERE, f"found key_orders = {given!r}", "expected lists of irreps by name")
    return {k: tuple(re.sub(r"\D", "", str(key)) for key in v) for k, v in given.items()}


def _order_of(given: Mapping[str, Any]) -> str:
    version = re.match(r"3\.(\d+)", str(given.get("python", "")))
    return "py37" if version and int(version[1]) < 8 else "py38"


def _refuse_unsupported(given: Mapping[str, Any]) -> None:
    zonal, top = given.get("max_zf", [1]), str(given.get("top", "linear")).lower()
    for bad, key, problem, remedy in (
        (not top.startswith("lin"), "top", "mixes axes of an unpermuted tensor", "linear"),
        (set(np.ravel(zonal)) != {1}, "max_zf", "has zonal functions beyond vectors", "[1]"),
    ):
        if bad:
            raise CompileError(
                WHERE, f"was trained with {key} = {given[key]}, which {problem}", f"expected {key} = {remedy}"
            )


def _whole(given: Mapping[str, Any], key: str, default: Any) -> int:
    value = given.get(key)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CONSTITUENTS:
        remedy = f"give {key}, the number of constituents of an event, at most {MAX_CONSTITUENTS}"
        raise CompileError(WHERE, f"found {key} = {value!r}", remedy)
    return value


def _number(given: Mapping[str, Any], key: str, default: float) -> float:
    value = given.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise CompileError(WHERE, f"found {key} = {value!r}", "expected a number")
    return float(value)


def _choice(given: Mapping[str, Any], key: str, default: str, known: tuple[str, ...]) -> str:
    value = given.get(key) or default
    if str(value).lower() not in known:
        raise CompileError(WHERE, f"found {key} = {value!r}", f"expected one of {', '.join(known)}")
    return str(value).lower()


class Weights:
    """The tensors of a checkpoint by their keys, in float64."""

    def __init__(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._state = state

    def get(self, key: str, *shape: int) -> Array:
        """Return a tensor. Raises CompileError if it is missing or has another shape (-1 fits any)."""
        if key not in self._state:
            raise CompileError(WHERE, f"has no {key!r}", "the file is damaged or of another network")
        found = np.asarray(self._state[key], dtype=np.float64)
        if len(found.shape) != len(shape) or any(
            w not in (-1, s) for s, w in zip(found.shape, shape, strict=True)
        ):
            raise CompileError(
                WHERE,
                f"has {key!r} of shape {found.shape}, expected {shape}",
                "correct the options in config.json",
            )
        return found

    def has(self, key: str) -> bool:
        return key in self._state

    def complex(self, key: str, *shape: int) -> NDArray[np.complex128]:
        """Return a tensor with a leading axis (re, im) as a complex one."""
        pair = self.get(key, 2, *shape)
        return pair[0] + 1j * pair[1]

    @property
    def pmu_in(self) -> bool:
        """Whether momenta enter the first features."""
        return self.has("input_func_atom.weights.(1, 1)")

    @property
    def levels(self) -> int:
        """Number of Clebsch-Gordan levels."""
        heads = "lgn_cg.atom_levels."
        return len({k.split(".")[2] for k in self._state if k.startswith(heads)})

    def irreps(self, level: int) -> frozenset[str]:
        """Return the irreps of the features after a level. Raises CompileError beyond maxdim 3."""
        head = mixing_key(level, "")
        found = frozenset(re.sub(r"\D", "", k[len(head) :]) for k in self._state if k.startswith(head))
        if not found or not found <= set(REAL):
            raise CompileError(
                WHERE, f"has the irreps {sorted(found)} at level {level}", "expected maxdim 2 or 3"
            )
        return found

    def mlp_layers(self, level: int) -> int:
        """Return the number of linear layers of the scalar network of a level, 0 without it."""
        return len([k for k in self._state if (m := MLP.match(k)) and int(m[1]) == level])


def mixing_key(level: int, irrep: str) -> str:
    """Return the key of a mixing matrix; an empty irrep gives what those of a level have in common."""
    head = f"lgn_cg.atom_levels.{level}.cat_mix.mix_reps.weights."
    return f"{head}({irrep[0]}, {irrep[1]})" if irrep else head


def set_order(settings: Settings, irreps: frozenset[str]) -> tuple[str, ...]:
    """Return the irreps in the order of a Python set of them. Raises CompileError for an unknown set."""
    orders = SET_ORDERS[settings.set_order]
    if irreps not in orders:
        raise CompileError(WHERE, f"has the irreps {sorted(irreps)}", "expected those of maxdim 2 or 3")
    return orders[irreps]


def feature_order(settings: Settings, weights: Weights, level: int) -> tuple[str, ...]:
    """Return the irreps of the features that enter a level, in the order of their blocks.

    Behind a scalar network (0, 0) comes last, for it was taken out and put back.
    """
    recorded = settings.key_orders.get(f"level{level}_keys")
    if recorded:
        return recorded
    if level == 0:
        return set_order(settings, frozenset(["00", "11"] if weights.pmu_in else ["00"]))
    order = set_order(settings, weights.irreps(level - 1))
    if not weights.mlp_layers(level - 1):
        return order
    return (*(k for k in order if k != "00"), "00")
