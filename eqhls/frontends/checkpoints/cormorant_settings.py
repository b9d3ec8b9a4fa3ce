"""What a Cormorant checkpoint says about itself: settings that no tensor tells, and tensors by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.fields import ACTIVATIONS, MAX_CONSTITUENTS, Fields
from eqhls.frontends.checkpoints.points import real
from eqhls.ir.op import Floats
from eqhls.ops.table import Activation

WHERE = "Cormorant"
HEAD = "cormorant_cg."
MIX = HEAD + "{}_levels.{}.cat_mix.mix_reps.weights.{}"
SOFT = ("soft", "learn", "learn_rad", "learn_width")
CUTS = ("hard", *SOFT)
KNOWN = ("leakyrelu", "relu", "elu", "sigmoid", "logsigmoid", "atan")
"""The activations of the published code."""
MAX_SPIN = 3
LEAST = 1e-3
"""Radii and widths of soft cuts are at least this."""
Levels = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that do not follow from the weights. Radii and widths have one entry per level."""

    points: int
    species: int
    charge_power: int
    charge_scale: float
    cuts: frozenset[str]
    hard: Levels
    soft: Levels
    width: Levels
    activation: Activation


def read_settings(tensors: Tensors, arguments: Mapping[str, Any]) -> Settings:
    """Read the settings of a config.json. Raises CompileError for unsupported options."""
    given, levels = _Given(arguments), tensors.levels
    power = given.whole("charge_power", 0, 16)
    return Settings(
        points=given.whole("n_atoms", 1, MAX_CONSTITUENTS),
        species=given.whole("num_species", 1, MAX_CONSTITUENTS),
        charge_power=power,
        charge_scale=given.positive("charge_scale"),
        cuts=given.cuts(),
        hard=given.per_level("hard_cut_rad", levels),
        soft=given.per_level("soft_cut_rad", levels),
        width=given.per_level("soft_cut_width", levels),
        activation=ACTIVATIONS[given.choice("activation", "leakyrelu", KNOWN)],
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """The arguments, each with what it must be."""

    arguments: Mapping[str, Any]

    def _error(self, key: str, expected: str) -> CompileError:
        found = f"found {self.arguments[key]!r}" if key in self.arguments else "is missing"
        return CompileError(f"{WHERE}: {key}", found, f"expected {expected}")

    def whole(self, key: str, least: int, most: int) -> int:
        value = self.arguments.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._error(key, f"a whole number from {least} to {most}")
        return value

    def positive(self, key: str) -> float:
        value = self.arguments.get(key)
        if not _is_number(value) or real(WHERE, self.arguments, key) <= 0:
            raise self._error(key, "a positive number")
        return real(WHERE, self.arguments, key)

    def choice(self, key: str, default: str, known: tuple[str, ...]) -> str:
        value = self.arguments.get(key, default)
        if str(value).lower() not in known:
            raise self._error(key, f"one of {', '.join(known)}")
        return str(value).lower()

    def cuts(self) -> frozenset[str]:
        value = self.arguments.get("cutoff_type", ["learn"])
        kinds = [value] if isinstance(value, str) else value
        if not isinstance(kinds, list | tuple) or not set(kinds) <= set(CUTS):
            raise self._error("cutoff_type", f"a list of some of {', '.join(CUTS)}")
        return frozenset(map(str, kinds))

    def per_level(self, key: str, levels: int) -> Levels:
        """Return one number for each level, of one for all or of a list; NaN if it is not given."""
        value = self.arguments.get(key)
        if value is None:
            return np.full(levels, np.nan)
        numbers = value if isinstance(value, list | tuple) else [value] * levels
        if len(numbers) != levels or not all(_is_number(v) for v in numbers):
            raise self._error(key, f"a number, or one for each of the {levels} levels")
        return np.array(numbers, dtype=np.float64)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


@dataclass(frozen=True, slots=True)
class Tensors:
    """The tensors of a checkpoint by their names."""

    fields: Fields

    @property
    def levels(self) -> int:
        """The number of Clebsch-Gordan levels."""
        return count(self.fields.state, f"{HEAD}atom_levels.")

    @property
    def message_layers(self) -> int:
        """The number of layers of a message-passing input; 0 if the input is linear."""
        return count(self.fields.state, "input_func_atom.mlps.")

    def spins(self, kind: str, level: int) -> range:
        """Return the spins of the features (`atom`) or edges (`edge`) of a level. Raises CompileError as
        `spins` does."""
        return spins(self.fields.state, kind, level)

    def mixing(self, kind: str, level: int, spin: int, inputs: int) -> NDArray[np.complex128]:
        """Return a complex mixing matrix (out, in)."""
        pair = self.fields.tensor(MIX.format(kind, level, spin), -1, inputs, 2)
        return pair[..., 0] + 1j * pair[..., 1]

    def width(self, kind: str, level: int) -> int:
        """Return the number of channels that a level gives."""
        return self.fields.state[MIX.format(kind, level, 0)].shape[0]

    def edge_inputs(self, level: int, spin: int) -> int:
        return self.fields.state[MIX.format("edge", level, spin)].shape[1]

    def linear(self, name: str, inputs: int) -> tuple[Floats, Floats]:
        weight = self.fields.tensor(f"{name}.weight", -1, inputs)
        return weight, self.fields.tensor(f"{name}.bias", len(weight))

    def layers(self, name: str) -> int:
        """The number of linear layers of a network."""
        return count(self.fields.state, f"{name}.linear.")

    def waves(self, name: str) -> tuple[Floats, Floats]:
        """Return scales and phases of a radial basis."""
        scales = self.fields.tensor(f"{name}.scales", 1, 1, 1, -1).ravel()
        return scales, self.fields.tensor(f"{name}.phases", 1, 1, 1, len(scales)).ravel()

    def cut(self, level: int, part: str, given: float, size: int, learned: bool) -> Floats:
        """Return radii or widths of the soft cut, one per channel: learned, or as the settings give them."""
        name = f"{HEAD}edge_levels.{level}.mask_layer.soft_cut_{part}"
        if learned:
            found = self.fields.tensor(name, 1, 1, 1, size).ravel()
        else:
            found = np.full(size, known(f"soft_cut_{part}", given))
        return np.maximum(LEAST, np.abs(found))


def count(state: Mapping[str, Any], head: str) -> int:
    """Return how many different words follow `head` in the names of tensors."""
    return len({n[len(head) :].split(".")[0] for n in state if n.startswith(head)})


def spins(state: Mapping[str, Any], kind: str, level: int) -> range:
    """Return the spins for which a level has mixing matrices. Raises CompileError for gaps and beyond 3."""
    head = MIX.format(kind, level, "")
    found = sorted(int(n[len(head) :]) for n in state if re.fullmatch(re.escape(head) + r"\d+", n))
    if found != list(range(len(found))) or not 1 <= len(found) <= MAX_SPIN + 1:
        raise CompileError(
            f"{WHERE}: {head}*",
            f"has the spins {found}",
            f"expected 0 up to at most {MAX_SPIN}, without gaps",
        )
    return range(len(found))


def known(key: str, value: float) -> float:
    """Return a setting that is needed. Raises CompileError if it was not given."""
    if np.isnan(value):
        raise CompileError(f"{WHERE}: {key}", "is missing", "a cut needs it")
    return float(value)


def least(value: float) -> float:
    """Return a radius or a width as the published code takes it."""
    return max(LEAST, abs(value))


def _shape(state: Mapping[str, Any], name: str) -> tuple[int, ...]:
    if name not in state:
        raise CompileError(WHERE, f"has no tensor {name}", "the checkpoint is of another network")
    return tuple(state[name].shape)


def _level_count(state: Mapping[str, Any]) -> int:
    return count(state, f"{HEAD}atom_levels.")


def _linear_input(state: Mapping[str, Any]) -> bool:
    return not count(state, "input_func_atom.mlps.")


def _model(state: Mapping[str, Any], value: Any) -> Any:
    return "CormorantMD17" if _linear_input(state) else "CormorantQM9"


def _as_given(value: Any, found: list[int]) -> Any:
    """Return numbers a level as the setting gives them: a list, or one number for all."""
    return value if value in (found, tuple(found)) or all(value == n for n in found) else found


def _edge_spins(state: Mapping[str, Any], value: Any) -> Any:
    return _as_given(value, [spins(state, "edge", k)[-1] for k in range(_level_count(state))])


def _atom_spins(state: Mapping[str, Any], value: Any) -> Any:
    """Return the highest spins of features. A level that cannot reach the one in the settings has fewer."""
    levels = _level_count(state)
    found = [spins(state, "atom", k)[-1] for k in range(levels)]
    zonal = [spins(state, "edge", k)[-1] for k in range(levels)]
    reach = [max(z, enters) + enters for z, enters in zip(zonal, [0, *found], strict=False)]
    given = list(value) if isinstance(value, list | tuple) else [value] * levels
    whole = len(given) == levels and all(isinstance(n, int) for n in given)
    agree = whole and all(n == min(m, r) for n, m, r in zip(found, given, reach, strict=True))
    return value if agree else found


def _channels(state: Mapping[str, Any], value: Any) -> Any:
    levels = _level_count(state)
    last = _shape(state, MIX.format("atom", levels - 1, 0))[0]
    return _as_given(value, [*(_shape(state, MIX.format("edge", k, 0))[0] for k in range(levels)), last])


def _basis(state: Mapping[str, Any], value: Any) -> Any:
    width, inputs = _shape(state, MIX.format("edge", 0, 0))[:2]
    return _frequencies_and_powers(state, "rad_funcs.rad_funcs.0", 2 * (inputs - width), value)


def _message_basis(state: Mapping[str, Any], value: Any) -> Any:
    if _linear_input(state):
        return value
    head = "input_func_atom.rad_filts.0"
    return _frequencies_and_powers(state, head, _shape(state, f"{head}.linear.0.weight")[1], value)


def _frequencies_and_powers(state: Mapping[str, Any], head: str, functions: int, value: Any) -> Any:
    waves = _shape(state, f"{head}.scales")[-1]
    return _as_given(value, [waves // 2 - 1, functions // waves - 1])


def _hidden(state: Mapping[str, Any], value: Any) -> Any:
    name = "output_layer_atom.mlp1.linear.0.weight"
    return value if _linear_input(state) else _shape(state, name)[0]


DECIDED: Mapping[str, Callable[[Mapping[str, Any], Any], Any]] = {
    "model": _model,
    "num_cg_levels": lambda state, value: _level_count(state),
    "maxl": _atom_spins,
    "max_sh": _edge_spins,
    "num_channels": _channels,
    "basis_set": _basis,
    "basis_set_input_mpnn": _message_basis,
    "layer_width": _hidden,
    "top": lambda state, value: value,
}
"""Settings that the tensors decide: what they should be. Nothing depends on `top`, there as here."""
LAYOUT = {"complex": "last axis of size 2 is (re, im)", "m_order": "m = -l .. l"}
"""How components are stored, as config.json may say it."""
READ = """n_atoms num_species charge_power charge_scale activation
    cutoff_type hard_cut_rad soft_cut_rad soft_cut_width"""
"""The others."""
