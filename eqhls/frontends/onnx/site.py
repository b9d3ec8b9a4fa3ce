"""Where the ops of one plain operator are added, and how its values get the axes that an op needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import onnx

from eqhls.errors import CompileError
from eqhls.exchange.attributes import MOST_ELEMENTS
from eqhls.frontends.onnx.reading import Reading, name_of
from eqhls.frontends.onnx.views import View, axes_for, places_of, plain_axes
from eqhls.groups.rep import S
from eqhls.ir.op import Op
from eqhls.ir.types import Type
from eqhls.ops.arrange import Arrange
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select

AXES = "hijklmnopqrstuvw"


@dataclass(frozen=True, slots=True)
class Site:
    """One operator while it is read. The op that is added without a part has the operator's name."""

    state: Reading
    node: onnx.NodeProto
    part: str = ""

    def at(self, part: str) -> Site:
        """Return where a part of what the operator computes is added."""
        return Site(self.state, self.node, f"{self.part}.{part}" if self.part else part)

    def add(self, op: Op, *inputs: str) -> str:
        name = name_of(self.node)
        if self.part:
            return self.state.invent(f"{name}.{self.part}", op, inputs).name
        return self.state.add(name, op, inputs).name

    def type(self, view: View | str) -> Type:
        return self.state.builder.type(view if isinstance(view, str) else view.name)

    def refuse(self, problem: str, remedy: str = "") -> CompileError:
        return CompileError(self.state.place(self.node), problem, remedy)

    def sized(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return a shape. Raises CompileError for more elements than a network can need."""
        if prod(shape) > MOST_ELEMENTS:
            raise self.refuse(f"gives a tensor {list(shape)}", f"expected at most {MOST_ELEMENTS:,} numbers")
        return tuple(shape)

    def given(self, k: int) -> str:
        """Return the name of an input, "" if it is left out."""
        return self.node.input[k] if k < len(self.node.input) else ""

    def constant(self, k: int) -> np.ndarray:
        return self.state.constant(self.node.input[k], self.node)

    def known(self, k: int) -> np.ndarray | None:
        """Return an input if it is a constant."""
        return self.state.constants.get(self.given(k))

    def scalar(self, k: int = 0) -> View:
        """Return an input that is scalars. Raises CompileError for others."""
        view = self.state.view(self.node.input[k], self.node)
        if self.type(view).rep is not S or view.component is not None:
            raise self.refuse(f"reads {self.type(view)}, expected scalars S", "take invariants first")
        return view


def everything(site: Site, view: View) -> View:
    """Return a view that holds every element of its value, so that what is done to the value is done to
    no element in vain."""
    if len(np.unique(view.index)) == site.type(view).elements:
        return view
    part = site.at("taken")
    return selected(part, view) or arranged(part, view, _channels_last(view.index.shape))


def _channels_last(shape: Sequence[int]) -> tuple[str, ...]:
    """Return a name for each place of more than one entry."""
    last = max((k for k, s in enumerate(shape) if s > 1), default=-1)
    return tuple("" if s == 1 else "c" if k == last else AXES[k] for k, s in enumerate(shape))


def selected(site: Site, view: View) -> View | None:
    """Return a value with some entries of one axis, if that is what the view holds: the other axes keep what
    moves them."""
    type = site.type(view)
    sizes = [a.size for a in type.axes]
    if type.dim != 1 or not sizes or 1 in sizes:
        return None
    count = np.arange(prod(sizes)).reshape(sizes)
    for k, axis in enumerate(type.axes):
        where = np.unravel_index(view.index, sizes)[k]
        varying = [d for d, s in enumerate(where.shape) if s > 1 and (np.diff(where, axis=d) != 0).any()]
        if len(varying) > 1:
            continue
        first = tuple(slice(None) if d in varying else 0 for d in range(view.rank))
        picks = tuple(int(i) for i in where[first].ravel())
        whole = count.take(picks, axis=k)
        if whole.size == view.index.size and (whole.ravel() == view.index.ravel()).all():
            name = site.add(Select(axis.name, picks, axis.name if len(picks) > 1 else ""), view.name)
            return view.of(name, np.arange(view.index.size).reshape(view.index.shape))
    return None


def named(site: Site, view: View) -> tuple[View, tuple[str, ...]]:
    """Return a view whose places count the axes of its value, and their names; "" counts none."""
    found = plain_axes(view, site.type(view))
    if found is not None:
        return view, found
    taken = selected(site.at("taken"), view)
    found = None if taken is None else plain_axes(taken, site.type(taken))
    if taken is not None and found is not None:
        return taken, found
    names = _channels_last(view.index.shape)
    return arranged(site.at("arranged"), view, names), names


def arranged(site: Site, view: View, names: Sequence[str]) -> View:
    """Return the same places of a value that has an axis of these names for each place that has one."""
    axes = axes_for(names, view.index.shape)
    sources = tuple(int(k) for k in view.index.ravel())
    name = site.add(Arrange(Type(S, axes), sources), view.name)
    return view.of(name, np.arange(view.index.size).reshape(view.index.shape))


def aligned(site: Site, views: Iterable[View]) -> tuple[tuple[View, ...], tuple[str, ...]]:
    """Return values that broadcast by the names of their axes as the places of the views do, and the names.
    Raises CompileError if they count events in different axes."""
    padded = tuple(_tidy(site.at(f"of{k}"), v) for k, v in enumerate(_same_rank(site, tuple(views))))
    types = [site.type(v) for v in padded]
    found = [plain_axes(v, t) for v, t in zip(padded, types, strict=True)]
    if found[0] is not None and all(
        f == found[0] and t.axes == types[0].axes for f, t in zip(found, types, strict=True)
    ):
        return padded, found[0]
    found = [None if any(a.size == 1 for a in t.axes) else f for f, t in zip(found, types, strict=True)]
    names = _names(padded, found)
    return tuple(
        _renamed(site.at(f"as{k}"), v, f, names) for k, (v, f) in enumerate(zip(padded, found, strict=True))
    ), names


def _tidy(site: Site, view: View) -> View:
    """Return a view of which entries of one axis are selected, if that is all that it does."""
    if plain_axes(view, site.type(view)) is not None:
        return view
    return selected(site, view) or view


def _same_rank(site: Site, views: tuple[View, ...]) -> tuple[View, ...]:
    rank = max(v.rank for v in views)
    padded = tuple(v.ranked(rank) for v in views)
    if len({(v.event, v.outer) for v in padded}) > 1:
        raise site.refuse("counts the events of its inputs along different axes", "keep the events first")
    return padded


def _names(views: tuple[View, ...], found: list[tuple[str, ...] | None]) -> tuple[str, ...]:
    """Return one name for each place that has more than one entry in some view, all different."""
    names: list[str] = []
    for k in range(views[0].rank):
        wide = any(v.index.shape[k] > 1 for v in views)
        wanted = [f[k] for f in found if f is not None and f[k] and f[k] not in names]
        taken = {n for f in found if f is not None for n in f} | {*names}
        names.append((wanted[0] if wanted else next(a for a in AXES if a not in taken)) if wide else "")
    return tuple(names)


def _renamed(site: Site, view: View, found: tuple[str, ...] | None, names: tuple[str, ...]) -> View:
    own = tuple(n if s > 1 else "" for n, s in zip(names, view.index.shape, strict=True))
    if found is None:
        return arranged(site, view, own)
    changes = [(a, b) for a, b in zip(found, own, strict=True) if a != b]
    if any(b in found for _, b in changes):
        return arranged(site, view, own)
    for k, (old, new) in enumerate(changes):
        view = replace(view, name=site.at(f"axis{k}").add(Rename(old, new), view.name))
    return view


def viewed(site: Site, name: str, names: Sequence[str], like: View, shape: Sequence[int]) -> View:
    """Return the value of an op whose axes are counted by places of these names."""
    return like.of(name, places_of(site.type(name), names, shape))
