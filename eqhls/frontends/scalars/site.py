"""Where the ops of a layer are added, and which named axis one of the framework's axes is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eqhls.errors import CompileError
from eqhls.fixed import NO_FORMATS, Formats
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.types import Axis, Type
from eqhls.ops.input import Input


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the graph and the shape (events left out) that the framework gives it.

    `axes` names the axis of the graph behind each axis of the shape, "" for an axis of size 1 that the graph
    does not have; they may come in another order than in the graph. Without `axes` the elements come in the
    order of the graph: axes of size 1 and the components of a scalar may be missing, and axes may be merged.
    """

    name: str
    shape: tuple[int, ...]
    axes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where ops are being added: the builder and the layer that they stand for."""

    builder: Builder
    name: str

    def add(self, op: Any, *inputs: str, part: str = "") -> str:
        """Append an op under the name of the site, or a part of it, and return its name."""
        name = self.builder.fresh(f"{self.name}.{part}") if part else self.name
        return self.builder.add(name, op, *inputs)

    def type(self, value: Value) -> Type:
        return self.builder.type(value.name)

    def at(self, part: str) -> Site:
        return Site(self.builder, f"{self.name}.{part}")

    def refuse(self, problem: str, remedy: str = "") -> CompileError:
        return CompileError(f"{self.builder.name}: {self.name}", problem, remedy)


def position(site: Site, x: Value, axis: int) -> int:
    """Return where in the shape of a value an axis of the framework is, which counts the events as axis 0."""
    place = axis if axis >= 0 else axis + len(x.shape) + 1
    if not 1 <= place <= len(x.shape):
        raise site.refuse(
            f"works along axis {axis} of {(None, *x.shape)}, the events", "every event is computed by itself"
        )
    return place - 1


def axis_of(site: Site, x: Value, position: int) -> str:
    """Return the named axis that one of the framework's axes is."""
    type = site.type(x)
    if x.axes is not None and x.axes[position]:
        return x.axes[position]
    ours = [a for a in type.axes if a.size > 1]
    theirs = [k for k, s in enumerate(x.shape) if s > 1]
    if [a.size for a in ours] != [x.shape[k] for k in theirs] or position not in theirs:
        raise site.refuse(
            f"works along axis {position + 1} of {(None, *x.shape)}, which is not an axis of {type}",
            "Reshape to the sizes of the named axes first, or Flatten",
        )
    return ours[theirs.index(position)].name


LETTERS = "cjikl"
"""Names of the axes of an untyped input, from the last one."""


def plain_input(builder: Builder, name: str, shape: tuple[int, ...], formats: Formats = NO_FORMATS) -> Value:
    """Return an input without a type as scalars [c], [j, c], [i, j, c] and so on; without `formats`,
    calibration finds one."""
    if not 1 <= len(shape) <= len(LETTERS) or not all(shape):
        raise CompileError(
            f"{builder.name}: {name}",
            f"has shape {(None, *shape)}, expected one to {len(LETTERS)} axes of known sizes",
            "give the input its shape (keras.Input((particles, features)); torch: fixed sizes in the export)",
        )
    letters = LETTERS[: len(shape)][::-1]
    axes = tuple(Axis(n, s) for n, s in zip(letters, shape, strict=True))
    return Value(builder.add(name, Input(Type(S, axes, formats=formats))), shape)
