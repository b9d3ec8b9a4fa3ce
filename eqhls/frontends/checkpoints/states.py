"""Which of the tensors of a checkpoint are the network: sets of weights, names without their wrappers, reads.

A checkpoint may hold several sets of weights: running averages (EMA, SWA) beside the trained ones, as entries
of the file or as names in one state. No set is preferred silently: if there are several, the user says
which one. Nothing of the chosen set may be left unread.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.pickles import DAMAGED, Record

Array = NDArray[Any]

STATES = ("model_state", "state_dict", "model_state_dict", "model", "net", "network", "weights")
"""Under these names training codes keep the state of a model."""
WRAPPERS = (
    "_orig_mod.",
    "module.",
    "model.",
    "net.",
    "_forward_module.",
    "_fsdp_wrapped_module.",
    "_checkpoint_wrapped_module.",
)
"""What torch.compile, DataParallel and DDP, Lightning, Fabric, FSDP put before the name of every tensor."""
INSIDE = re.compile(r"(^|\.)(_orig_mod|module|_forward_module|_(fsdp|checkpoint)_wrapped_module)\.")
AVERAGES = re.compile(r"(^|_)(ema|swa|averaged?|avg|shadow)(_|\d|$)", re.IGNORECASE)
"""Names of running averages of weights, whole words between underscores."""
COUNTERS = re.compile(r"(^|\.)(num_batches_tracked|n_averaged|num_updates|steps?|global_step|epoch|initted)$")
"""Tensors that count steps of the training and enter no output."""
ARGUMENTS = ("args", "arguments", "config", "hyper_parameters", "hparams")
"""Under these names training codes keep what they were started with."""
ASIDE = re.compile(r"(^|_)(optims?|opt|scaler)(_|$)|optimi[sz]er|schedule", re.IGNORECASE)
"""Entries with tensors of the training, such as the moments of an optimizer."""
CHOICE = "weights"
"""The setting that names the set to read."""
MODULES = "_modules"
"""An attribute of every module of torch."""
DEPTH, TOP, UNNAMED = 5, "top level", "without prefix"


@dataclass(frozen=True, slots=True, eq=False)
class FileTensor:
    """An array of a file, compared by identity: parameters are keys in the state of an optimizer."""

    array: Array


@dataclass(frozen=True, slots=True)
class Taken(Mapping[str, Array]):
    """The tensors of a network by name; it remembers which of them were read.

    Tensors are read one by one: `items` and `values` would count all of them as read, so they are refused.
    """

    arrays: Mapping[str, Array]
    read: set[str] = field(default_factory=set[str])

    def __getitem__(self, name: str) -> Array:
        value = self.arrays[name]
        if value.dtype.kind != "f":
            raise CompileError(
                f"checkpoint: {name}",
                f"holds {value.dtype}, expected floating-point weights",
                "save the weights before they are quantized, or convert them to float",
            )
        self.read.add(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __contains__(self, name: object) -> bool:
        return name in self.arrays

    def items(self) -> ItemsView[str, Array]:
        raise TypeError("tensors are read by name, so that none is left out unseen")

    def values(self) -> ValuesView[Array]:
        raise TypeError("tensors are read by name, so that none is left out unseen")

    def check_all_read(self, family: str) -> None:
        """Raise CompileError naming the first tensor that is not read; counters of the training may stay."""
        left = [n for n, a in self.arrays.items() if n not in self.read and not _counts(n, a)]
        if left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            raise CompileError(
                family,
                f"does not read the tensor {left[0]}{more}",
                "the file holds another network than this family; remove what is not part of the network",
            )


def weights_of(value: Mapping[Any, Any], chosen: str | None) -> dict[str, Array]:
    """Return the arrays of the one set of weights in what torch.save was given, or of the set `chosen`.

    Raises CompileError if there are several sets and none is chosen, naming them.
    """
    sets = {"".join(c if c.isprintable() else "?" for c in name): s for name, s in _sets(value).items()}
    if chosen is None and len(sets) > 1:
        raise CompileError(
            "checkpoint",
            f"holds {len(sets)} sets of weights: {', '.join(sets)}",
            f'say which one is the network, as "{CHOICE}": "{next(iter(sets))}" in config.json',
        )
    if chosen is not None and chosen not in sets:
        raise CompileError(
            f"checkpoint: {CHOICE}", f"found {chosen!r}", f"expected one of {', '.join(sets) or 'none'}"
        )
    name = next(iter(sets)) if chosen is None else chosen
    return _arrays(sets[name], name)


def _sets(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Return every set of weights by its name: its place in the file, and the prefix of its tensors."""
    places = dict(_places(value))
    if not places:
        named = next((k for k in STATES if isinstance(value.get(k), dict)), None)
        places = {TOP: value} if named is None else {named: value[named]}
    found: dict[str, Any] = {}
    for place, state in places.items():
        parts = _parted(state) if isinstance(state, dict) else {}
        if len(parts) < 2:
            found[place] = state
        elif len(places) == 1:
            found |= parts
        else:
            found |= {f"{place}.{k}": v for k, v in parts.items()}
    return found


def _places(value: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the entries that are states of a model, outermost first. Every object is visited once."""
    seen: set[int] = set()
    level: list[tuple[str, Any]] = [("", value)]
    for _ in range(DEPTH):
        following: list[tuple[str, Any]] = []
        for place, entry in level:
            inner = entry.attributes if isinstance(entry, Record) else entry
            averaged = bool(AVERAGES.search(place.rpartition(".")[2]))
            if averaged and _is_nameless(inner):
                yield place, []
            if not isinstance(inner, dict) or id(inner) in seen or MODULES in inner:
                continue
            seen.add(id(inner))
            if _is_state(inner, averaged):
                yield place or TOP, inner if place else _named(inner)
            inside = {k: v for k, v in inner.items() if isinstance(k, str) and not ASIDE.search(k)}
            following += [
                (f"{place}.{k}" if place else k, v) for k, v in inside.items() if k not in ARGUMENTS
            ]
        level = following


def _is_nameless(entry: Any) -> bool:
    """Whether an entry holds weights that cannot be read by name: a list of them, or a whole module."""
    if isinstance(entry, list):
        return any(isinstance(t, FileTensor) for t in entry)
    return isinstance(entry, dict) and MODULES in entry


def _is_state(entry: Mapping[Any, Any], averaged: bool) -> bool:
    """Whether an entry holds weights: nothing but tensors by name, or names of tensors in modules. Of running
    averages, one tensor is enough."""
    tensors = {k: v for k, v in entry.items() if isinstance(k, str) and isinstance(v, FileTensor)}
    real = any(t.array.dtype.kind == "f" and t.array.ndim for t in tensors.values())
    return real and (averaged or len(tensors) == len(entry) or any("." in k for k in tensors))


def _named(entry: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the weights among the entries of a whole file: tensors, and whatever has the name of one."""
    return {k: v for k, v in entry.items() if isinstance(v, FileTensor) or (isinstance(k, str) and "." in k)}


def _parted(state: Mapping[Any, Any]) -> dict[str, dict[Any, Any]]:
    """Take a state apart into running averages and what is beside them, by the first word of the names."""
    parts: dict[str, dict[Any, Any]] = {}
    for key, tensor in state.items():
        first, dot, _ = str(key).partition(".")
        averaged = bool(dot) and AVERAGES.search(first)
        parts.setdefault(first if averaged else UNNAMED, {})[key] = tensor
    rest = parts.get(UNNAMED, {})
    firsts = {str(k).partition(".")[0] for k in rest if not COUNTERS.fullmatch(str(k))}
    if len(parts) > 1 and not firsts:
        del parts[UNNAMED]
    if len(firsts) == 1 and UNNAMED in parts:
        parts = {next(iter(firsts)) if k == UNNAMED else k: v for k, v in parts.items()}
    return parts


def _arrays(state: Any, place: str) -> dict[str, Array]:
    if not isinstance(state, dict):
        raise CompileError(
            "checkpoint", f"holds tensors without names in {place}", "choose another set of weights"
        )
    for key, tensor in state.items():
        if not isinstance(key, str) or not isinstance(tensor, FileTensor):
            kinds = f"one of {', '.join(STATES)}, or tensors by name"
            raise CompileError("checkpoint", f"{key!r} is a {type(tensor).__name__}", f"expected {kinds}")
        if not key.isprintable():
            raise CompileError("checkpoint", f"has a tensor of the name {key!r}", DAMAGED)
    # The counters of averaged models stand outside their wrapper.
    names = [k for k, t in state.items() if "." in k or not _counts(k, t.array)]
    arrays = {name: _checked(name, state[key].array) for name, key in _unwrapped(names).items()}
    if not arrays:
        raise CompileError("checkpoint", "holds no tensor", "expected the state of a model")
    return arrays


def _unwrapped(keys: list[str]) -> dict[str, str]:
    """Return the keys by their names without the prefixes of wrappers, which all of them must have."""
    names = {k: k for k in keys}
    while prefix := _common(list(names.values())):
        names = {k: n.removeprefix(prefix) for k, n in names.items()}
    for name in names.values():
        inside = INSIDE.search(name)
        wrapper = next((w for w in WRAPPERS if name.startswith(w)), f"{inside[2]}." if inside else "")
        if wrapper:
            _refuse_mixed(list(names.values()), name, wrapper)
    by_name: dict[str, str] = {}
    for key, name in names.items():
        if name in by_name:
            raise CompileError("checkpoint", f"has {name} twice, as {by_name[name]} and {key}", DAMAGED)
        by_name[name] = key
    return by_name


def _counts(name: str, array: Array) -> bool:
    """Whether a tensor counts steps: one whole number with the name of a counter."""
    return bool(COUNTERS.search(name)) and array.size == 1 and bool((array == np.rint(array)).all())


def _common(names: list[str]) -> str:
    """Return the prefix of a wrapper, or of running averages, that all names have, or nothing."""
    firsts = {n.partition(".")[0] for n in names if "." in n}
    first = f"{next(iter(firsts))}." if firsts else ""
    wraps = first in WRAPPERS or AVERAGES.search(first[:-1])
    return first if wraps and all(n.startswith(first) for n in names) else ""


def _refuse_mixed(names: list[str], name: str, wrapper: str) -> None:
    bare = name.replace(wrapper, "", 1)
    if bare in names:
        twice = f"has {bare} twice, with and without the prefix {wrapper!r}"
        raise CompileError("checkpoint", twice, DAMAGED)
    other = next((n for n in names if not n.startswith(wrapper)), name)
    raise CompileError(
        "checkpoint",
        f"has the prefix {wrapper!r} of a wrapper in {name}, but not before every name, such as {other}",
        "save the state_dict of the network itself, without the prefix",
    )


def _checked(name: str, value: Array) -> Array:
    if value.dtype.kind not in "fiub":
        raise CompileError(f"checkpoint: {name}", f"holds {value.dtype}, expected numbers", DAMAGED)
    if not np.isfinite(value).all():
        raise CompileError(f"checkpoint: {name}", "holds NaN or infinity", "train again")
    return value
